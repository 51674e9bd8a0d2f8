import { ActionIcon, Button, Divider, Group, Modal, NumberInput, Stack, Table, TagsInput, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { IconDotsVertical, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { type Draft, type DraftVariant, combinations, first, matrix, newVariant, priceIn, withPrice } from './draft';
import type { ProductForm } from './editor';
import { numbered, skusOf, wrongPattern } from './skus';
import { VariantFields } from './variantfields';
import { useProductWords } from './words';

const mostOptions = 3;

type VariantsProps = { form: ProductForm; images: Schemas['Image'][]; locations: { id: string; name: string }[]; isNew: boolean; more: number };

/** The options that a product comes in, and the variants that they make. */
export function Variants({ form, images, locations, isNew, more }: VariantsProps) {
  const w = useProductWords();
  const { options, variants, sku_pattern } = form.values;
  const setOptions = (next: Draft['options']) => {
    form.setFieldValue('options', next);
    if (!isNew) return;
    const plain = numbered(variants, options, '', sku_pattern);
    form.setFieldValue('variants', next.length === 0 ? [plain[0] ?? newVariant()].map((variant) => ({ ...variant, option_values: [] })) : numbered(matrix(next, plain), next, sku_pattern, ''));
  };
  const setPattern = (next: string) => {
    form.setFieldValue('sku_pattern', next);
    if (isNew) form.setFieldValue('variants', numbered(variants, options, next, sku_pattern));
  };
  const lacking = isNew ? 0 : combinations(options).length - variants.length - more;
  // The numbers of a new product's variants stand in their rows; those of what comes to be are told beforehand.
  const coming =
    lacking > 0 && sku_pattern && !wrongPattern(sku_pattern, options.length)
      ? skusOf(sku_pattern, options)
          .filter(({ choices }) => !variants.some(({ option_values }) => option_values.join('\n') === choices.join('\n')))
          .map(({ sku }) => sku)
      : [];
  // A choice that a variant is of stays; which are, is known while all variants are here.
  const fixed = (n: number, choice: string) => !isNew && (more > 0 || variants.some((variant) => variant.option_values[n] === choice));
  const change = (n: number, values: string[]) => [...new Set([...(options[n]?.values.filter((choice) => fixed(n, choice) || values.includes(choice)) ?? []), ...values])];
  return (
    <Section title={w.variants.title} text={options.length === 0 ? w.variants.text : undefined} flush={options.length > 0}>
      <Stack px={options.length > 0 ? 'lg' : 0} pb={options.length > 0 ? 'md' : 0}>
        {options.map((option, n) => (
          <Group key={n} align="flex-start" gap="sm" wrap="nowrap">
            <TextInput
              label={w.variants.option}
              placeholder={w.variants.optionExample}
              w={{ base: 96, xs: 150 }}
              style={{ flexShrink: 0 }}
              maxLength={255}
              value={option.name}
              error={form.errors[`options.${n}.name`]}
              onChange={(event) => setOptions(options.with(n, { ...option, name: event.currentTarget.value }))}
            />
            <TagsInput
              label={w.variants.values}
              flex={1}
              placeholder={option.values.length === 0 ? w.variants.valuesExample : ''}
              acceptValueOnBlur
              maxTags={200}
              value={option.values}
              error={form.errors[`options.${n}.values`]}
              onChange={(values) => setOptions(options.with(n, { ...option, values: isNew ? values : change(n, values) }))}
            />
            <ActionIcon mt={28} size="lg" aria-label={w.variants.removeOption} onClick={() => setOptions(options.toSpliced(n, 1))}>
              <IconTrash size={18} />
            </ActionIcon>
          </Group>
        ))}
        {form.errors.options && (
          <Text size="sm" c="var(--stoa-bad)" role="alert">
            {form.errors.options}
          </Text>
        )}
        {options.length < mostOptions && (
          <Group>
            <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOptions([...options, { name: '', values: [] }])}>
              {w.variants.addOption}
            </Button>
          </Group>
        )}
        {lacking > 0 && (
          <Text size="sm" c="dimmed">
            {w.variants.added(lacking)}
          </Text>
        )}
        {(lacking > 0 || (isNew && variants.length > 1)) && (
          <TextInput
            label={w.variants.pattern}
            description={w.variants.patternText(options.map(({ name }, n) => `{${n + 1}} ${name.trim() || w.variants.option}`).join(', '))}
            placeholder={options.map((_, n) => `{${n + 1}}`).join('-')}
            maw={420}
            maxLength={255}
            spellCheck={false}
            value={sku_pattern}
            error={form.errors.sku_pattern ?? (wrongPattern(sku_pattern, options.length) ? w.variants.wrongPattern : undefined)}
            onChange={(event) => setPattern(event.currentTarget.value)}
          />
        )}
        {coming.length > 0 && (
          <Text size="sm" c="dimmed" role="status" style={{ overflowWrap: 'anywhere' }}>
            {w.variants.coming(coming.slice(0, 3).join(', '), coming.length - 3)}
          </Text>
        )}
      </Stack>
      {options.length > 0 && variants.length > 0 && <Matrix form={form} images={images} locations={locations} more={more} />}
    </Section>
  );
}

/** The variants, a row each; what is not in the row is behind it. */
function Matrix({ form, images, locations, more }: Omit<VariantsProps, 'isNew'>) {
  const w = useProductWords();
  const everywhere = useWords();
  const { api, settings, can } = useStore();
  const [opened, setOpened] = useState<number | null>(null);
  const { variants } = form.values;
  const { currency } = settings;
  const change = (n: number, changed: Partial<DraftVariant>) =>
    form.setFieldValue(
      'variants',
      form.getValues().variants.map((variant, at) => (at === n ? { ...variant, ...changed } : variant)),
    );
  const all = (changed: (variant: DraftVariant) => Partial<DraftVariant>) =>
    form.setFieldValue(
      'variants',
      variants.map((variant) => ({ ...variant, ...changed(variant) })),
    );
  // Where there are several locations, stock is set for each of them, behind the row.
  const place = (variant: DraftVariant) => (locations.length > 1 && variant.id ? undefined : Object.keys(variant.stock)[0]);
  const shown = opened === null ? undefined : variants[opened];
  const without = (gone: DraftVariant) =>
    form.setFieldValue(
      'variants',
      form.getValues().variants.filter((variant) => variant !== gone),
    );
  const remove = useWrite({
    undoable: true,
    said: everywhere.deleted,
    write: ({ id }: DraftVariant) => answered(api.DELETE('/v1/variants/{variant_id}', { params: { path: { variant_id: id ?? '' } } })),
    done: (_, gone) => without(gone),
  });
  return (
    <>
      <Divider />
      <Table.ScrollContainer minWidth={560} type="native">
        <Table verticalSpacing={8} horizontalSpacing="md" aria-label={w.variants.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th pl="lg">{w.variants.variant}</Table.Th>
              <Table.Th w={140}>{w.variants.price}</Table.Th>
              <Table.Th w={110}>{w.variants.stock}</Table.Th>
              <Table.Th w={150}>{w.variants.sku}</Table.Th>
              <Table.Th w={48}>
                <VisuallyHidden>{w.variants.edit}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {variants.length > 1 && (
              <Table.Tr>
                <Table.Td pl="lg">
                  <Text size="sm" c="dimmed">
                    {w.variants.setAll}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <MoneyInput
                    aria-label={w.variants.setAllPrices}
                    size="xs"
                    currency={currency}
                    value={same(variants.map((variant) => priceIn(variant, currency)?.amount ?? null))}
                    onChange={(amount) => all((variant) => ({ prices: withPrice(variant, currency, { amount }) }))}
                  />
                </Table.Td>
                <Table.Td>
                  {variants.every(place) || variants.every((variant) => variant.id === null) ? (
                    <NumberInput
                      aria-label={w.variants.setAllStock}
                      size="xs"
                      min={0}
                      allowDecimal={false}
                      hideControls
                      value={same(variants.map((variant) => variant.stock[place(variant) ?? first] ?? null)) ?? ''}
                      onChange={(n) => all((variant) => ({ stock: { ...variant.stock, [place(variant) ?? first]: n === '' ? null : Number(n) } }))}
                    />
                  ) : null}
                </Table.Td>
                <Table.Td />
                <Table.Td />
              </Table.Tr>
            )}
            {variants.map((variant, n) => {
              const location = place(variant);
              const title = titleOf(variant, form.values.options);
              return (
                <Table.Tr key={variant.id ?? title}>
                  <Table.Td pl="lg">
                    <Text size="sm" fw={500}>
                      {title}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <MoneyInput
                      aria-label={`${title}: ${w.variants.price}`}
                      size="xs"
                      currency={currency}
                      error={Boolean(form.errors.variants) && !priceIn(variant, currency)}
                      value={priceIn(variant, currency)?.amount ?? null}
                      onChange={(amount) => change(n, { prices: withPrice(variant, currency, { amount }) })}
                    />
                  </Table.Td>
                  <Table.Td>
                    {variant.track_inventory && location !== undefined ? (
                      <NumberInput
                        aria-label={`${title}: ${w.variants.stock}`}
                        size="xs"
                        min={0}
                        allowDecimal={false}
                        hideControls
                        disabled={variant.id !== null && !can('inventory:write')}
                        value={variant.stock[location] ?? ''}
                        onChange={(stock) => change(n, { stock: { ...variant.stock, [location]: stock === '' ? null : Number(stock) } })}
                      />
                    ) : (
                      <Text size="sm" c="dimmed">
                        {variant.track_inventory ? Object.values(variant.stock).reduce<number>((sum, each) => sum + (each ?? 0), 0) : w.untracked}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <TextInput aria-label={`${title}: ${w.variants.sku}`} size="xs" maxLength={255} value={variant.sku} onChange={(event) => change(n, { sku: event.currentTarget.value })} />
                  </Table.Td>
                  <Table.Td>
                    <ActionIcon aria-label={`${title}: ${w.variants.edit}`} onClick={() => setOpened(n)}>
                      <IconDotsVertical size={18} />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {form.errors.variants && (
        <Text size="sm" c="var(--stoa-bad)" px="lg" pb="md" role="alert">
          {form.errors.variants}
        </Text>
      )}
      {more > 0 && (
        <Text size="sm" c="dimmed" px="lg" pb="md">
          {w.variants.more(more)}
        </Text>
      )}
      <Modal opened={shown !== undefined} onClose={() => setOpened(null)} title={shown && titleOf(shown, form.values.options)} size="lg">
        {shown && opened !== null && (
          <Stack>
            <VariantFields variant={shown} images={images} locations={locations} change={(changed) => change(opened, changed)} />
            <Group justify="space-between">
              {variants.length > 1 && can('products:write') ? (
                <Button
                  variant="subtle"
                  color="red"
                  onClick={() => {
                    setOpened(null);
                    if (shown.id === null) without(shown);
                    else remove.mutate(shown);
                  }}
                >
                  {w.variants.delete}
                </Button>
              ) : (
                <span />
              )}
              <Button onClick={() => setOpened(null)}>{everywhere.close}</Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}

/** What a variant is called; of an option that is new, it has the first choice. */
function titleOf({ option_values }: DraftVariant, options: Draft['options']): string {
  return options.map(({ values }, n) => option_values[n] ?? values[0] ?? '…').join(' / ');
}

/** What all have in common, or null. */
function same(values: (number | null)[]): number | null {
  return values.every((value) => value === values[0]) ? (values[0] ?? null) : null;
}
