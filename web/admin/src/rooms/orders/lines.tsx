import { Group, NumberInput, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { useOrderWords } from './words';

type Named = { title: string; variant_title: string };

/** A line of an order, and what is said or asked of it beside its name. */
export function LineRow({ line, beside, children }: { line: Named; beside?: string; children: ReactNode }) {
  const told = [line.variant_title !== 'Default' && line.variant_title, beside].filter(Boolean).join(' · ');
  return (
    <Group justify="space-between" wrap="nowrap">
      <Stack gap={0} miw={0}>
        <Text size="sm" fw={500}>
          {line.title}
        </Text>
        {told && (
          <Text size="xs" c="dimmed">
            {told}
          </Text>
        )}
      </Stack>
      {children}
    </Group>
  );
}

/** How many of a line, of those that are left. */
export function HowMany({ label, most, value, onChange }: { label: string; most: number; value: number; onChange: (n: number) => void }) {
  const w = useOrderWords();
  return (
    <NumberInput
      aria-label={label}
      w={112}
      style={{ flexShrink: 0 }}
      min={0}
      max={most}
      clampBehavior="strict"
      allowDecimal={false}
      suffix={` ${w.fulfil.of(most)}`}
      value={value}
      onChange={(n) => onChange(Number(n))}
    />
  );
}

/** The quantities that are more than nothing, as the API takes them. */
export function quantitiesOf(quantities: Record<string, number>): { line_id: string; quantity: number }[] {
  return Object.entries(quantities).flatMap(([line_id, quantity]) => (quantity > 0 ? [{ line_id, quantity }] : []));
}

/** How many of a line are still to be sent: what was paid back without its coming back is not. */
export function unsent(order: Schemas['Order'], line: Schemas['OrderLine']): number {
  const cameBack = order.refunds
    .filter(({ return_id, state }) => return_id !== null && state === 'succeeded')
    .flatMap(({ lines }) => lines)
    .reduce((sum, { line_id, quantity }) => sum + (line_id === line.id ? quantity : 0), 0);
  return Math.max(0, line.quantity - line.fulfilled_quantity - line.refunded_quantity + cameBack);
}
