import { ActionIcon, Button, Menu, Skeleton, Stack } from '@mantine/core';
import { IconCopy, IconDots, IconExternalLink, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Translate } from '../../page/translate';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { combinations, type Draft, type DraftVariant, draftOf, first, measures, priceIn, productUpdate, stockLines, variantUpdate } from './draft';
import { Editor, useProductForm } from './editor';
import { Media, type Photo } from './media';
import { upload } from './new';
import { ProductStatus } from './products';
import { useProductWords } from './words';

type Loaded = { product: Schemas['Product']; version?: string; levels: Schemas['InventoryLevel'][]; locations: Schemas['Location'][] };

/** A product that there is. */
export default function Product() {
  const { product: id = '' } = useParams();
  const { api, can } = useStore();
  const seesStock = can('inventory:read');
  const loaded = useQuery({
    queryKey: ['product', id],
    queryFn: async (): Promise<Loaded> => {
      const [product, levels, locations] = await Promise.all([
        answered(api.GET('/v1/products/{product_id}', { params: { path: { product_id: id } } })),
        seesStock ? levelsOf(api, id) : [],
        seesStock ? answered(api.GET('/v1/locations', { params: { query: { limit: 100 } } })).then(({ data }) => data.data.filter((location) => location.active)) : [],
      ]);
      return { product: product.data, version: product.version, levels, locations };
    },
  });
  if (loaded.isLoadingError) return <Trouble error={loaded.error} retry={loaded.refetch} />;
  if (!loaded.data) return <Loading />;
  return <Present key={id} {...loaded.data} />;
}

/** What variants that are made of new choices have of one that there is. */
const alike = (variant: DraftVariant): Schemas['VariantMatrix'] => ({
  prices: variant.prices,
  taxable: variant.taxable,
  track_inventory: variant.track_inventory,
  allow_backorder: variant.allow_backorder,
  requires_shipping: variant.requires_shipping,
  ...measures(variant),
});

/** The stock of all variants that a product shows. */
async function levelsOf(api: ReturnType<typeof useStore>['api'], product_id: string): Promise<Schemas['InventoryLevel'][]> {
  const all: Schemas['InventoryLevel'][] = [];
  for (let cursor: string | undefined; ; ) {
    // oxlint-disable-next-line no-await-in-loop
    const { data } = await answered(api.GET('/v1/inventory/levels', { params: { query: { product_id, limit: 100, ...(cursor && { cursor }) } } }));
    all.push(...data.data);
    if (!data.next_cursor) return all;
    cursor = data.next_cursor;
  }
}

