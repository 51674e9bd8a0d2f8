import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useStore } from '../../session/store';
import { useOrderWords } from './words';

/** How what is still owed comes in: by a link that is mailed, or it has come already. */
export function Collect({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { api, can } = useStore();
  const [keys] = useState(() => [idempotencyKey(), idempotencyKey()] as const);
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
      <Button size="xs" variant="default" loading={note.isPending} onClick={() => note.mutate()}>
        {w.collect.note}
      </Button>
    </Group>
  );
}
