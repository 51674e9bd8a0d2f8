import { Box, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import type { Schemas } from '../../api/client';
import type { Point } from '../../page/chart';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { dayIn, digits, useFormat } from '../../words/format';
import { Change } from './change';
import type { Period } from './home';
import { useHomeWords } from './words';

const Chart = lazy(() => import('../../page/chart'));

/** What was sold, against the same time before. */
export function Sales({ period }: { period: Period }) {
  const w = useHomeWords();
  const { query, settings } = useStore();
  const f = useFormat();
  const report = query.useQuery(
    'get',
    '/v1/analytics/sales',
    { params: { query: { from: dayIn(settings.time_zone, Number(period) - 1), to: dayIn(settings.time_zone, 0), interval: 'day', compare: 'previous_period' } } },
    { placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  if (report.isLoadingError) return <Trouble error={report.error} retry={report.refetch} />;
  const told = report.data as Schemas['SalesReport'] | undefined; // and not the table that it could be, too
  const now = told?.period.totals;
  const before = told?.comparison?.totals;
  const against = w.against[period];
  const { currency } = settings;
  const unit = 10 ** digits(currency);
  const points = told?.period.data.map((row, n): Point => ({ at: f.day(row.from), now: row.total_sales.amount / unit, before: told.comparison ? (told.comparison.data[n]?.total_sales.amount ?? 0) / unit : null }));
  const nothing = points?.every((point) => !point.now && !point.before);
  const format = (value: number) => f.money({ amount: Math.round(value * unit), currency }, { whole: value >= 100 });
  const figures: { name: string; value?: string; now?: number; before?: number }[] = [
    { name: w.sales, value: now && f.money(now.total_sales), now: now?.total_sales.amount, before: before?.total_sales.amount },
    { name: w.orders, value: now && f.number(now.orders), now: now?.orders, before: before?.orders },
    { name: w.average, value: now && (now.average_order_value ? f.money(now.average_order_value) : '–'), now: now?.average_order_value?.amount, before: before?.average_order_value?.amount },
    { name: w.units, value: now && f.number(now.units_sold), now: now?.units_sold, before: before?.units_sold },
  ];
  return (
    <Section flush>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing={0} p="lg" verticalSpacing="lg">
        {figures.map((figure) => (
          <Stack key={figure.name} gap={2}>
            <Text size="sm" c="dimmed">
              {figure.name}
            </Text>
            {figure.value === undefined ? (
              <Skeleton height={28} width={110} my={4} />
            ) : (
              <Text fz={26} fw={650} lh={1.35}>
                {figure.value}
              </Text>
            )}
            <Change now={figure.now} before={figure.before} against={against} />
          </Stack>
        ))}
      </SimpleGrid>
      {nothing && (
        <Text px="lg" pb="lg" size="sm" c="dimmed">
          {w.none}
        </Text>
      )}
      {period !== '1' && !nothing && (
        <Box px="lg" pb="lg" h={280}>
          <Suspense fallback={<Skeleton height="100%" />}>{points ? <Chart title={w.chart} points={points} now={w.now} before={w.before} format={format} /> : <Skeleton height="100%" />}</Suspense>
        </Box>
      )}
    </Section>
  );
}
