import { Anchor, Box, Stack, Text } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { type Mood, State } from '../../page/state';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { type Operation, goesOn } from './progress';
import { useExchangeWords } from './words';

type Row = Schemas['OperationRow'];

const moods: Record<Row['outcome'], Mood> = { pending: 'waits', created: 'well', updated: 'well', deleted: 'over', skipped: 'over', failed: 'wrong' };
const rooms: Record<string, string> = { prod: 'products', cus: 'customers' };

/** What became of each row, or of each thing. */
export function Rows({ operation }: { operation: Operation }) {
  const w = useExchangeWords();
  const { query, to } = useStore();
  const filters = useFilters('rows');
  const view = filters.values.rows;
  const rows = query.useInfiniteQuery(
    'get',
    '/v1/operations/{operation_id}/rows',
    { params: { path: { operation_id: operation.id }, query: { limit: 50, ...(view === 'warning' ? { severity: 'warning' as const } : view && { outcome: view as 'failed' }) } } },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: goesOn(operation) ? 3_000 : false },
  );
  const room = (row: Row) => {
    const folder = row.resource_id && row.outcome !== 'deleted' && rooms[row.resource_id.split('_')[0] ?? ''];
    return folder ? to(`${folder}/${row.resource_id}`) : undefined;
  };
  return (
    <List<Row>
      label={w.rows.title}
      query={rows}
      id={(row) => String(row.line)}
      empty={
        <Text c="dimmed" size="sm" ta="center" py="xl">
          {w.rows.none}
        </Text>
      }
      narrowed={view ? { nothing: w.rows.none, clear: filters.clear } : undefined}
      filters={<Views label={w.rows.title} value={view} names={w.rows.views} onChange={(next) => filters.set({ rows: next })} />}
      columns={[
        { name: w.rows.line, width: 80, cell: (row) => row.line },
        {
          name: w.rows.thing,
          width: 220,
          cell: (row) => {
            const address = room(row);
            const name = row.handle ?? (row.resource_id ? w.rows.open : '–');
            return (
              <>
                {address ? (
                  <Anchor component={Link} to={address} size="sm" style={{ overflowWrap: 'anywhere' }}>
                    {name}
                  </Anchor>
                ) : (
                  <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                    {row.handle ?? row.resource_id ?? '–'}
                  </Text>
                )}
                <Box hiddenFrom="sm">
                  <Remarks row={row} />
                </Box>
              </>
            );
          },
        },
        { name: w.rows.outcome, width: 150, cell: (row) => <State mood={moods[row.outcome]}>{w.rows.outcomes[row.outcome]}</State> },
        {
          name: w.rows.remark,
          wide: true,
          cell: (row) => <Remarks row={row} />,
        },
      ]}
    />
  );
}

function Remarks({ row }: { row: Row }) {
  return (
    <Stack gap={2}>
      {row.messages.map((message) => (
        <Text key={`${message.code} ${message.field}`} size="sm" c={message.severity === 'error' ? 'var(--stoa-bad)' : undefined}>
          {message.field && <b>{message.field}: </b>}
          {message.detail}
        </Text>
      ))}
    </Stack>
  );
}
