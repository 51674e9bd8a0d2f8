import { ActionIcon, Autocomplete, Button, Group, NumberInput, Paper, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { answered } from '../../api/client';
import { useTrial } from '../../api/trial';
import { MoneyInput } from '../../page/money';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useCategoryChoices } from '../categories/tree';
import { type Condition, type Draft, compares, isWhole, newCondition, ruleOf } from './draft';
import { useCollectionWords } from './words';

type Operator = Condition['operator'];
type Field = Condition['field'];

const texts: Operator[] = ['equals', 'not_equals', 'contains', 'not_contains', 'starts_with', 'ends_with', 'is_set', 'is_not_set'];
const numbers: Operator[] = ['equals', 'not_equals', 'greater_than', 'less_than', 'is_set', 'is_not_set'];
const categories: Operator[] = ['equals', 'not_equals', 'is_set', 'is_not_set'];
const mixed: Operator[] = [...texts, 'greater_than', 'less_than'];

/** What can be asked of each field. */
const operators: Record<Field, Operator[]> = {
  title: texts,
  tag: texts,
  vendor: texts,
  product_type: texts,
  category: categories,
  price: numbers,
  compare_at_price: numbers,
  on_sale: ['equals'],
  stock: numbers,
  available: ['equals'],
  weight_grams: numbers,
  sku: texts,
  variant_title: texts,
  custom_field: mixed,
};

type RuleProps = { rule: Draft['rule']; errors: Record<string, ReactNode>; change: (rule: Draft['rule']) => void };

/** Builds a rule, condition by condition, and says at once how many products it finds. */
export function Rule({ rule, errors, change }: RuleProps) {
  const w = useCollectionWords();
  const f = useFormat();
  const { api, can } = useStore();
  const { conditions } = rule;
  const whole = conditions.length > 0 && conditions.every(isWhole) && can('products:write');
  const trial = useTrial('collection', whole ? ruleOf(rule) : undefined, (asked) => answered(api.POST('/v1/collections', { params: { query: { dry_run: true } }, body: { name: w.new, rule: asked } })));
  const set = (n: number, changed: Partial<Condition>) => change({ ...rule, conditions: conditions.map((condition, at) => (at === n ? { ...condition, ...changed } : condition)) });
  const found = trial.would?.product_count;
  return (
    <Stack>
      <Group justify="space-between">
        <SegmentedControl aria-label={w.rule.match} value={rule.match} onChange={(match) => change({ ...rule, match: match as typeof rule.match })} data={Object.entries(w.rule.matches).map(([value, label]) => ({ value, label }))} />
        <Text size="sm" c="dimmed" role="status">
          {found !== undefined && w.rule.found(found, f.number(found))}
        </Text>
      </Group>
      {conditions.map((condition, n) => (
        // oxlint-disable-next-line react/no-array-index-key -- conditions have nothing else that tells them apart
        <Paper key={n} withBorder p="sm" radius="md">
          <Group wrap="nowrap" align="flex-start" gap="xs">
            <Group flex={1} gap="xs" align="flex-start">
              <Select
                aria-label={w.rule.field}
                flex="1 1 170px"
                allowDeselect={false}
                searchable
                data={Object.entries(w.rule.fields).map(([value, label]) => ({ value, label }))}
                value={condition.field}
                onChange={(next) => {
                  const field = next as Field;
                  const operator = operators[field].includes(condition.operator) ? condition.operator : (operators[field][0] ?? 'equals');
                  set(n, { field, operator, value: field === 'on_sale' || field === 'available' ? 'true' : '', currency: null, key: null });
                }}
              />
              {condition.field === 'custom_field' && <Key condition={condition} change={(key) => set(n, { key })} />}
              {operators[condition.field].length > 1 && (
                <Select
                  aria-label={w.rule.operator}
                  flex="1 1 150px"
                  allowDeselect={false}
                  data={operators[condition.field].map((value) => ({ value, label: w.rule.operators[value] }))}
                  value={condition.operator}
                  onChange={(operator) => set(n, { operator: operator as Operator })}
                />
              )}
              {compares(condition) && (
                <div style={{ flex: '2 1 190px', minWidth: 0 }}>
                  <Value condition={condition} error={errors[`rule.conditions.${n}.value`]} change={(changed) => set(n, changed)} />
                </div>
              )}
            </Group>
            <ActionIcon size={36} aria-label={w.rule.remove} disabled={conditions.length === 1} onClick={() => change({ ...rule, conditions: conditions.toSpliced(n, 1) })}>
              <IconTrash size={17} />
            </ActionIcon>
          </Group>
        </Paper>
      ))}
      <Group>
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} disabled={conditions.length >= 60} onClick={() => change({ ...rule, conditions: [...conditions, newCondition()] })}>
          {w.rule.add}
        </Button>
      </Group>
    </Stack>
  );
}

