import { Avatar, Checkbox, Group, Input, NumberInput, Select, SimpleGrid, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { CustomFields } from '../../page/fields';
import { MoneyInput } from '../../page/money';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { type DraftVariant, priceIn, withPrice } from './draft';
import { PriceHistory } from './pricehistory';
import { useProductWords } from './words';

type Fields = {
  variant: DraftVariant;
  locations: { id: string; name: string }[];
  /** The photos of which it may have one of its own. */
  images?: Schemas['Image'][];
  change: (changed: Partial<DraftVariant>) => void;
  error?: ReactNode;
  /** Whether each part is a card of its own, or all stand in one dialog. */
  cards?: boolean;
};

/** Price, stock and shipping of one variant. */
export function VariantFields({ variant, images = [], locations, change, error, cards }: Fields) {
  const w = useProductWords();
  const f = useFormat();
  const { settings, can } = useStore();
  const main = priceIn(variant, settings.currency);
  const currencies = [settings.currency, ...settings.currencies.filter((currency) => currency !== settings.currency)];
  const margin = main && main.amount > 0 && variant.cost !== null ? (main.amount - variant.cost) / main.amount : undefined;
  const Part = cards ? Section : Plain;
  const stockFixed = variant.id !== null && !can('inventory:write');
  return (
    <Stack gap="lg">
      {images.length > 0 && (
        <Part title={w.variants.photo}>
          <Group gap="xs" role="radiogroup" aria-label={w.variants.photo}>
            {images.map((image, n) => (
              <UnstyledButton
                key={image.id}
                role="radio"
                aria-checked={variant.image_id === image.id}
                aria-label={image.alt || w.media.photo(n + 1)}
                onClick={() => change({ image_id: variant.image_id === image.id ? null : image.id })}
                style={{ borderRadius: 'var(--mantine-radius-md)', outline: variant.image_id === image.id ? '2px solid var(--mantine-primary-color-filled)' : undefined, outlineOffset: 1 }}
              >
                <Avatar src={image.sizes[0]?.url ?? image.url} size={52} radius="md" alt="" />
              </UnstyledButton>
            ))}
          </Group>
        </Part>
      )}
      <Part title={w.price.title}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {currencies.map((currency, n) => {
            const price = priceIn(variant, currency);
            const beside = currencies.length > 1 ? ` (${currency})` : '';
            return (
              <Fragment key={currency}>
                <MoneyInput
                  label={w.price.price + beside}
                  currency={currency}
                  required={n === 0}
                  error={n === 0 && !price ? error : undefined}
                  value={price?.amount ?? null}
                  onChange={(amount) => change({ prices: withPrice(variant, currency, { amount }) })}
                />
                <MoneyInput
                  label={w.price.compareAt + beside}
                  description={n === 0 ? w.price.compareAtText : undefined}
                  inputWrapperOrder={['label', 'input', 'description', 'error']}
                  currency={currency}
                  disabled={!price}
                  value={price?.compare_at_amount ?? null}
                  onChange={(compare_at_amount) => change({ prices: withPrice(variant, currency, { compare_at_amount }) })}
                />
              </Fragment>
            );
          })}
          <MoneyInput
            label={w.price.cost}
            description={margin === undefined ? w.price.costText : w.price.margin(f.percent(margin).replace('+', ''))}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            currency={settings.currency}
            value={variant.cost}
            onChange={(cost) => change({ cost })}
          />
        </SimpleGrid>
        {variant.id !== null && <PriceHistory variant={variant.id} />}
        <Content value={variant.net_content} change={(net_content) => change({ net_content })} />
        <Checkbox label={w.price.taxable} checked={variant.taxable} onChange={(event) => change({ taxable: event.currentTarget.checked })} />
        {variant.taxable && <TaxClass value={variant.tax_class} change={(tax_class) => change({ tax_class })} />}
      </Part>
      <Part title={w.stock.title}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput label={w.stock.sku} maxLength={255} value={variant.sku} onChange={(event) => change({ sku: event.currentTarget.value })} />
          <TextInput label={w.stock.barcode} maxLength={255} value={variant.barcode} onChange={(event) => change({ barcode: event.currentTarget.value })} />
          {variant.track_inventory &&
            Object.entries(variant.stock).map(([location, quantity]) => {
              const name = locations.length > 1 && locations.find(({ id }) => id === location)?.name;
              return (
                <NumberInput
                  key={location}
                  label={name ? w.stock.at(name) : w.stock.quantity}
                  min={0}
                  max={1_000_000_000}
                  allowDecimal={false}
                  thousandSeparator={f.locale.startsWith('de') ? '.' : ','}
                  decimalSeparator={f.locale.startsWith('de') ? ',' : '.'}
                  disabled={stockFixed}
                  value={quantity ?? ''}
                  onChange={(next) => change({ stock: { ...variant.stock, [location]: next === '' ? null : Number(next) } })}
                />
              );
            })}
        </SimpleGrid>
        <Checkbox label={w.stock.track} checked={variant.track_inventory} onChange={(event) => change({ track_inventory: event.currentTarget.checked })} />
        {variant.track_inventory && <Checkbox label={w.stock.backorder} checked={variant.allow_backorder} onChange={(event) => change({ allow_backorder: event.currentTarget.checked })} />}
      </Part>
      <Part title={w.shipping.title}>
        <Checkbox label={w.shipping.ships} checked={variant.requires_shipping} onChange={(event) => change({ requires_shipping: event.currentTarget.checked })} />
        {variant.requires_shipping && (
          <NumberInput
            label={w.shipping.weight}
            maw={220}
            min={0}
            max={100_000_000}
            allowDecimal={false}
            hideControls
            rightSection={<Text size="sm">{w.shipping.grams}</Text>}
            value={variant.weight_grams ?? ''}
            onChange={(grams) => change({ weight_grams: grams === '' ? null : Number(grams) })}
          />
        )}
        {variant.requires_shipping && (
          <SimpleGrid cols={3} maw={480}>
            {(['length_mm', 'width_mm', 'height_mm'] as const).map((side) => (
              <NumberInput
                key={side}
                label={w.shipping.sides[side]}
                min={0}
                max={100_000}
                allowDecimal={false}
                hideControls
                rightSection={<Text size="sm">mm</Text>}
                rightSectionWidth={40}
                value={variant[side] ?? ''}
                onChange={(mm) => change({ [side]: mm === '' ? null : Number(mm) })}
              />
            ))}
          </SimpleGrid>
        )}
      </Part>
      <CustomFields resource="variant" plain={!cards} values={variant.custom_fields} change={(custom_fields) => change({ custom_fields })} />
    </Stack>
  );
}

const units = ['g', 'kg', 'ml', 'cl', 'l', 'mm', 'cm', 'm', 'm2', 'm3', 'piece'] as const;

/** How much is in it, by which the shop tells the price per unit. */
function Content({ value, change }: { value: Schemas['NetContent'] | null; change: (content: Schemas['NetContent'] | null) => void }) {
  const w = useProductWords();
  const f = useFormat();
  return (
    <Input.Wrapper label={w.content.title} description={w.content.text} labelElement="div">
      <Group gap="xs" mt={4} wrap="nowrap" maw={320}>
        <NumberInput
          aria-label={w.content.title}
          flex={1}
          min={0}
          decimalScale={3}
          decimalSeparator={f.locale.startsWith('de') ? ',' : '.'}
          hideControls
          value={value ? Number(value.value) : ''}
          onChange={(amount) => change(amount === '' || Number(amount) <= 0 ? null : { value: String(amount), unit: value?.unit ?? 'g' })}
        />
        <Select
          aria-label={w.content.unit}
          w={96}
          allowDeselect={false}
          disabled={!value}
          data={units.map((unit) => ({ value: unit, label: w.content.units[unit] }))}
          value={value?.unit ?? 'g'}
          onChange={(unit) => value && unit && change({ ...value, unit: unit as (typeof units)[number] })}
        />
      </Group>
    </Input.Wrapper>
  );
}

/** Which tax rates apply, where there are others than the standard ones. */
function TaxClass({ value, change }: { value: string; change: (tax_class: string) => void }) {
  const w = useProductWords();
  const { query, can } = useStore();
  const rates = query.useQuery('get', '/v1/tax-rates', { params: { query: { limit: 100 } } }, { enabled: can('settings:read') });
  const classes = [...new Set((rates.data?.data ?? []).flatMap(({ tax_class }) => (tax_class ? [tax_class] : [])))];
  if (classes.length === 0 && value === '') return null;
  return <Select label={w.price.taxClass} placeholder={w.price.standard} maw={320} clearable data={[...new Set([...classes, ...(value ? [value] : [])])]} value={value || null} onChange={(next) => change(next ?? '')} />;
}

function Plain({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="sm">
      <Group>
        <Text fw={600}>{title}</Text>
      </Group>
      {children}
    </Stack>
  );
}
