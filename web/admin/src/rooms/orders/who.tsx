import { Anchor, Button, Group, Stack, TagsInput, Text } from '@mantine/core';
import { IconFileText, IconReceipt } from '@tabler/icons-react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { openFile } from '../../page/file';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

/** Whose order it is, where it goes, its documents and labels. */
export function Who({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { to, can } = useStore();
  const pickup = order.shipping?.pickup_address;
  return (
    <Stack gap="lg">
      <Section title={w.customer}>
        <Stack gap={4}>
          {order.customer_id && can('customers:read') ? (
            <Anchor component={Link} to={to(`customers/${order.customer_id}`)} size="sm" fw={500}>
              {order.shipping_address?.name ?? order.billing_address?.name ?? order.email}
            </Anchor>
          ) : (
            <Text size="sm" fw={500}>
              {order.shipping_address?.name ?? order.billing_address?.name ?? w.guest}
            </Text>
          )}
          <Group gap={4} wrap="nowrap">
            <Anchor href={`mailto:${order.email}`} size="sm" style={{ overflowWrap: 'anywhere' }}>
              {order.email}
            </Anchor>
            <Copy value={order.email} />
          </Group>
          {order.customer_id && (
            <Anchor component={Link} to={to(`orders?customer=${order.customer_id}`)} size="sm">
              {w.ordersOf}
            </Anchor>
          )}
        </Stack>
        {pickup ? <Postal name={w.pickedUp} address={pickup} /> : order.shipping_address && <Postal name={w.shipsTo} address={order.shipping_address} />}
        {order.billing_address && <Postal name={w.billedTo} address={order.billing_address} same={JSON.stringify(order.billing_address) === JSON.stringify(order.shipping_address)} />}
      </Section>
      {order.note && (
        <Section title={w.noteOfShopper}>
          <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
            {order.note}
          </Text>
        </Section>
      )}
      <Documents order={order} />
      <Labels order={order} />
    </Stack>
  );
}

function Postal({ name, address, same }: { name: string; address: Schemas['Address']; same?: boolean }) {
  const w = useOrderWords();
  const f = useFormat();
  const lines = [address.name, address.company, address.line1, address.line2, [address.postal_code, address.city].filter(Boolean).join(' '), address.region, f.country(address.country), address.phone].filter(Boolean);
  return (
    <div>
      <Group gap={4}>
        <Text size="xs" c="dimmed" fw={500}>
          {name}
        </Text>
        {!same && <Copy value={lines.join('\n')} />}
      </Group>
      {same ? (
        <Text size="sm">{w.sameAddress}</Text>
      ) : (
        <Text size="sm" component="address" fs="normal" style={{ whiteSpace: 'pre-line' }}>
          {lines.join('\n')}
        </Text>
      )}
    </div>
  );
}

function Documents({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const documents = query.useQuery('get', '/v1/documents', { params: { query: { order_id: order.id, limit: 50 } } });
  const issue = useWrite({
    write: () => answered(api.POST('/v1/orders/{order_id}/invoice', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
  });
  const open = (document_id: string) =>
    openFile(api.GET('/v1/documents/{document_id}/pdf', { params: { path: { document_id } }, parseAs: 'blob' }) as never).catch((error: Error) => complain(error.message || everywhere.trouble.offline));
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
    </Section>
  );
}

function Labels({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { api, can } = useStore();
  const label = useWrite({
    write: (tags: string[]) => answered(api.PATCH('/v1/orders/{order_id}', { params: { path: { order_id: order.id } }, body: { tags } })),
    said: w.labelsSaved,
  });
  const shown = label.isPending ? label.variables : order.tags;
  return (
    <Section title={w.labels}>
      <TagsInput aria-label={w.labels} placeholder={shown.length ? '' : w.labelsExample} value={shown} disabled={!can('orders:write')} onChange={(tags) => label.mutate(tags)} />
    </Section>
  );
}
