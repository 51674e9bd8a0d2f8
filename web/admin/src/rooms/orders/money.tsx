import { Divider, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { Collect } from './collect';
import { Paid } from './payment';
import { useOrderWords } from './words';

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
