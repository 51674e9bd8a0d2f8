import { Box, Divider, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Section } from '../../page/section';
import { useFormat } from '../../words/format';
import { Bars, Figures, numberOf, useTold } from './figures';
import { type Figure, kinds, type Name, type Report } from './reports';
import { useAnalyticsWords } from './words';

const Chart = lazy(() => import('../../page/chart'));

export type ShownProps = { name: Name; report: Report; interval: string; against?: string; figure: string; choose: (figure: string) => void };

/** A report by days, weeks or months. */
export function Times({ name, report, interval, against, figure, choose }: ShownProps) {
  const w = useAnalyticsWords();
  const f = useFormat();
  const told = useTold(report.currency);
  const { figures, top } = kinds[name];
  const chosen: Figure = figures.find((each) => each === figure) ?? figures[0];
  const nameOf = (day: string) => (interval === 'month' ? f.month(day) : f.day(day));
  const { data } = report.period;
  const points = data.map((row, n) => ({ at: nameOf(String(row.from)), now: numberOf(row[chosen]) ?? 0, before: report.comparison ? (numberOf(report.comparison.data[n]?.[chosen]) ?? 0) : null }));
  const nothing = points.every((point) => !point.now && !point.before);
  return (
    <>
      <Section flush>
        <Figures report={report} figures={figures.slice(0, top)} against={against} chosen={chosen} choose={choose} />
        {nothing ? (
          <Text size="sm" c="dimmed" px="lg" pb="lg" pt="xs">
            {w.none.text}
          </Text>
        ) : (
          <Box px="lg" pb="lg" h={300}>
            <Suspense fallback={<Skeleton height="100%" />}>
              <Chart title={w.figures[chosen]} points={points} now={w.now} before={against ?? w.before} format={(value) => told.number(value, chosen)} />
            </Suspense>
          </Box>
        )}
      </Section>
      {name === 'sales' && <Breakdown report={report} />}
      {name === 'conversion' && <Funnel report={report} />}
      <Section title={w.table} flush>
        <Table.ScrollContainer minWidth={figures.length * 120} type="native" tabIndex={0}>
          <Table verticalSpacing="xs" horizontalSpacing="md" aria-label={w.reports[name]}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{w.intervals[interval as keyof typeof w.intervals]}</Table.Th>
                {figures.map((each) => (
                  <Table.Th key={each} ta="end">
                    {w.figures[each]}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.toReversed().map((row) => (
                <Table.Tr key={String(row.from)}>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{interval === 'week' ? `${f.day(String(row.from))} – ${f.day(String(row.to))}` : nameOf(String(row.from))}</Table.Td>
                  {figures.map((each) => (
                    <Table.Td key={each} ta="end">
                      {told.value(row[each], each)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Section>
    </>
  );
}

/** From the goods at their prices to what orders come to. */
function Breakdown({ report }: { report: Report }) {
  const w = useAnalyticsWords();
  const told = useTold(report.currency);
  const lines: [Figure, '' | '−' | '+', boolean][] = [
    ['gross_sales', '', false],
    ['discounts', '−', false],
    ['returns', '−', false],
    ['net_sales', '', true],
    ['shipping', '+', false],
    ['taxes', '+', false],
    ['fees', '+', false],
    ['total_sales', '', true],
  ];
  return (
    <Section title={w.breakdown}>
      <Stack gap={6} maw={460}>
        {lines.map(([figure, sign, sum]) => (
          <Box key={figure}>
            {sum && <Divider mb={6} />}
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm" fw={sum ? 650 : undefined}>
                {w.figures[figure]}
              </Text>
              <Text size="sm" fw={sum ? 650 : undefined}>
                {sign && numberOf(report.period.totals?.[figure]) ? `${sign} ` : ''}
                {told.value(report.period.totals?.[figure], figure)}
              </Text>
            </Group>
          </Box>
        ))}
      </Stack>
    </Section>
  );
}

/** How many of those who came went on, step by step. */
function Funnel({ report }: { report: Report }) {
  const w = useAnalyticsWords();
  const f = useFormat();
  const steps = (['visits', 'product_views', 'added_to_cart', 'reached_checkout', 'completed'] as const).map((step) => ({ name: w.figures[step], value: numberOf(report.period.totals?.[step]) ?? 0 }));
  return (
    <Section title={w.funnel}>
      <Bars data={steps} format={f.number} />
    </Section>
  );
}
