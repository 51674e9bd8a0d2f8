import { ActionIcon, Button, Center, Group, Modal, MultiSelect, NumberInput, Select, Skeleton, Stack, Table, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconPlus, IconRowInsertBottom, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { pages } from '../../page/list';
import { MoneyInput } from '../../page/money';
import { PickVariants } from '../../page/pick';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { usePriceListWords } from './words';

type Price = Schemas['PriceListPrice'];

/** A price that is not in the list yet. */
type Added = Omit<Price, 'amount'> & { id: string; amount: number | null };

/** What was typed over the prices of a list, and is not saved: amounts by the keys of prices, none where one is taken away, and what is added. */
export type Typed = { over: Record<string, number | null>; added: Added[] };

export const nothingTyped: Typed = { over: {}, added: [] };

/** What tells a price from the others of its list. */
const keyOf = ({ variant_id, currency, min_quantity }: Pick<Price, 'variant_id' | 'currency' | 'min_quantity'>) => `${variant_id} ${currency} ${min_quantity}`;

/** What was typed, in the contract's words. */
export const pricesOf = ({ over, added }: Typed): Schemas['PriceListPriceSet'][] => [
  ...Object.entries(over).map(([key, amount]) => {
    const [variant_id = '', currency = '', min_quantity] = key.split(' ');
    return { variant_id, currency, min_quantity: Number(min_quantity), amount };
  }),
  ...added.map(({ variant_id, currency, min_quantity, amount }) => ({ variant_id, currency, min_quantity, amount })),
];

type PricesProps = { list: Schemas['PriceList']; typed: Typed; setTyped: (change: (now: Typed) => Typed) => void };

/** The prices of a list: those that are saved, and those that are typed over or added. */
export function Prices({ list, typed, setTyped }: PricesProps) {
  const w = usePriceListWords();
  const everywhere = useWords();
  const { query, can, settings } = useStore();
  const [picking, setPicking] = useState(false);
  const [reducing, setReducing] = useState(false);
  const [currency, setCurrency] = useState<string>(settings.currency);
  const prices = query.useInfiniteQuery('get', '/v1/price-lists/{price_list_id}/prices', { params: { path: { price_list_id: list.id }, query: { limit: 100 } } }, pages);
  if (prices.isLoadingError) return <Trouble error={prices.error} retry={prices.refetch} />;
  const saved = (prices.data?.pages.flatMap((page) => page.data) ?? []).filter((price) => typed.over[keyOf(price)] !== null);
  const writes = can('products:write');
  const dirty = typed !== nothingTyped;
  const put = (key: string, amount: number | null) => setTyped((now) => ({ ...now, over: { ...now.over, [key]: amount } }));
  const add = (price: Omit<Added, 'id'>) => setTyped((now) => ({ ...now, added: [...now.added, { ...price, id: idempotencyKey() }] }));
  const change = (id: string, changed: Partial<Added>) => setTyped((now) => ({ ...now, added: now.added.map((each) => (each.id === id ? { ...each, ...changed } : each)) }));
  const drop = (id: string) => setTyped((now) => ({ ...now, added: now.added.filter((each) => each.id !== id) }));
  // A step further than the greatest quantity that it has a price from.
  const another = (price: Omit<Added, 'id'>) => {
    const most = Math.max(...[...saved, ...typed.added].filter((each) => each.variant_id === price.variant_id && each.currency === price.currency).map((each) => each.min_quantity));
    add({ ...price, min_quantity: Math.min(9999, most < 10 ? 10 : 2 * most) });
  };
  return (
    <Section
      flush
      title={w.prices.title}
      actions={
        writes && (
          <Group gap="xs" justify="end">
            {settings.currencies.length > 1 && <Select aria-label={everywhere.currency} size="xs" w={84} allowDeselect={false} data={settings.currencies} value={currency} onChange={(chosen) => setCurrency(chosen ?? settings.currency)} />}
            <Tooltip label={w.prices.leads} disabled={!dirty}>
              <Button variant="default" size="xs" data-disabled={dirty || undefined} onClick={() => !dirty && setReducing(true)}>
                {w.prices.reduce}
              </Button>
            </Tooltip>
            <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setPicking(true)}>
              {w.prices.add}
            </Button>
          </Group>
        )
      }
    >
      {prices.isPending && <Skeleton height={120} m="lg" />}
      {prices.data && saved.length + typed.added.length === 0 && (
        <Text size="sm" c="dimmed" px="lg" pb="lg">
          {w.prices.none}
        </Text>
      )}
      {saved.length + typed.added.length > 0 && (
        <Table.ScrollContainer minWidth={0} type="native">
          <Table verticalSpacing={8} horizontalSpacing="sm" aria-label={w.prices.title}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th ps="lg">{w.prices.variant}</Table.Th>
                <Table.Th w={110} ta="end" visibleFrom="sm">
                  {w.prices.own}
                </Table.Th>
                <Table.Th w={84}>{w.prices.from}</Table.Th>
                <Table.Th w={140}>{w.prices.price}</Table.Th>
                <Table.Th w={{ base: 44, sm: 100 }}>
                  <VisuallyHidden>{everywhere.actions}</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {typed.added.map((price) => (
                <Line key={price.id} price={price} amount={price.amount} set={(amount) => change(price.id, { amount })} quantity={(min_quantity) => change(price.id, { min_quantity })} another={() => another(price)} remove={() => drop(price.id)} />
              ))}
              {saved.map((price) => (
                <Line key={keyOf(price)} price={price} amount={typed.over[keyOf(price)] ?? price.amount} set={(amount) => amount !== null && put(keyOf(price), amount)} another={() => another(price)} remove={() => put(keyOf(price), null)} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {prices.hasNextPage && (
        <Center p="sm">
          <Button variant="subtle" loading={prices.isFetchingNextPage} onClick={() => void prices.fetchNextPage()}>
            {everywhere.more}
          </Button>
        </Center>
      )}
      <PickVariants
        opened={picking}
        close={() => setPicking(false)}
        add={(picked) => {
          for (const { product, variant } of picked) {
            const own_amount = variant.prices.find((price) => price.currency === currency)?.amount ?? null;
            const title = product.variant_count > 1 ? `${product.title}, ${variant.title}` : product.title;
            const price = { variant_id: variant.id, product_id: product.id, sku: variant.sku, title, currency, min_quantity: 1, amount: own_amount, own_amount };
            if (![...saved, ...typed.added].some((each) => keyOf(each) === keyOf(price))) add(price);
          }
        }}
      />
      <Modal opened={reducing} onClose={() => setReducing(false)} title={w.prices.reduce}>
        <Reduce list={list} close={() => setReducing(false)} />
      </Modal>
    </Section>
  );
}

type LineProps = { price: Omit<Price, 'amount'>; amount: number | null; set: (amount: number | null) => void; quantity?: (from: number) => void; another: () => void; remove: () => void };

function Line({ price, amount, set, quantity, another, remove }: LineProps) {
  const w = usePriceListWords();
  const f = useFormat();
  const { can } = useStore();
  return (
    <Table.Tr>
      <Table.Td ps="lg">
        <Text size="sm" fw={500}>
          {price.title}
        </Text>
        {price.sku && (
          <Text size="xs" c="dimmed">
            {price.sku}
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="end" visibleFrom="sm">
        <Text size="sm" c="dimmed">
          {price.own_amount === null ? '–' : f.money({ amount: price.own_amount, currency: price.currency })}
        </Text>
      </Table.Td>
      <Table.Td>
        {quantity ? (
          <NumberInput aria-label={`${price.title}: ${w.prices.quantity}`} size="xs" min={1} max={9999} allowDecimal={false} hideControls value={price.min_quantity} onChange={(from) => quantity(Math.max(1, Number(from)))} />
        ) : (
          <Text size="sm">{f.number(price.min_quantity)}</Text>
        )}
      </Table.Td>
      <Table.Td>
        <MoneyInput aria-label={`${price.title}: ${w.prices.price}`} size="xs" required currency={price.currency} value={amount} onChange={set} />
      </Table.Td>
      <Table.Td ta="end" style={{ whiteSpace: 'nowrap' }}>
        {can('products:write') && (
          <>
            <Tooltip label={w.prices.breaks}>
              <ActionIcon visibleFrom="sm" aria-label={`${price.title}: ${w.prices.breaks}`} onClick={another}>
                <IconRowInsertBottom size={17} />
              </ActionIcon>
            </Tooltip>
            <ActionIcon aria-label={w.prices.remove(price.title)} onClick={remove}>
              <IconX size={17} />
            </ActionIcon>
          </>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** Sets the prices of all of a collection, less a percentage. */
function Reduce({ list, close }: { list: Schemas['PriceList']; close: () => void }) {
  const w = usePriceListWords();
  const everywhere = useWords();
  const { api, query, settings } = useStore();
  const collections = query.useQuery('get', '/v1/collections', { params: { query: { limit: 100 } } });
  const [collection, setCollection] = useState<string | null>(null);
  const [percentage, setPercentage] = useState<number | string>('');
  const [currencies, setCurrencies] = useState<typeof settings.currencies>([]);
  const reduce = useWrite({
    said: w.reduction.done,
    undoable: true,
    write: () =>
      answered(
        api.POST('/v1/price-lists/{price_list_id}/prices/reduce', {
          params: { path: { price_list_id: list.id }, header: { 'Idempotency-Key': idempotencyKey() } },
          body: { collection_id: collection ?? '', percentage: String(percentage), ...(currencies.length > 0 && { currencies }) },
        }),
      ),
    done: close,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        reduce.mutate();
      }}
    >
      <Stack>
        <Select label={w.reduction.collection} searchable data-autofocus data={(collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))} value={collection} onChange={setCollection} />
        <NumberInput label={w.reduction.percentage} suffix=" %" min={0.01} max={100} decimalScale={2} value={percentage} onChange={setPercentage} />
        {settings.currencies.length > 1 && (
          <MultiSelect
            label={w.reduction.currencies}
            placeholder={currencies.length > 0 ? '' : everywhere.all}
            data={settings.currencies}
            value={currencies}
            onChange={(next) => setCurrencies(settings.currencies.filter((currency) => next.includes(currency)))}
          />
        )}
        <Text size="sm" c="dimmed">
          {w.reduction.text}
        </Text>
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={collection === null || percentage === ''} loading={reduce.isPending}>
            {w.reduction.go}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
