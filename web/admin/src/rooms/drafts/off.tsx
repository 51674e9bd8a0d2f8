import { Button, NumberInput, Popover, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { IconDiscount } from '@tabler/icons-react';
import { MoneyInput } from '../../page/money';
import { useFormat } from '../../words/format';
import type { Off } from './model';
import { useDraftWords } from './words';

/** A discount that is agreed, behind a button that says what it is. */
export function OffButton({ label, currency, value, onChange }: { label: string; currency: string; value: Off; onChange: (off: Off) => void }) {
  const w = useDraftWords();
  const f = useFormat();
  const told = value.by === 'percentage' ? value.percentage && `−${value.percentage} %` : value.amount && `−${f.money({ amount: value.amount, currency: currency as never })}`;
  return (
    <Popover width={260} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="subtle" size="compact-xs" ml={-8} leftSection={<IconDiscount size={14} aria-hidden />} aria-label={label}>
          {told || w.off.add}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <SegmentedControl
            aria-label={w.off.by}
            fullWidth
            value={value.by}
            onChange={(by) => onChange({ ...value, by: by as Off['by'] })}
            data={[
              { value: 'percentage', label: w.off.percentage },
              { value: 'amount', label: w.off.amount },
            ]}
          />
          {value.by === 'percentage' ? (
            <NumberInput
              aria-label={w.off.percentage}
              suffix=" %"
              min={0}
              max={100}
              decimalScale={2}
              hideControls
              value={value.percentage}
              onChange={(n) => onChange({ ...value, percentage: n === '' ? '' : String(n) })}
            />
          ) : (
            <MoneyInput aria-label={w.off.amount} currency={currency} value={value.amount} onChange={(amount) => onChange({ ...value, amount })} />
          )}
          <TextInput label={w.off.reason} maxLength={255} value={value.reason} onChange={(event) => onChange({ ...value, reason: event.currentTarget.value })} />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
