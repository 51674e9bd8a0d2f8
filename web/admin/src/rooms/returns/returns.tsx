import { Text } from '@mantine/core';
import { IconTruckReturn } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { ReturnState } from './states';
import { useReturnWords } from './words';

/** Everything that comes back; what is done with it is on the page of its order. */
export default function Returns() {
  const w = useReturnWords();
  const everywhere = useWords();
  const { query, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('state');
  const state = filters.values.state as Schemas['ReturnState'] | '';
  const returns = query.useInfiniteQuery('get', '/v1/returns', { params: { query: { limit: 50, ...(state && { state }) } } }, { ...pages, placeholderData: keepPreviousData, refetchInterval: 60_000 });
  const { requested, approved, received, inspected, closed } = w.states;
  return (
    <Page title={w.title} text={w.text}>
      <List<Schemas['Return']>
        label={w.title}
        query={returns}
        id={(each) => each.id}
        to={(each) => to(`orders/${each.order_id}?return=${each.id}`)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconTruckReturn} {...w.empty} />}
        filters={<Views label={w.state} value={state} names={{ all: everywhere.all, requested, approved, received, inspected, closed }} onChange={(next) => filters.set({ state: next })} />}
        columns={[
          { name: w.columns.order, cell: (each) => `#${each.order_number}` },
          {
            name: w.columns.asked,
            wide: true,
            width: 180,
            cell: (each) => (
              <Text size="sm" title={f.time(each.created_at)}>
                {f.ago(each.created_at)}
              </Text>
            ),
          },
          { name: w.columns.reasons, cell: (each) => [...new Set(each.lines.map(({ reason }) => w.reasons[reason]))].join(', ') },
          { name: w.columns.pieces, wide: true, end: true, width: 100, cell: (each) => f.number(each.lines.reduce((sum, { quantity }) => sum + quantity, 0)) },
          { name: w.columns.state, cell: (each) => <ReturnState state={each.state} /> },
        ]}
      />
    </Page>
  );
}
