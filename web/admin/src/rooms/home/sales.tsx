import { Box, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowDownRight, IconArrowUpRight } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import type { Schemas } from '../../api/client';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import type { Period } from './home';
import { useHomeWords } from './words';

const Chart = lazy(() => import('./chart'));

/** A day of the store's, so many days ago. */
function day(timeZone: string, ago: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(Date.now() - ago * 86_400_000);
}

/** What was sold, against the same time before. */
export function Sales({ period }: { period: Period }) {
  const w = useHomeWords();
  const { query, settings } = useStore();
  const f = useFormat();
  const report = query.useQuery(
    'get',
    '/v1/analytics/sales',
    { params: { query: { from: day(settings.time_zone, Number(period) - 1), to: day(settings.time_zone, 0), interval: 'day', compare: 'previous_period' } } },
    { placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  if (report.isError) return <Trouble error={report.error} retry={report.refetch} />;
  const told = report.data as Schemas['SalesReport'] | undefined; // and not the table that it could be, too
  const now = told?.period.totals;
  const before = told?.comparison?.totals;
  const against = w.against[period];
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
      {told && daily(told).every((row) => !row.now && !row.before) && (
        <Text px="lg" pb="lg" size="sm" c="dimmed">
          {w.none}
        </Text>
      )}
      {period !== '1' && !(told && daily(told).every((row) => !row.now && !row.before)) && (
        <Box px="lg" pb="lg" h={280}>
          <Suspense fallback={<Skeleton height="100%" />}>{told ? <Chart title={w.chart} rows={daily(told)} currency={told.currency} /> : <Skeleton height="100%" />}</Suspense>
        </Box>
      )}
    </Section>
  );
}

export type Row = { day: string; now: number; before: number | null };

function daily({ period, comparison }: Schemas['SalesReport']): Row[] {
  return period.data.map((row, n) => ({ day: row.from, now: row.total_sales.amount, before: comparison?.data[n]?.total_sales.amount ?? null }));
}

/** How much more or less it was than before. */
function Change({ now, before, against }: { now?: number; before?: number; against: string }) {
  const w = useHomeWords();
  const f = useFormat();
  if (now === undefined || before === undefined) return <Text size="xs">&nbsp;</Text>;
  if (before <= 0) {
    return (
      <Text size="xs" c="dimmed">
        {w.noneBefore(against)}
      </Text>
    );
  }
  const share = (now - before) / before;
  const Icon = share < 0 ? IconArrowDownRight : IconArrowUpRight;
  const color = share < 0 ? 'var(--stoa-bad)' : 'var(--stoa-good)';
  return (
    <Group gap={4} wrap="nowrap" align="start">
      {share !== 0 && <Icon size={15} color={color} aria-hidden style={{ flexShrink: 0 }} />}
      <Text size="xs" c="dimmed">
        {w.compared(f.percent(share), against)}
      </Text>
    </Group>
  );
}
