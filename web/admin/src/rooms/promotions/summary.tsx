import { List, Text } from '@mantine/core';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import type { PromotionValues } from './model';
import { useTold } from './told';
import { usePromotionWords } from './words';

/** What is written of a promotion, in a few sentences. */
export function Summary({ values }: { values: PromotionValues }) {
  const w = usePromotionWords();
  const told = useTold();
  const { settings } = useStore();
  const f = useFormat(settings.time_zone);
  const least = values.minimum_amounts[settings.currency];
  const amounts = Object.entries(values.amounts).flatMap(([currency, amount]) => (amount ? [{ currency: currency as typeof settings.currency, amount }] : []));
  return (
    <Section title={w.summary.title}>
      <Text fw={600}>{told({ ...values, amounts })}</Text>
      <List size="sm" spacing={4}>
        <List.Item>{values.automatic ? w.summary.automatic : values.code ? w.summary.code(values.code.toUpperCase()) : w.summary.codes}</List.Item>
        {values.least === 'amount' && least && <List.Item>{w.summary.amount(f.money({ amount: least, currency: settings.currency }))}</List.Item>}
        {values.least === 'quantity' && <List.Item>{w.summary.quantity(values.minimum_quantity)}</List.Item>}
        <List.Item>{values.customer_group_ids.length > 0 ? w.summary.groups : values.first_order ? w.summary.first : w.summary.everybody}</List.Item>
        {values.usage_limit && <List.Item>{w.summary.uses(f.number(values.usage_limit))}</List.Item>}
        {values.customer_limit && <List.Item>{w.summary.usesEach(f.number(values.customer_limit))}</List.Item>}
        <List.Item>{values.combines_with.length > 0 ? w.summary.combines : w.summary.alone}</List.Item>
        <List.Item>{values.ends_at ? w.summary.fromUntil(f.time(values.starts_at), f.time(values.ends_at)) : w.summary.from(f.time(values.starts_at))}</List.Item>
      </List>
    </Section>
  );
}
