import { ActionIcon, Group, Input, JsonInput, MultiSelect, NumberInput, Select, Stack, TagsInput, TextInput, Textarea } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Schemas } from '../api/client';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { useFormat } from '../words/format';
import { Instant } from './instant';
import { MoneyInput } from './money';
import { Section } from './section';
import { usePartWords } from './words';

type Definition = Schemas['FieldDefinition'];
export type FieldValues = Record<string, unknown>;

type FieldsProps = {
  resource: Schemas['FieldResource'];
  values: FieldValues;
  change: (values: FieldValues) => void;
  /** Faults of a form, by the paths of its fields. */
  errors?: Record<string, ReactNode>;
  /** How they stand within what is there already, in place of a section of their own. */
  plain?: boolean;
};

/** What a thing holds in the fields that the merchant has defined for its kind. */
export function CustomFields({ resource, values, change, errors = {}, plain }: FieldsProps) {
  const w = usePartWords().fields;
  const { query, can } = useStore();
  const definitions = query.useQuery('get', '/v1/field-definitions', { params: { query: { resource, limit: 100 } } }, { enabled: can('settings:read') });
  const defined = definitions.data?.data ?? [];
  if (defined.length === 0) return null;
  const fields = (
    <Stack>
      {defined.map((field) => (
        <Field key={field.id} field={field} value={values[field.key]} error={errors[`custom_fields.${field.key}`]} change={(value) => change({ ...values, [field.key]: value })} />
      ))}
    </Stack>
  );
  return plain ? fields : <Section title={w.title}>{fields}</Section>;
}

/** What has changed of custom fields, in the contract's words. */
export function fieldChanges(now: FieldValues, before: FieldValues): FieldValues | undefined {
  const changed = Object.keys(now).filter((key) => JSON.stringify(now[key]) !== JSON.stringify(before[key]));
  return changed.length > 0 ? Object.fromEntries(changed.map((key) => [key, now[key] ?? null])) : undefined;
}

type FieldProps = { field: Definition; value: unknown; error?: ReactNode; change: (value: unknown) => void };

function Field({ field, value, error, change }: FieldProps) {
  const w = usePartWords().fields;
  const label = field.name;
  const description = field.description ?? undefined;
  if (!field.list) return <One field={field} label={label} description={description} value={value} error={error} change={change} />;
  const list = Array.isArray(value) ? value : [];
  const set = (next: unknown[]) => change(next.length > 0 ? next : undefined);
  if (field.type === 'choice') return <MultiSelect label={label} description={description} error={error} data={field.validations.choices ?? []} value={list as string[]} onChange={set} />;
  if (['text', 'url', 'decimal'].includes(field.type)) {
    return <TagsInput label={label} description={description} error={error} placeholder={list.length === 0 ? w.type : ''} acceptValueOnBlur value={list as string[]} onChange={set} />;
  }
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <Stack gap="xs" mt={4}>
        {[...list, undefined].map((each, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- values of a list have nothing else that tells them apart
          <Group key={n} wrap="nowrap" gap="xs" align="flex-start">
            <div style={{ flex: 1 }}>
              <One field={field} hidden label={`${label} ${n + 1}`} value={each} change={(next) => set(next === undefined ? list.toSpliced(n, 1) : list.toSpliced(n, 1, next))} />
            </div>
            {n < list.length && (
              <ActionIcon size={36} aria-label={w.removeOne(`${label} ${n + 1}`)} onClick={() => set(list.toSpliced(n, 1))}>
                <IconTrash size={17} />
              </ActionIcon>
            )}
          </Group>
        ))}
      </Stack>
    </Input.Wrapper>
  );
}

type OneProps = FieldProps & { label: string; description?: string; /** Whether the label is only for those who do not see the field. */ hidden?: boolean };

const weights = ['g', 'kg', 'oz', 'lb'];
const lengths = ['mm', 'cm', 'm', 'in', 'ft'];

