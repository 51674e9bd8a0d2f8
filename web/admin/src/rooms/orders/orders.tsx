import { Button, Select, Text } from '@mantine/core';
import { IconDownload, IconReceipt } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import type { paths } from '../../api/contract.gen';
import type { Schemas } from '../../api/client';
import { CustomerChip } from '../../page/customer';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Period, within } from '../../page/period';
import { SavedViews } from '../../page/saved';
import { Search } from '../../page/search';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Several } from './several';
import { FulfilmentState, PaymentState } from './states';
import { useOrderWords } from './words';

type Asked = NonNullable<paths['/v1/orders']['get']['parameters']['query']>;

const views: Record<string, Asked> = {
  send: { state: 'open', fulfilment_state: 'unfulfilled' },
  unpaid: { state: 'open', payment_state: 'pending' },
  done: { state: 'completed' },
  cancelled: { state: 'cancelled' },
};

/** What somebody typed is a number or an e-mail address. */
function sought(q: string): Asked {
  const number = Number(q.replace(/^#/, ''));
  if (q && Number.isSafeInteger(number)) return { number };
  return /^\S+@\S+\.\S+$/.test(q) ? { email: q } : {};
}

/** All orders. */
export default function Orders() {
  const w = useOrderWords();
  const everywhere = useWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('view', 'q', 'payment', 'sending', 'label', 'since', 'until', 'customer');
  const { view, q, payment, sending, label, since, until, customer } = filters.values;
  const [chosen, choose] = useState<string[]>([]);
  const orders = query.useInfiniteQuery(
    'get',
    '/v1/orders',
    {
      params: {
        query: {
          limit: 50,
          ...views[view],
          ...(payment in w.payment && { payment_state: payment as Schemas['OrderPaymentState'] }),
          ...(sending in w.fulfilment && { fulfilment_state: sending as Schemas['OrderFulfilmentState'] }),
          ...(label && { tag: label }),
          ...within({ since, until }, settings.time_zone),
          ...(customer && { customer_id: customer }),
          ...sought(q),
        },
      },
    },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  const shown = orders.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Page
      title={w.title}
      actions={
        can('exports:write') &&
        shown.length > 0 && (
          <Button component={Link} to={to('exchange?export=orders')} variant="default" leftSection={<IconDownload size={17} aria-hidden />}>
            {w.export}
          </Button>
        )
      }
    >
      <List<Schemas['Order']>
        label={w.title}
        query={orders}
        id={(order) => order.id}
        to={(order) => to(`orders/${order.id}`)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconReceipt} {...w.empty} />}
        choice={{
          name: (order) => w.order(order.number),
          chosen,
          choose,
          actions: <Several orders={shown.filter(({ id }) => chosen.includes(id))} done={() => choose([])} />,
        }}
        filters={
          <>
            <Views label={w.view} value={view} names={w.views} onChange={(next) => filters.set({ view: next, payment: '', sending: '' })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next })} />
            <Narrow set={[payment, sending, label, since, until].filter(Boolean).length}>
              <Select
                label={w.columns.payment}
                placeholder={everywhere.any}
                clearable
                comboboxProps={{ withinPortal: false }}
                data={Object.entries(w.payment).map(([value, name]) => ({ value, label: name }))}
                value={payment || null}
                onChange={(next) => filters.set({ payment: next ?? '' })}
              />
              <Select
                label={w.columns.fulfilment}
                placeholder={everywhere.any}
                clearable
                comboboxProps={{ withinPortal: false }}
                data={Object.entries(w.fulfilment).map(([value, name]) => ({ value, label: name }))}
                value={sending || null}
                onChange={(next) => filters.set({ sending: next ?? '' })}
              />
              <NarrowText label={w.label} value={label} onChange={(next) => filters.set({ label: next })} />
              <Period since={since} until={until} set={filters.set} />
            </Narrow>
            <CustomerChip id={customer} clear={() => filters.set({ customer: '' })} />
            <SavedViews list="orders" filters={['view', 'payment', 'sending', 'label', 'since', 'until']} />
          </>
        }
        columns={[
          { name: w.columns.order, width: 90, cell: (order) => `#${order.number}` },
          {
            name: w.columns.placed,
            wide: true,
            cell: (order) => (
              <Text size="sm" title={f.time(order.created_at)}>
                {f.ago(order.created_at)}
              </Text>
            ),
          },
          {
            name: w.columns.customer,
            cell: (order) => (
              <Text size="sm" lineClamp={1} style={{ wordBreak: 'break-all' }}>
                {order.shipping_address?.name ?? order.billing_address?.name ?? order.email}
              </Text>
            ),
          },
          { name: w.columns.payment, cell: (order) => <PaymentState state={order.payment_state} /> },
          { name: w.columns.fulfilment, wide: true, cell: (order) => <FulfilmentState order={order} /> },
          { name: w.columns.total, end: true, width: 120, cell: (order) => f.money(order.totals.total) },
        ]}
      />
    </Page>
  );
}
