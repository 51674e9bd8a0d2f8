import { Anchor, Box, Table, Text } from '@mantine/core';
import { IconChartBar } from '@tabler/icons-react';
import { Link } from 'react-router';
import { Empty } from '../../page/empty';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { Bars, Figures, numberOf, useTold } from './figures';
import { type Figure, kinds, type Name, type Row } from './reports';
import type { ShownProps } from './times';
import { useAnalyticsWords } from './words';

const drawn = 10;

/** A report of the most of something. */
export function Ranking({ name, report, against, figure }: ShownProps) {
  const w = useAnalyticsWords();
  const told = useTold(report.currency);
  const { can, to } = useStore();
  const titled = useTitle(name);
  const { figures, top } = kinds[name];
  const chosen: Figure = figures.find((each) => each === figure) ?? figures[0];
  const { data } = report.period;
  if (data.length === 0) {
    return (
      <Section flush>
        <Empty icon={IconChartBar} title={w.none.title} text={w.none.text} />
      </Section>
    );
  }
  const bars = data
    .map((row) => ({ name: titled(row), value: numberOf(row[chosen]) ?? 0 }))
    .filter(({ value }) => value > 0)
    .toSorted((a, b) => b.value - a.value)
    .slice(0, drawn);
  return (
    <>
      <Section flush>
        <Figures report={report} figures={figures.slice(0, top)} against={against} />
        {bars.length > 0 && (
          <Box p="lg" pt={top ? 'xs' : 'lg'}>
            <Bars data={bars} format={(value) => told.number(value, chosen)} />
          </Box>
        )}
      </Section>
      <Section title={w.table} flush>
        <Table.ScrollContainer minWidth={(figures.length + 1) * 120} type="native" tabIndex={0}>
          <Table verticalSpacing="xs" horizontalSpacing="md" aria-label={w.reports[name]}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{w.names[name as keyof typeof w.names]}</Table.Th>
                {figures.map((each) => (
                  <Table.Th key={each} ta="end">
                    {w.figures[each]}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map((row, n) => (
                // oxlint-disable-next-line react/no-array-index-key -- rows of taxes have no name of their own
                <Table.Tr key={n}>
                  <Table.Td>
                    {typeof row.product_id === 'string' && can('products:read') ? (
                      <Anchor component={Link} to={to(`products/${row.product_id}`)} size="sm">
                        {titled(row)}
                      </Anchor>
                    ) : (
                      <Text size="sm">{titled(row)}</Text>
                    )}
                  </Table.Td>
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

/** What a row is of, in a word. */
function useTitle(name: Name) {
  const w = useAnalyticsWords();
  return (row: Row): string => {
    if (name === 'taxes') return [row.name ?? w.reasons[String(row.reason) as keyof typeof w.reasons] ?? w.noTax, row.jurisdiction, row.percentage !== null && `${Number(row.percentage)} %`].filter(Boolean).join(' · ');
    if (name === 'discounts') return [row.title ?? w.agreed, row.code].filter(Boolean).join(' · ');
    return String(row.title ?? w.unknown);
  };
}
