import { Box, Button, Skeleton, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { PaymentState } from '../orders/states';
import classes from './home.module.css';
import { useHomeWords } from './words';

/** The latest orders, in short. */
export function Latest() {
  const w = useHomeWords();
  const f = useFormat();
  const { query, to } = useStore();
  const orders = query.useQuery('get', '/v1/orders', { params: { query: { limit: 6 } } }, { refetchInterval: 60_000 });
  if (orders.data?.data.length === 0) return null;
  return (
    <Section
      title={w.latest}
      flush
      actions={
        <Button component={Link} to={to('orders')} variant="subtle" size="compact-sm">
          {w.allOrders}
        </Button>
      }
    >
      <Stack gap={0} px="xs" pb="xs">
        {orders.data
          ? orders.data.data.map((order) => (
              <Box key={order.id} component={Link} to={to(`orders/${order.id}`)} className={classes.row}>
                <Text size="sm" fw={600} w={56}>
                  #{order.number}
                </Text>
                <Text size="sm" flex={1} truncate>
                  {order.shipping_address?.name ?? order.email}
                </Text>
                <Text size="xs" c="dimmed" visibleFrom="xs">
                  {f.ago(order.created_at)}
                </Text>
                <PaymentState state={order.payment_state} />
                <Text size="sm" fw={500} miw={76} ta="end">
                  {f.money(order.totals.total)}
                </Text>
              </Box>
            ))
          : [1, 2, 3, 4].map((n) => <Skeleton key={n} height={20} m="sm" />)}
      </Stack>
    </Section>
  );
}
