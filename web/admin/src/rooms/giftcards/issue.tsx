import { Alert, Button, Code, CopyButton, Group, Modal, NumberInput, ScrollArea, Select, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { IconCopy, IconDownload, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomerField } from '../../page/customer';
import { save } from '../../page/file';
import { Ending } from '../../page/form';
import { MoneyInput } from '../../page/money';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { instantOf } from '../../words/days';
import { useWords } from '../../words/everywhere';
import { useGiftCardWords } from './words';

type Codes = (string | null)[];

/** Issues one gift card, or many that are alike. */
export function Issue({ made, close }: { made: (codes: Codes) => void; close: () => void }) {
  const w = useGiftCardWords();
  const { api, can, settings } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({
    initialValues: { amount: null as number | null, currency: settings.currency, count: 1, customer_id: null as string | null, expires: '', note: '' },
    validate: { amount: (amount) => (amount ? null : w.issue.howMuch) },
  });
  const issue = useWrite({
    form: form as never,
    write: async ({ amount, currency, count, customer_id, expires, note }: typeof form.values) => {
      const header = { 'Idempotency-Key': key };
      const body = {
        amount: { amount: amount ?? 0, currency },
        ...(expires && { expires_at: instantOf(expires, settings.time_zone, 1) }),
        ...(note.trim() && { note: note.trim() }),
      };
      if (count > 1) {
        const { data, requests } = await answered(api.POST('/v1/gift-cards/batch', { params: { header }, body: { ...body, count } }));
        return { data: data.gift_cards.map(({ code }) => code), requests, version: undefined };
      }
      const { data, requests } = await answered(api.POST('/v1/gift-cards', { params: { header }, body: { ...body, ...(customer_id && { customer_id }) } }));
      return { data: [data.code], requests, version: undefined };
    },
    done: ({ data }) => made(data),
  });
  return (
    <form onSubmit={form.onSubmit((values) => issue.mutate(values))}>
      <Stack>
        <Group grow align="flex-start">
          <MoneyInput label={w.issue.amount} currency={form.values.currency} withAsterisk data-autofocus value={form.values.amount} error={form.errors.amount} onChange={(amount) => form.setFieldValue('amount', amount)} />
          <NumberInput label={w.issue.count} min={1} max={1000} clampBehavior="strict" allowDecimal={false} {...form.getInputProps('count')} />
        </Group>
        {settings.currencies.length > 1 && <Select label={w.issue.currency} allowDeselect={false} data={settings.currencies} {...form.getInputProps('currency')} />}
        {form.values.count === 1 && can('customers:read') && <CustomerField label={w.issue.customer} value={form.values.customer_id} onChange={(customer) => form.setFieldValue('customer_id', customer?.id ?? null)} />}
        <TextInput type="date" label={w.issue.expires} description={w.issue.expiresText} {...form.getInputProps('expires')} />
        <Textarea label={w.note} description={w.noteText} autosize minRows={2} maxLength={2000} {...form.getInputProps('note')} />
        <Ending go={w.issue.do} pending={issue.isPending} close={close} />
      </Stack>
    </form>
  );
}

/** The codes that were drawn, which nobody can see again. */
export function Issued({ codes, close }: { codes?: Codes; close: () => void }) {
  const w = useGiftCardWords();
  const everywhere = useWords();
  const known = (codes ?? []).filter((code): code is string => code !== null);
  return (
    <Modal opened={codes !== undefined} onClose={close} title={w.issued.title(known.length)} closeOnClickOutside={false}>
      <Stack>
        <Alert icon={<IconInfoCircle aria-hidden />} color="yellow">
          {w.issued.once}
        </Alert>
        <ScrollArea.Autosize mah={260} type="auto">
          <Stack gap={6}>
            {known.map((code) => (
              <Code key={code} fz="md" p="xs" block ta="center">
                {code}
              </Code>
            ))}
          </Stack>
        </ScrollArea.Autosize>
        {known.length === 0 && <Text size="sm">{w.issued.gone}</Text>}
        <Group justify="end">
          {known.length > 1 && (
            <Button variant="default" leftSection={<IconDownload size={17} aria-hidden />} onClick={() => save(new Blob([['code', ...known].join('\r\n')], { type: 'text/csv' }), `${w.issued.file}.csv`)}>
              {w.issued.download}
            </Button>
          )}
          <CopyButton value={known.join('\n')}>
            {({ copied, copy }) => (
              <Button variant="default" leftSection={<IconCopy size={17} aria-hidden />} onClick={copy}>
                {copied ? everywhere.copied : everywhere.copy}
              </Button>
            )}
          </CopyButton>
          <Button onClick={close}>{w.issued.kept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
