import { Button, Checkbox, Group, Modal, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { RefusedText } from '../../page/refused';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { HowMany, LineRow, quantitiesOf } from './lines';
import { useOrderWords } from './words';

type Step = { order: Schemas['Order']; most: number; opened: boolean; close: () => void };
type To = NonNullable<Schemas['RefundCreate']['to']>;

/** Gives money back: for goods, an amount, or what the store owes by a change of the order. */
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
  const owed = -order.totals.balance.amount;
  const [by, setBy] = useState<'lines' | 'amount' | 'owed'>(owed > 0 ? 'owed' : 'lines');
  const [quantities, setQuantities] = useState<Record<string, number>>({});
  const [amount, setAmount] = useState<number | null>(null);
  const [restock, setRestock] = useState(true);
  const [to, setTo] = useState<string>('payment');
  const [reason, setReason] = useState('');
  const left = order.lines.map((line) => ({ line, left: line.quantity - line.refunded_quantity })).filter((each) => each.left > 0);
  const lines = quantitiesOf(quantities);
  const chosen = by === 'lines' ? lines.length > 0 : by === 'owed' || Boolean(amount);
  const body: Schemas['RefundCreate'] = {
    ...(by === 'lines' && { lines, restock }),
    ...(by === 'amount' && { amount: { amount: amount ?? 0, currency: order.currency } }),
    ...(by === 'owed' && { balance: true }),
    ...(to === 'store_credit' && { to }),
    ...(to !== 'store_credit' && to !== 'payment' && { payment_id: to }),
    ...(reason.trim() && { reason: reason.trim() }),
  };
  const ask = (given: Schemas['RefundCreate'], dry_run: boolean) =>
    answered(api.POST('/v1/orders/{order_id}/refunds', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: given }));
  const trial = useTrial(`refund ${order.id}`, chosen ? body : undefined, (given) => ask(given, true));
  const refund = useWrite({ write: () => ask(body, false), said: (made) => w.refund.done(f.money(made.amount)), done: close });
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
            ...(owed > 0 ? [{ value: 'owed', label: w.refund.byOwed }] : []),
            { value: 'lines', label: w.refund.byLines },
            { value: 'amount', label: w.refund.byAmount },
          ]}
        />
        {by === 'owed' && <Text size="sm">{w.refund.owed(f.money({ amount: owed, currency: order.currency }))}</Text>}
        {by === 'lines' && (
          <>
            {left.map(({ line, left: mostOfIt }) => (
              <LineRow key={line.id} line={line} beside={f.money(line.unit_price)}>
                <HowMany label={line.title} most={mostOfIt} value={quantities[line.id] ?? 0} onChange={(n) => setQuantities((now) => ({ ...now, [line.id]: n }))} />
              </LineRow>
            ))}
            <Checkbox label={w.refund.restock} checked={restock} onChange={(event) => setRestock(event.currentTarget.checked)} />
          </>
        )}
        {by === 'amount' && (
          <MoneyInput
            label={w.refund.amount}
            description={w.refund.upTo(f.money({ amount: most, currency: order.currency }))}
            currency={order.currency}
            data-autofocus
            value={amount}
            onChange={setAmount}
          />
        )}
        <OneOf order={order} value={to} onChange={setTo} />
        <TextInput label={w.refund.reason} description={w.refund.reasonText} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <RefusedText problem={trial.refused} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!chosen || trial.refused !== undefined} loading={refund.isPending}>
            {trial.would ? w.refund.pays(f.money(trial.would.amount)) : w.refund.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Where money goes that is paid back: where there are several payments, to one of them as well. */
function OneOf({ order, value, onChange }: { order: Schemas['Order']; value: string; onChange: (to: string) => void }) {
  const w = useOrderWords();
  const f = useFormat();
  const left = order.payments.map((payment) => ({ payment, left: payment.captured.amount - payment.refunded.amount })).filter((each) => each.left > 0);
  const several = left.length > 1;
  if (!several && !order.customer_id) return null;
  return (
    <Select
      label={w.refund.to}
      allowDeselect={false}
      data={[
        { value: 'payment', label: several ? w.refund.toMost : w.refund.toPayment },
        ...(several
          ? left.map(({ payment, left: amount }) => ({
              value: payment.id,
              label: w.refund.toOne([w.providers[payment.provider], payment.method].filter(Boolean).join(' · '), f.money({ amount, currency: order.currency })),
            }))
          : []),
        ...(order.customer_id ? [{ value: 'store_credit', label: w.refund.toCredit }] : []),
      ]}
      value={value}
      onChange={(next) => onChange(next ?? 'payment')}
    />
  );
}

/** Where money goes that is paid back. */
export function WhereTo({ value, onChange }: { value: To; onChange: (to: To) => void }) {
  const w = useOrderWords();
  return (
    <Select
      label={w.refund.to}
      allowDeselect={false}
      data={[
        { value: 'payment', label: w.refund.toPayment },
        { value: 'store_credit', label: w.refund.toCredit },
      ]}
      value={value}
      onChange={(next) => onChange((next ?? 'payment') as To)}
    />
  );
}
