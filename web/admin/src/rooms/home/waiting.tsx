import { Group, NavLink, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCash, IconChevronRight, IconCircleCheck, IconPackageExport, IconStackPop, IconTruckReturn } from '@tabler/icons-react';
import { Link } from 'react-router';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useHomeWords } from './words';

/** How many are counted; beyond it there are simply many. */
const most = 100;

type List = { data?: { data: unknown[]; has_more: boolean }; isPending: boolean; isFetching: boolean };

/** What waits to be done, as far as whoever looks may do it. */
export function Waiting() {
  const w = useHomeWords();
  const f = useFormat();
  const { query, can, to } = useStore();
  const orders = can('orders:read');
  const stock = can('inventory:read');
  const asked = (params: object, enabled: boolean) => [{ params: { query: { limit: most, ...params } } }, { enabled, refetchInterval: 60_000 }] as const;
  const fulfil = query.useQuery('get', '/v1/orders', ...asked({ state: 'open', fulfilment_state: 'unfulfilled' }, orders));
  const unpaid = query.useQuery('get', '/v1/orders', ...asked({ state: 'open', payment_state: 'pending' }, orders));
  const failed = query.useQuery('get', '/v1/orders', ...asked({ state: 'open', payment_state: 'failed' }, orders));
  const asking = query.useQuery('get', '/v1/returns', ...asked({ state: 'requested' }, orders));
  const arrived = query.useQuery('get', '/v1/returns', ...asked({ state: 'received' }, orders));
  const low = query.useQuery('get', '/v1/inventory', ...asked({ low: true }, stock));

  const rows = [
    { lists: [fulfil], text: w.waiting.fulfil, icon: IconPackageExport, path: 'orders?view=send' },
    { lists: [unpaid], text: w.waiting.unpaid, icon: IconCash, path: 'orders?view=unpaid' },
    { lists: [failed], text: w.waiting.failed, icon: IconAlertTriangle, path: 'orders?payment=failed' },
    { lists: [asking], text: w.waiting.asking, icon: IconTruckReturn, path: 'returns?state=requested' },
    { lists: [arrived], text: w.waiting.arrived, icon: IconTruckReturn, path: 'returns?state=received' },
    { lists: [low], text: w.waiting.low, icon: IconStackPop, path: 'stock?view=low' },
  ].map((row) => ({ ...row, ...count(row.lists) }));
  const waiting = rows.filter((row) => row.n > 0);
  const loading = rows.some((row) => row.loading);
  return (
    <Section title={w.waiting.title} flush>
      <Stack gap={0} px="xs" pb="xs">
        {!loading &&
          waiting.map(({ n, more, text, icon: Icon, path }) => (
          <NavLink
            key={path}
            component={Link}
            to={to(path)}
            label={text(f.number(n) + (more ? '+' : ''), n === 1)}
            leftSection={<Icon size={20} stroke={1.6} aria-hidden />}
            rightSection={<IconChevronRight size={16} aria-hidden />}
            py="sm"
            style={{ borderRadius: 'var(--mantine-radius-md)' }}
          />
        ))}
        {loading && [1, 2, 3].map((n) => <Skeleton key={n} height={20} m="sm" width="80%" />)}
        {!loading && waiting.length === 0 && (
          <Group gap="sm" p="sm">
            <IconCircleCheck size={20} color="var(--stoa-good)" aria-hidden />
            <Text size="sm">{w.waiting.nothing}</Text>
          </Group>
        )}
      </Stack>
    </Section>
  );
}

function count(lists: List[]) {
  return {
    n: lists.reduce((sum, list) => sum + (list.data?.data.length ?? 0), 0),
    more: lists.some((list) => list.data?.has_more),
    loading: lists.some((list) => list.isPending && list.isFetching),
  };
}
