import { Button, Checkbox, Grid, Group, MultiSelect, NumberInput, Radio, SegmentedControl, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconDice5 } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { SaveBar } from '../../page/form';
import { Instant } from '../../page/instant';
import { MoneyInput } from '../../page/money';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import type { PromotionValues } from './model';
import { Selected } from './selection';
import { usePromotionWords } from './words';

type Form = UseFormReturnType<PromotionValues>;
type EditorProps = { form: Form; isNew?: boolean; fixed?: boolean; saving: boolean; save: (values: PromotionValues) => void; beside?: ReactNode; children?: ReactNode };

/** What a promotion does, for whom and when. */
export function Editor({ form, isNew, fixed, saving, save, beside, children }: EditorProps) {
  const w = usePromotionWords();
  const { kind } = form.values;
  return (
    <form onSubmit={form.onSubmit(save)}>
      <fieldset disabled={fixed} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="lg">
              <Section>
                <TextInput label={w.name} description={w.nameText} required maxLength={255} {...form.getInputProps('title')} />
                {isNew && <How form={form} />}
              </Section>
              {kind === 'buy_x_get_y' ? <BuyGet form={form} /> : kind !== 'free_shipping' && <Value form={form} isNew={isNew} />}
              <Least form={form} />
              <Whom form={form} />
              {children}
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Stack gap="lg">
              {beside}
              <When form={form} />
              <Limits form={form} />
              <Combines form={form} />
            </Stack>
          </Grid.Col>
        </Grid>
      </fieldset>
      <SaveBar dirty={form.isDirty()} saving={saving} discard={form.reset} />
    </form>
  );
}

/** Without letters and digits that are taken for one another. */
const letters = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