/** A field for one value, by its type. */
function One({ field, label, description, hidden, value, error, change }: OneProps) {
  const w = usePartWords().fields;
  const everywhere = useWords();
  const { settings } = useStore();
  const f = useFormat();
  const { validations } = field;
  const named = hidden ? { 'aria-label': label, error } : { label, description, error };
  const text = {
    ...named,
    value: typeof value === 'string' ? value : '',
    onChange: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value === '' ? undefined : event.currentTarget.value),
  };
  switch (field.type) {
    case 'multiline_text':
      return <Textarea autosize minRows={2} maxLength={validations.max_length ?? 20_000} {...text} />;
    case 'integer':
      return (
        <NumberInput
          {...named}
          allowDecimal={false}
          min={validations.min === undefined || validations.min === null ? undefined : Number(validations.min)}
          max={validations.max === undefined || validations.max === null ? undefined : Number(validations.max)}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => change(next === '' ? undefined : Number(next))}
        />
      );
    case 'boolean':
      return (
        <Select
          {...named}
          clearable
          placeholder={everywhere.none}
          data={[
            { value: 'true', label: everywhere.yes },
            { value: 'false', label: everywhere.no },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => change(next === null ? undefined : next === 'true')}
        />
      );
    case 'choice':
      return <Select {...named} clearable searchable data={validations.choices ?? []} value={typeof value === 'string' ? value : null} onChange={(next) => change(next ?? undefined)} />;
    case 'date':
      return <TextInput type="date" {...text} />;
    case 'date_time':
      return <Instant {...named} value={typeof value === 'string' ? value : null} change={(at) => change(at ?? undefined)} />;
    case 'json':
      return <JSONField named={named} value={value} change={change} />;
    case 'money': {
      const money = value as Schemas['Money'] | undefined;
      const currency = money?.currency ?? settings.currency;
      return <MoneyInput {...named} currency={currency} value={money?.amount ?? null} onChange={(amount) => change(amount === null ? undefined : { amount, currency })} />;
    }
    case 'weight':
    case 'length': {
      const units = field.type === 'weight' ? weights : lengths;
      const measure = value as { value: string; unit: string } | undefined;
      const unit = measure?.unit ?? units[1];
      return (
        <Group gap="xs" wrap="nowrap" align="flex-end">
          <NumberInput
            {...named}
            flex={1}
            min={0}
            hideControls
            decimalSeparator={f.locale.startsWith('de') ? ',' : '.'}
            value={measure ? Number(measure.value) : ''}
            onChange={(next) => change(next === '' ? undefined : { value: String(next), unit })}
          />
          <Select aria-label={w.unit(label)} w={84} allowDeselect={false} data={units} value={unit} disabled={!measure} onChange={(next) => measure && next && change({ ...measure, unit: next })} />
        </Group>
      );
    }
    case 'product_reference':
    case 'collection_reference':
      return <Reference field={field} named={named} value={typeof value === 'string' ? value : null} change={change} />;
    case 'variant_reference':
      return <TextInput placeholder="var_…" {...text} />;
    case 'url':
      return <TextInput type="url" placeholder="https://" {...text} />;
    default:
      return <TextInput inputMode={field.type === 'decimal' ? 'decimal' : undefined} maxLength={validations.max_length ?? 20_000} {...text} />;
  }
}

type Named = { label?: string; description?: string; error?: ReactNode; 'aria-label'?: string };

/** A field for JSON, which is taken as soon as it is some. */
function JSONField({ named, value, change }: { named: Named; value: unknown; change: (value: unknown) => void }) {
  const w = usePartWords().fields;
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  return (
    <JsonInput
      {...named}
      autosize
      minRows={2}
      formatOnBlur
      validationError={w.wrongJSON}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={text}
      onChange={(next) => {
        setText(next);
        try {
          change(next.trim() === '' ? undefined : JSON.parse(next));
        } catch {
          // It is taken when it is whole.
        }
      }}
    />
  );
}

/** A field that names a product or a collection. */
function Reference({ field, named, value, change }: { field: Definition; named: Named; value: string | null; change: (value: unknown) => void }) {
  const w = usePartWords().fields;
  const { query, can } = useStore();
  const [sought, setSought] = useState('');
  const products = field.type === 'product_reference';
  const enabled = can('products:read');
  const latest = query.useQuery('get', '/v1/products', { params: { query: { limit: 25 } } }, { enabled: enabled && products && sought === '' });
  const found = query.useQuery('get', '/v1/search', { params: { query: { q: sought, limit: 25 } } }, { enabled: enabled && products && sought !== '', placeholderData: keepPreviousData });
  const collections = query.useQuery('get', '/v1/collections', { params: { query: { limit: 100 } } }, { enabled: enabled && !products });
  const present = query.useQuery('get', '/v1/products/{product_id}', { params: { path: { product_id: value ?? '' } } }, { enabled: enabled && products && value !== null });
  const choices = products
    ? [...(present.data ? [present.data] : []), ...((sought === '' ? latest : found).data?.data ?? []).filter(({ id }) => id !== value)].map(({ id, title }) => ({ value: id, label: title }))
    : (collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Select
      {...named}
      clearable
      searchable
      placeholder={w.choose}
      data={choices}
      // What is found was found by the words, not by its name alone.
      filter={products ? ({ options }) => options : undefined}
      value={value}
      onChange={(next) => change(next ?? undefined)}
      onSearchChange={(text) => setSought(choices.some(({ label }) => label === text) ? '' : text.trim())}
    />
  );
}
