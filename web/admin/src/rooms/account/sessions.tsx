import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { platform } from '../../session/session';
import { useFormat } from '../../words/format';
import { deviceOf } from './device';
import { useAccountWords } from './words';

type Session = Schemas['SessionInfo'];

/** Where one is signed in. */
export function Sessions() {
  const w = useAccountWords();
  const sessions = platform.query.useQuery('get', '/v1/account/sessions', { params: { query: { limit: 100 } } });
  const others = sessions.data?.data.filter((session) => !session.current) ?? [];
  const end = useWrite({
    write: async (ended: Session[]) => {
      for (const { id } of ended) {
        // oxlint-disable-next-line no-await-in-loop
        await answered(platform.api.DELETE('/v1/account/sessions/{session_id}', { params: { path: { session_id: id } } }));
      }
      return { data: undefined, requests: [], version: undefined };
    },
    said: w.sessions.ended,
  });
  return (
    <Section
      title={w.sessions.title}
      text={w.sessions.text}
      actions={
        others.length > 1 && (
          <Button variant="default" size="xs" loading={end.isPending} onClick={() => end.mutate(others)}>
            {w.sessions.endOthers}
          </Button>
        )
      }
    >
      {sessions.isPending && <Skeleton height={40} />}
      {sessions.data?.data.map((session) => (
        <Where key={session.id} session={session} end={() => end.mutate([session])} />
      ))}
    </Section>
  );
}

function Where({ session, end }: { session: Session; end: () => void }) {
  const w = useAccountWords();
  const f = useFormat();
  const agent = session.user_agent ?? '';
  const Icon = /Mobile|Android|iPhone/.test(agent) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <Group wrap="nowrap" gap="md">
      <Icon size={22} stroke={1.5} aria-hidden style={{ flexShrink: 0 }} />
      <Stack gap={0} flex={1} miw={0}>
        <Group gap="xs">
          <Text size="sm" fw={600} title={agent}>
            {deviceOf(agent) ?? w.sessions.unknown}
          </Text>
          {session.current && <State mood="well">{w.sessions.current}</State>}
        </Group>
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {[session.ip, w.since(f.time(session.created_at)), !session.current && w.used(f.ago(session.last_seen_at))].filter(Boolean).join(' · ')}
        </Text>
      </Stack>
      {!session.current && (
        <Button size="xs" variant="default" onClick={end}>
          {w.sessions.end}
        </Button>
      )}
    </Group>
  );
}
