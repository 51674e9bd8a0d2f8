import { ActionIcon, Anchor, Button, Center, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconPlus, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { pages } from '../../page/list';
import { Ordered, moved } from '../../page/order';
import { PickVariants } from '../../page/pick';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { Picture, ProductStatus } from '../products/products';
import { useCollectionWords } from './words';

type Product = Schemas['Product'];

/** Products that were chosen for a collection that is not there yet. */
export function Chosen({ products, change }: { products: Product[]; change: (products: Product[]) => void }) {
  const w = useCollectionWords();
  return (
    <Section title={w.products} actions={<Add add={(added) => change([...products, ...added.filter(({ id }) => !products.some((each) => each.id === id))])} />}>
      {products.length === 0 && <None text={w.list.none} />}
      <Ordered items={products} id={({ id }) => id} name={({ title }) => title} move={(from, at) => change(moved(products, from, at))}>
        {(product, handle) => <Row product={product} handle={handle} remove={() => change(products.filter(({ id }) => id !== product.id))} />}
      </Ordered>
    </Section>
  );
}

/** What is in a collection that there is. By hand, each change of it is made at once. */
export function Within({ collection }: { collection: Schemas['Collection'] }) {
  const w = useCollectionWords();
  const everywhere = useWords();
  const { api, query, can } = useStore();
  const path = { collection_id: collection.id };
  const within = query.useInfiniteQuery('get', '/v1/collections/{collection_id}/products', { params: { path, query: { limit: 50 } } }, pages);
  const loaded = within.data?.pages.flatMap((page) => page.data) ?? [];
  // While something is moved, and until that is saved and read anew, its place here counts.
  const [order, setOrder] = useState<string[]>();
  const products = order ? loaded.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id)) : loaded;
  const writes = can('products:write') && collection.rule === null;
  const byHand = writes && collection.sort_order === 'manual';

  const add = useWrite({
    write: (product_ids: string[]) => answered(api.POST('/v1/collections/{collection_id}/products', { params: { path, header: { 'Idempotency-Key': idempotencyKey() } }, body: { product_ids } })),
  });
  const remove = useWrite({
    write: (product: Product) => answered(api.DELETE('/v1/collections/{collection_id}/products/{product_id}', { params: { path: { ...path, product_id: product.id } } })),
    undoable: true,
    said: w.list.removed,
  });
  const move = useWrite({
    write: ({ id, position }: { id: string; position: number }) => answered(api.PATCH('/v1/collections/{collection_id}/products/{product_id}', { params: { path: { ...path, product_id: id } }, body: { position } })),
    done: async () => {
      await within.refetch();
      setOrder(undefined);
    },
  });
  const settled = useDebouncedCallback((id: string, position: number) => move.mutate({ id, position }), 600);
  if (within.isLoadingError) return <Trouble error={within.error} retry={within.refetch} />;
  return (
    <Section title={w.products} text={byHand && loaded.length > 1 ? w.list.drag : undefined} actions={writes && <Add add={(added) => add.mutate(added.map(({ id }) => id))} />}>
      {within.isPending && [1, 2, 3].map((n) => <Skeleton key={n} height={44} />)}
      {within.data && products.length === 0 && <None text={collection.rule ? w.list.noneByRule : w.list.none} />}
      <Ordered
        items={products}
        id={({ id }) => id}
        name={({ title }) => title}
        disabled={!byHand}
        move={(from, at) => {
          const product = products[from];
          if (!product) return;
          setOrder(moved(products, from, at).map(({ id }) => id));
          settled(product.id, at);
        }}
      >
        {(product, handle) => <Row product={product} handle={byHand ? handle : null} remove={writes ? () => remove.mutate(product) : undefined} />}
      </Ordered>
      {within.hasNextPage && (
        <Center>
          <Button variant="subtle" loading={within.isFetchingNextPage} onClick={() => void within.fetchNextPage()}>
            {everywhere.more}
          </Button>
        </Center>
      )}
    </Section>
  );
}

function Add({ add }: { add: (products: Product[]) => void }) {
  const w = useCollectionWords();
  const [picking, setPicking] = useState(false);
  return (
    <>
      <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setPicking(true)}>
        {w.list.add}
      </Button>
      <PickVariants whole opened={picking} close={() => setPicking(false)} add={(picked) => add([...new Map(picked.map(({ product }) => [product.id, product])).values()])} />
    </>
  );
}

function None({ text }: { text: string }) {
  return (
    <Text size="sm" c="dimmed">
      {text}
    </Text>
  );
}

function Row({ product, handle, remove }: { product: Product; handle: ReactNode; remove?: () => void }) {
  const w = useCollectionWords();
  const { to } = useStore();
  return (
    <Group wrap="nowrap" gap="sm" py={6}>
      {handle}
      <Picture product={product} size={40} />
      <Stack gap={0} flex={1} miw={0}>
        <Anchor component={Link} to={to(`products/${product.id}`)} size="sm" fw={500} c="inherit" lineClamp={2}>
          {product.title}
        </Anchor>
      </Stack>
      {product.status !== 'active' && <ProductStatus status={product.status} />}
      {remove && (
        <ActionIcon aria-label={w.list.remove(product.title)} onClick={remove}>
          <IconX size={17} />
        </ActionIcon>
      )}
    </Group>
  );
}
