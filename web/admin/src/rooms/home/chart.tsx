import { AreaChart } from '@mantine/charts';
import '@mantine/charts/styles.layer.css';
import { digits, useFormat } from '../../words/format';
import type { Row } from './sales';
import { useHomeWords } from './words';

/** Sales by day, with those of the days before behind them. */
export default function Chart({ title, rows, currency }: { title: string; rows: Row[]; currency: string }) {
  const w = useHomeWords();
  const f = useFormat();
  const unit = 10 ** digits(currency);
  return (
    <AreaChart
      h="100%"
      role="img"
      aria-label={title}
      data={rows.map(({ day, now, before }) => ({ day: f.day(day), [w.now]: now / unit, [w.before]: before === null ? null : before / unit }))}
      dataKey="day"
      series={[
        { name: w.before, color: 'gray.5', strokeDasharray: '4 4' },
        { name: w.now, color: 'clay.6' },
      ]}
      curveType="monotone"
      fillOpacity={0.15}
      strokeWidth={2}
      withDots={false}
      gridAxis="x"
      tickLine="none"
      valueFormatter={(value) => f.money({ amount: Math.round(value * unit), currency }, { whole: value >= 100 })}
      yAxisProps={{ width: 76 }}
      xAxisProps={{ minTickGap: 24 }}
    />
  );
}
