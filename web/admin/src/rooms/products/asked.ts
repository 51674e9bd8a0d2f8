import { useSearchParams } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { given } from '../../page/filters';
import { useStore } from '../../session/store';

/** The filters of the list by their names in an address, and what the contract calls them. */
const narrowers = { status: 'status', category: 'category_id', collection: 'collection_id', tag: 'tag', vendor: 'vendor', type: 'product_type', field: 'custom_field' } as const;

type Narrowed = { [name in (typeof narrowers)[keyof typeof narrowers]]?: string } & { status?: Schemas['ProductStatus'] };

/** What an address narrows the list down by. A custom field counts once there is a value to it. */
export function narrowedBy(get: (name: keyof typeof narrowers) => string): Narrowed {
  return given(Object.fromEntries((Object.keys(narrowers) as (keyof typeof narrowers)[]).map((name) => [narrowers[name], name === 'field' && !/:./.test(get(name)) ? '' : get(name)])));
}

type Page = { data: Schemas['Product'][]; next_cursor: string | null };

/** The products that an address asks for: those it names, those that a search finds, or those of the list that its filters are of. */
export function useAsked() {
  const { api } = useStore();
  const [search] = useSearchParams();
  const get = (name: string) => search.get(name) ?? '';
  const ids = get('ids').split(',').filter(Boolean);
  const q = get('q');
  const status = get('status') as Schemas['ProductStatus'] | '';
  const narrowed = narrowedBy(get);
  const page = async (cursor: string): Promise<Page> => {
    if (ids.length > 0) {
      const named = await Promise.all(ids.map((product_id) => answered(api.GET('/v1/products/{product_id}', { params: { path: { product_id } } }))));
      return { data: named.map(({ data }) => data), next_cursor: null };
    }
    const paged = { limit: 50, ...(cursor && { cursor }) };
    const { data } = q ? await answered(api.GET('/v1/search', { params: { query: { q, ...paged, ...(status && { status }) } } })) : await answered(api.GET('/v1/products', { params: { query: { ...paged, ...narrowed } } }));
    return data;
  };
  const back = new URLSearchParams(search);
  back.delete('ids');
  back.delete('columns');
  const rest = back.toString();
  return { key: [ids, q, narrowed], page, back: `products${rest && `?${rest}`}` };
}
