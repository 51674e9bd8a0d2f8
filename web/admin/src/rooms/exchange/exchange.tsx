import { Box, Button, Group, Text } from '@mantine/core';
import { IconArrowsTransferDown, IconDownload, IconUpload } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link } from 'react-router';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { Export } from './export';
import { Far, type Operation, OperationState, goesOn, useResult } from './progress';
import { useExchangeWords } from './words';

/** All that takes longer than a request: what goes on, and what came of what is done. */
export default function Exchange() {
  const w = useExchangeWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const result = useResult();
  const filters = useFilters('export');
  const operations = query.useInfiniteQuery(
    'get',
    '/v1/operations',
    { params: { query: { limit: 50 } } },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.data.some(goesOn)) ? 2_000 : false) },
  );
  const actions = (
    <>
      {can('exports:write') && (
        <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} onClick={() => filters.set({ export: 'products' })}>
          {w.export.action}
        </Button>
      )}
      {can('imports:write') && (
        <Button component={Link} to={to('exchange/import')} leftSection={<IconUpload size={18} aria-hidden />}>
          {w.import.action}
        </Button>
      )}
    </>
  );
  return (
    <Page title={w.title} text={w.text} actions={actions}>
      <List<Operation>
        label={w.title}
        query={operations}
        id={(operation) => operation.id}
        to={(operation) => to(`exchange/${operation.id}`)}
        empty={<Empty icon={IconArrowsTransferDown} {...w.empty} action={<Group justify="center">{actions}</Group>} />}
        columns={[
          { name: w.columns.what, cell: (operation) => w.kinds[operation.kind] },
          { name: w.columns.state, width: 150, cell: ({ state }) => <OperationState state={state} /> },
          {
            name: w.columns.result,
            wide: true,
            cell: (operation) =>
              goesOn(operation) ? (
                <Box maw={260}>
                  <Far operation={operation} />
                </Box>
              ) : (
                <Text size="sm">{operation.error?.detail ?? result(operation)}</Text>
              ),
          },
          {
            name: w.columns.who,
            wide: true,
            width: 200,
            cell: ({ created_by }) => (
              <Text size="sm" style={{ wordBreak: 'break-word' }}>
                {created_by.label}
              </Text>
            ),
          },
          {
            name: w.columns.when,
            wide: true,
            width: 150,
            cell: ({ created_at }) => (
              <Text size="sm" title={f.time(created_at)}>
                {f.ago(created_at)}
              </Text>
            ),
          },
        ]}
      />
      <Export resource={filters.values.export} choose={(resource) => filters.set({ export: resource })} close={() => filters.set({ export: '' })} />
    </Page>
  );
}
