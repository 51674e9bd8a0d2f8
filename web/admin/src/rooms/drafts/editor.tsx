import { Alert, Anchor, Button, Checkbox, Grid, Group, Modal, Select, Stack, TagsInput, Text, TextInput, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconInfoCircle } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { Schemas } from '../../api/client';
import type { Problem } from '../../api/problem';
import { AddressFields, addressOf, postal } from '../../page/address';
import { CustomerField } from '../../page/customer';
import { SaveBar } from '../../page/form';
import { Instant } from '../../page/instant';
import { RefusedText } from '../../page/refused';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Sum } from '../orders/money';
import { Goods } from './goods';
import { type DraftValues, noOff } from './model';
import { OffButton } from './off';
import { Shipping } from './shipping';
import { useDraftWords } from './words';

type Form = UseFormReturnType<DraftValues>;

type EditorProps = {
  form: Form;
  /** What it comes to as it is written now. */
  would?: Schemas['DraftOrder'];
  refused?: Problem;
  pending: boolean;
  saving: boolean;
  /** It has become an order, or one may not change it. */
  fixed: boolean;
  save: (values: DraftValues) => void;
  /** Only then can its currency be chosen. */
  isNew?: boolean;
  children?: ReactNode;
};

/** What a draft order says, and what that comes to. */
export function Editor({ form, would, refused, pending, saving, fixed, save, isNew, children }: EditorProps) {
  const w = useDraftWords();
  return (
    <form onSubmit={form.onSubmit(save)}>
      <fieldset disabled={fixed} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="lg">
              {children}
              <Goods form={form} fixed={fixed} problems={would?.problems ?? []} />
              <Summary form={form} would={would} refused={refused} pending={pending} fixed={fixed} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Stack gap="lg">
              <Buyer form={form} would={would} isNew={isNew} />
              <Section title={w.details}>
                <Textarea label={w.note} description={w.noteText} autosize minRows={2} maxLength={2000} {...form.getInputProps('note')} />
                <TagsInput label={w.labels} {...form.getInputProps('tags')} />
                <TextInput label={w.exempt} description={w.exemptText} maxLength={255} {...form.getInputProps('tax_exempt_reason')} />
                <Instant label={w.reserve} description={w.reserveText} value={form.values.reserved_until} error={form.errors.reserved_until} change={(at) => form.setFieldValue('reserved_until', at)} />
                <Instant label={w.expires} description={w.expiresText} value={form.values.expires_at} error={form.errors.expires_at} change={(at) => form.setFieldValue('expires_at', at ?? form.getInitialValues().expires_at)} />
              </Section>
            </Stack>
          </Grid.Col>
        </Grid>
      </fieldset>
      <SaveBar dirty={form.isDirty()} saving={saving} discard={form.reset} />
    </form>
  );
}

function Summary({ form, would, refused, pending, fixed }: Pick<EditorProps, 'form' | 'would' | 'refused' | 'pending' | 'fixed'>) {
  const w = useDraftWords();
  const f = useFormat();
  const { values } = form;
  const totals = would?.totals;
  const open = would?.problems.filter(({ line_id }) => line_id === null) ?? [];
  return (
    <Section title={w.summary}>
      <RefusedText problem={refused} />
      {totals && (
        <Stack gap={6} aria-live="polite" aria-busy={pending} opacity={pending ? 0.6 : 1}>
          <Sum name={w.totals.subtotal}>{f.money(totals.subtotal)}</Sum>
          {totals.discount.amount > 0 && <Sum name={w.totals.discount}>−{f.money(totals.discount)}</Sum>}
          <Sum name={w.totals.shipping} beside={would.shipping_method?.name ?? w.shipping.open}>
            {f.money(totals.shipping)}
          </Sum>
          <Sum name={would.prices_include_tax ? w.totals.included : w.totals.tax} beside={totals.estimated ? w.totals.estimated : would.taxes.map((tax) => `${tax.name} ${Number(tax.percentage)} %`).join(', ')}>
            {f.money(totals.tax)}
          </Sum>
          <Sum name={w.totals.total} strong>
            {f.money(totals.total)}
          </Sum>
        </Stack>
      )}
      {!totals && !refused && (
        <Text size="sm" c="dimmed">
          {w.nothingYet}
        </Text>
      )}
      {!fixed && (
        <Group gap="md">
          <OffButton label={w.off.whole} currency={values.currency} value={values.off} onChange={(off) => form.setFieldValue('off', off)} />
          <Shipping form={form} />
        </Group>
      )}
      {open.length > 0 && !fixed && (
        <Alert icon={<IconInfoCircle aria-hidden />} color="gray" title={w.open}>
          {open.map(({ code }) => w.problems[code]).join(' · ')}
        </Alert>
      )}
    </Section>
  );
}

function Buyer({ form, would, isNew }: { form: Form; would?: Schemas['DraftOrder']; isNew?: boolean }) {
  const w = useDraftWords();
  const everywhere = useWords();
  const f = useFormat();
  const { can, settings } = useStore();
  const [writing, setWriting] = useState(false);
  const { values } = form;
  const ship = addressOf(values.shipping_address) ?? would?.shipping_address ?? undefined;
  const bill = values.billed ? addressOf(values.billing_address) : undefined;
  return (
    <Section title={w.customer}>
      {can('customers:read') && (
        <CustomerField
          label={w.find}
          value={values.customer_id}
          onChange={(customer) => {
            form.setFieldValue('customer_id', customer?.id ?? null);
            form.setFieldValue('email', customer?.email ?? '');
          }}
        />
      )}
      {isNew && settings.currencies.length > 1 && (
        <Select
          label={w.currency}
          allowDeselect={false}
          data={settings.currencies}
          value={values.currency}
          onChange={(currency) => {
            if (!currency || currency === values.currency) return;
            // What costs so much in one currency does not in another.
            form.setFieldValue('lines', values.lines.map((line) => ({ ...line, price: line.variant_id ? null : line.price, off: noOff })));
            form.setFieldValue('off', noOff);
            form.setFieldValue('currency', currency as typeof values.currency);
          }}
        />
      )}
      <TextInput label={w.email} description={w.emailText} type="email" maxLength={254} {...form.getInputProps('email')} />
      {[
        [w.shipsTo, ship] as const,
        [w.billedTo, bill] as const,
      ].map(
        ([name, address]) =>
          address && (
            <div key={name}>
              <Text size="xs" c="dimmed" fw={500}>
                {name}
              </Text>
              <Text size="sm" component="address" fs="normal" style={{ whiteSpace: 'pre-line' }}>
                {postal(address, f.country).join('\n')}
              </Text>
            </div>
          ),
      )}
      <Anchor component="button" type="button" size="sm" ta="start" onClick={() => setWriting(true)}>
        {ship ? w.changeAddress : w.addAddress}
      </Anchor>
      <Modal opened={writing} onClose={() => setWriting(false)} title={w.address} size="lg">
        <Stack>
          <AddressFields form={form} at="shipping_address" />
          <Checkbox label={w.billed} {...form.getInputProps('billed', { type: 'checkbox' })} />
          {values.billed && <AddressFields form={form} at="billing_address" company />}
          <Group justify="end">
            <Button onClick={() => setWriting(false)}>{everywhere.close}</Button>
          </Group>
        </Stack>
      </Modal>
    </Section>
  );
}