/** Which of the products' custom fields is looked at. */
function Key({ condition, change }: { condition: Condition; change: (key: string | null) => void }) {
  const w = useCollectionWords();
  const { query, can } = useStore();
  const definitions = query.useQuery('get', '/v1/field-definitions', { params: { query: { resource: 'product', limit: 100 } } }, { enabled: can('settings:read') });
  if (!can('settings:read')) return <TextInput aria-label={w.rule.key} flex="1 1 150px" maxLength={64} value={condition.key ?? ''} onChange={(event) => change(event.currentTarget.value || null)} />;
  return (
    <Select
      aria-label={w.rule.key}
      placeholder={w.rule.key}
      flex="1 1 150px"
      searchable
      data={(definitions.data?.data ?? []).map(({ key, name }) => ({ value: key, label: name }))}
      value={condition.key}
      onChange={change}
    />
  );
}

function Shelf({ named, value, change }: { named: { 'aria-label': string; error?: ReactNode }; value: string; change: (value: string) => void }) {
  return <Select {...named} searchable data={useCategoryChoices()} value={value || null} onChange={(next) => change(next ?? '')} />;
}

/** What a condition compares with, by its field. */
function Value({ condition, error, change }: { condition: Condition; error?: ReactNode; change: (changed: Partial<Condition>) => void }) {
  const w = useCollectionWords();
  const everywhere = useWords();
  const { query, settings } = useStore();
  const tags = query.useQuery('get', '/v1/product-tags', { params: { query: { limit: 100 } } }, { enabled: condition.field === 'tag' });
  const named = { 'aria-label': w.rule.value, error };
  const { value } = condition;
  switch (condition.field) {
    case 'price':
    case 'compare_at_price': {
      const currency = condition.currency ?? settings.currency;
      return (
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <MoneyInput {...named} flex={1} currency={currency} value={value === '' ? null : Number(value)} onChange={(amount) => change({ value: amount === null ? '' : String(amount) })} />
          {settings.currencies.length > 1 && (
            <Select aria-label={everywhere.currency} w={92} allowDeselect={false} data={settings.currencies} value={currency} onChange={(next) => change({ currency: next })} />
          )}
        </Group>
      );
    }
    case 'stock':
    case 'weight_grams':
      return (
        <NumberInput
          {...named}
          allowDecimal={false}
          hideControls
          rightSection={condition.field === 'weight_grams' ? <Text size="sm">g</Text> : undefined}
          value={value === '' ? '' : Number(value)}
          onChange={(next) => change({ value: String(next) })}
        />
      );
    case 'on_sale':
    case 'available':
      return (
        <Select
          {...named}
          allowDeselect={false}
          data={[
            { value: 'true', label: everywhere.yes },
            { value: 'false', label: everywhere.no },
          ]}
          value={value}
          onChange={(next) => change({ value: next ?? 'true' })}
        />
      );
    case 'category':
      return <Shelf named={named} value={value} change={(next) => change({ value: next })} />;
    case 'tag':
      return <Autocomplete {...named} maxLength={255} data={(tags.data?.data ?? []).map(({ tag }) => tag)} value={value} onChange={(next) => change({ value: next })} />;
    default:
      return <TextInput {...named} maxLength={255} value={value} onChange={(event) => change({ value: event.currentTarget.value })} />;
  }
}
