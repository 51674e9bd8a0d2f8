import { Box, Group, Progress, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core';
import { digits, useFormat } from '../../words/format';
import { Change } from '../home/change';
import classes from './analytics.module.css';
import type { Figure, Report, Value } from './reports';
import { useAnalyticsWords } from './words';

/** A value as a number that can be drawn and compared: of money, in units of its currency. */
export function numberOf(value: Value | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'object') return value.amount / 10 ** digits(value.currency);
  return Number(value);
}

/** How values are told, by what they are of. */
export function useTold(currency: string | null) {
  const f = useFormat();
  const percent = (n: number) => `${f.number(n)} %`;
  return {
    value: (value: Value | undefined, figure: Figure): string => {
      if (value === null || value === undefined) return '–';
      if (typeof value === 'object') return f.money(value);
      return shares.has(figure) ? percent(Number(value)) : f.number(Number(value));
    },
    /** The same of a number that was made of a value. */
    number: (n: number, figure: Figure): string => {
      if (shares.has(figure)) return percent(n);
      return sums.has(figure) && currency ? f.money({ amount: Math.round(n * 10 ** digits(currency)), currency }, { whole: n >= 100 }) : f.number(n);
    },
  };
}

const shares = new Set<Figure>(['conversion_rate', 'added_to_cart_rate', 'reached_checkout_rate', 'returning_share']);
const sums = new Set<Figure>(['total_sales', 'average_order_value', 'gross_sales', 'discounts', 'returns', 'net_sales', 'shipping', 'taxes', 'fees', 'new_net_sales', 'returning_net_sales', 'amount', 'to_payments', 'to_store_credit', 'set_off', 'of_balance', 'taxable', 'retail_value', 'cost_value']);

type FiguresProps = { report: Report; figures: readonly Figure[]; against?: string; chosen?: Figure; choose?: (figure: Figure) => void };

/** What it comes to, and how that is against before; one of them can be chosen to be drawn. */
export function Figures({ report, figures, against, chosen, choose }: FiguresProps) {
  const w = useAnalyticsWords();
  const told = useTold(report.currency);
  const { totals } = report.period;
  if (!totals) return null;
  return (
    <SimpleGrid cols={{ base: 2, md: Math.min(figures.length, 4) }} spacing={4} p="xs" verticalSpacing={4}>
      {figures.map((figure) => {
        const content = (
          <>
            <Text size="sm" c="dimmed">
              {w.figures[figure]}
            </Text>
            <Text fz={{ base: 19, xs: 24 }} fw={650} lh={1.35} style={{ overflowWrap: 'anywhere' }}>
              {told.value(totals[figure], figure)}
            </Text>
            {against && <Change now={numberOf(totals[figure])} before={numberOf(report.comparison?.totals?.[figure])} against={against} />}
          </>
        );
        return choose ? (
          <UnstyledButton key={figure} className={classes.figure} aria-pressed={figure === chosen} onClick={() => choose(figure)}>
            {content}
          </UnstyledButton>
        ) : (
          <Box key={figure} className={classes.figure}>
            {content}
          </Box>
        );
      })}
    </SimpleGrid>
  );
}

/** Things beside each other, by how much of something each has. */
export function Bars({ data, format }: { data: { name: string; value: number }[]; format: (value: number) => string }) {
  const most = Math.max(...data.map(({ value }) => value), 1);
  return (
    <Stack gap="sm">
      {data.map(({ name, value }, n) => (
        // oxlint-disable-next-line react/no-array-index-key -- several may be called alike
        <Box key={n}>
          <Group justify="space-between" wrap="nowrap" gap="md" mb={4}>
            <Text size="sm" truncate>
              {name}
            </Text>
            <Text size="sm" fw={600}>
              {format(value)}
            </Text>
          </Group>
          <Progress value={(value / most) * 100} color="clay" aria-label={name} />
        </Box>
      ))}
    </Stack>
  );
}
