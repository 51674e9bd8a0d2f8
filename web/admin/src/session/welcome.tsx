import { Anchor, Card, Center, Group, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Navigate, useSearchParams } from 'react-router';
import { Mark } from '../shell/mark';
import { LanguageChoice } from '../shell/preferences';
import { platform } from './session';
import { SignIn } from './signin';
import { useSessionWords } from './words';

/** The page on which one signs in. */
export default function Welcome() {
  const w = useSessionWords();
  const client = useQueryClient();
  const [search] = useSearchParams();
  const session = platform.query.useQuery('get', '/v1/session', {}, { retry: false, staleTime: Number.POSITIVE_INFINITY });
  const next = search.get('next') ?? '/';
  // An address of this program and of nothing else.
  if (session.data) return <Navigate to={next.startsWith('/') && !next.startsWith('//') ? next : '/'} replace />;
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={400} gap="lg">
        <title>{`${w.title} – Stoa`}</title>
        <Stack gap={4} align="center">
          <Mark size={40} />
          <Title order={1} mt="sm">
            {w.title}
          </Title>
          <Text c="dimmed">{w.lead}</Text>
        </Stack>
        <Card padding="xl">
          <SignIn done={(begun) => client.setQueryData(platform.query.queryOptions('get', '/v1/session', {}).queryKey, begun)} />
        </Card>
        <Group justify="space-between">
          <Anchor href="/forgot-password" size="sm">
            {w.forgotten}
          </Anchor>
          <Anchor href="/sign-up" size="sm">
            {w.open}
          </Anchor>
        </Group>
        <Center>
          <LanguageChoice />
        </Center>
      </Stack>
    </Center>
  );
}
