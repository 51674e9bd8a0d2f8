import { Anchor, Button, Checkbox, Grid, Group, MultiSelect, Skeleton, Stack, TagsInput, Text, TextInput, Textarea } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { awaited } from '../../api/memory';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { CustomFields, fieldChanges } from '../../page/fields';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { FulfilmentState, PaymentState } from '../orders/states';
import { Addresses, bookOf, writtenBook } from './addresses';
import { StoreCredit } from './credit';
import { Marketing, agreed, agreement } from './marketing';
import { Everything } from './privacy';
import { useCustomerWords } from './words';

/** Somebody who bought or registered. */
export default function Customer() {
  const { customer: customer_id = '' } = useParams();
  const { api } = useStore();
  const customer = useQuery({ queryKey: ['customer', customer_id], queryFn: () => answered(api.GET('/v1/customers/{customer_id}', { params: { path: { customer_id } } })) });
  const waits = useBesides(customer_id);
  if (customer.isLoadingError) return <Trouble error={customer.error} retry={customer.refetch} />;
  if (!customer.data || waits) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Present key={customer_id} customer={customer.data.data} version={customer.data.version} />;
}

/** Asks for what stands beside who it is, and says whether it is under way: each part would push others down. */
function useBesides(customer_id: string): boolean {
  const { query, can } = useStore();
  const of = { path: { customer_id } };
  const orders = query.useQuery('get', '/v1/orders', { params: { query: { customer_id, limit: 5 } } }, { enabled: can('orders:read') });
  const groups = query.useQuery('get', '/v1/customer-groups', { params: { query: { limit: 100 } } });
  const balances = query.useQuery('get', '/v1/customers/{customer_id}/store-credit', { params: { ...of, query: { limit: 50 } } }, { enabled: can('store_credit:read') });
  const entries = query.useQuery('get', '/v1/customers/{customer_id}/store-credit/entries', { params: { ...of, query: { limit: 50 } } }, { enabled: can('store_credit:read') });
  const fields = query.useQuery('get', '/v1/field-definitions', { params: { query: { resource: 'customer', limit: 100 } } }, { enabled: can('settings:read') });
  return awaited(orders, groups, balances, entries, fields);
}

const written = (customer: Schemas['Customer']) => ({
  name: customer.name ?? '',
  phone: customer.phone ?? '',
  note: customer.note ?? '',
  tags: customer.tags,
  group_ids: customer.group_ids,
  tax_exempt_reason: customer.tax_exempt_reason ?? '',
  disabled: customer.disabled,
  custom_fields: customer.custom_fields,
  addresses: writtenBook(customer),
  ...agreed(customer),
});

