import { Alert, SimpleGrid, Skeleton, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { problemOf, Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { AddressFields, addressOf, writtenAddress } from '../../page/address';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useInvoiceWords } from './words';

/** How invoices are written. */
export default function Invoices() {
  const { api } = useStore();
  const invoicing = useQuery({ queryKey: ['invoicing'], queryFn: () => answered(api.GET('/v1/invoicing')) });
  if (invoicing.isLoadingError) return <Trouble error={invoicing.error} retry={invoicing.refetch} />;
  if (!invoicing.data) return <Skeleton height={300} radius="lg" maw={820} mx="auto" />;
  return <Present invoicing={invoicing.data.data} version={invoicing.data.version} />;
}

const written = ({ seller, invoice_number_format, credit_note_number_format, footer }: Schemas['Invoicing'], country: string) => ({
  address: writtenAddress(seller.address, country),
  tax_id: seller.tax_id ?? '',
  registration: seller.registration ?? '',
  email: seller.email ?? '',
  website: seller.website ?? '',
  invoice_number_format,
  credit_note_number_format,
  footer: footer ?? '',
});

/** A number as a format makes it. */
const example = (format: string) => format.replace('{year}', String(new Date().getFullYear())).replace(/\{number(?::(\d))?\}/, (_, width?: string) => '42'.padStart(Number(width ?? 1), '0'));

function Present({ invoicing, version }: { invoicing: Schemas['Invoicing']; version?: string }) {
  const w = useInvoiceWords();
  const { api, can, settings } = useStore();
  const client = useQueryClient();
  const there = written(invoicing, settings.country);
  const form = useForm({ of: 'invoicing', initialValues: there });
  const base = useFresh(form, there, version);
  const save = useWrite({
    form: form as never,
    said: w.saved,
    undoable: true,
    write: ({ address, tax_id, registration, email, website, footer, ...formats }: typeof there) =>
      answered(
        api.PATCH('/v1/invoicing', {
          params: { header: { 'If-Match': base.version } },
          body: {
            ...formats,
            footer: footer.trim() || null,
            seller: { address: addressOf(address) ?? null, tax_id: tax_id.trim() || null, registration: registration.trim() || null, email: email.trim() || null, website: website.trim() || null },
          },
        }),
      ).catch((error) => {
        const problem = problemOf(error);
        throw problem.errors ? new Refused({ ...problem, errors: problem.errors.map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^\/seller(?=\/)/, '') })) }) : error;
      }),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['invoicing'], answer);
    },
  });
  const { invoice_number_format: invoices, credit_note_number_format: notes } = form.values;
  return (
    <Page title={w.title} text={w.text} narrow>
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <fieldset disabled={!can('settings:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Stack gap="lg">
            {!invoicing.seller.address && <Alert color="yellow">{w.none}</Alert>}
            <Section title={w.seller} text={w.sellerText}>
              <AddressFields form={form as never} at="address" />
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput label={w.taxID} placeholder="DE123456789" maxLength={32} {...form.getInputProps('tax_id')} />
                <TextInput label={w.registration} placeholder={w.registrationExample} maxLength={255} {...form.getInputProps('registration')} />
                <TextInput label={w.email} type="email" placeholder={settings.contact_email ?? ''} maxLength={254} {...form.getInputProps('email')} />
                <TextInput label={w.website} placeholder="https://" maxLength={255} {...form.getInputProps('website')} />
              </SimpleGrid>
            </Section>
            <Section title={w.numbers} text={w.numbersText}>
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput label={w.invoices} description={w.example(example(invoices))} inputWrapperOrder={['label', 'input', 'description', 'error']} required maxLength={64} {...form.getInputProps('invoice_number_format')} />
                <TextInput label={w.notes} description={w.example(example(notes))} inputWrapperOrder={['label', 'input', 'description', 'error']} required maxLength={64} {...form.getInputProps('credit_note_number_format')} />
              </SimpleGrid>
              <Text size="xs" c="dimmed">
                {w.formats}
              </Text>
            </Section>
            <Section title={w.foot}>
              <Textarea label={w.footer} description={w.footerText} autosize minRows={2} maxLength={500} {...form.getInputProps('footer')} />
            </Section>
          </Stack>
        </fieldset>
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
    </Page>
  );
}
