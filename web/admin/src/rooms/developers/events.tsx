import { Code, Drawer, Stack } from '@mantine/core';
import { IconTimelineEvent } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow } from '../../page/narrow';
import { Page } from '../../page/page';
import { Period, within } from '../../page/period';
import { Search } from '../../page/search';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { Json } from './json';
import { useDeveloperWords } from './words';

type Event = Schemas['Event'];

/** What happened, as programs are told it. */
export default function Events() {
  const w = useDeveloperWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('type', 'since', 'until');
  const { type, since, until } = filters.values;
  const events = query.useInfiniteQuery('get', '/v1/events', { params: { query: { limit: 50, ...(type && { type }), ...within({ since, until }, settings.time_zone) } } }, { ...pages, placeholderData: keepPreviousData });
  const [opened, setOpened] = useState<Event>();
  return (
    <Page title={w.events.title} text={w.events.text}>
      <List<Event>
        label={w.events.title}
        query={events}
        id={(event) => event.id}
        open={setOpened}
        narrowed={filters.any ? { nothing: w.events.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconTimelineEvent} {...w.events.empty} />}
        filters={
          <>
            <Search label={w.events.search} value={type} onChange={(next) => filters.set({ type: next })} />
            <Narrow set={[since, until].filter(Boolean).length}>
              <Period since={since} until={until} set={filters.set} />
            </Narrow>
          </>
        }
        columns={[
          { name: w.events.columns.type, cell: (event) => event.type },
          { name: w.events.columns.thing, wide: true, cell: (event) => <Code>{event.object_id}</Code> },
          { name: w.events.columns.at, width: 210, cell: (event) => f.time(event.timestamp) },
        ]}
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} position="right" size="lg" title={opened?.type}>
        <Stack>{opened && <Json value={opened} />}</Stack>
      </Drawer>
    </Page>
  );
}
