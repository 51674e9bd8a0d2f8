import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { RefusedText } from '../../page/refused';
import { problemOf } from '../../api/problem';
import { useStore } from '../../session/store';
import { useOrderWords } from './words';

/** How what is still owed comes in: by a link that is mailed, or it has come already. */
export function Collect({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { api, can } = useStore();
  const [keys] = useState(() => [idempotencyKey(), idempotencyKey()] as const);
  const [linking, setLinking] = useState(false);
  const path = { order_id: order.id };
  const mail = useWrite({
    write: () => answered(api.POST('/v1/orders/{order_id}/payment-request', { params: { path, header: { 'Idempotency-Key': idempotencyKey() } } })),
    said: w.collect.mailed(order.email),
  });
  const note = useWrite({
    said: w.collect.noted,
    write: async () => {
      const due = await answered(api.POST('/v1/orders/{order_id}/payments', { params: { path, header: { 'Idempotency-Key': keys[0] } }, body: { payment: { provider: 'manual' } } }));
      const payment_id = 'id' in due.data ? due.data.id : due.data.payment_id;
      return answered(api.POST('/v1/payments/{payment_id}/capture', { params: { path: { payment_id }, header: { 'Idempotency-Key': keys[1] } }, body: {} }));
    },
  });
  if (!can('payments:write')) return null;
  return (
    <Group gap="xs">
      <Button size="xs" loading={mail.isPending} onClick={() => mail.mutate()}>
        {w.collect.mail}
      </Button>
      <Button size="xs" variant="default" onClick={() => setLinking(true)}>
        {w.collect.link}
      </Button>
      <Button size="xs" variant="default" loading={note.isPending} onClick={() => note.mutate()}>
        {w.collect.note}
      </Button>
      <Modal opened={linking} onClose={() => setLinking(false)} title={w.collect.linkTitle}>
        <PaymentLink order={order} />
      </Modal>
    </Group>
  );
}

/** The link by which it is paid, for who sends it in another way than by mail. */
function PaymentLink({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { query } = useStore();
  const link = query.useQuery('get', '/v1/orders/{order_id}/payment-link', { params: { path: { order_id: order.id } } });
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {w.collect.linkText}
      </Text>
      {link.isLoading && <Skeleton height={24} />}
      {link.isError && <RefusedText problem={problemOf(link.error)} />}
      {link.data && (
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" ff="monospace" truncate flex={1}>
            {link.data.url}
          </Text>
          <Copy value={link.data.url} />
        </Group>
      )}
    </Stack>
  );
}
