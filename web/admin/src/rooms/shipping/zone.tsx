import { ActionIcon, Button, Group, MultiSelect, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { countries } from '../../words/countries';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useShippingWords } from './words';

const union = ['AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'];

type Part = { country: string; region: string; postal_codes: string[] };

const whole = ({ region, postal_codes }: Schemas['Territory']) => !region && (postal_codes ?? []).length === 0;

/** A zone, new or to be changed: whole countries, and parts of others. */
export function ZoneForm({ zone, close }: { zone?: Schemas['ShippingZone']; close: () => void }) {
  const w = useShippingWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  const { locale } = useFormat();
  const [key] = useState(idempotencyKey);
  const territories = zone?.territories ?? [{ country: settings.country }];
  const form = useForm({
    of: zone?.id,
    initialValues: {
      name: zone?.name ?? '',
      countries: territories.filter(whole).map(({ country }) => country as string),
      parts: territories.filter((each) => !whole(each)).map(({ country, region, postal_codes }): Part => ({ country, region: region ?? '', postal_codes: postal_codes ?? [] })),
    },
  });
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: ({ name, countries, parts }: typeof form.values) => {
      const body = {
        name: name.trim(),
        territories: [
          ...countries.map((country) => ({ country })),
          ...parts.map(({ country, region, postal_codes }) => ({ country, ...(region.trim() && { region: region.trim() }), ...(postal_codes.length > 0 && { postal_codes }) })),
        ] as Schemas['Territory'][],
      };
      return zone
        ? answered(api.PATCH('/v1/shipping-zones/{shipping_zone_id}', { params: { path: { shipping_zone_id: zone.id }, header: { 'If-Match': '*' } }, body }))
        : answered(api.POST('/v1/shipping-zones', { params: { header: { 'Idempotency-Key': key } }, body }));
    },
  });
  const choices = countries(locale);
  const { parts } = form.values;
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.zone.name} description={w.zone.nameText} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <MultiSelect
          label={w.zone.countries}
          description={w.zone.countriesText}
          searchable
          clearable
          hidePickedOptions
          data={choices}
          {...form.getInputProps('countries')}
        />
        <Group>
          <Button variant="default" size="xs" onClick={() => form.setFieldValue('countries', [...new Set([...form.values.countries, ...union])])}>
            {w.zone.union}
          </Button>
        </Group>
        {parts.map((part, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- parts have no name of their own
          <Group key={n} align="flex-end" gap="sm" wrap="nowrap">
            <Group gap="sm" flex={1} align="flex-start">
              <Select label={w.zone.country} searchable allowDeselect={false} data={choices} flex="1 1 150px" {...form.getInputProps(`parts.${n}.country`)} />
              <TextInput label={w.zone.region} placeholder="NY" maxLength={255} w={96} {...form.getInputProps(`parts.${n}.region`)} />
              <TagsInput label={w.zone.postal} placeholder={part.postal_codes.length === 0 ? '10115..14199' : ''} acceptValueOnBlur flex="1 1 170px" {...form.getInputProps(`parts.${n}.postal_codes`)} />
            </Group>
            <ActionIcon size={36} aria-label={everywhere.remove} onClick={() => form.removeListItem('parts', n)}>
              <IconTrash size={18} />
            </ActionIcon>
          </Group>
        ))}
        {parts.length > 0 && (
          <Text size="xs" c="dimmed">
            {w.zone.postalText}
          </Text>
        )}
        <Group justify="space-between">
          <Button variant="subtle" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => form.insertListItem('parts', { country: settings.country, region: '', postal_codes: [] } satisfies Part)}>
            {w.zone.addPart}
          </Button>
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
