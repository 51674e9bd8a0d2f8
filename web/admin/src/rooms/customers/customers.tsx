import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconUsers } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import type { paths } from '../../api/contract.gen';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Period, within } from '../../page/period';
import { Search } from '../../page/search';
import { State } from '../../page/state';
import { useForm } from '../../page/typed';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useCustomerWords } from './words';

const views: Record<string, NonNullable<paths['/v1/customers']['get']['parameters']['query']>> = {
  registered: { registered: true },
  guests: { registered: false },
  newsletter: { accepts_marketing: true },
  sms: { accepts_sms_marketing: true },
};

/** Everybody who bought or registered. */
export default function Customers() {
  const w = useCustomerWords();
  const f = useFormat();
  const { query, can, to, settings } = useStore();
  const filters = useFilters('view', 'q', 'group', 'label', 'since', 'until');
  const { view, q, group, label, since, until } = filters.values;
  const groups = query.useQuery('get', '/v1/customer-groups', { params: { query: { limit: 100 } } });
  const customers = query.useInfiniteQuery('get', '/v1/customers', { params: { query: { limit: 50, ...views[view], ...(q && { q }), ...(group && { group_id: group }), ...(label && { tag: label }), ...within({ since, until }, settings.time_zone) } } }, { ...pages, placeholderData: keepPreviousData });
  const [adding, setAdding] = useState(false);
  const add = can('customers:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setAdding(true)}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} actions={add}>
      <List<Schemas['Customer']>
        label={w.title}
        query={customers}
        id={(customer) => customer.id}
        to={(customer) => to(`customers/${customer.id}`)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconUsers} {...w.empty} action={add} />}
        filters={
          <>
            <Views label={w.view} value={view} names={w.views} onChange={(next) => filters.set({ view: next })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next })} />
            {(groups.data?.data.length ?? 0) > 0 && (
              <Select
                aria-label={w.groups}
                placeholder={w.groups}
                clearable
                searchable
                w={170}
                data={groups.data?.data.map(({ id, name }) => ({ value: id, label: name }))}
                value={group || null}
                onChange={(next) => filters.set({ group: next ?? '' })}
              />
            )}
            <Narrow set={[label, since, until].filter(Boolean).length}>
              <NarrowText label={w.label} value={label} onChange={(next) => filters.set({ label: next })} />
              <Period since={since} until={until} set={filters.set} />
            </Narrow>
          </>
        }
        columns={[
          {
            name: w.columns.customer,
            cell: (customer) => (
              <div>
                <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                  {customer.name ?? customer.default_address?.name ?? customer.email}
                </Text>
                <Text size="xs" c="dimmed" fw={400} style={{ wordBreak: 'break-all' }}>
                  {customer.email}
                </Text>
              </div>
            ),
          },
          { name: w.columns.newsletter, wide: true, width: 140, cell: (customer) => <Subscribed customer={customer} /> },
          { name: w.columns.since, wide: true, width: 150, cell: (customer) => f.date(customer.created_at) },
          { name: w.columns.orders, end: true, width: 110, cell: (customer) => f.number(customer.orders_count) },
        ]}
      />
      <Modal opened={adding} onClose={() => setAdding(false)} title={w.new.title}>
        <Add close={() => setAdding(false)} />
      </Modal>
    </Page>
  );
}

/** By which ways they agreed to be written to. */
function Subscribed({ customer }: { customer: Schemas['Customer'] }) {
  const w = useCustomerWords();
  return (
    <Group gap={4}>
      {customer.accepts_marketing && <State mood="well">{w.subscribed}</State>}
      {customer.accepts_sms_marketing && <State mood="well">{w.texted}</State>}
    </Group>
  );
}

function Add({ close }: { close: () => void }) {
  const w = useCustomerWords();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const form = useForm({ initialValues: { email: '', name: '', phone: '' } });
  const create = useWrite({
    form: form as never,
    said: w.new.done,
    write: ({ email, name, phone }: typeof form.values) =>
      answered(api.POST('/v1/customers', { params: { header: { 'Idempotency-Key': key } }, body: { email: email.trim(), ...(name.trim() && { name: name.trim() }), ...(phone.trim() && { phone: phone.trim() }) } })),
    done: ({ data }) => void go(to(`customers/${data.id}`)),
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack>
        <TextInput label={w.email} type="email" required maxLength={254} data-autofocus {...form.getInputProps('email')} />
        <TextInput label={w.name} maxLength={255} {...form.getInputProps('name')} />
        <TextInput label={w.phone} type="tel" maxLength={32} {...form.getInputProps('phone')} />
        <Ending go={w.new.create} pending={create.isPending} close={close} />
      </Stack>
    </form>
  );
}
