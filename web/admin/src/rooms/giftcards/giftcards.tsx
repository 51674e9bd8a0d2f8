import { Button, Code, Modal } from '@mantine/core';
import { IconGift, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
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
import { Issue, Issued } from './issue';
import { GiftCardState } from './states';
import { useGiftCardWords } from './words';

/** Money of the shop's on cards with a code. */
export default function GiftCards() {
  const w = useGiftCardWords();
  const everywhere = useWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('state', 'q', 'new');
  const { q } = filters.values;
  const state = filters.values.state as Schemas['GiftCard']['state'] | '';
  const [codes, setCodes] = useState<(string | null)[]>();
  const cards = query.useInfiniteQuery(
    'get',
    '/v1/gift-cards',
    { params: { query: { limit: 50, ...(state && { state }), ...(q && { last_characters: q.slice(-4).toUpperCase() }) } } },
    { ...pages, placeholderData: keepPreviousData },
  );
  const stop = () => filters.set({ new: '' });
  const add = can('gift_cards:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.issue.open}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<Schemas['GiftCard']>
        label={w.title}
        query={cards}
        id={(card) => card.id}
        to={(card) => to(`gift-cards/${card.id}`)}
        narrowed={state || q ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconGift} {...w.empty} action={add} />}
        filters={
          <>
            <Views label={w.state} value={state} names={{ all: everywhere.all, ...w.states }} onChange={(next) => filters.set({ state: next })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next })} />
          </>
        }
        columns={[
          { name: w.columns.code, cell: (card) => <Code style={{ whiteSpace: 'nowrap' }}>{`•••• ${card.last_characters}`}</Code> },
          { name: w.columns.state, cell: (card) => <GiftCardState state={card.state} /> },
          { name: w.columns.expires, wide: true, width: 140, cell: (card) => (card.expires_at ? f.date(card.expires_at) : w.never) },
          { name: w.columns.issued, wide: true, width: 140, cell: (card) => f.date(card.created_at) },
          { name: w.columns.balance, end: true, cell: (card) => (card.balance.amount === card.issued.amount ? f.money(card.balance) : w.of(f.money(card.balance), f.money(card.issued))) },
        ]}
      />
      <Modal opened={filters.values.new !== ''} onClose={stop} title={w.issue.open}>
        <Issue
          close={stop}
          made={(made) => {
            stop();
            setCodes(made);
          }}
        />
      </Modal>
      <Issued codes={codes} close={() => setCodes(undefined)} />
    </Page>
  );
}
