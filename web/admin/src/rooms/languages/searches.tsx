import { ActionIcon, SegmentedControl, Tooltip } from '@mantine/core';
import { IconExternalLink, IconSearch } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useLanguageWords } from './words';

/** What shoppers look for, and above all what they do not find. */
export default function Searches() {
  const w = useLanguageWords().searches;
  const f = useFormat();
  const { query, settings } = useStore();
  const filters = useFilters('view', 'days');
  const without = filters.values.view === 'none';
  const days = Number(filters.values.days || 30);
  const list = query.useInfiniteQuery('get', '/v1/searches', { params: { query: { limit: 50, days, ...(without && { without_results: true }) } } }, { ...pages, placeholderData: keepPreviousData });
  return (
    <Page title={w.title} text={w.text}>
      <List<Schemas['Search']>
        label={w.title}
        query={list}
        id={({ words }) => words}
        narrowed={filters.any ? { nothing: without ? w.nothing : w.empty.text, clear: filters.clear } : undefined}
        empty={<Empty icon={IconSearch} {...w.empty} />}
        filters={
          <>
            <Views label={w.view} value={filters.values.view} names={w.views} onChange={(view) => filters.set({ view })} />
            <SegmentedControl aria-label={w.days} value={String(days)} onChange={(next) => filters.set({ days: next === '30' ? '' : next })} data={Object.entries(w.period).map(([value, label]) => ({ value, label }))} />
          </>
        }
        columns={[
          { name: w.columns.words, cell: ({ words }) => words },
          { name: w.columns.count, end: true, width: 120, cell: ({ count }) => f.number(count) },
          { name: w.columns.without, end: true, width: 160, cell: ({ without_results }) => f.number(without_results) },
          { name: w.columns.last, wide: true, width: 140, cell: ({ last_searched_on }) => f.day(last_searched_on) },
          {
            name: w.look,
            silent: true,
            wide: true,
            width: 60,
            end: true,
            cell: ({ words }) => (
              <Tooltip label={w.look}>
                <ActionIcon component="a" href={`${settings.shop_url.replace(/\/$/, '')}/search?q=${encodeURIComponent(words)}`} target="_blank" rel="noopener" aria-label={`${w.look}: ${words}`}>
                  <IconExternalLink size={16} />
                </ActionIcon>
              </Tooltip>
            ),
          },
        ]}
      />
    </Page>
  );
}
