import { Group, Select, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { Schemas } from '../api/client';
import { countries } from '../words/countries';
import { useFormat } from '../words/format';
import { usePartWords } from './words';

/** An address as one writes it: what is not there is empty. */
export type Written = Record<'name' | 'company' | 'line1' | 'line2' | 'postal_code' | 'city' | 'region' | 'country' | 'phone' | 'tax_id', string>;

export function writtenAddress(address?: Schemas['Address'] | null, country = ''): Written {
  return {
    name: address?.name ?? '',
    company: address?.company ?? '',
    line1: address?.line1 ?? '',
    line2: address?.line2 ?? '',
    postal_code: address?.postal_code ?? '',
    city: address?.city ?? '',
    region: address?.region ?? '',
    country: address?.country ?? country,
    phone: address?.phone ?? '',
    tax_id: address?.tax_id ?? '',
  };
}

/** An address as the API takes it; none where nobody has written one. */
export function addressOf(written: Written): Schemas['Address'] | undefined {
  const { country, ...rest } = written;
  if (Object.values(rest).every((text) => text.trim() === '')) return undefined;
  const { name, line1, city, ...others } = rest;
  return {
    name: name.trim(),
    line1: line1.trim(),
    city: city.trim(),
    country: country as Schemas['Address']['country'],
    ...Object.fromEntries(Object.entries(others).map(([part, text]) => [part, text.trim() || null])),
  };
}

/** An address as it stands on a parcel. */
export function postal(address: Schemas['Address'], country: (code: string) => string): string[] {
  const { name, company, line1, line2, postal_code, city, region, phone, tax_id } = address;
  return [name, company, line1, line2, [postal_code, city].filter(Boolean).join(' '), region, country(address.country), phone, tax_id].filter((line): line is string => Boolean(line));
}

/** The fields of an address within a form, at `at` of its values. */
export function AddressFields<Values extends Record<string, unknown>>({ form, at, company }: { form: UseFormReturnType<Values>; at: string; company?: boolean }) {
  const { address: w } = usePartWords();
  const { locale } = useFormat();
  const field = (part: keyof Written) => form.getInputProps(`${at}.${part}` as never);
  return (
    <Stack gap="sm">
      <TextInput label={w.name} maxLength={255} autoComplete="off" {...field('name')} />
      {company && (
        <Group grow align="flex-start">
          <TextInput label={w.company} maxLength={255} autoComplete="off" {...field('company')} />
          <TextInput label={w.taxID} maxLength={32} autoComplete="off" {...field('tax_id')} />
        </Group>
      )}
      <TextInput label={w.line1} maxLength={255} autoComplete="off" {...field('line1')} />
      <TextInput label={w.line2} maxLength={255} autoComplete="off" {...field('line2')} />
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TextInput label={w.postalCode} maxLength={32} autoComplete="off" maw={130} {...field('postal_code')} />
        <TextInput label={w.city} maxLength={255} autoComplete="off" {...field('city')} />
      </Group>
      <Group grow align="flex-start">
        <TextInput label={w.region} maxLength={255} autoComplete="off" {...field('region')} />
        <Select label={w.country} data={countries(locale)} searchable allowDeselect={false} {...field('country')} />
      </Group>
      <TextInput label={w.phone} type="tel" maxLength={32} autoComplete="off" {...field('phone')} />
    </Stack>
  );
}
