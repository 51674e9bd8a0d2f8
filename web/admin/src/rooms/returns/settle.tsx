import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { RefusedText } from '../../page/refused';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { WhereTo } from '../orders/refund';
import { type Instead, InsteadOf } from './new';
import { useReturnWords } from './words';

type Step = { order: Schemas['Order']; back: Schemas['Return']; opened: boolean; close: () => void };
type Amount = number | null;

/** Pays back what was accepted of a return. */
export function PayBack({ order, back, opened, close }: Step) {
  const w = useReturnWords();
  return (
    <Modal opened={opened} onClose={close} title={w.refund.title}>
      <Money order={order} back={back} close={close} />
    </Modal>
  );
}

/** What is kept of what is accepted, and what of the shipping counts besides. */
function Besides({ order, fee, setFee, shipping, setShipping }: { order: Schemas['Order']; fee: Amount; setFee: (to: Amount) => void; shipping: Amount; setShipping: (to: Amount) => void }) {
  const w = useReturnWords();
  const f = useFormat();
  return (
    <Group grow align="flex-start">
      <MoneyInput label={w.refund.fee} currency={order.currency} value={fee} onChange={setFee} />
      {order.shipping && <MoneyInput label={w.refund.shipping} description={w.refund.ofShipping(f.money(order.shipping.price))} currency={order.currency} value={shipping} onChange={setShipping} inputWrapperOrder={['label', 'input', 'description', 'error']} />}
    </Group>
  );
}

function Money({ order, back, close }: Omit<Step, 'opened'>) {
  const w = useReturnWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [fee, setFee] = useState<Amount>(null);
  const [shipping, setShipping] = useState<Amount>(null);
  const [to, setTo] = useState<'payment' | 'store_credit'>('payment');
  const [reason, setReason] = useState('');
  const money = (amount: number) => ({ amount, currency: order.currency });
  const body: Schemas['ReturnRefundCreate'] = {
    ...(fee && { fee: money(fee) }),
    ...(shipping && { shipping: money(shipping) }),
    ...(to !== 'payment' && { to }),
    ...(reason.trim() && { reason: reason.trim() }),
  };
  const ask = (given: Schemas['ReturnRefundCreate'], dry_run: boolean) =>
    answered(api.POST('/v1/returns/{return_id}/refund', { params: { path: { return_id: back.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: given }));
  const trial = useTrial(`refund ${back.id}`, body, (given) => ask(given, true));
  const refund = useWrite({ write: () => ask(body, false), said: w.refund.done, done: close });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        refund.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {w.refund.text}
        </Text>
        <Besides order={order} fee={fee} setFee={setFee} shipping={shipping} setShipping={setShipping} />
        {order.customer_id && <WhereTo value={to} onChange={setTo} />}
        <TextInput label={w.refund.reason} description={w.refund.reasonText} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <RefusedText problem={trial.refused} />
        <Group justify="space-between">
          <Text size="sm" fw={600}>
            {w.refund.worth(f.money(worth(order, back)))}
          </Text>
          <Group>
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" disabled={trial.refused !== undefined} loading={refund.isPending}>
              {w.refund.do}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

/** What the accepted goods were bought for, before what was paid back earlier, a fee and shipping. */
function worth(order: Schemas['Order'], back: Schemas['Return']): Schemas['Money'] {
  const amount = back.lines.reduce((sum, { line_id, accepted_quantity }) => {
    const line = order.lines.find(({ id }) => id === line_id);
    if (!line) return sum;
    const whole = line.total.amount + (order.prices_include_tax ? 0 : line.tax.amount);
    return sum + Math.round((whole * (accepted_quantity ?? 0)) / line.quantity);
  }, 0);
  return { amount, currency: order.currency };
}

/** Sends other goods instead, and sets off what came back. */
export function Exchange({ order, back, opened, close }: Step) {
  const w = useReturnWords();
  return (
    <Modal opened={opened} onClose={close} title={w.exchange.title} size="lg">
      <Others order={order} back={back} close={close} />
    </Modal>
  );
}

function Others({ order, back, close }: Omit<Step, 'opened'>) {
  const w = useReturnWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [instead, setInstead] = useState<Instead[]>([]);
  const [fee, setFee] = useState<Amount>(null);
  const [shipping, setShipping] = useState<Amount>(null);
  const [reason, setReason] = useState('');
  const inspected = back.state === 'inspected';
  const named = back.exchange_lines.length > 0;
  const chosen = named || instead.length > 0;
  const money = (amount: number) => ({ amount, currency: order.currency });
  const body: Schemas['ReturnExchange'] = {
    ...(instead.length > 0 && { add: instead.map(({ variant_id, quantity, price }) => ({ variant_id, quantity, ...(price !== null && { unit_price: money(price) }) })) }),
    ...(inspected && fee && { fee: money(fee) }),
    ...(inspected && shipping && { shipping: money(shipping) }),
    ...(reason.trim() && { reason: reason.trim() }),
  };
  const ask = (given: Schemas['ReturnExchange'], dry_run: boolean) =>
    answered(api.POST('/v1/returns/{return_id}/exchange', { params: { path: { return_id: back.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: given }));
  const trial = useTrial(`exchange ${back.id}`, chosen ? body : undefined, (given) => ask(given, true));
  const exchange = useWrite({ write: () => ask(body, false), said: w.exchange.done, done: close });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen) exchange.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {named ? w.exchange.named : w.exchange.text}
        </Text>
        <InsteadOf instead={instead} change={setInstead} priced={order.currency} />
        {inspected && <Besides order={order} fee={fee} setFee={setFee} shipping={shipping} setShipping={setShipping} />}
        <TextInput label={w.refund.reason} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <RefusedText problem={trial.refused} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!chosen || trial.refused !== undefined} loading={exchange.isPending}>
            {w.exchange.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
