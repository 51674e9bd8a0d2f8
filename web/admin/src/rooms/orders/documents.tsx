import { Anchor, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconFileText, IconReceipt } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { complain, useWrite } from '../../api/write';
import { openFile } from '../../page/file';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

/** The invoice of an order and its credit notes. */
export function Documents({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [restricted, setRestricted] = useState<string>();
  const documents = query.useQuery('get', '/v1/documents', { params: { query: { order_id: order.id, limit: 50 } } });
  const issue = useWrite({
    write: () => answered(api.POST('/v1/orders/{order_id}/invoice', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
  });
  const open = (document_id: string) =>
    openFile(api.GET('/v1/documents/{document_id}/pdf', { params: { path: { document_id } }, parseAs: 'blob' }) as never).catch((error: Error) => {
      if (problemOf(error).code === 'document_restricted' && can('personal_data:write')) setRestricted(document_id);
      else complain(error.message || everywhere.trouble.offline);
    });
  const there = documents.data?.data ?? [];
  return (
    <Section title={w.invoice.title}>
      {there.map((document) => (
        <Group key={document.id} wrap="nowrap" gap="sm">
          <IconFileText size={20} stroke={1.6} aria-hidden />
          <div>
            <Anchor component="button" type="button" size="sm" fw={500} onClick={() => void open(document.id)}>
              {w.invoice.kinds[document.kind]} {document.number}
            </Anchor>
            <Text size="xs" c="dimmed">
              {f.date(document.issued_at)} · {f.money(document.total)}
            </Text>
          </div>
        </Group>
      ))}
      {documents.data && !there.some(({ kind }) => kind === 'invoice') && (
        <>
          <Text size="sm" c="dimmed">
            {w.invoice.none}
          </Text>
          {can('orders:write') && order.state !== 'cancelled' && (
            <Button variant="default" leftSection={<IconReceipt size={16} aria-hidden />} loading={issue.isPending} onClick={() => issue.mutate()}>
              {w.invoice.issue}
            </Button>
          )}
        </>
      )}
      <Modal opened={restricted !== undefined} onClose={() => setRestricted(undefined)} title={w.invoice.restricted}>
        {restricted && <Disclose document_id={restricted} close={() => setRestricted(undefined)} />}
      </Modal>
    </Section>
  );
}

/** Opens a document whose buyer was erased, for a reason that the audit keeps. */
function Disclose({ document_id, close }: { document_id: string; close: () => void }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [reason, setReason] = useState('');
  const open = () => {
    openFile(api.POST('/v1/documents/{document_id}/disclosure', { params: { path: { document_id } }, body: { reason: reason.trim() }, parseAs: 'blob' }) as never).catch((error: Error) =>
      complain(error.message || everywhere.trouble.offline),
    );
    close();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        open();
      }}
    >
      <Stack>
        <Text size="sm">{w.invoice.restrictedText}</Text>
        <TextInput label={w.invoice.reason} required maxLength={1000} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!reason.trim()}>
            {w.invoice.open}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
