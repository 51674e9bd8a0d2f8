import { ActionIcon, Button, Drawer, Group, Modal, NumberInput, Select, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconArrowNarrowRight, IconPlus, IconTruckDelivery, IconX } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List } from '../../page/list';
import { Page } from '../../page/page';
import { PickVariants, type Picked } from '../../page/pick';
import { Fact } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useTransferWords } from './words';

type Movement = Schemas['InventoryMovement'];

/** Goods that went from one location to another: of each variant a movement there and one here. */
type Transfer = { id: string; from: string; to: string; at: string; note: string | null; who: string; lines: { variant_id: string; quantity: number }[] };

/** Movements in the order of the list as the transfers that they are of; both halves of one stand beside each other. */
function together(movements: Movement[]): Transfer[] {
  const transfers = new Map<string, Transfer>();
  for (const { transfer_id, variant_id, location_id, delta, at, note, actor } of movements) {
    if (!transfer_id) continue;
    const transfer = transfers.get(transfer_id) ?? { id: transfer_id, from: '', to: '', at, note, who: actor.label, lines: [] };
    transfers.set(transfer_id, transfer);
    if (delta < 0) transfer.from = location_id;
    else {
      transfer.to = location_id;
      transfer.lines.push({ variant_id, quantity: delta });
    }
  }
  return [...transfers.values()];
}

/** What was moved between locations. */
export default function Transfers() {
  const w = useTransferWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('new', 'id');
  const locations = query.useQuery('get', '/v1/locations', { params: { query: { limit: 100 } } });
  const movements = useInfiniteQuery({
    queryKey: ['transfers'],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam }) => {
      const { data } = await answered(api.GET('/v1/inventory/movements', { params: { query: { type: 'transfer', limit: 100, ...(pageParam && { cursor: pageParam }) } } }));
      return { data: together(data.data), next_cursor: data.next_cursor };
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const name = (id: string) => locations.data?.data.find((location) => location.id === id)?.name ?? '–';
  const several = (locations.data?.data.filter(({ active }) => active).length ?? 0) > 1;
  const add = can('inventory:write') && several && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  const opened = movements.data?.pages.flatMap((page) => page.data).find(({ id }) => id === filters.values.id);
  const way = ({ from, to }: Transfer) => (
    <Group gap={6} component="span">
      {name(from)} <IconArrowNarrowRight size={16} aria-hidden /> {name(to)}
    </Group>
  );
  const pieces = ({ lines }: Transfer) => w.pieces(f.number(lines.reduce((sum, { quantity }) => sum + quantity, 0)));
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<Transfer>
        label={w.title}
        query={movements}
        id={(transfer) => transfer.id}
        open={(transfer) => filters.set({ id: transfer.id })}
        empty={<Empty icon={IconTruckDelivery} title={w.empty.title} text={locations.data && !several ? w.oneLocation : w.empty.text} action={add} />}
        columns={[
          { name: w.columns.way, cell: way },
          { name: w.columns.what, width: 140, cell: pieces },
          { name: w.columns.note, wide: true, cell: ({ note }) => note ?? '' },
          { name: w.columns.who, wide: true, width: 200, cell: ({ who }) => who },
          { name: w.columns.when, wide: true, width: 160, cell: ({ at }) => <span title={f.time(at)}>{f.ago(at)}</span> },
        ]}
      />
      <Modal opened={filters.values.new !== '' && several} onClose={() => filters.set({ new: '' })} title={w.add} size="lg">
        <New locations={locations.data?.data.filter(({ active }) => active) ?? []} close={() => filters.set({ new: '' })} />
      </Modal>
      <Drawer opened={opened !== undefined} onClose={() => filters.set({ id: '' })} position="right" title={w.detail}>
        {opened && (
          <Stack>
            <Fact name={w.columns.way}>{way(opened)}</Fact>
            <Fact name={w.columns.when}>{f.time(opened.at)}</Fact>
            <Fact name={w.columns.who}>{opened.who}</Fact>
            {opened.note && <Fact name={w.columns.note}>{opened.note}</Fact>}
            <Fact name={w.lines}>
              <Stack gap={6} mt={4}>
                {opened.lines.map(({ variant_id, quantity }) => (
                  <Group key={variant_id} justify="space-between" wrap="nowrap">
                    <VariantName id={variant_id} />
                    <Text size="sm" fw={600}>
                      {f.number(quantity)}
                    </Text>
                  </Group>
                ))}
              </Stack>
            </Fact>
          </Stack>
        )}
      </Drawer>
    </Page>
  );
}

