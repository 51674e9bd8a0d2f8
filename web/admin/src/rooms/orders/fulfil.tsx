import { Modal, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { HowMany, LineRow, quantitiesOf, unsent } from './lines';
import { useOrderWords } from './words';

type Step = { order: Schemas['Order']; opened: boolean; close: () => void };

/** Notes that goods were sent, all or some of them. */
export function Fulfil({ order, opened, close }: Step) {
  const w = useOrderWords();
  return (
    <Modal opened={opened} onClose={close} title={w.fulfil.title} size="lg">
      <Parcel order={order} close={close} />
    </Modal>
  );
}

function Parcel({ order, close }: Omit<Step, 'opened'>) {
  const w = useOrderWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const left = order.lines.map((line) => ({ line, left: unsent(order, line) })).filter((each) => each.left > 0);
  const form = useForm({
    initialValues: { quantities: Object.fromEntries(left.map((each) => [each.line.id, each.left])) as Record<string, number>, tracking: { carrier: '', number: '', url: '' } },
    validate: { quantities: (quantities) => (Object.values(quantities).some((n) => n > 0) ? null : w.fulfil.nothing) },
  });
  const send = useWrite({
    form: form as never,
    said: w.fulfil.done,
    done: close,
    write: ({ quantities, tracking }: typeof form.values) => {
      const given = Object.fromEntries(Object.entries(tracking).filter(([, text]) => text.trim() !== ''));
      return answered(
        api.POST('/v1/orders/{order_id}/fulfilments', {
          params: { path: { order_id: order.id }, header: { 'Idempotency-Key': key } },
          body: {
            lines: quantitiesOf(quantities),
            ...(Object.keys(given).length > 0 && { tracking: given }),
          },
        }),
      );
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => send.mutate(values))}>
      <Stack>
        <Text size="sm" c="dimmed">
          {w.fulfil.text}
        </Text>
        {left.map(({ line, left: most }) => (
          <LineRow key={line.id} line={line}>
            <HowMany label={line.title} most={most} value={form.values.quantities[line.id] ?? 0} onChange={(n) => form.setFieldValue(`quantities.${line.id}`, n)} />
          </LineRow>
        ))}
        {form.errors.quantities && (
          <Text size="sm" c="var(--stoa-bad)" role="alert">
            {form.errors.quantities}
          </Text>
        )}
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput label={w.fulfil.carrier} placeholder="DHL" maxLength={255} {...form.getInputProps('tracking.carrier')} />
          <TextInput label={w.fulfil.number} maxLength={255} {...form.getInputProps('tracking.number')} />
        </SimpleGrid>
        <TextInput label={w.fulfil.url} type="url" placeholder="https://" maxLength={2048} {...form.getInputProps('tracking.url')} />
        <Ending go={w.fulfil.do} pending={send.isPending} close={close} />
      </Stack>
    </form>
  );
}
