import { Select, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useStore } from '../../session/store';
import { useContentWords } from './words';

export type Link = Schemas['Link'];
export type Thing = 'product' | 'collection' | 'category' | 'page' | 'post';

const things: readonly string[] = ['product', 'collection', 'category', 'page', 'post'] satisfies Thing[];
const places = ['home', 'products', 'search', 'blog', 'contact', 'account', 'newsletter'] as const;

/** Whether a link leads to a thing of the shop. */
export const leadsToThing = (type: Link['type']): type is Thing => things.includes(type);

/** Whether all is said of a link, so that it can be kept. */
export function leads(link: Link | null | undefined): link is Link {
  if (!link) return false;
  if (leadsToThing(link.type)) return Boolean(link.resource_id);
  return link.type !== 'url' || Boolean(link.url);
}

/** The things of a kind that a search finds, by their names. */
export function useThings(kind: Thing, search: string): { id: string; name: string }[] {
  const { query } = useStore();
  const all = { params: { query: { limit: 100 } } };
  const latest = query.useQuery('get', '/v1/products', { params: { query: { limit: 20 } } }, { enabled: kind === 'product' && search === '' });
  const products = query.useQuery('get', '/v1/search', { params: { query: { q: search, limit: 20 } } }, { placeholderData: keepPreviousData, enabled: kind === 'product' && search !== '' });
  const collections = query.useQuery('get', '/v1/collections', all, { enabled: kind === 'collection' });
  const categories = query.useQuery('get', '/v1/categories', all, { enabled: kind === 'category' });
  const pages = query.useQuery('get', '/v1/pages', all, { enabled: kind === 'page' });
  const posts = query.useQuery('get', '/v1/posts', all, { enabled: kind === 'post' });
  const titled = ({ id, title }: { id: string; title: string }) => ({ id, name: title });
  const named = ({ id, name }: { id: string; name: string }) => ({ id, name });
  const found = {
    product: (search === '' ? latest : products).data?.data.map(titled),
    collection: collections.data?.data.map(named),
    category: categories.data?.data.map(named),
    page: pages.data?.data.map(titled),
    post: posts.data?.data.map(titled),
  };
  return found[kind] ?? [];
}

/** What a thing of the shop is called. */
export function useThingName(kind: Thing, id: string | null): string | undefined {
  const { query } = useStore();
  const of = <K extends Thing>(wanted: K) => ({ enabled: kind === wanted && Boolean(id), retry: false });
  const known = id ?? '';
  const product = query.useQuery('get', '/v1/products/{product_id}', { params: { path: { product_id: known } } }, of('product'));
  const collection = query.useQuery('get', '/v1/collections/{collection_id}', { params: { path: { collection_id: known } } }, of('collection'));
  const category = query.useQuery('get', '/v1/categories/{category_id}', { params: { path: { category_id: known } } }, of('category'));
  const page = query.useQuery('get', '/v1/pages/{page_id}', { params: { path: { page_id: known } } }, of('page'));
  const post = query.useQuery('get', '/v1/posts/{post_id}', { params: { path: { post_id: known } } }, of('post'));
  if (!id) return undefined;
  return { product: product.data?.title, collection: collection.data?.name, category: category.data?.name, page: page.data?.title, post: post.data?.title }[kind];
}

type ThingSelectProps = { kind: Thing; label: string; description?: string; placeholder?: string; value: string | null; onChange: (id: string | null) => void; clearable?: boolean; error?: ReactNode };

/** A field for a thing of the shop, which is searched for by its name. */
export function ThingSelect({ kind, value, onChange, ...rest }: ThingSelectProps) {
  const w = useContentWords();
  const [text, setText] = useState('');
  const name = useThingName(kind, value);
  const [search] = useDebouncedValue(text === name ? '' : text, 200);
  const found = useThings(kind, search);
  const data = found.map((thing) => ({ value: thing.id, label: thing.name }));
  if (value && !data.some((option) => option.value === value)) data.unshift({ value, label: name ?? '…' });
  return (
    <Select
      searchable
      allowDeselect={false}
      nothingFoundMessage={w.links.nothing}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      {...rest}
      data={data}
      // What is asked for is found by the store.
      filter={kind === 'product' ? ({ options }) => options : undefined}
      value={value}
      onChange={onChange}
      searchValue={text}
      onSearchChange={setText}
    />
  );
}

type LinkFieldProps = { label?: string; value: Link | null; onChange: (link: Link | null) => void; clearable?: boolean; errors?: { type?: string; resource_id?: string; url?: string } };

/** A field for where something leads: to a thing, to one of the shop's own pages, or to an address. */
export function LinkField({ label, value, onChange, clearable, errors = {} }: LinkFieldProps) {
  const w = useContentWords();
  const type = value?.type;
  return (
    <Stack gap="xs">
      <Select
        label={label ?? w.links.leads}
        placeholder={w.links.nowhere}
        clearable={clearable}
        allowDeselect={false}
        error={errors.type}
        data={[
          { group: w.links.things, items: things.map((thing) => ({ value: thing, label: w.links.types[thing as Thing] })) },
          { group: w.links.places, items: places.map((place) => ({ value: place, label: w.links.types[place] })) },
          { group: w.links.elsewhere, items: [{ value: 'url', label: w.links.types.url }] },
        ]}
        value={type ?? null}
        onChange={(next) => onChange(next ? { type: next as Link['type'] } : null)}
      />
      {value && leadsToThing(value.type) && (
        <ThingSelect key={value.type} kind={value.type} label={w.links.which[value.type]} placeholder={w.links.search} value={value.resource_id ?? null} error={errors.resource_id} onChange={(resource_id) => onChange({ type: value.type, resource_id })} />
      )}
      {value?.type === 'url' && <TextInput label={w.links.url} placeholder="https://" maxLength={2048} error={errors.url} value={value.url ?? ''} onChange={(event) => onChange({ type: 'url', url: event.currentTarget.value })} />}
    </Stack>
  );
}

/** What a link leads to, in words. */
export function LinkName({ link }: { link: Link }) {
  const w = useContentWords();
  const kind = leadsToThing(link.type) ? link.type : 'product';
  const name = useThingName(kind, leadsToThing(link.type) ? (link.resource_id ?? null) : null);
  if (link.type === 'url') return <>{link.url}</>;
  return <>{leadsToThing(link.type) ? (name ?? w.links.types[link.type]) : w.links.types[link.type]}</>;
}
