import { Anchor, Button, Group, Modal, NumberInput, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconListNumbers, IconStackPop } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Search } from '../../page/search';
import { Trouble } from '../../page/trouble';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Movements } from './movements';
import { useInventoryWords } from './words';

type Item = Schemas['InventoryItem'];

/** How many there are of everything. */
export default function Inventory() {
  const w = useInventoryWords();
  const f = useFormat();
  const { query, can, to } = useStore();
  const filters = useFilters('view', 'sku', 'below');
  const { view, sku, below } = filters.values;
  const items = query.useInfiniteQuery('get', '/v1/inventory', { params: { query: { limit: 50, ...(view === 'low' && { low: true }), ...(sku && { sku }), ...(/^-?\d{1,9}$/.test(below) && { available_below: Number(below) }) } } }, { ...pages, placeholderData: keepPreviousData });
  const [opened, setOpened] = useState<Item>();
  return (
    <Page
      title={w.title}
      actions={
        can('inventory:write') && (
          <Button component={Link} to={to('stock/count')} variant="default" leftSection={<IconListNumbers size={17} aria-hidden />}>
            {w.count.title}
          </Button>
        )
      }
    >
      <List<Item>
        label={w.title}
        query={items}
        id={(item) => item.variant_id}
        open={setOpened}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconStackPop} {...w.empty} />}
        filters={
          <>
            <Views label={w.view} value={view} names={w.views} onChange={(next) => filters.set({ view: next })} />
            <Search label={w.search} value={sku} onChange={(next) => filters.set({ sku: next })} />
            <Narrow set={below ? 1 : 0}>
              <NarrowText label={w.below} type="number" value={below} onChange={(next) => filters.set({ below: next })} />
            </Narrow>
          </>
        }
        columns={[
          { name: w.columns.variant, cell: (item) => item.title },
          { name: w.columns.sku, wide: true, width: 180, cell: (item) => item.sku ?? '–' },
          { name: w.columns.onHand, end: true, wide: true, width: 120, cell: (item) => (item.track_inventory ? f.number(item.on_hand) : '–') },
          { name: w.columns.reserved, end: true, wide: true, width: 120, cell: (item) => (item.reserved > 0 ? f.number(item.reserved) : '–') },
          {
            name: w.columns.available,
            end: true,
            width: 130,
            cell: (item) =>
              item.track_inventory ? (
                <Text size="sm" fw={600} c={item.available <= (item.low_stock_threshold ?? 0) ? 'var(--stoa-bad)' : undefined}>
                  {f.number(item.available)}
                </Text>
              ) : (
                <Text size="sm" c="dimmed">
                  {w.untracked}
                </Text>
              ),
          },
        ]}
      />
      <Modal opened={opened !== undefined} onClose={() => setOpened(undefined)} title={opened?.title}>
        {opened && <Change item={opened} close={() => setOpened(undefined)} />}
      </Modal>
    </Page>
  );
}

/** The stock of one variant at each location. */
function Change({ item, close }: { item: Item; close: () => void }) {
  const { query } = useStore();
  const levels = query.useQuery('get', '/v1/inventory/levels', { params: { query: { variant_id: item.variant_id, limit: 100 } } }, { gcTime: 0 });
  const locations = query.useQuery('get', '/v1/locations', { params: { query: { limit: 100 } } });
  if (levels.isLoadingError) return <Trouble error={levels.error} retry={levels.refetch} />;
  if (!levels.data || !locations.data) return <Skeleton height={160} />;
  const places = locations.data.data
    .filter((location) => location.active)
    .map((location) => ({ id: location.id, name: location.name, on_hand: levels.data.data.find((level) => level.location_id === location.id)?.on_hand ?? 0 }));
  return (
    <Stack gap="xl">
      <Counted item={item} places={places} close={close} />
      {item.track_inventory && <Movements variant_id={item.variant_id} locations={locations.data.data} />}
    </Stack>
  );
}

