import { ActionIcon, Alert, Button, Divider, Group, Menu, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconDots } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Section } from '../../page/section';
import { type Mood, State } from '../../page/state';
import { Sure } from '../../page/sure';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

const moods: Record<Schemas['PaymentState'], Mood> = {
  pending: 'waits',
  requires_action: 'waits',
  processing: 'waits',
  due: 'waits',
  authorised: 'waits',
  captured: 'well',
  partially_refunded: 'over',
  refunded: 'over',
  voided: 'over',
  failed: 'wrong',
};

/** What an order comes to, and how it was paid. */
export function Money({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { settings } = useStore();
  const f = useFormat(settings.time_zone);
  const { totals } = order;
  return (
    <Section title={w.pays}>
      <Stack gap={6}>
        <Sum name={w.totals.subtotal}>{f.money(totals.subtotal)}</Sum>
        {totals.discount.amount > 0 && (
          <Sum name={w.totals.discount} beside={order.discounts.map((discount) => discount.code ?? discount.title).join(', ')}>
            −{f.money(totals.discount)}
          </Sum>
        )}
        {order.shipping && (
          <Sum name={w.totals.shipping} beside={order.shipping.name}>
            {f.money(totals.shipping)}
          </Sum>
        )}
        <Sum name={order.prices_include_tax ? w.totals.included : w.totals.tax} beside={order.taxes.map((tax) => `${tax.name} ${Number(tax.percentage)} %`).join(', ')}>
          {f.money(totals.tax)}
        </Sum>
        <Sum name={w.totals.total} strong>
          {f.money(totals.total)}
        </Sum>
        {totals.credit.amount > 0 && <Sum name={w.totals.credit}>−{f.money(totals.credit)}</Sum>}
        {totals.refunded.amount > 0 && <Sum name={w.totals.refunded}>−{f.money(totals.refunded)}</Sum>}
        {totals.outstanding.amount > 0 && order.state !== 'cancelled' && (
          <Sum name={w.totals.outstanding} strong>
            {f.money(totals.outstanding)}
          </Sum>
        )}
        {totals.balance.amount < 0 && (
          <Sum name={w.totals.owed} strong>
            {f.money({ ...totals.balance, amount: -totals.balance.amount })}
          </Sum>
        )}
      </Stack>
      {totals.outstanding.amount > 0 && order.state !== 'cancelled' && <Collect order={order} />}
      {order.payments.length > 0 && <Divider />}
      {order.payments.map((payment) => (
        <Paid key={payment.id} payment={payment} />
      ))}
      {order.refunds.length > 0 && <Divider />}
      {order.refunds.map((refund) => (
        <Group key={refund.id} justify="space-between" align="flex-start">
          <Stack gap={2}>
            <Group gap="xs">
              <Text size="sm" fw={500}>
                {w.refund.of(f.money(refund.amount))}
              </Text>
              {refund.state !== 'succeeded' && <State mood={refund.state === 'failed' ? 'wrong' : 'waits'}>{refund.state === 'failed' ? w.refund.failed : w.refund.pending}</State>}
            </Group>
            <Text size="xs" c="dimmed">
              {[f.time(refund.created_at), refund.payments.some(({ to }) => to === 'store_credit') && w.refund.toCredit, refund.reason].filter(Boolean).join(' · ')}
            </Text>
          </Stack>
        </Group>
      ))}
    </Section>
  );
}

export function Sum({ name, beside, strong, children }: { name: string; beside?: string; strong?: boolean; children: ReactNode }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="sm">
      <Text size="sm" fw={strong ? 650 : undefined}>
        {name}
        {beside && (
          <Text span inherit c="dimmed" fw={400}>
            {' '}
            · {beside}
          </Text>
        )}
      </Text>
      <Text size="sm" fw={strong ? 650 : undefined} style={{ whiteSpace: 'nowrap' }}>
        {children}
      </Text>
    </Group>
  );
}

/** A payment, and what can be done with it. */
function Paid({ payment }: { payment: Schemas['Payment'] }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [letting, setLetting] = useState(false);
  const asked = () => ({ params: { path: { payment_id: payment.id }, header: { 'Idempotency-Key': idempotencyKey() } } });
  const capture = useWrite({ write: () => answered(api.POST('/v1/payments/{payment_id}/capture', { ...asked(), body: {} })), said: w.capture.done });
  const letGo = useWrite({ write: () => answered(api.POST('/v1/payments/{payment_id}/void', asked())), said: w.void.done, done: () => setLetting(false) });
  const held = (payment.state === 'authorised' || payment.state === 'due') && can('payments:write');
  return (
    <>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <Stack gap={2}>
          <Group gap="xs">
            <Text size="sm" fw={500}>
              {w.providers[payment.provider]}
              {payment.method ? ` · ${payment.method}` : ''}
            </Text>
            <State mood={moods[payment.state]}>{w.payments[payment.state]}</State>
          </Group>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {[f.time(payment.created_at), payment.reference, payment.failure_code].filter(Boolean).join(' · ')}
          </Text>
        </Stack>
        <Group gap="sm" justify="end">
          <Text size="sm" fw={500}>
            {f.money(payment.amount)}
          </Text>
          {held && (
            <Group gap={4} wrap="nowrap">
              <Button size="xs" loading={capture.isPending} onClick={() => capture.mutate()}>
                {payment.state === 'due' ? w.capture.due : w.capture.do}
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size={30} aria-label={`${everywhere.actions}: ${w.pays}`}>
                    <IconDots size={16} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item color="red" onClick={() => setLetting(true)}>
                    {w.void.do}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </Group>
          )}
        </Group>
      </Group>
      {payment.disputes.map((dispute) => (
        <Alert key={dispute.reference} color={dispute.state === 'won' ? 'green' : 'red'} icon={<IconAlertTriangle aria-hidden />} title={`${w.dispute.title} · ${w.dispute.states[dispute.state]}`}>
          {[f.money(dispute.amount), dispute.reason, dispute.respond_by && w.dispute.until(f.time(dispute.respond_by))].filter(Boolean).join(' · ')}
        </Alert>
      ))}
      <Sure opened={letting} title={w.void.title} text={w.void.text(f.money(payment.amount))} go={w.void.do} pending={letGo.isPending} confirm={() => letGo.mutate()} close={() => setLetting(false)} />
    </>
  );
}

/** How what is still owed comes in: by a link that is mailed, or it has come already. */
function Collect({ order }: { order: Schemas['Order'] }) {
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
