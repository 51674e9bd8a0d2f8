import { NumberInput, type NumberInputProps } from '@mantine/core';
import { digits, moneyParts, useFormat } from '../words/format';

type MoneyInputProps = Omit<NumberInputProps, 'value' | 'onChange' | 'defaultValue'> & {
  currency: string;
  /** In the currency's smallest unit; null where nothing is given. */
  value: number | null;
  onChange: (amount: number | null) => void;
};

/** A field for an amount of money, in the way of writing of whoever writes it. */
export function MoneyInput({ currency, value, onChange, ...rest }: MoneyInputProps) {
  const { locale } = useFormat();
  const unit = 10 ** digits(currency);
  const parts = moneyParts(locale, currency);
  const part = (type: string, or: string) => parts.find((found) => found.type === type)?.value ?? or;
  const symbol = part('currency', currency);
  return (
    <NumberInput
      value={value === null ? '' : value / unit}
      onChange={(next) => onChange(next === '' ? null : Math.round(Number(next) * unit))}
      decimalScale={digits(currency)}
      fixedDecimalScale
      decimalSeparator={part('decimal', '.')}
      thousandSeparator={part('group', ',')}
      allowNegative={false}
      hideControls
      leftSection={<span style={{ fontSize: 13 }}>{symbol}</span>}
      leftSectionWidth={symbol.length > 1 ? 46 : 34}
      inputMode="decimal"
      {...rest}
    />
  );
}