function Present({ customer, version }: { customer: Schemas['Customer']; version?: string }) {
  const w = useCustomerWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, query, can } = useStore();
  const client = useQueryClient();
  const form = useForm({ of: customer.id, initialValues: written(customer) });
  const base = useFresh(form, written(customer), version);
  const groups = query.useQuery('get', '/v1/customer-groups', { params: { query: { limit: 100 } } });
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    write: (values: typeof form.values) => {
      const { name, phone, note, tags, group_ids, tax_exempt_reason, disabled, custom_fields, addresses } = values;
      const fields = fieldChanges(custom_fields, base.values.custom_fields);
      return answered(
        api.PATCH('/v1/customers/{customer_id}', {
          params: { path: { customer_id: customer.id }, header: { 'If-Match': base.version } },
          body: {
            name: name.trim() || null,
            phone: phone.trim() || null,
            note: note.trim() || null,
            tags,
            group_ids,
            tax_exempt_reason: tax_exempt_reason.trim() || null,
            disabled,
            ...(fields && { custom_fields: fields }),
            ...(JSON.stringify(addresses) !== JSON.stringify(base.values.addresses) && { addresses: bookOf(addresses) }),
            ...agreement(values, base.values),
          },
        }),
      );
    },
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['customer', customer.id], answer);
    },
  });
  const writes = can('customers:write');
  return (
    <Page
      title={customer.name ?? customer.default_address?.name ?? customer.email}
      text={w.since(f.date(customer.created_at))}
      beside={customer.disabled ? <State mood="wrong">{w.disabled}</State> : <State mood={customer.registered ? 'well' : 'over'}>{customer.registered ? w.registered : w.guest}</State>}
      back="customers"
      actions={<Everything customer={customer} />}
    >
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Grid gap="lg">
            <Grid.Col span={{ base: 12, md: 8 }}>
              <Stack gap="lg">
                {can('orders:read') && <Orders customer={customer} />}
                <Section title={w.contact}>
                  <TextInput label={w.email} value={customer.email} readOnly rightSection={<Copy value={customer.email} />} />
                  <Group grow align="flex-start">
                    <TextInput label={w.name} maxLength={255} {...form.getInputProps('name')} />
                    <TextInput label={w.phone} type="tel" maxLength={32} {...form.getInputProps('phone')} />
                  </Group>
                  <Textarea label={w.note} description={w.noteText} autosize minRows={2} maxLength={5000} {...form.getInputProps('note')} />
                  <TextInput label={w.exempt} description={w.exemptText} maxLength={255} {...form.getInputProps('tax_exempt_reason')} />
                  {customer.registered && <Checkbox label={w.locked} {...form.getInputProps('disabled', { type: 'checkbox' })} />}
                </Section>
              </Stack>
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 4 }}>
              <Stack gap="lg">
                <Section>
                  <TagsInput label={w.labels} placeholder={form.values.tags.length ? '' : w.labelsExample} {...form.getInputProps('tags')} />
                  {(groups.data?.data.length ?? 0) > 0 && (
                    <MultiSelect label={w.groups} data={groups.data?.data.map((group) => ({ value: group.id, label: group.name }))} {...form.getInputProps('group_ids')} />
                  )}
                </Section>
                {can('store_credit:read') && <StoreCredit customer={customer} />}
                <CustomFields resource="customer" values={form.values.custom_fields} errors={form.errors} change={(next) => form.setFieldValue('custom_fields', next)} />
                <Addresses form={form} writes={writes} />
                <Marketing customer={customer} form={form} writes={writes} />
              </Stack>
            </Grid.Col>
          </Grid>
        </fieldset>
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
    </Page>
  );
}

function Orders({ customer }: { customer: Schemas['Customer'] }) {
  const w = useCustomerWords();
  const { query, to, settings, can } = useStore();
  const f = useFormat(settings.time_zone);
  const orders = query.useQuery('get', '/v1/orders', { params: { query: { customer_id: customer.id, limit: 5 } } });
  return (
    <Section
      title={w.orders.title}
      text={w.orders.count(customer.orders_count)}
      actions={
        <Group gap={4}>
          {customer.orders_count > 5 && (
            <Button component={Link} to={to(`orders?customer=${customer.id}`)} variant="subtle" size="compact-sm">
              {w.orders.all}
            </Button>
          )}
          <Button component={Link} to={to(`carts?view=every&customer=${customer.id}`)} variant="subtle" size="compact-sm">
            {w.orders.carts}
          </Button>
          {can('reviews:read') && (
            <Button component={Link} to={to(`reviews?customer=${customer.id}`)} variant="subtle" size="compact-sm">
              {w.orders.reviews}
            </Button>
          )}
        </Group>
      }
    >
      {orders.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          {w.orders.none}
        </Text>
      )}
      {orders.data?.data.map((order) => (
        <Group key={order.id} justify="space-between" wrap="nowrap">
          <Group gap="sm">
            <Anchor component={Link} to={to(`orders/${order.id}`)} size="sm" fw={600}>
              #{order.number}
            </Anchor>
            <Text size="sm" c="dimmed" visibleFrom="xs">
              {f.date(order.created_at)}
            </Text>
            <PaymentState state={order.payment_state} />
            <FulfilmentState order={order} />
          </Group>
          <Text size="sm">{f.money(order.totals.total)}</Text>
        </Group>
      ))}
    </Section>
  );
}
