import { ActionIcon, Button, Checkbox, Group, Menu, NumberInput, Paper, SegmentedControl, Select, SimpleGrid, Stack, Text, TextInput, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { AddressFields, addressOf, type Written, writtenAddress } from '../../page/address';
import { Ending } from '../../page/form';
import { MoneyInput } from '../../page/money';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useShippingWords } from './words';

type Method = Schemas['ShippingMethod'];
type Tier = { from: number | null; amount: number | null };
type Price = { currency: string; amount: number | null; free_from: number | null; tiers: Tier[] };
type Values = {
  name: string;
  description: string;
  zone_id: string;
  kind: 'sent' | 'pickup';
  pickup_address: Written;
  carrier: { service_id: string; rate: string };
  tiered_by: Schemas['ShippingMeasure'] | '';
  prices: Price[];
  active: boolean;
};

type MethodProps = { method?: Method; within: string; zones: Schemas['ShippingZone'][]; carriers: Schemas['RateService'][]; close: () => void };

/** A way to send, new or to be changed. */
export function MethodForm({ method, within, zones, carriers, close }: MethodProps) {
  const w = useShippingWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm<Values>({
    of: method?.id,
    initialValues: {
      name: method?.name ?? '',
      description: method?.description ?? '',
      zone_id: (method ? method.zone_id : within) ?? '',
      kind: method?.pickup_address ? 'pickup' : 'sent',
      pickup_address: writtenAddress(method?.pickup_address, settings.country),
      carrier: { service_id: method?.carrier?.service_id ?? '', rate: method?.carrier?.rate ?? '' },
      tiered_by: method?.tiered_by ?? '',
      prices: method ? method.prices.map(written) : [blank(settings.currency)],
      active: method?.active ?? true,
    },
    validate: {
      prices: {
        amount: (amount) => (amount === null ? w.method.needPrice : null),
        tiers: { from: (from) => (from === null ? w.method.needFrom : null) },
      },
      carrier: { rate: (rate, { carrier }) => (carrier.service_id && !rate.trim() ? w.method.needRate : null) },
    },
  });
  const { kind, carrier, prices, tiered_by } = form.values;
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: (values: Values) => {
      const { name, description, zone_id, active, prices } = values;
      const given = {
        zone_id: zone_id || null,
        description: description.trim() || null,
        tiered_by: values.tiered_by || null,
        carrier: values.kind === 'sent' && values.carrier.service_id ? { service_id: values.carrier.service_id, rate: values.carrier.rate.trim() } : null,
        pickup_address: values.kind === 'pickup' ? (addressOf(values.pickup_address) ?? null) : null,
      };
      const body = { name: name.trim(), active, prices: prices.map(({ tiers, ...price }) => ({ ...price, ...(values.tiered_by && { tiers }) })) as Schemas['ShippingPrice'][] };
      if (method) return answered(api.PATCH('/v1/shipping-methods/{shipping_method_id}', { params: { path: { shipping_method_id: method.id }, header: { 'If-Match': '*' } }, body: { ...body, ...given } }));
      const told = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
      return answered(api.POST('/v1/shipping-methods', { params: { header: { 'Idempotency-Key': key } }, body: { ...body, ...told } }));
    },
  });
  const others = settings.currencies.filter((currency) => prices.every((price) => price.currency !== currency));
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.method.name} placeholder={w.method.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <Textarea label={w.method.description} placeholder={w.method.descriptionExample} autosize minRows={1} maxLength={1000} {...form.getInputProps('description')} />
        <Select
          label={w.method.where}
          allowDeselect={false}
          data={[{ value: '', label: w.everywhere.title }, ...zones.map(({ id, name }) => ({ value: id, label: name }))]}
          {...form.getInputProps('zone_id')}
        />
        <SegmentedControl aria-label={w.method.kind} data={Object.entries(w.method.kinds).map(([value, label]) => ({ value, label }))} {...form.getInputProps('kind')} />
        {kind === 'pickup' && <AddressFields form={form as never} at="pickup_address" />}
        {kind === 'sent' && carriers.length > 0 && (
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <Select
              label={w.method.pricedBy}
              description={carrier.service_id ? w.method.carrierText : undefined}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              allowDeselect={false}
              data={[{ value: '', label: w.method.table }, ...carriers.map(({ id, name }) => ({ value: id, label: name }))]}
              {...form.getInputProps('carrier.service_id')}
            />
            {carrier.service_id && <TextInput label={w.method.rate} placeholder="express" maxLength={64} {...form.getInputProps('carrier.rate')} />}
          </SimpleGrid>
        )}
        <Select
          label={w.method.tieredBy}
          allowDeselect={false}
          data={Object.entries(w.method.measures).map(([value, label]) => ({ value, label }))}
          {...form.getInputProps('tiered_by')}
        />
        {prices.map((price, n) => (
          <Prices key={price.currency} form={form} n={n} price={price} measure={tiered_by} remove={prices.length > 1 || (kind === 'sent' && carrier.service_id !== '') ? () => form.removeListItem('prices', n) : undefined} />
        ))}
        {form.errors.prices && (
          <Text size="sm" c="var(--stoa-bad)" role="alert">
            {form.errors.prices}
          </Text>
        )}
        {others.length > 0 && (
          <Group>
            <Menu position="bottom-start">
              <Menu.Target>
                <Button variant="subtle" leftSection={<IconPlus size={16} aria-hidden />}>
                  {w.method.addCurrency}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {others.map((currency) => (
                  <Menu.Item key={currency} onClick={() => form.insertListItem('prices', blank(currency))}>
                    {currency}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </Group>
        )}
        <Checkbox label={w.method.active} {...form.getInputProps('active', { type: 'checkbox' })} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}

const blank = (currency: string): Price => ({ currency, amount: null, free_from: null, tiers: [] });

const written = ({ currency, amount, free_from, tiers }: Schemas['ShippingPrice']): Price => ({ currency, amount, free_from: free_from ?? null, tiers: tiers ?? [] });

/** What it costs in one currency, and from how much on how much else. */
function Prices({ form, n, price, measure, remove }: { form: UseFormReturnType<Values>; n: number; price: Price; measure: Values['tiered_by']; remove?: () => void }) {
  const w = useShippingWords();
  const everywhere = useWords();
  const { currency, tiers } = price;
  const at = `prices.${n}`;
  return (
    <Paper withBorder p="md" radius="md">
      <Stack gap="sm">
        <Group align="flex-end" wrap="nowrap">
          <SimpleGrid cols={2} flex={1}>
            <MoneyInput label={w.method.price} currency={currency} value={price.amount} error={form.errors[`${at}.amount`]} onChange={(amount) => form.setFieldValue(`${at}.amount`, amount as never)} />
            <MoneyInput label={w.method.freeFrom} placeholder={w.method.never} currency={currency} value={price.free_from} error={form.errors[`${at}.free_from`]} onChange={(from) => form.setFieldValue(`${at}.free_from`, from as never)} />
          </SimpleGrid>
          {remove && (
            <ActionIcon size={36} aria-label={`${everywhere.remove}: ${currency}`} onClick={remove}>
              <IconTrash size={18} />
            </ActionIcon>
          )}
        </Group>
        {measure &&
          tiers.map((tier, m) => (
            // oxlint-disable-next-line react/no-array-index-key -- tiers have no name of their own
            <Group key={m} align="flex-end" wrap="nowrap">
              <SimpleGrid cols={2} flex={1}>
                <From measure={measure} currency={currency} value={tier.from} error={form.errors[`${at}.tiers.${m}.from`]} onChange={(from) => form.setFieldValue(`${at}.tiers.${m}.from`, from as never)} />
                <MoneyInput label={w.method.price} placeholder={w.method.notOffered} currency={currency} value={tier.amount} error={form.errors[`${at}.tiers.${m}.amount`]} onChange={(amount) => form.setFieldValue(`${at}.tiers.${m}.amount`, amount as never)} />
              </SimpleGrid>
              <ActionIcon size={36} aria-label={everywhere.remove} onClick={() => form.removeListItem(`${at}.tiers`, m)}>
                <IconTrash size={18} />
              </ActionIcon>
            </Group>
          ))}
        {measure && (
          <Group>
            <Button variant="subtle" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => form.insertListItem(`${at}.tiers`, { from: null, amount: null } satisfies Tier)}>
              {w.method.addTier}
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

type FromProps = { measure: Schemas['ShippingMeasure']; currency: string; value: number | null; error: ReactNode; onChange: (from: number | null) => void };

/** From how much on: kilograms, pieces or money. */
function From({ measure, currency, value, error, onChange }: FromProps) {
  const w = useShippingWords();
  if (measure === 'price') return <MoneyInput label={w.method.from} currency={currency} value={value} error={error} onChange={onChange} />;
  const unit = measure === 'weight' ? 1000 : 1;
  return (
    <NumberInput
      label={w.method.from}
      suffix={measure === 'weight' ? ' kg' : undefined}
      decimalScale={measure === 'weight' ? 3 : 0}
      min={0}
      hideControls
      value={value === null ? '' : value / unit}
      error={error}
      onChange={(next) => onChange(next === '' ? null : Math.round(Number(next) * unit))}
    />
  );
}
