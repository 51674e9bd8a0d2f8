import { Box, Button, Card, Center, Checkbox, Group, Skeleton, Table, Text, VisuallyHidden } from '@mantine/core';
import { hashKey, type InfiniteData, type QueryKey, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue } from 'react';
import { Link } from 'react-router';
import { useWords } from '../words/everywhere';
import classes from './list.module.css';
import { Trouble } from './trouble';

/** How the pages of a list are asked for, one after the other. */
export const pages = {
  pageParamName: 'cursor',
  initialPageParam: null,
  getNextPageParam: (page: { next_cursor: string | null }) => page.next_cursor ?? undefined,
  // Others ask for the same list's beginning alone: what is remembered of that has another form.
  queryKeyHashFn: (key: QueryKey) => `pages of ${hashKey(key)}`,
} as const;

type Column<T> = {
  name: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand at the end, so that they can be compared. */
  end?: boolean;
  width?: number | string;
  /** On a phone only what matters is shown. */
  wide?: boolean;
  /** Whether what is in it goes without saying, to those who see it. */
  silent?: boolean;
};

type ListProps<T> = {
  label: string;
  query: UseInfiniteQueryResult<InfiniteData<{ data: T[] }>, unknown>;
  columns: Column<T>[];
  id: (row: T) => string;
  /** Where a row leads. */
  to?: (row: T) => string;
  /** What a row does, where it leads nowhere. */
  open?: (row: T) => void;
  filters?: ReactNode;
  /** What stands here while there is nothing at all. */
  empty: ReactNode;
  /** Whether a filter is set, so that nothing found is not nothing there. */
  narrowed?: { nothing: string; clear: () => void };
  /** Which rows are chosen, and what can be done with them at once; on a phone, there is no room for it. */
  choice?: { name: (row: T) => string; chosen: string[]; choose: (ids: string[]) => void; actions: ReactNode };
};

/** How many rows come at once: what the eye sees. The rest follows when the browser has shown them. */
const atOnce = 16;

/** A list of things, with what narrows it down, page by page. */
export function List<T>({ label, query, columns, id, to, open, filters, empty, narrowed, choice }: ListProps<T>) {
  const w = useWords();
  const most = useDeferredValue(Number.POSITIVE_INFINITY, atOnce);
  if (query.isLoadingError) return <Trouble error={query.error} retry={query.refetch} />;
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const none = !query.isPending && rows.length === 0;
  const chosen = rows.map(id).filter((each) => choice?.chosen.includes(each));
  if (none && !narrowed) return <Card padding={0}>{empty}</Card>;
  return (
    <Card padding={0}>
      {choice && chosen.length > 0 ? (
        <Group p="sm" gap="sm" className={classes.filters} role="region" aria-label={w.chosen(String(chosen.length))}>
          <Text size="sm" fw={600} px={4} flex={1} style={{ whiteSpace: 'nowrap' }}>
            {w.chosen(String(chosen.length))}
          </Text>
          {choice.actions}
          <Button variant="subtle" color="gray" onClick={() => choice.choose([])}>
            {w.unchoose}
          </Button>
        </Group>
      ) : (
        filters && (
          <Group p="sm" gap="sm" className={classes.filters}>
            {filters}
            {narrowed && (
              <Button variant="subtle" color="gray" onClick={narrowed.clear}>
                {w.clear}
              </Button>
            )}
          </Group>
        )
      )}
      {none ? (
        <Center py={56}>
          <Text c="dimmed" size="sm">
            {narrowed?.nothing}
          </Text>
        </Center>
      ) : (
        <Table.ScrollContainer minWidth={0} type="native">
          <Table className={classes.table} verticalSpacing="sm" horizontalSpacing="md" aria-label={label} aria-busy={query.isPending}>
            <Table.Thead>
              <Table.Tr>
                {choice && (
                  <Table.Th w={48} pe={0} mod="wide">
                    <Checkbox
                      aria-label={w.chooseAll}
                      checked={chosen.length > 0 && chosen.length === rows.length}
                      indeterminate={chosen.length > 0 && chosen.length < rows.length}
                      onChange={(event) => choice.choose(event.currentTarget.checked ? rows.map(id) : [])}
                    />
                  </Table.Th>
                )}
                {columns.map((column) => (
                  <Table.Th key={column.name} w={column.width} ta={column.end ? 'end' : undefined} mod={{ wide: column.wide }}>
                    {column.silent ? <VisuallyHidden>{column.name}</VisuallyHidden> : column.name}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {query.isPending
                ? Array.from({ length: 8 }, (_, row) => (
                    <Table.Tr key={row}>
                      {choice && <Table.Td mod="wide" />}
                      {columns.map((column) => (
                        <Table.Td key={column.name} mod={{ wide: column.wide }}>
                          <Skeleton height={14} my={4} width={column.end ? 60 : '70%'} ms={column.end ? 'auto' : 0} />
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))
                : rows.slice(0, most).map((row) => (
                    <Table.Tr key={id(row)} mod={{ leads: Boolean(to ?? open), chosen: chosen.includes(id(row)) }}>
                      {choice && (
                        <Table.Td pe={0} className={classes.choice} mod="wide">
                          <Checkbox
                            aria-label={`${w.choose}: ${choice.name(row)}`}
                            checked={chosen.includes(id(row))}
                            onChange={(event) => choice.choose(event.currentTarget.checked ? [...chosen, id(row)] : chosen.filter((each) => each !== id(row)))}
                          />
                        </Table.Td>
                      )}
                      {columns.map((column, n) => (
                        <Table.Td key={column.name} ta={column.end ? 'end' : undefined} mod={{ wide: column.wide }}>
                          {n > 0 ? column.cell(row) : <First row={row} to={to} open={open} content={column.cell(row)} />}
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {query.hasNextPage && (
        <Center p="sm" className={classes.more}>
          <Button variant="subtle" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {w.more}
          </Button>
        </Center>
      )}
    </Card>
  );
}

/** The first cell of a row is its link, and the whole row can be clicked. */
function First<T>({ row, to, open, content }: { row: T; to?: (row: T) => string; open?: (row: T) => void; content: ReactNode }) {
  if (to) {
    return (
      <Link to={to(row)} className={classes.link}>
        {content}
      </Link>
    );
  }
  if (open) {
    return (
      <Box component="button" type="button" className={classes.link} onClick={() => open(row)}>
        {content}
      </Box>
    );
  }
  return content;
}
