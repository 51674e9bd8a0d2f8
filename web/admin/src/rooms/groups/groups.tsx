import { ActionIcon, Button, Menu, Modal, Stack, TextInput } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconTrash, IconUsersGroup } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useGroupWords } from './words';

type CustomerGroup = Schemas['CustomerGroup'];

/** Groups of customers, for which prices and discounts may be meant. */
export default function Groups() {
  const w = useGroupWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, query, can, to } = useStore();
  const filters = useFilters('new', 'id');
  const groups = query.useInfiniteQuery('get', '/v1/customer-groups', { params: { query: { limit: 50 } } }, { ...pages, placeholderData: keepPreviousData });
  const shown = groups.data?.pages.flatMap((page) => page.data).find(({ id }) => id === filters.values.id);
  const close = () => filters.set({ new: '', id: '' });
  const remove = useWrite({
    undoable: true,
    said: everywhere.deleted,
    write: (group: CustomerGroup) => answered(api.DELETE('/v1/customer-groups/{customer_group_id}', { params: { path: { customer_group_id: group.id } } })),
  });
  const writes = can('customers:write');
  const add = writes && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={add} narrow>
      <List<CustomerGroup>
        label={w.title}
        query={groups}
        id={(group) => group.id}
        to={(group) => to(`customers?group=${group.id}`)}
        empty={<Empty icon={IconUsersGroup} {...w.empty} action={add} />}
        columns={[
          { name: w.columns.name, cell: (group) => group.name },
          { name: w.columns.customers, end: true, width: 130, cell: (group) => f.number(group.customers_count) },
          {
            name: everywhere.actions,
            silent: true,
            width: 60,
            end: true,
            cell: (group) =>
              writes && (
                <Menu position="bottom-end">
                  <Menu.Target>
                    <ActionIcon aria-label={w.actions(group.name)}>
                      <IconDots size={18} />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => filters.set({ id: group.id })}>
                      {w.rename}
                    </Menu.Item>
                    <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate(group)}>
                      {everywhere.delete}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              ),
          },
        ]}
      />
      {can('products:read') && (groups.data?.pages[0]?.data.length ?? 0) > 0 && (
        <Button component={Link} to={to('price-lists')} variant="subtle" mt="md">
          {w.prices}
        </Button>
      )}
      <Modal opened={filters.values.new !== '' || shown !== undefined} onClose={close} title={shown ? w.rename : w.new}>
        <Named key={shown?.id} group={shown} close={close} />
      </Modal>
    </Page>
  );
}

function Named({ group, close }: { group?: CustomerGroup; close: () => void }) {
  const w = useGroupWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ of: group?.id, initialValues: { name: group?.name ?? '' } });
  const save = useWrite({
    form: form as never,
    said: group ? everywhere.saved : w.created,
    undoable: true,
    write: ({ name }: { name: string }) =>
      group
        ? answered(api.PATCH('/v1/customer-groups/{customer_group_id}', { params: { path: { customer_group_id: group.id } }, body: { name: name.trim() } }))
        : answered(api.POST('/v1/customer-groups', { params: { header: { 'Idempotency-Key': key } }, body: { name: name.trim() } })),
    done: close,
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