/** What a variant is called, which a movement does not tell. */
function VariantName({ id }: { id: string }) {
  const { query } = useStore();
  const item = query.useQuery('get', '/v1/inventory/{variant_id}', { params: { path: { variant_id: id } } });
  if (item.isPending) return <Skeleton height={14} width={160} />;
  return <Text size="sm">{item.data?.title ?? id}</Text>;
}

type Line = Picked & { quantity: number };

function New({ locations, close }: { locations: Schemas['Location'][]; close: () => void }) {
  const w = useTransferWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [from, setFrom] = useState(locations[0]?.id ?? '');
  const [to, setTo] = useState(locations[1]?.id ?? '');
  const [note, setNote] = useState('');
  const [lines, setLines] = useState<Line[]>([]);
  const [picking, setPicking] = useState(false);
  const choices = locations.map(({ id, name }) => ({ value: id, label: name }));
  const move = useWrite({
    said: w.done,
    write: () =>
      answered(
        api.POST('/v1/inventory/transfers', {
          params: { header: { 'Idempotency-Key': key } },
          body: { from_location_id: from, to_location_id: to, ...(note.trim() && { note: note.trim() }), lines: lines.map(({ variant, quantity }) => ({ variant_id: variant.id, quantity })) },
        }),
      ),
    done: close,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        move.mutate();
      }}
    >
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select label={w.from} allowDeselect={false} data={choices} value={from} onChange={(next) => setFrom(next ?? from)} />
          <Select label={w.to} allowDeselect={false} data={choices.filter(({ value }) => value !== from)} value={to === from ? null : to} onChange={(next) => setTo(next ?? to)} />
        </SimpleGrid>
        {lines.length === 0 && (
          <Text size="sm" c="dimmed">
            {w.none}
          </Text>
        )}
        {lines.map((line) => (
          <There key={line.variant.id} line={line} from={from} set={(quantity) => setLines((now) => now.map((each) => (each === line ? { ...each, quantity } : each)))} remove={() => setLines((now) => now.filter((each) => each !== line))} />
        ))}
        <Group>
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setPicking(true)}>
            {w.pick}
          </Button>
        </Group>
        <TextInput label={w.note} maxLength={255} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={lines.length === 0 || from === to} loading={move.isPending}>
            {w.go}
          </Button>
        </Group>
      </Stack>
      <PickVariants
        opened={picking}
        close={() => setPicking(false)}
        add={(picked) => setLines((now) => [...now, ...picked.filter(({ variant }) => !now.some((each) => each.variant.id === variant.id)).map((each) => ({ ...each, quantity: 1 }))])}
      />
    </form>
  );
}

/** One line, and how many of it there are where it comes from. */
function There({ line: { product, variant, quantity }, from, set, remove }: { line: Line; from: string; set: (quantity: number) => void; remove: () => void }) {
  const w = useTransferWords();
  const f = useFormat();
  const { query } = useStore();
  const title = product.variant_count > 1 ? `${product.title}, ${variant.title}` : product.title;
  const levels = query.useQuery('get', '/v1/inventory/levels', { params: { query: { variant_id: variant.id, location_id: from, limit: 1 } } });
  const there = levels.data?.data[0]?.available ?? 0;
  return (
    <Group wrap="nowrap" gap="sm">
      <Stack gap={0} flex={1} miw={0}>
        <Text size="sm" fw={500} lineClamp={2}>
          {title}
        </Text>
        {levels.data && (
          <Text size="xs" c={quantity > there ? 'var(--stoa-bad)' : 'dimmed'}>
            {w.there(f.number(there))}
          </Text>
        )}
      </Stack>
      <NumberInput aria-label={`${title}: ${w.quantity}`} w={90} min={1} max={1_000_000_000} allowDecimal={false} value={quantity} onChange={(next) => set(Math.max(1, Number(next)))} />
      <ActionIcon aria-label={w.remove(title)} onClick={remove}>
        <IconX size={17} />
      </ActionIcon>
    </Group>
  );
}
