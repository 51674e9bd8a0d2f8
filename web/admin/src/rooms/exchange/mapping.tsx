import { Select, Table, Text } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { columns, fieldColumn } from './columns';
import { useExchangeWords } from './words';

type MappingProps = {
  kind: Schemas['ImportKind'];
  header: string[];
  rows: string[][];
  fields: Schemas['FieldDefinition'][];
  meanings: string[];
  change: (column: number, meaning: string) => void;
};

/** What each column of a file is taken for. */
export function Mapping({ kind, header, rows, fields, meanings, change }: MappingProps) {
  const w = useExchangeWords();
  const choices = [
    { group: w.import.known, items: columns[kind].names },
    ...(fields.length > 0 ? [{ group: w.import.fields, items: fields.map((field) => ({ value: fieldColumn(field), label: field.name })) }] : []),
  ];
  return (
    <Table.ScrollContainer minWidth={0} type="native" mah={420}>
      <Table verticalSpacing={6} horizontalSpacing="lg" aria-label={w.import.columns} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{w.import.column}</Table.Th>
            <Table.Th visibleFrom="xs">{w.import.example}</Table.Th>
            <Table.Th w="40%">{w.import.meaning}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {header.map((column, n) => (
            // oxlint-disable-next-line react/no-array-index-key -- a file may have two columns of a name
            <Table.Tr key={n}>
              <Table.Td>
                <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                  {column || '–'}
                </Text>
              </Table.Td>
              <Table.Td visibleFrom="xs" maw={220}>
                <Text size="sm" c="dimmed" truncate>
                  {rows.find((row) => row[n])?.[n] ?? '–'}
                </Text>
              </Table.Td>
              <Table.Td>
                <Select
                  aria-label={`${column}: ${w.import.meaning}`}
                  size="xs"
                  placeholder={w.import.unused}
                  clearable
                  searchable
                  data={choices}
                  value={meanings[n] || null}
                  onChange={(meaning) => change(n, meaning ?? '')}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
