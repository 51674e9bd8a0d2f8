import { Button, Group, Input, Modal, NumberInput, Radio, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconMailForward, IconShoppingCartOff } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { CustomerChip } from '../../page/customer';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { instantOf } from '../../words/days';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useCartWords } from './words';

/** Carts that somebody left with something in them. */
export default function Carts() {
  const w = useCartWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('view', 'email', 'customer', 'before', 'reminders');
  const { view, email, customer, before, reminders } = filters.values;
  const carts = query.useInfiniteQuery(
    'get',
    '/v1/carts',
    {
      params: {
        query: {
          limit: 50,
          state: 'open',
          ...(view === '' && { abandoned: true }),
          ...(/^\S+@\S+\.\S+$/.test(email) && { email }),
          ...(customer && { customer_id: customer }),
          ...(before && { updated_before: instantOf(before, settings.time_zone) }),
        },
      },
    },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: 60_000 },
  );
  const close = () => filters.set({ reminders: '' });
  return (
    <Page
      title={w.title}
      text={w.text}
      actions={
        can('settings:read') && (
          <Button variant="default" leftSection={<IconMailForward size={17} aria-hidden />} onClick={() => filters.set({ reminders: 'yes' })}>
            {w.reminders.title}
          </Button>
        )
      }
    >
      <List<Schemas['CartSummary']>
        label={w.title}
        query={carts}
        id={(cart) => cart.id}
        to={(cart) => to(`carts/${cart.id}`)}
        narrowed={view || email || customer || before ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={
          <Empty
            icon={IconShoppingCartOff}
            {...w.empty}
            action={
              <Button variant="default" onClick={() => filters.set({ view: 'every' })}>
                {w.views.every}
              </Button>
            }
          />
        }
        filters={
          <>
            <Views label={w.view} value={view} names={w.views} onChange={(next) => filters.set({ view: next })} />
            <Narrow set={[email, before].filter(Boolean).length}>
              <NarrowText label={w.email} value={email} onChange={(next) => filters.set({ email: next })} />
              <TextInput type="date" label={w.before} value={before} onChange={(event) => filters.set({ before: event.currentTarget.value })} />
            </Narrow>
            <CustomerChip id={customer} clear={() => filters.set({ customer: '' })} />
          </>
        }
        columns={[
          {
            name: w.columns.who,
            cell: (cart) => (
              <Text size="sm" fw={600} lineClamp={1} style={{ wordBreak: 'break-all' }}>
                {cart.email ?? w.unknown}
              </Text>
            ),
          },
          {
            name: w.columns.left,
            wide: true,
            width: 160,
            cell: (cart) => (
              <Text size="sm" title={f.time(cart.updated_at)}>
                {f.ago(cart.updated_at)}
              </Text>
            ),
          },
          { name: w.columns.lines, wide: true, end: true, width: 100, cell: (cart) => f.number(cart.line_count) },
          { name: w.columns.total, end: true, cell: (cart) => f.money(cart.subtotal) },
          { name: w.link, silent: true, width: 56, cell: (cart) => cart.recover_url && <Copy value={cart.recover_url} /> },
        ]}
      />
      <Modal opened={reminders !== ''} onClose={close} title={w.reminders.title}>
        <Reminders close={close} />
      </Modal>
    </Page>
  );
}

const units = { minutes: 1, hours: 60, days: 1440 } as const;
type Unit = keyof typeof units;

function Reminders({ close }: { close: () => void }) {
  const { api } = useStore();
  const settings = useQuery({ queryKey: ['abandoned carts'], queryFn: () => answered(api.GET('/v1/settings/abandoned-carts')) });
  if (settings.isLoadingError) return <Trouble error={settings.error} retry={settings.refetch} />;
  return settings.data ? <Settings there={settings.data.data} close={close} /> : <Skeleton height={200} />;
}

function Settings({ there, close }: { there: Schemas['AbandonedCartSettings']; close: () => void }) {
  const w = useCartWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const unit = (['days', 'hours'] as const).find((each) => there.delay_minutes % units[each] === 0) ?? 'minutes';
  const form = useForm({ initialValues: { mail: there.mail as string, delay: there.delay_minutes / units[unit], unit: unit as Unit } });
  const save = useWrite({
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: ({ mail, delay, unit: by }: typeof form.values) => answered(api.PATCH('/v1/settings/abandoned-carts', { body: { mail: mail as typeof there.mail, delay_minutes: delay * units[by] } })),
  });
  const writes = can('settings:write');
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack>
          <Radio.Group label={w.reminders.who} description={w.reminders.once} {...form.getInputProps('mail')}>
            <Stack gap="sm" mt="sm">
              {(['off', 'consenting', 'everyone'] as const).map((each) => (
                <Radio key={each} value={each} label={w.reminders.mail[each].title} description={w.reminders.mail[each].text} />
              ))}
            </Stack>
          </Radio.Group>
          <Input.Wrapper label={w.reminders.delay} labelElement="div">
            <Group gap="xs" mt={4}>
              <NumberInput aria-label={w.reminders.delay} min={form.values.unit === 'minutes' ? 15 : 1} max={43_200 / units[form.values.unit]} allowDecimal={false} w={140} {...form.getInputProps('delay')} />
              <Select
                aria-label={w.reminders.unit}
                w={130}
                allowDeselect={false}
                data={(['minutes', 'hours', 'days'] as const).map((value) => ({ value, label: w.reminders.units[value] }))}
                {...form.getInputProps('unit')}
              />
            </Group>
          </Input.Wrapper>
          <Group justify="end">
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            {writes && (
              <Button type="submit" loading={save.isPending} disabled={!form.isDirty()}>
                {everywhere.save}
              </Button>
            )}
          </Group>
        </Stack>
      </fieldset>
    </form>
  );
}