function Present({ product, version, levels, locations }: Loaded) {
  const w = useProductWords();
  const everywhere = useWords();
  const store = useStore();
  const { api, can, to, settings } = store;
  const client = useQueryClient();
  const go = useNavigate();
  const [left, setLeft] = useState(false);
  const there = draftOf(product, levels, locations);
  const form = useProductForm(there, product.id);
  const { values: saved, version: meant } = useFresh(form, there, version);
  const more = product.variant_count - product.variants.length;
  const path = { product_id: product.id };

  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    write: async (draft: Draft) => {
      const requests: string[] = [];
      const did = async <T,>(pending: Promise<Answer<T>>) => requests.push(...(await pending).requests);
      const changed = productUpdate(draft, saved);
      if (changed) await did(answered(api.PATCH('/v1/products/{product_id}', { params: { path, header: { 'If-Match': meant } }, body: changed })));
      if (changed?.options && combinations(draft.options).length > product.variant_count) {
        const pattern = draft.variants[0];
        await did(answered(api.POST('/v1/products/{product_id}/variants/generate', { params: { path, header: { 'Idempotency-Key': idempotencyKey() } }, body: { ...(pattern && alike(pattern)), ...(draft.sku_pattern && { sku_pattern: draft.sku_pattern }) } })));
      }
      for (const variant of draft.variants) {
        const before = saved.variants.find(({ id }) => id === variant.id);
        const update = before && variantUpdate(variant, before, settings.currency);
        // oxlint-disable-next-line no-await-in-loop
        if (update && variant.id) await did(answered(api.PATCH('/v1/variants/{variant_id}', { params: { path: { variant_id: variant.id } }, body: update })));
      }
      const lines = stockLines(draft.variants, saved.variants);
      if (lines.length > 0) await did(answered(api.POST('/v1/inventory/adjustments', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body: { reason: 'correction', lines } })));
      // Stock is a ledger, and what was counted is not taken back.
      return { data: undefined, requests: lines.length > 0 ? [] : requests, version: undefined };
    },
    done: () => {
      form.resetDirty();
      return client.refetchQueries({ queryKey: ['product', product.id] });
    },
  });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/products/{product_id}', { params: { path } })),
    said: w.deleted(product.title),
    undoable: true,
    done: () => {
      setLeft(true);
      void go(to('products'));
    },
  });
  const copy = (): Draft => ({
    ...there,
    title: w.copyOf(product.title),
    handle: '',
    status: 'draft',
    variants: there.variants.map((variant) => ({ ...variant, id: null, sku: '', barcode: '', image_id: null, stock: { [first]: null } })),
  });
  const shown = product.status === 'active' && product.variants.some((variant) => priceIn({ prices: variant.prices } as Draft['variants'][0], settings.currency));
  return (
    <Page
      title={product.title}
      beside={<ProductStatus status={product.status} />}
      back="products"
      actions={
        <>
          {shown && (
            <Button component="a" href={`${settings.shop_url.replace(/\/$/, '')}/products/${product.handle}`} target="_blank" rel="noopener" variant="default" leftSection={<IconExternalLink size={17} aria-hidden />}>
              {w.view}
            </Button>
          )}
          <Translate id={product.id} name={product.title} />
          {can('products:write') && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item component={Link} to={to('products/new')} state={{ copied: copy() }} leftSection={<IconCopy size={16} aria-hidden />}>
                  {w.duplicate}
                </Menu.Item>
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
                  {everywhere.delete}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      <Editor form={form} images={product.images} media={<Photos product={product} />} locations={locations} isNew={false} more={more} saving={save.isPending || left} save={(draft) => save.mutate(draft)} />
    </Page>
  );
}

/** The photos of a product that there is: each change of them is made at once. */
function Photos({ product }: { product: Schemas['Product'] }) {
  const w = useProductWords();
  const { api } = useStore();
  const client = useQueryClient();
  const [waiting, setWaiting] = useState<Photo[]>([]);
  const path = (photo: Photo) => ({ product_id: product.id, image_id: photo.id });
  const describe = useWrite({ write: ({ photo, alt }: { photo: Photo; alt: string }) => answered(api.PATCH('/v1/products/{product_id}/images/{image_id}', { params: { path: path(photo) }, body: { alt: alt || null } })) });
  const move = useWrite({
    ahead: ({ photo, at }) => ({
      key: ['product', product.id],
      to: (now: Loaded) => {
        const { images } = now.product;
        return { ...now, product: { ...now.product, images: images.filter(({ id }) => id !== photo.id).toSpliced(at, 0, ...images.filter(({ id }) => id === photo.id)) } };
      },
    }),
    write: ({ photo, at }: { photo: Photo; at: number }) => answered(api.PATCH('/v1/products/{product_id}/images/{image_id}', { params: { path: path(photo) }, body: { position: at } })),
  });
  const remove = useWrite({ write: (photo: Photo) => answered(api.DELETE('/v1/products/{product_id}/images/{image_id}', { params: { path: path(photo) } })), said: w.media.deleted, undoable: true });
  const add = async (files: File[]) => {
    const added = files.map((file) => ({ id: idempotencyKey(), url: URL.createObjectURL(file), alt: '', waiting: true, file }));
    setWaiting((now) => [...now, ...added]);
    for (const photo of added) {
      // oxlint-disable-next-line no-await-in-loop
      await upload(api, product.id, photo.file).catch((error: Error) => complain(error.message || w.media.failed(photo.file.name)));
    }
    await client.refetchQueries({ queryKey: ['product', product.id] });
    setWaiting((now) => now.filter((photo) => !added.includes(photo as (typeof added)[0])));
    for (const { url } of added) URL.revokeObjectURL(url);
  };
  const there = product.images.map((image) => ({ id: image.id, url: image.sizes.find(({ width }) => width >= 480)?.url ?? image.url, alt: image.alt ?? '' }));
  return (
    <Media
      photos={[...there, ...waiting]}
      add={(files) => void add(files)}
      move={(photo, at) => move.mutate({ photo, at })}
      describe={(photo, alt) => describe.mutate({ photo, alt })}
      remove={(photo) => remove.mutate(photo)}
    />
  );
}

function Loading() {
  return (
    <Stack maw={1180} mx="auto">
      <Skeleton height={32} width={320} mb="md" />
      <Skeleton height={300} radius="lg" />
      <Skeleton height={200} radius="lg" />
    </Stack>
  );
}
