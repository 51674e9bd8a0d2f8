import { Button, Checkbox, Group, NumberInput, Select, SimpleGrid, Stack, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { countries } from '../../words/countries';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useTaxWords } from './words';

/** A rate of tax, new or to be changed. */
export function RateForm({ rate, close }: { rate?: Schemas['TaxRate']; close: () => void }) {
  const w = useTaxWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  const { locale } = useFormat();
  const [key] = useState(idempotencyKey);
  const form = useForm({
    of: rate?.id,
    initialValues: {
      name: rate?.name ?? '',
      country: (rate?.country ?? settings.country) as string,
      region: rate?.region ?? '',
      postal_codes: rate?.postal_codes ?? [],
      tax_class: rate?.tax_class ?? '',
      percentage: (rate ? Number(rate.percentage) : '') as number | string,
      combinable: rate?.combinable ?? false,
      applies_to_shipping: rate?.applies_to_shipping ?? true,
    },
    validate: { percentage: (percentage) => (percentage === '' ? w.needRate : null) },
  });
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: ({ name, country, region, tax_class, percentage, ...rest }: typeof form.values) => {
      const body = { ...rest, name: name.trim(), percentage: String(percentage) };
      return rate
        ? answered(api.PATCH('/v1/tax-rates/{tax_rate_id}', { params: { path: { tax_rate_id: rate.id }, header: { 'If-Match': '*' } }, body: { ...body, region: region.trim() || null, tax_class: tax_class.trim() || null } }))
        : answered(api.POST('/v1/tax-rates', { params: { header: { 'Idempotency-Key': key } }, body: { ...body, country, ...(region.trim() && { region: region.trim() }), ...(tax_class.trim() && { tax_class: tax_class.trim() }) } }));
    },
  });
  const remove = useWrite({ write: (id: string) => answered(api.DELETE('/v1/tax-rates/{tax_rate_id}', { params: { path: { tax_rate_id: id } } })), said: w.deleted, undoable: true, done: close });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
          <NumberInput label={w.rate} suffix=" %" decimalScale={4} min={0} max={100} hideControls required {...form.getInputProps('percentage')} />
          <Select label={w.country} searchable allowDeselect={false} disabled={rate !== undefined} data={countries(locale)} {...form.getInputProps('country')} />
          <TextInput label={w.region} placeholder={w.wholeCountry} maxLength={255} {...form.getInputProps('region')} />
        </SimpleGrid>
        <TagsInput label={w.postal} description={w.postalText} acceptValueOnBlur {...form.getInputProps('postal_codes')} />
        <TextInput label={w.class} description={w.classText} placeholder={w.standard} maxLength={64} {...form.getInputProps('tax_class')} />
        <Checkbox label={w.onShipping} {...form.getInputProps('applies_to_shipping', { type: 'checkbox' })} />
        <Checkbox label={w.combinable} description={w.combinableText} {...form.getInputProps('combinable', { type: 'checkbox' })} />
        <Group justify="space-between">
          {rate ? (
            <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(rate.id)}>
              {everywhere.delete}
            </Button>
          ) : (
            <span />
          )}
          <Group>
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {everywhere.save}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
