import { AreaChart } from '@mantine/charts';
import '@mantine/charts/styles.layer.css';

/** What was so much at a time, and at the time that it is compared with. */
export type Point = { at: string; now: number; before: number | null };

type ChartProps = {
  title: string;
  points: Point[];
  /** What the two lines are called. */
  now: string;
  before: string;
  format: (value: number) => string;
};

/** How something went, with how it went before behind it. */
export default function Chart({ title, points, now, before, format }: ChartProps) {
  const compared = points.some((point) => point.before !== null);
  return (
    <AreaChart
      h="100%"
      role="img"
      aria-label={title}
      data={points.map((point) => ({ at: point.at, [now]: point.now, ...(compared && { [before]: point.before }) }))}
      dataKey="at"
      series={[...(compared ? [{ name: before, color: 'gray.5', strokeDasharray: '4 4' }] : []), { name: now, color: 'clay.6' }]}
      curveType="monotone"
      fillOpacity={0.15}
      strokeWidth={2}
      withDots={false}
      gridAxis="x"
      tickLine="none"
      valueFormatter={format}
      yAxisProps={{ width: 76 }}
      xAxisProps={{ minTickGap: 24 }}
    />
  );
}
