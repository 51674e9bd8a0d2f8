import { Button, Checkbox, Group, Modal, NumberInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

type Step = { order: Schemas['Order']; most: number; opened: boolean; close: () => void };

/** Gives money back: for goods, or an amount. */
export function Refund({ order, most, opened, close }: Step) {
  const w = useOrderWords();
  return (
    <Modal opened={opened} onClose={close} title={w.refund.title} size="lg">
      <Choice order={order} most={most} close={close} />
    </Modal>
  );
}

function Choice({ order, most, close }: Omit<Step, 'opened'>) {
  const w = useOrderWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [by, setBy] = useState<'lines' | 'amount'>('lines');
  const [quantities, setQuantities] = useState<Record<string, number>>({});
  const [amount, setAmount] = useState<number | null>(null);
  const [restock, setRestock] = useState(true);
  const [reason, setReason] = useState('');
  const left = order.lines.map((line) => ({ line, left: line.quantity - line.refunded_quantity })).filter((each) => each.left > 0);
  const lines = Object.entries(quantities).flatMap(([line_id, quantity]) => (quantity > 0 ? [{ line_id, quantity }] : []));
  const chosen = by === 'lines' ? lines.length > 0 : Boolean(amount);
  const body: Schemas['RefundCreate'] = {
    ...(by === 'lines' ? { lines, restock } : { amount: { amount: amount ?? 0, currency: order.currency } }),
    ...(reason.trim() && { reason: reason.trim() }),
  };
  const ask = (given: Schemas['RefundCreate'], dry_run: boolean) =>
    answered(api.POST('/v1/orders/{order_id}/refunds', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: given }));
  // The program itself says what it would come to: it is tried and rolled back.
  const [settled] = useDebouncedValue(body, 250);
  const trial = useQuery({
    queryKey: ['refund', order.id, settled],
    queryFn: () => ask(settled, true),
    enabled: chosen,
    retry: false,
    placeholderData: keepPreviousData,
  });
  const refund = useWrite({ write: () => ask(body, false), said: (made) => w.refund.done(f.money(made.amount)), done: close });
  const would = chosen && trial.data ? f.money(trial.data.data.amount) : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen) refund.mutate();
      }}
    >
      <Stack>
        <SegmentedControl
          aria-label={w.refund.by}
          value={by}
          onChange={(next) => setBy(next as typeof by)}
          data={[
            { value: 'lines', label: w.refund.byLines },
            { value: 'amount', label: w.refund.byAmount },
          ]}
        />
        {by === 'lines' ? (
          <>
            {left.map(({ line, left: mostOfIt }) => (
              <Group key={line.id} justify="space-between" wrap="nowrap">
                <Stack gap={0} miw={0}>
                  <Text size="sm" fw={500}>
                    {line.title}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {[line.variant_title !== 'Default' && line.variant_title, f.money(line.unit_price)].filter(Boolean).join(' · ')}
                  </Text>
                </Stack>
                <NumberInput
                  aria-label={line.title}
                  w={120}
                  min={0}
                  max={mostOfIt}
                  clampBehavior="strict"
                  allowDecimal={false}
                  suffix={` ${w.fulfil.of(mostOfIt)}`}
                  value={quantities[line.id] ?? 0}
                  onChange={(n) => setQuantities((now) => ({ ...now, [line.id]: Number(n) }))}
                />
              </Group>
            ))}
            <Checkbox label={w.refund.restock} checked={restock} onChange={(event) => setRestock(event.currentTarget.checked)} />
          </>
        ) : (
          <MoneyInput
            label={w.refund.amount}
            description={w.refund.upTo(f.money({ amount: most, currency: order.currency }))}
            currency={order.currency}
            data-autofocus
            value={amount}
            onChange={setAmount}
          />
        )}
        <TextInput label={w.refund.reason} description={w.refund.reasonText} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {chosen && trial.isError && (
          <Text size="sm" c="var(--stoa-bad)" role="alert">
            {problemOf(trial.error).detail}
          </Text>
        )}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!chosen || trial.isError} loading={refund.isPending}>
            {would ? w.refund.pays(would) : w.refund.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
