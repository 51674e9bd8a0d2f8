import { ActionIcon, Avatar, Button, Group, Menu, Select, Text } from '@mantine/core';
import { IconDots, IconDownload, IconPackage, IconPhoto, IconPlus, IconTable, IconUpload } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Search } from '../../page/search';
import { type Mood, State } from '../../page/state';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useCategoryChoices } from '../categories/tree';
import { narrowedBy } from './asked';
import { Bulk } from './bulk';
import { useProductWords } from './words';

type Product = Schemas['Product'];

const moods: Record<Schemas['ProductStatus'], Mood> = { active: 'well', draft: 'waits', archived: 'over' };

export function ProductStatus({ status }: { status: Schemas['ProductStatus'] }) {
  const w = useProductWords();
  return <State mood={moods[status]}>{w.status[status]}</State>;
}

/** All products. */
export default function Products() {
  const w = useProductWords();
  const everywhere = useWords();
  const f = useFormat();
  const { query, can, to, settings } = useStore();
  const filters = useFilters('status', 'q', 'category', 'tag', 'collection', 'vendor', 'type', 'field');
  const { q, status, category, tag, collection, vendor, type, field } = filters.values;
  const categories = useCategoryChoices();
  const tags = query.useQuery('get', '/v1/product-tags', { params: { query: { limit: 100 } } });
  const [chosen, setChosen] = useState<string[]>([]);
  const [search] = useSearchParams();
  const narrowed = narrowedBy((name) => filters.values[name]);
  const { custom_field, ...bulk } = narrowed;
  const options = { placeholderData: keepPreviousData };
  const all = query.useInfiniteQuery('get', '/v1/products', { params: { query: { limit: 50, ...narrowed } } }, { ...pages, ...options, enabled: !q });
  const found = query.useInfiniteQuery('get', '/v1/search', { params: { query: { q, limit: 50, ...(narrowed.status && { status: narrowed.status }) } } }, { ...pages, ...options, enabled: Boolean(q) });
  const add = can('products:write') && (
    <Button component={Link} to={to('products/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.add}
    </Button>
  );
  return (
    <Page
      title={w.title}
      actions={
        <>
          {(can('imports:write') || can('exports:write')) && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {can('imports:write') && (
                  <Menu.Item component={Link} to={to('exchange/import')} leftSection={<IconUpload size={16} aria-hidden />}>
                    {w.exchange.import}
                  </Menu.Item>
                )}
                {can('exports:write') && (
                  <Menu.Item component={Link} to={to('exchange?export=products')} leftSection={<IconDownload size={16} aria-hidden />}>
                    {w.exchange.export}
                  </Menu.Item>
                )}
              </Menu.Dropdown>
            </Menu>
          )}
          {can('products:write') && (
            <Button component={Link} to={to(`products/grid${search.size > 0 ? `?${search}` : ''}`)} variant="default" leftSection={<IconTable size={18} aria-hidden />} visibleFrom="sm">
              {w.spreadsheet}
            </Button>
          )}
          {add}
        </>
      }
    >
      <List<Product>
        label={w.title}
        query={q ? found : all}
        id={(product) => product.id}
        to={(product) => to(`products/${product.id}`)}
        choice={can('products:write') ? { name: ({ title }) => title, chosen, choose: setChosen, actions: <Bulk chosen={chosen} filter={all.hasNextPage && !q && !custom_field && Object.keys(bulk).length > 0 ? bulk : undefined} done={() => setChosen([])} /> } : undefined}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconPackage} {...w.empty} action={add} />}
        filters={
          <>
            <Views label={w.columns.status} value={status} names={{ all: everywhere.all, ...w.status }} onChange={(next) => filters.set({ status: next })} />
            <Search label={w.search} value={q} onChange={(next) => filters.set({ q: next, ...(next && { category: '', tag: '', collection: '', vendor: '', type: '', field: '' }) })} />
            {!q && categories.length > 0 && (
              <Select aria-label={w.filters.category} placeholder={w.filters.category} clearable searchable w={170} data={categories} value={category || null} onChange={(next) => filters.set({ category: next ?? '' })} />
            )}
            {!q && (tags.data?.data.length ?? 0) > 0 && (
              <Select aria-label={w.filters.tag} placeholder={w.filters.tag} clearable searchable w={150} data={tags.data?.data.map((each) => each.tag)} value={tag || null} onChange={(next) => filters.set({ tag: next ?? '' })} />
            )}
            {!q && <Rarer values={{ collection, vendor, type, field }} set={filters.set} />}
          </>
        }
        columns={[
          {
            name: w.columns.product,
            cell: (product) => (
              <Group gap="sm" wrap="nowrap">
                <Picture product={product} />
                <div>
                  <Text size="sm" fw={600} lineClamp={2}>
                    {product.title}
                  </Text>
                  {product.vendor && (
                    <Text size="xs" c="dimmed" fw={400}>
                      {product.vendor}
                    </Text>
                  )}
                </div>
              </Group>
            ),
          },
          { name: w.columns.status, width: 120, cell: (product) => <ProductStatus status={product.status} /> },
          { name: w.columns.stock, wide: true, cell: (product) => <Stock product={product} /> },
          { name: w.columns.price, end: true, width: 150, cell: (product) => priceRange(product, settings.currency, f.money) },
        ]}
      />
    </Page>
  );
}

