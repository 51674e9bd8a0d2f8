import { Button, Divider, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Section } from '../../page/section';
import { type Mood, State } from '../../page/state';
import { useStore } from '../../session/store';
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
  const { api, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const { totals } = order;
  const capture = useWrite({
    write: (payment: Schemas['Payment']) => answered(api.POST('/v1/payments/{payment_id}/capture', { params: { path: { payment_id: payment.id }, header: { 'Idempotency-Key': idempotencyKey() } }, body: {} })),
    said: w.capture.done,
  });
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
      </Stack>
      {order.payments.length > 0 && <Divider />}
      {order.payments.map((payment) => (
        <Group key={payment.id} justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
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
            {(payment.state === 'authorised' || payment.state === 'due') && can('payments:write') && (
              <Button size="xs" loading={capture.isPending} onClick={() => capture.mutate(payment)}>
                {payment.state === 'due' ? w.capture.due : w.capture.do}
              </Button>
            )}
          </Group>
        </Group>
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
              {[f.time(refund.created_at), refund.reason].filter(Boolean).join(' · ')}
            </Text>
          </Stack>
        </Group>
      ))}
    </Section>
  );
}

function Sum({ name, beside, strong, children }: { name: string; beside?: string; strong?: boolean; children: ReactNode }) {
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
