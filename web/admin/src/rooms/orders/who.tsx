import { ActionIcon, Anchor, Group, Stack, TagsInput, Text } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { postal } from '../../page/address';
import { Copy } from '../../page/copy';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Correct } from './correct';
import { Documents } from './documents';
import { Fields } from './fields';
import { useOrderWords } from './words';

/** Whose order it is, where it goes, its documents and labels. */
export function Who({ order, version }: { order: Schemas['Order']; version?: string }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const [correcting, setCorrecting] = useState(false);
  const { to, can } = useStore();
  const pickup = order.shipping?.pickup_address;
  return (
    <Stack gap="lg">
      <Section
        title={w.customer}
        actions={
          can('orders:write') && (
            <ActionIcon aria-label={`${everywhere.edit}: ${w.customer}`} onClick={() => setCorrecting(true)}>
              <IconPencil size={17} />
            </ActionIcon>
          )
        }
      >
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
      <Fields order={order} version={version} />
      <Correct order={order} version={version} opened={correcting} close={() => setCorrecting(false)} />
    </Stack>
  );
}

function Postal({ name, address, same }: { name: string; address: Schemas['Address']; same?: boolean }) {
  const w = useOrderWords();
  const f = useFormat();
  const lines = postal(address, f.country);
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
