import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import { pages } from '../../page/list';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useInventoryWords } from './words';

/** What happened to the stock of a variant, the latest first. */
export function Movements({ variant_id, locations }: { variant_id: string; locations: { id: string; name: string }[] }) {
  const w = useInventoryWords();
  const everywhere = useWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const movements = query.useInfiniteQuery('get', '/v1/inventory/movements', { params: { query: { variant_id, limit: 10 } } }, pages);
  const all = movements.data?.pages.flatMap((page) => page.data) ?? [];
  const where = (id: string) => (locations.length > 1 ? locations.find((location) => location.id === id)?.name : undefined);
  return (
    <Stack gap="xs">
      <Title order={3}>{w.history}</Title>
      {movements.isPending && <Skeleton height={60} />}
      {movements.data && all.length === 0 && (
        <Text size="sm" c="dimmed">
          {w.noHistory}
        </Text>
      )}
      {all.map((movement) => (
        <Group key={movement.id} justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Text size="sm">
              {w.movements[movement.reason]}
              {movement.order_id && can('orders:read') && (
                <>
                  {' · '}
                  <Anchor component={Link} to={to(`orders/${movement.order_id}`)} size="sm">
                    {w.order}
                  </Anchor>
                </>
              )}
            </Text>
            <Text size="xs" c="dimmed" title={f.time(movement.at)}>
              {[f.ago(movement.at), where(movement.location_id), movement.actor.kind !== 'system' && movement.actor.label, movement.note].filter(Boolean).join(' · ')}
            </Text>
          </div>
          <Text size="sm" fw={600} style={{ whiteSpace: 'nowrap' }}>
            {movement.delta > 0 && '+'}
            {f.number(movement.delta)}{' '}
            <Text span size="xs" c="dimmed" fw={400}>
              → {f.number(movement.on_hand_after)}
            </Text>
          </Text>
        </Group>
      ))}
      {movements.hasNextPage && (
        <Button variant="subtle" size="compact-sm" loading={movements.isFetchingNextPage} onClick={() => void movements.fetchNextPage()}>
          {everywhere.more}
        </Button>
      )}
    </Stack>
  );
}
