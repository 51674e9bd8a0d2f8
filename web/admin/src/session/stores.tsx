import { Anchor, Badge, Button, Card, Center, Group, Stack, Text, Title } from '@mantine/core';
import { IconBuildingStore, IconChevronRight, IconPlus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link, Navigate } from 'react-router';
import { answered, connect, type Schemas } from '../api/client';
import { problemOf } from '../api/problem';
import { complain } from '../api/write';
import { Empty } from '../page/empty';
import { Mark } from '../shell/mark';
import { UserMenu } from '../shell/user';
import { useWords } from '../words/everywhere';
import { platformMemory, useSession } from './session';
import { useSessionWords } from './words';

/** Which of somebody's stores? Who has only one is not asked. */
export default function Stores() {
  const w = useSessionWords();
  const all = useSession().stores;
  const stores = all.filter((store) => store.state !== 'deleted');
  const deleted = all.filter((store) => store.state === 'deleted' && store.role === 'owner');
  const only = stores.length === 1 && deleted.length === 0 ? stores[0] : undefined;
  if (only) return <Navigate to={`/${only.address}`} replace />;
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={480} gap="lg">
        <title>{`${w.stores} – Stoa`}</title>
        <Group justify="space-between">
          <Mark size={32} />
          <UserMenu />
        </Group>
        {stores.length === 0 ? (
          <Empty
            icon={IconBuildingStore}
            title={w.noStore.title}
            text={w.noStore.text}
            action={
              <Button component="a" href="/sign-up">
                {w.open}
              </Button>
            }
          />
        ) : (
          <>
            <Title order={1}>{w.stores}</Title>
            <Stack gap="sm">
              {stores.map((store) => (
                <Card key={store.store_id} component={Link} to={`/${store.address}`} padding="md">
                  <Group wrap="nowrap">
                    <Stack gap={2} flex={1} miw={0}>
                      <Text fw={600} truncate>
                        {store.name}
                      </Text>
                      <Text size="sm" c="dimmed">
                        {w.role[store.role]}
                      </Text>
                    </Stack>
                    {store.state === 'suspended' && <Badge color="red">{w.suspended}</Badge>}
                    <IconChevronRight size={18} aria-hidden />
                  </Group>
                </Card>
              ))}
            </Stack>
            <Anchor href="/sign-up" size="sm">
              <Group gap={6}>
                <IconPlus size={16} aria-hidden /> {w.open}
              </Group>
            </Anchor>
          </>
        )}
        {deleted.map((store) => (
          <Deleted key={store.store_id} store={store} />
        ))}
      </Stack>
    </Center>
  );
}

/** A store whose end its owner can still take back. */
function Deleted({ store }: { store: Schemas['AccountStore'] }) {
  const w = useSessionWords();
  const everywhere = useWords();
  const restore = useMutation({
    mutationFn: () => answered(connect({ id: store.store_id, mode: 'live' }).api.POST('/v1/store/restore')),
    onSuccess: () => platformMemory.invalidateQueries(),
    onError: (error) => complain(problemOf(error).detail ?? everywhere.trouble.offline),
  });
  return (
    <Card padding="md">
      <Group wrap="nowrap">
        <Stack gap={2} flex={1} miw={0}>
          <Text fw={600} truncate c="dimmed">
            {store.name}
          </Text>
          <Text size="sm" c="dimmed">
            {w.deleted}
          </Text>
        </Stack>
        <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate()}>
          {w.restore}
        </Button>
      </Group>
    </Card>
  );
}
