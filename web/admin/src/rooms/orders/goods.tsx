import { Anchor, Avatar, Divider, Group, Stack, Text } from '@mantine/core';
import { IconPhoto, IconPrinter, IconTruck } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { complain } from '../../api/write';
import { openFile } from '../../page/file';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

/** What was ordered, and in which parcels it went. */
export function Goods({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, to, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const slip = (fulfilment_id: string) =>
    openFile(api.GET('/v1/orders/{order_id}/packing-slip', { params: { path: { order_id: order.id }, query: { fulfilment_id } }, parseAs: 'blob' }) as never).catch((error: Error) =>
      complain(error.message || everywhere.trouble.offline),
    );
  return (
    <Section title={w.items} flush>
      <Stack gap={0}>
        {order.lines.map((line) => (
          <Group key={line.id} wrap="nowrap" align="flex-start" px="lg" py="sm">
            <Avatar src={line.image_url} size={48} radius="md" alt="" color="gray">
              <IconPhoto size={20} stroke={1.5} aria-hidden />
            </Avatar>
            <Stack gap={2} flex={1} miw={0}>
              {line.product_id && can('products:read') ? (
                <Anchor component={Link} to={to(`products/${line.product_id}`)} size="sm" fw={600} c="inherit">
                  {line.title}
                </Anchor>
              ) : (
                <Text size="sm" fw={600}>
                  {line.title}
                </Text>
              )}
              <Text size="xs" c="dimmed">
                {[line.variant_title !== 'Default' && line.variant_title, line.sku, ...Object.entries(line.attributes).map(([name, value]) => `${name}: ${value}`)].filter(Boolean).join(' · ')}
              </Text>
              <Told line={line} />
            </Stack>
            <Stack gap={2} align="flex-end">
              <Text size="sm" fw={500}>
                {f.money(line.total)}
              </Text>
              <Text size="xs" c="dimmed">
                {w.piece(f.number(line.quantity), f.money(line.unit_price))}
              </Text>
            </Stack>
          </Group>
        ))}
      </Stack>
      {order.fulfilments.map((fulfilment, n) => (
        <div key={fulfilment.id}>
          <Divider />
          <Group px="lg" py="sm" wrap="nowrap" align="flex-start" gap="sm">
            <IconTruck size={20} stroke={1.6} aria-hidden />
            <Stack gap={2} flex={1}>
              <Text size="sm" fw={500}>
                {w.parcel(n + 1)} · {f.time(fulfilment.created_at)}
              </Text>
              <Text size="xs" c="dimmed">
                {fulfilment.lines.map(({ line_id, quantity }) => `${quantity} × ${named(order.lines.find(({ id }) => id === line_id))}`).join(', ')}
              </Text>
              {fulfilment.tracking && (
                <Text size="xs">
                  {fulfilment.tracking.carrier}{' '}
                  {fulfilment.tracking.url ? (
                    <Anchor href={fulfilment.tracking.url} target="_blank" rel="noopener noreferrer" inherit>
                      {fulfilment.tracking.number ?? fulfilment.tracking.url}
                    </Anchor>
                  ) : (
                    fulfilment.tracking.number
                  )}
                </Text>
              )}
            </Stack>
            <Anchor component="button" type="button" size="sm" onClick={() => void slip(fulfilment.id)}>
              <Group gap={4} wrap="nowrap">
                <IconPrinter size={16} aria-hidden /> {w.slip}
              </Group>
            </Anchor>
          </Group>
        </div>
      ))}
    </Section>
  );
}

const named = (line?: Schemas['OrderLine']) => [line?.title, line?.variant_title !== 'Default' && line?.variant_title].filter(Boolean).join(' ');

/** How far a line has come. */
function Told({ line }: { line: Schemas['OrderLine'] }) {
  const w = useOrderWords();
  const told = [
    line.fulfilled_quantity > 0 && w.sent(line.fulfilled_quantity),
    line.returned_quantity > 0 && w.returned(line.returned_quantity),
    line.refunded_quantity > 0 && w.refunded(line.refunded_quantity),
  ].filter(Boolean);
  return told.length === 0 ? null : (
    <Text size="xs" c="var(--stoa-good)">
      {told.join(' · ')}
    </Text>
  );
}
