import { Anchor, Checkbox, ColorInput, MultiSelect, Select, SimpleGrid, Stack, TagsInput, Text, TextInput, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { countries } from '../../words/countries';
import { useFormat } from '../../words/format';
import { useSettingsWords } from './words';

/** What holds for the whole of the shop. */
export default function Settings() {
  const { api } = useStore();
  const store = useQuery({ queryKey: ['settings'], queryFn: () => answered(api.GET('/v1/store')) });
  if (store.isLoadingError) return <Trouble error={store.error} retry={store.refetch} />;
  return store.data ? <Present store={store.data.data} version={store.data.version} /> : null;
}

const written = (store: Schemas['Store']) => ({
  name: store.name,
  description: store.description ?? '',
  contact_email: store.contact_email ?? '',
  country: store.country,
  time_zone: store.time_zone,
  currency: store.currency,
  currencies: store.currencies.filter((currency) => currency !== store.currency),
  prices_include_tax: store.prices_include_tax,
  locale: store.locale,
  locales: store.locales.filter(({ locale }) => locale !== store.locale),
  accent_color: store.accent_color,
});

function Present({ store, version }: { store: Schemas['Store']; version?: string }) {
  const w = useSettingsWords();
  const { api, can, settings } = useStore();
  const { locale: writing } = useFormat();
  const client = useQueryClient();
  const form = useForm({ of: 'settings', initialValues: written(store) });
  const base = useFresh(form, written(store), version);
  const save = useWrite({
    form: form as never,
    said: w.saved,
    undoable: true,
    write: (values: typeof form.values) =>
      answered(
        api.PATCH('/v1/store', {
          params: { header: { 'If-Match': base.version } },
          body: { ...values, name: values.name.trim(), description: values.description.trim() || null, contact_email: values.contact_email.trim() || null, currencies: [values.currency, ...values.currencies], locales: [{ locale: values.locale, published: true }, ...values.locales] },
        }),
      ),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['settings'], answer);
    },
  });
  const choices = useMemo(() => {
    const names = new Intl.DisplayNames(writing, { type: 'currency' });
    return {
      currencies: Intl.supportedValuesOf('currency').map((code) => ({ value: code, label: `${code} – ${names.of(code) ?? code}` })),
      countries: countries(writing),
      zones: Intl.supportedValuesOf('timeZone'),
    };
  }, [writing]);
  return (
    <Page title={w.title} narrow>
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <fieldset disabled={!can('store:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Stack gap="lg">
            <Section title={w.shop.title}>
              <TextInput label={w.shop.name} required maxLength={255} {...form.getInputProps('name')} />
              <Textarea label={w.shop.description} description={w.shop.descriptionText} autosize minRows={2} maxLength={2000} {...form.getInputProps('description')} />
              <TextInput label={w.shop.email} description={w.shop.emailText} type="email" maxLength={254} {...form.getInputProps('contact_email')} />
              <Text size="sm">
                {w.shop.address}:{' '}
                <Anchor href={settings.shop_url} target="_blank" rel="noopener">
                  {settings.shop_url}
                </Anchor>
              </Text>
            </Section>
            <Section title={w.place.title}>
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <Select label={w.place.country} searchable allowDeselect={false} data={choices.countries} {...form.getInputProps('country')} />
                <Select label={w.place.zone} description={w.place.zoneText} inputWrapperOrder={['label', 'input', 'description', 'error']} searchable allowDeselect={false} data={choices.zones} limit={50} {...form.getInputProps('time_zone')} />
              </SimpleGrid>
            </Section>
            <Section title={w.money.title}>
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <Select label={w.money.currency} searchable allowDeselect={false} data={choices.currencies} {...form.getInputProps('currency')} />
                <MultiSelect
                  label={w.money.currencies}
                  description={w.money.currenciesText}
                  inputWrapperOrder={['label', 'input', 'description', 'error']}
                  searchable
                  data={choices.currencies.filter(({ value }) => value !== form.values.currency)}
                  {...form.getInputProps('currencies')}
                />
              </SimpleGrid>
              <Checkbox label={w.money.included} description={w.money.includedText} {...form.getInputProps('prices_include_tax', { type: 'checkbox' })} />
            </Section>
            <Section title={w.languages.title}>
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <TextInput label={w.languages.locale} maxLength={35} {...form.getInputProps('locale')} />
                <TagsInput
                  label={w.languages.locales}
                  description={w.languages.localesText}
                  inputWrapperOrder={['label', 'input', 'description', 'error']}
                  value={form.values.locales.map(({ locale }) => locale)}
                  error={form.errors.locales}
                  onChange={(tags) => form.setFieldValue('locales', tags.map((locale) => form.values.locales.find((each) => each.locale === locale) ?? { locale, published: false }))}
                />
              </SimpleGrid>
              {form.values.locales.map((each, n) => (
                <Checkbox key={each.locale} label={`${each.locale}: ${w.languages.shown}`} {...form.getInputProps(`locales.${n}.published`, { type: 'checkbox' })} />
              ))}
            </Section>
            <Section title={w.look.title}>
              <ColorInput label={w.look.accent} description={w.look.accentText} maw={240} format="hex" withEyeDropper={false} {...form.getInputProps('accent_color')} />
            </Section>
          </Stack>
        </fieldset>
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
    </Page>
  );
}
