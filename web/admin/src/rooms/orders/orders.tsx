import { Text } from '@mantine/core';
import { IconReceipt } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import type { paths } from '../../api/contract.gen';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Search } from '../../page/search';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
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
  const { query, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('view', 'q', 'payment', 'label', 'customer');
  const { view, q, payment, label, customer } = filters.values;
  const orders = query.useInfiniteQuery(
    'get',
    '/v1/orders',
    {
      params: {
        query: {
          limit: 50,
          ...views[view],
          ...(payment in w.payment && { payment_state: payment as Schemas['OrderPaymentState'] }),
          ...(label && { tag: label }),
          ...(customer && { customer_id: customer }),
          ...sought(q),
        },
      },
    },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  return (
    <Page title={w.title}>
      <List<Schemas['Order']>
        label={w.title}
        query={orders}
        id={(order) => order.id}
        to={(order) => to(`orders/${order.id}`)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconReceipt} {...w.empty} />}
        filters={
          <>
            <Views label={w.view} value={view} names={w.views} onChange={(next) => filters.set({ view: next, payment: '' })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next })} />
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