type RarerProps = { values: Record<'collection' | 'vendor' | 'type' | 'field', string>; set: (changed: Partial<RarerProps['values']>) => void };

/** The filters of products that are seldom used. */
function Rarer({ values, set }: RarerProps) {
  const w = useProductWords();
  const { query, can } = useStore();
  const collections = query.useQuery('get', '/v1/collections', { params: { query: { limit: 100 } } });
  const fields = query.useQuery('get', '/v1/field-definitions', { params: { query: { resource: 'product', limit: 100 } } }, { enabled: can('settings:read') });
  const { collection, vendor, type, field } = values;
  const [key = '', ...rest] = field.split(':');
  const named = fields.data?.data.find((each) => each.key === key);
  return (
    <Narrow set={Object.values(values).filter(Boolean).length}>
      <Select
        label={w.filters.collection}
        clearable
        searchable
        comboboxProps={{ withinPortal: false }}
        data={(collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        value={collection || null}
        onChange={(next) => set({ collection: next ?? '' })}
      />
      <NarrowText label={w.organisation.vendor} value={vendor} onChange={(next) => set({ vendor: next })} />
      <NarrowText label={w.organisation.type} value={type} onChange={(next) => set({ type: next })} />
      {(fields.data?.data.length ?? 0) > 0 && (
        <Select
          label={w.filters.field}
          clearable
          comboboxProps={{ withinPortal: false }}
          data={fields.data?.data.map((each) => ({ value: each.key, label: each.name }))}
          value={key || null}
          onChange={(next) => set({ field: next ? `${next}:` : '' })}
        />
      )}
      {key && <NarrowText label={named?.name ?? key} value={rest.join(':')} onChange={(next) => set({ field: `${key}:${next}` })} />}
    </Narrow>
  );
}

export function Picture({ product, size = 44 }: { product: Pick<Product, 'images'>; size?: number }) {
  const image = product.images[0];
  const small = image?.sizes.find((each) => each.width >= size * 2)?.url ?? image?.url;
  return (
    <Avatar src={small} size={size} radius="md" alt="" color="gray">
      <IconPhoto size={20} stroke={1.5} aria-hidden />
    </Avatar>
  );
}

function Stock({ product }: { product: Product }) {
  const w = useProductWords();
  const f = useFormat();
  const counted = product.variants.filter((variant) => variant.track_inventory);
  if (counted.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {w.untracked}
      </Text>
    );
  }
  const n = counted.reduce((sum, variant) => sum + variant.stock_quantity, 0);
  return (
    <Text size="sm" c={n === 0 ? 'var(--stoa-bad)' : undefined}>
      {w.inStock(f.number(n), product.variant_count)}
    </Text>
  );
}

function priceRange(product: Product, currency: string, money: (m: Schemas['Money']) => string): string {
  const amounts = product.variants.flatMap((variant) => variant.prices.filter((price) => price.currency === currency).map((price) => price.amount));
  if (amounts.length === 0) return '–';
  const [low, high] = [Math.min(...amounts), Math.max(...amounts)].map((amount) => money({ amount, currency })) as [string, string];
  return low === high ? low : `${low} – ${high}`;
}
