import { Button, Text } from '@mantine/core';
import { IconPlus, IconStack2 } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useCollectionWords } from './words';

/** Products that are shown together. */
export default function Collections() {
  const w = useCollectionWords();
  const f = useFormat();
  const { query, can, to } = useStore();
  const collections = query.useInfiniteQuery('get', '/v1/collections', { params: { query: { limit: 50 } } }, { ...pages, placeholderData: keepPreviousData });
  const add = can('products:write') && (
    <Button component={Link} to={to('collections/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} actions={add}>
      <List<Schemas['Collection']>
        label={w.title}
        query={collections}
        id={(collection) => collection.id}
        to={(collection) => to(`collections/${collection.id}`)}
        empty={<Empty icon={IconStack2} {...w.empty} action={add} />}
        columns={[
          { name: w.columns.name, cell: (collection) => collection.name },
          { name: w.columns.kind, wide: true, width: 190, cell: (collection) => (collection.rule ? w.byRule : w.byHand) },
          {
            name: w.columns.sort,
            wide: true,
            width: 240,
            cell: (collection) => (
              <Text size="sm" c="dimmed">
                {w.sorts[collection.sort_order]}
              </Text>
            ),
          },
          { name: w.columns.products, end: true, width: 110, cell: (collection) => f.number(collection.product_count) },
        ]}
      />
    </Page>
  );
}
