import { Button, Checkbox, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useStore } from '../../session/store';
import { useOrderWords } from './words';

/** Cancels an order. Money goes back, which nothing undoes, so that it is asked for once more. */
export function Cancel({ order, opened, close }: { order: Schemas['Order']; opened: boolean; close: () => void }) {
  const w = useOrderWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [reason, setReason] = useState<Schemas['CancelReason']>('customer');
  const [restock, setRestock] = useState(true);
  const cancel = useWrite({
    write: () => answered(api.POST('/v1/orders/{order_id}/cancel', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': key } }, body: { reason, restock } })),
    said: w.cancel.done,
    done: close,
  });
  return (
    <Modal opened={opened} onClose={close} title={w.cancel.title(order.number)}>
      <Stack>
        <Text size="sm">{w.cancel.text}</Text>
        <Select
          label={w.cancel.reason}
          allowDeselect={false}
          data={Object.entries(w.cancel.reasons).map(([value, label]) => ({ value, label }))}
          value={reason}
          onChange={(next) => setReason(next as typeof reason)}
        />
        <Checkbox label={w.cancel.restock} checked={restock} onChange={(event) => setRestock(event.currentTarget.checked)} />
        <Group justify="end">
          <Button variant="default" onClick={close} data-autofocus>
            {w.cancel.keep}
          </Button>
          <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {w.cancel.do}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