function How({ form }: { form: Form }) {
  const w = usePromotionWords();
  const draw = () => form.setFieldValue('code', Array.from(crypto.getRandomValues(new Uint8Array(10)), (n) => letters[n % letters.length]).join(''));
  return (
    <>
      <SegmentedControl
        aria-label={w.how}
        value={form.values.automatic ? 'automatic' : 'code'}
        onChange={(how) => form.setFieldValue('automatic', how === 'automatic')}
        data={[
          { value: 'code', label: w.byCode },
          { value: 'automatic', label: w.automatic },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      {!form.values.automatic && (
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <TextInput label={w.code} flex={1} maxLength={64} placeholder="SUMMER" styles={{ input: { textTransform: form.values.code ? 'uppercase' : undefined } }} {...form.getInputProps('code')} />
          <Button variant="default" leftSection={<IconDice5 size={17} aria-hidden />} onClick={draw}>
            {w.draw}
          </Button>
        </Group>
      )}
      {!form.values.automatic && (
        <Text size="xs" c="dimmed">
          {w.codeText}
        </Text>
      )}
    </>
  );
}

/** An amount for each of the store's currencies. */
function Amounts({ form, at, label }: { form: Form; at: 'amounts' | 'minimum_amounts'; label: string }) {
  const { settings } = useStore();
  const values = form.values[at];
  return (
    <SimpleGrid cols={{ base: 1, xs: settings.currencies.length > 1 ? 2 : 1 }}>
      {settings.currencies.map((currency, n) => (
        <MoneyInput
          key={currency}
          label={settings.currencies.length > 1 ? `${label} (${currency})` : label}
          currency={currency}
          maw={260}
          value={values[currency] ?? null}
          error={n === 0 && form.errors[at]}
          onChange={(amount) => form.setFieldValue(at, { ...values, [currency]: amount })}
        />
      ))}
    </SimpleGrid>
  );
}

function Percent({ form, label }: { form: Form; label: string }) {
  return (
    <NumberInput
      label={label}
      suffix=" %"
      min={0}
      max={100}
      decimalScale={2}
      clampBehavior="strict"
      maw={160}
      value={form.values.percentage}
      error={form.errors.percentage}
      onChange={(n) => form.setFieldValue('percentage', n === '' ? '' : String(n))}
    />
  );
}

function Value({ form, isNew }: { form: Form; isNew?: boolean }) {
  const w = usePromotionWords();
  const { values } = form;
  return (
    <Section title={w.value}>
      {values.kind === 'percentage' ? <Percent form={form} label={w.percentage} /> : <Amounts form={form} at="amounts" label={w.amount} />}
      {isNew && (
        <Radio.Group label={w.of} value={values.class} onChange={(next) => form.setFieldValue('class', next as PromotionValues['class'])}>
          <Stack gap="xs" mt="xs">
            <Radio value="order" label={w.classes.order} />
            <Radio value="products" label={w.classes.products} />
          </Stack>
        </Radio.Group>
      )}
      {values.class === 'products' && (
        <>
          {values.kind === 'fixed_amount' && <Checkbox label={w.each} description={w.eachText} {...form.getInputProps('each', { type: 'checkbox' })} />}
          <Selected label={w.of} value={values.items} onChange={(items) => form.setFieldValue('items', items)} />
        </>
      )}
    </Section>
  );
}

function BuyGet({ form }: { form: Form }) {
  const w = usePromotionWords();
  const { values } = form;
  const free = values.percentage === '100';
  return (
    <>
      <Section title={w.buys}>
        <NumberInput label={w.pieces} min={1} max={9999} clampBehavior="strict" allowDecimal={false} maw={160} {...form.getInputProps('buy_quantity')} />
        <Selected label={w.buys} value={values.buys} onChange={(buys) => form.setFieldValue('buys', buys)} />
      </Section>
      <Section title={w.gets}>
        <NumberInput label={w.pieces} min={1} max={9999} clampBehavior="strict" allowDecimal={false} maw={160} {...form.getInputProps('get_quantity')} />
        <Selected label={w.gets} value={values.items} onChange={(items) => form.setFieldValue('items', items)} />
        <SegmentedControl
          aria-label={w.cheaper}
          value={free ? 'free' : 'less'}
          onChange={(how) => form.setFieldValue('percentage', how === 'free' ? '100' : '50')}
          data={[
            { value: 'free', label: w.free },
            { value: 'less', label: w.less },
          ]}
          style={{ alignSelf: 'flex-start' }}
        />
        {!free && <Percent form={form} label={w.percentage} />}
        <NumberInput label={w.perOrder} description={w.perOrderText} min={1} max={9999} allowDecimal={false} maw={260} {...form.getInputProps('max_uses_per_order')} onChange={(n) => form.setFieldValue('max_uses_per_order', n === '' ? '' : Number(n))} />
      </Section>
    </>
  );
}

function Least({ form }: { form: Form }) {
  const w = usePromotionWords();
  const { least } = form.values;
  return (
    <Section title={w.least.title}>
      <Radio.Group aria-label={w.least.title} value={least} onChange={(next) => form.setFieldValue('least', next as PromotionValues['least'])}>
        <Stack gap="xs">
          <Radio value="none" label={w.least.none} />
          <Radio value="amount" label={w.least.amount} />
          {least === 'amount' && <Amounts form={form} at="minimum_amounts" label={w.amount} />}
          <Radio value="quantity" label={w.least.quantity} />
          {least === 'quantity' && <NumberInput aria-label={w.least.quantity} min={1} max={9999} clampBehavior="strict" allowDecimal={false} maw={160} {...form.getInputProps('minimum_quantity')} />}
        </Stack>
      </Radio.Group>
    </Section>
  );
}

function Whom({ form }: { form: Form }) {
  const w = usePromotionWords();
  const { query, can } = useStore();
  const groups = query.useQuery('get', '/v1/customer-groups', { params: { query: { limit: 100 } } }, { enabled: can('customers:read') });
  const there = groups.data?.data ?? [];
  return (
    <Section title={w.whom.title}>
      <MultiSelect
        label={w.whom.groups}
        description={there.length === 0 ? w.whom.noGroups : undefined}
        placeholder={form.values.customer_group_ids.length === 0 ? w.whom.everybody : ''}
        disabled={there.length === 0}
        data={there.map(({ id, name }) => ({ value: id, label: name }))}
        {...form.getInputProps('customer_group_ids')}
      />
      <Checkbox label={w.whom.first} {...form.getInputProps('first_order', { type: 'checkbox' })} />
    </Section>
  );
}

function When({ form }: { form: Form }) {
  const w = usePromotionWords();
  const { settings } = useStore();
  return (
    <Section title={w.when.title}>
      <Switch label={w.when.active} {...form.getInputProps('active', { type: 'checkbox' })} />
      <Instant label={w.when.from} required value={form.values.starts_at} error={form.errors.starts_at} change={(at) => form.setFieldValue('starts_at', at ?? new Date().toISOString())} />
      <Instant label={w.when.until} description={w.when.untilText} value={form.values.ends_at} error={form.errors.ends_at} change={(at) => form.setFieldValue('ends_at', at)} />
      <Text size="xs" c="dimmed">
        {w.when.zone(settings.time_zone)}
      </Text>
    </Section>
  );
}

function Limits({ form }: { form: Form }) {
  const w = usePromotionWords();
  return (
    <Section title={w.limits.title}>
      {(['usage_limit', 'customer_limit'] as const).map((limit) => (
        <NumberInput
          key={limit}
          label={w.limits[limit]}
          placeholder={w.limits.none}
          min={1}
          max={1_000_000_000}
          allowDecimal={false}
          {...form.getInputProps(limit)}
          onChange={(n) => form.setFieldValue(limit, n === '' ? '' : Number(n))}
        />
      ))}
    </Section>
  );
}

function Combines({ form }: { form: Form }) {
  const w = usePromotionWords();
  return (
    <Section title={w.combines.title} text={w.combines.text}>
      <Checkbox.Group aria-label={w.combines.title} {...form.getInputProps('combines_with')}>
        <Stack gap="xs">
          {(['products', 'order', 'shipping'] as const).map((each) => (
            <Checkbox key={each} value={each} label={w.combines.classes[each]} />
          ))}
        </Stack>
      </Checkbox.Group>
    </Section>
  );
}
