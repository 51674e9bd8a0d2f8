import { Anchor, Badge, Button, Card, Center, Group, Stack, Text, Title } from '@mantine/core';
import { IconBuildingStore, IconChevronRight, IconPlus } from '@tabler/icons-react';
import { Link, Navigate } from 'react-router';
import { Empty } from '../page/empty';
import { Mark } from '../shell/mark';
import { UserMenu } from '../shell/user';
import { useSession } from './session';
import { useSessionWords } from './words';

/** Which of somebody's stores? Who has only one is not asked. */
export default function Stores() {
  const w = useSessionWords();
  const stores = useSession().stores.filter((store) => store.state !== 'deleted');
  const only = stores.length === 1 ? stores[0] : undefined;
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
      </Stack>
    </Center>
  );
}
