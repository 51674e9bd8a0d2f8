import { Button, Code, Modal } from '@mantine/core';
import { IconForms, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { State } from '../../page/state';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { FieldForm } from './field';
import { useFieldWords } from './words';

type Definition = Schemas['FieldDefinition'];

/** The custom fields that things of the store have. */
export default function Fields() {
  const w = useFieldWords();
  const { query, can } = useStore();
  const filters = useFilters('of', 'field');
  const { of } = filters.values;
  const resource = of in w.resources ? (of as Schemas['FieldResource']) : undefined;
  const definitions = query.useInfiniteQuery('get', '/v1/field-definitions', { params: { query: { limit: 100, ...(resource && { resource }) } } }, { ...pages, placeholderData: keepPreviousData });
  const opened = definitions.data?.pages.flatMap((page) => page.data).find(({ id }) => id === filters.values.field);
  const writes = can('settings:write');
  const close = () => filters.set({ field: '' });
  const add = writes && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ field: 'new' })}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<Definition>
        label={w.title}
        query={definitions}
        id={(definition) => definition.id}
        open={writes ? (definition) => filters.set({ field: definition.id }) : undefined}
        narrowed={resource ? { nothing: w.nothing, clear: () => filters.set({ of: '' }) } : undefined}
        empty={<Empty icon={IconForms} {...w.empty} action={add} />}
        filters={<Views label={w.columns.of} value={of} names={{ all: w.all, ...w.resources }} onChange={(next) => filters.set({ of: next })} />}
        columns={[
          { name: w.columns.name, cell: ({ name }) => name },
          { name: w.columns.of, cell: ({ resource }) => w.resources[resource] },
          { name: w.columns.key, wide: true, cell: ({ key }) => <Code>{key}</Code> },
          { name: w.columns.type, wide: true, cell: ({ type, list }) => (list ? w.several(w.types[type]) : w.types[type]) },
          { name: w.columns.shown, wide: true, cell: ({ shown_in_shop }) => (shown_in_shop ? <State mood="well">{w.shown}</State> : <State mood="over">{w.hidden}</State>) },
        ]}
      />
      {writes && (
        <Modal opened={opened !== undefined || filters.values.field === 'new'} onClose={close} title={opened?.name ?? w.add} size="lg">
          <FieldForm definition={opened} resource={resource ?? 'product'} close={close} />
        </Modal>
      )}
    </Page>
  );
}
