import { Divider, Group, Stack, Text } from '@mantine/core';
import { Fragment } from 'react';
import type { Schemas } from '../../api/client';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { LineRow } from './lines';
import { useOrderWords } from './words';

/** What was changed of an order after it was placed, the latest first. */
export function Edits({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { settings } = useStore();
  const f = useFormat(settings.time_zone);
  const more = (amount: Schemas['SignedMoney']) => (amount.amount > 0 ? '+' : '') + f.money(amount);
  if (order.edits.length === 0) return null;
  return (
    <Section title={w.edit.edits}>
      {order.edits.toReversed().map((edit, n) => (
        <Fragment key={edit.id}>
          {n > 0 && <Divider />}
          <Stack gap="xs">
            <Group justify="space-between" wrap="nowrap">
              <Text size="xs" c="dimmed">
                {[f.time(edit.created_at), edit.return_id && w.edit.exchange, edit.reason].filter(Boolean).join(' · ')}
              </Text>
              <Text size="sm" fw={600} style={{ whiteSpace: 'nowrap' }}>
                {more(edit.difference)}
              </Text>
            </Group>
            {edit.lines.map((line) => (
              <LineRow key={line.line_id ?? ''} line={line.line_id ? line : { title: w.totals.shipping, variant_title: 'Default' }}>
                <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
                  {[line.quantity !== 0 && `${line.quantity > 0 ? '+' : '−'}${f.number(Math.abs(line.quantity))}`, more(line.total)].filter(Boolean).join(' · ')}
                </Text>
              </LineRow>
            ))}
          </Stack>
        </Fragment>
      ))}
    </Section>
  );
}
