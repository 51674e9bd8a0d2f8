import { Button, NumberInput, Select, Text, TextInput } from '@mantine/core';
import { IconPlus, IconStackPop } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { complain, useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { SaveBar } from '../../page/form';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { PickVariants, type Picked } from '../../page/pick';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useInventoryWords } from './words';

type Level = Pick<Schemas['InventoryLevel'], 'variant_id' | 'title' | 'sku' | 'on_hand' | 'reserved'>;
type Typed = { counted: Record<string, number>; added: Level[]; reason: Schemas['InventoryAdjustment']['reason']; note: string };

/** How many changes of stock one request takes. */
const most = 250;

/** Where it is counted, which stands in the address. */
export default function Count() {
  const { query } = useStore();
  const filters = useFilters('location');
  const locations = query.useQuery('get', '/v1/locations', { params: { query: { limit: 100 } } });
  if (locations.isLoadingError) return <Trouble error={locations.error} retry={locations.refetch} />;
  const places = locations.data?.data.filter(({ active }) => active) ?? [];
  const here = places.find(({ id }) => id === filters.values.location) ?? places[0];
  return here ? <At key={here.id} here={here} places={places} go={(location) => filters.set({ location })} /> : null;
}

/** The stock of everything at one location, to be typed over while one goes along the shelves. */
function At({ here, places, go }: { here: Schemas['Location']; places: Schemas['Location'][]; go: (location: string) => void }) {
  const w = useInventoryWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, query } = useStore();
  const [picking, setPicking] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const levels = query.useInfiniteQuery('get', '/v1/inventory/levels', { params: { query: { location_id: here.id, limit: 100 } } }, { ...pages, placeholderData: keepPreviousData });
  const initialValues: Typed = { counted: {}, added: [], reason: 'correction', note: '' };
  const form = useForm<Typed>({ of: `count ${here.id}`, initialValues });
  const { counted, added, reason, note } = form.values;
  const there = levels.data?.pages.flatMap((page) => page.data) ?? [];
  const extra = added.filter(({ variant_id }) => !there.some((level) => level.variant_id === variant_id));
  const all: Level[] = [...extra, ...there];
  const lines = Object.entries(counted).flatMap(([variant_id, on_hand]) => (all.find((level) => level.variant_id === variant_id)?.on_hand === on_hand ? [] : [{ variant_id, location_id: here.id, on_hand }]));
  const set = (variant_id: string, on_hand: number | undefined) => {
    setWrong((now) => without(now, variant_id));
    const others = without(form.getValues().counted, variant_id);
    form.setFieldValue('counted', on_hand === undefined ? others : { ...others, [variant_id]: on_hand });
  };
  const save = useWrite({
    // A fault is told of the line of a request, and stands in the row that it is of.
    form: { getValues: () => ({ lines }), setErrors: (errors) => setWrong(Object.fromEntries(Object.entries(errors).map(([field, text]) => [lines[Number(field.split('.')[1])]?.variant_id ?? '', String(text)]))) },
    said: w.saved,
    write: async () => {
      let last: Answer<unknown> | undefined;
      for (let from = 0; from < lines.length; from += most) {
        const some = lines.slice(from, from + most);
        // One after the other: what is refused stays typed, and so does what comes after it.
        // oxlint-disable-next-line no-await-in-loop
        last = await answered(api.POST('/v1/inventory/adjustments', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body: { reason, lines: some, ...(note.trim() && { note: note.trim() }) } }));
        for (const { variant_id } of some) set(variant_id, undefined);
      }
      return last ?? { data: undefined, requests: [], version: undefined };
    },
    done: () => form.reset(),
  });
  // What is not here yet, or is further down, comes first.
  const add = async (picked: Picked[]) => {
    const more = picked.filter(({ variant }) => variant.track_inventory && !all.some(({ variant_id }) => variant_id === variant.id));
    const found = await Promise.all(
      more.map(async ({ product, variant }): Promise<Level> => {
        const { data } = await answered(api.GET('/v1/inventory/levels', { params: { query: { variant_id: variant.id, location_id: here.id, limit: 1 } } }));
        return data.data[0] ?? { variant_id: variant.id, title: product.variant_count > 1 ? `${product.title}, ${variant.title}` : product.title, sku: variant.sku, on_hand: 0, reserved: 0 };
      }),
    );
    form.setFieldValue('added', [...form.getValues().added, ...found]);
  };
  return (
    <Page
      title={w.count.title}
      text={w.count.text}
      back="stock"
      actions={
        <Button variant="default" leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setPicking(true)}>
          {w.count.add}
        </Button>
      }
    >
      <form onSubmit={form.onSubmit(() => save.mutate())}>
        <List<Level>
          label={w.count.title}
          query={extra.length > 0 && levels.data ? { ...levels, data: { ...levels.data, pages: [{ data: all }] } } as typeof levels : levels}
          id={({ variant_id }) => variant_id}
          empty={<Empty icon={IconStackPop} {...w.empty} />}
          filters={
            <>
              {places.length > 1 && (
                <Select aria-label={w.count.at} w={200} allowDeselect={false} disabled={form.isDirty()} data={places.map(({ id, name }) => ({ value: id, label: name }))} value={here.id} onChange={(next) => next && go(next)} />
              )}
              <Select aria-label={w.reason} w={170} allowDeselect={false} data={Object.entries(w.reasons).map(([value, label]) => ({ value, label }))} {...form.getInputProps('reason')} />
              <TextInput aria-label={w.note} placeholder={w.note} flex={1} miw={160} maxLength={1000} {...form.getInputProps('note')} />
            </>
          }
          columns={[
            { name: w.columns.variant, cell: ({ title }) => title },
            { name: w.columns.sku, wide: true, width: 180, cell: ({ sku }) => sku ?? '–' },
            { name: w.columns.reserved, end: true, wide: true, width: 120, cell: ({ reserved }) => (reserved > 0 ? f.number(reserved) : '–') },
            { name: w.count.was, end: true, wide: true, width: 120, cell: ({ on_hand }) => f.number(on_hand) },
            {
              name: w.columns.onHand,
              end: true,
              width: 130,
              cell: ({ variant_id, title, on_hand }) => (
                <>
                  <NumberInput
                    aria-label={`${title}: ${w.columns.onHand}`}
                    size="xs"
                    min={on_hand < 0 ? undefined : 0}
                    max={1_000_000_000}
                    allowDecimal={false}
                    hideControls
                    error={wrong[variant_id]}
                    value={counted[variant_id] ?? on_hand}
                    onChange={(n) => set(variant_id, n === '' || Number(n) === on_hand ? undefined : Number(n))}
                  />
                  {counted[variant_id] !== undefined && counted[variant_id] !== on_hand && (
                    <Text size="xs" c="dimmed">
                      {counted[variant_id] > on_hand && '+'}
                      {f.number(counted[variant_id] - on_hand)}
                    </Text>
                  )}
                </>
              ),
            },
          ]}
        />
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
      <PickVariants opened={picking} close={() => setPicking(false)} add={(picked) => void add(picked).catch((error) => complain(problemOf(error).detail ?? everywhere.trouble.offline))} />
    </Page>
  );
}

function without<T>(all: Record<string, T>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([each]) => each !== name));
}
