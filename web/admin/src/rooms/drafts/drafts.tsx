import { Button, Text } from '@mantine/core';
import { IconFilePencil, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Search } from '../../page/search';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { DraftState } from './states';
import { useDraftWords } from './words';

/** Orders that the staff puts together for somebody. */
export default function Drafts() {
  const w = useDraftWords();
  const everywhere = useWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('state', 'q');
  const { q } = filters.values;
  const state = filters.values.state as Schemas['DraftOrderState'] | '';
  const drafts = query.useInfiniteQuery(
    'get',
    '/v1/draft-orders',
    { params: { query: { limit: 50, ...(state && { state }), ...(/^\S+@\S+\.\S+$/.test(q) && { email: q }) } } },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  const add = can('orders:write') && (
    <Button component={Link} to={to('drafts/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<Schemas['DraftOrderSummary']>
        label={w.title}
        query={drafts}
        id={(draft) => draft.id}
        to={(draft) => to(`drafts/${draft.id}`)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconFilePencil} {...w.empty} action={add} />}
        filters={
          <>
            <Views label={w.state} value={state} names={{ all: everywhere.all, ...w.states }} onChange={(next) => filters.set({ state: next })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next })} />
          </>
        }
        columns={[
          {
            name: w.columns.customer,
            cell: (draft) => (
              <Text size="sm" fw={600} lineClamp={1} style={{ wordBreak: 'break-all' }}>
                {draft.email ?? w.nobody}
              </Text>
            ),
          },
          {
            name: w.columns.changed,
            wide: true,
            width: 160,
            cell: (draft) => (
              <Text size="sm" title={f.time(draft.updated_at)}>
                {f.ago(draft.updated_at)}
              </Text>
            ),
          },
          { name: w.columns.lines, wide: true, end: true, width: 110, cell: (draft) => f.number(draft.line_count) },
          { name: w.columns.state, cell: (draft) => <DraftState state={draft.state} /> },
          { name: w.columns.total, end: true, cell: (draft) => f.money(draft.subtotal) },
        ]}
      />
    </Page>
  );
}
