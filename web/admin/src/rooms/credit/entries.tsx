import { Anchor, Group, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useCreditWords } from './words';

/** What came to an account and went. */
export function Entries({ entries }: { entries: Schemas['CreditEntry'][] }) {
  const w = useCreditWords();
  const { can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  return (
    <Stack gap="sm">
      {entries.map((entry) => (
        <Group key={entry.id} justify="space-between" wrap="nowrap" align="flex-start">
          <div style={{ minWidth: 0 }}>
            <Text size="sm" fw={500}>
              {entry.order_id && can('orders:read') ? (
                <Anchor component={Link} to={to(`orders/${entry.order_id}`)} inherit>
                  {w.types[entry.type]}
                </Anchor>
              ) : (
                w.types[entry.type]
              )}
            </Text>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {[f.time(entry.created_at), entry.reason].filter(Boolean).join(' · ')}
            </Text>
          </div>
          <Stack gap={0} align="flex-end" style={{ whiteSpace: 'nowrap' }}>
            <Text size="sm" fw={500} c={entry.amount.amount > 0 ? 'var(--stoa-good)' : undefined}>
              {entry.amount.amount > 0 ? '+' : ''}
              {f.money(entry.amount)}
            </Text>
            <Text size="xs" c="dimmed">
              {f.money(entry.balance)}
            </Text>
          </Stack>
        </Group>
      ))}
    </Stack>
  );
}