function Counted({ item, places, close }: { item: Item; places: { id: string; name: string; on_hand: number }[]; close: () => void }) {
  const w = useInventoryWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const [key] = useState(idempotencyKey);
  const [counted, setCounted] = useState<Record<string, number>>(Object.fromEntries(places.map((place) => [place.id, place.on_hand])));
  const [reason, setReason] = useState<Schemas['InventoryAdjustment']['reason']>('correction');
  const [note, setNote] = useState('');
  const [watched, setWatched] = useState(item);
  const { low_stock_threshold, backorder_limit, backorder_expected_on } = watched;
  const watch = {
    ...(low_stock_threshold !== item.low_stock_threshold && { low_stock_threshold }),
    ...(backorder_limit !== item.backorder_limit && { backorder_limit }),
    ...(backorder_expected_on !== item.backorder_expected_on && { backorder_expected_on }),
  };
  const lines = places.flatMap((place) => (counted[place.id] === place.on_hand ? [] : [{ variant_id: item.variant_id, location_id: place.id, on_hand: counted[place.id] ?? 0 }]));
  const save = useWrite({
    said: w.saved,
    done: close,
    write: async () => {
      const requests: string[] = [];
      if (Object.keys(watch).length > 0) {
        requests.push(...(await answered(api.PATCH('/v1/inventory/{variant_id}', { params: { path: { variant_id: item.variant_id } }, body: watch }))).requests);
      }
      if (lines.length > 0) requests.push(...(await answered(api.POST('/v1/inventory/adjustments', { params: { header: { 'Idempotency-Key': key } }, body: { reason, lines, ...(note.trim() && { note: note.trim() }) } }))).requests);
      return { data: undefined, requests, version: undefined };
    },
  });
  const writes = can('inventory:write');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        {can('products:read') && (
          <Anchor component={Link} to={to(`products/${item.product_id}`)} size="sm">
            {w.product}
          </Anchor>
        )}
        {item.track_inventory ? (
          places.map((place) => (
            <NumberInput
              key={place.id}
              label={places.length > 1 ? w.at(place.name) : w.onHand}
              min={0}
              max={1_000_000_000}
              allowDecimal={false}
              disabled={!writes}
              value={counted[place.id]}
              onChange={(n) => setCounted((now) => ({ ...now, [place.id]: Number(n) }))}
            />
          ))
        ) : (
          <Text size="sm" c="dimmed">
            {w.untracked}
          </Text>
        )}
        {lines.length > 0 && (
          <>
            <Select label={w.reason} allowDeselect={false} data={Object.entries(w.reasons).map(([value, label]) => ({ value, label }))} value={reason} onChange={(next) => setReason(next as typeof reason)} />
            <TextInput label={w.note} maxLength={1000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
          </>
        )}
        {item.track_inventory && (
          <NumberInput
            label={w.threshold}
            description={w.thresholdText}
            min={0}
            allowDecimal={false}
            disabled={!writes}
            value={low_stock_threshold ?? ''}
            onChange={(n) => setWatched((now) => ({ ...now, low_stock_threshold: n === '' ? null : Number(n) }))}
          />
        )}
        {item.track_inventory && item.allow_backorder && (
          <Group grow align="flex-start">
            <NumberInput
              label={w.backorders}
              description={w.backordersText}
              min={0}
              allowDecimal={false}
              disabled={!writes}
              value={backorder_limit ?? ''}
              onChange={(n) => setWatched((now) => ({ ...now, backorder_limit: n === '' ? null : Number(n) }))}
            />
            <TextInput
              type="date"
              label={w.expected}
              description={w.expectedText}
              disabled={!writes}
              value={backorder_expected_on ?? ''}
              onChange={(event) => {
                const day = event.currentTarget.value;
                setWatched((now) => ({ ...now, backorder_expected_on: day || null }));
              }}
            />
          </Group>
        )}
        {writes && (
          <Group justify="end">
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={lines.length === 0 && Object.keys(watch).length === 0}>
              {everywhere.save}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
