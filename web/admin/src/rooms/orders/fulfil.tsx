import { Button, Group, Modal, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
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
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const left = order.lines.map((line) => ({ line, left: line.quantity - line.fulfilled_quantity })).filter((each) => each.left > 0);
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
            lines: Object.entries(quantities).flatMap(([line_id, quantity]) => (quantity > 0 ? [{ line_id, quantity }] : [])),
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
          <Group key={line.id} justify="space-between" wrap="nowrap">
            <Stack gap={0} miw={0}>
              <Text size="sm" fw={500}>
                {line.title}
              </Text>
              {line.variant_title !== 'Default' && (
                <Text size="xs" c="dimmed">
                  {line.variant_title}
                </Text>
              )}
            </Stack>
            <NumberInput
              aria-label={line.title}
              w={120}
              min={0}
              max={most}
              clampBehavior="strict"
              allowDecimal={false}
              suffix={` ${w.fulfil.of(most)}`}
              value={form.values.quantities[line.id]}
              onChange={(n) => form.setFieldValue(`quantities.${line.id}`, Number(n))}
            />
          </Group>
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
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" loading={send.isPending}>
            {w.fulfil.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
