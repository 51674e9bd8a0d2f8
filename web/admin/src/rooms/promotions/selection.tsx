import { ActionIcon, Avatar, Button, Group, MultiSelect, SegmentedControl, Stack, TagsInput, Text } from '@mantine/core';
import { IconPhoto, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { PickVariants } from '../../page/pick';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import type { Selection } from './model';
import { usePromotionWords } from './words';

type SelectionProps = { label: string; value: Selection; onChange: (next: Selection) => void };

/** What a promotion is about: everything, or what is in any of what is chosen. */
export function Selected({ label, value, onChange }: SelectionProps) {
  const w = usePromotionWords();
  const { query, can } = useStore();
  const [picking, setPicking] = useState<'whole' | 'variants'>();
  const some = !value.all && can('products:read');
  const collections = query.useQuery('get', '/v1/collections', { params: { query: { limit: 100 } } }, { enabled: some });
  const tags = query.useQuery('get', '/v1/product-tags', { params: { query: { limit: 100 } } }, { enabled: some });
  const set = (changes: Partial<Selection>) => onChange({ ...value, ...changes });
  const more = (now: string[], added: string[]) => [...new Set([...now, ...added])];
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label={label}
        value={value.all ? 'all' : 'some'}
        onChange={(which) => set({ all: which === 'all' })}
        data={[
          { value: 'all', label: w.items.all },
          { value: 'some', label: w.items.some },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      {!value.all && (
        <>
          {value.product_ids.map((id) => (
            <ProductRow key={id} id={id} remove={() => set({ product_ids: value.product_ids.filter((other) => other !== id) })} />
          ))}
          {value.variant_ids.map((id) => (
            <VariantRow key={id} id={id} remove={() => set({ variant_ids: value.variant_ids.filter((other) => other !== id) })} />
          ))}
          <Group gap="xs">
            <Button variant="default" size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setPicking('whole')}>
              {w.items.products}
            </Button>
            <Button variant="default" size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setPicking('variants')}>
              {w.items.variants}
            </Button>
          </Group>
          <MultiSelect
            label={w.items.collections}
            searchable
            data={collections.data?.data.map(({ id, name }) => ({ value: id, label: name })) ?? []}
            value={value.collection_ids}
            onChange={(collection_ids) => set({ collection_ids })}
          />
          <TagsInput label={w.items.tags} data={tags.data?.data.map(({ tag }) => tag) ?? []} acceptValueOnBlur value={value.tags} onChange={(next) => set({ tags: next })} />
          <PickVariants
            opened={picking !== undefined}
            whole={picking === 'whole'}
            close={() => setPicking(undefined)}
            add={(picked) =>
              picking === 'whole' ? set({ product_ids: more(value.product_ids, picked.map(({ product }) => product.id)) }) : set({ variant_ids: more(value.variant_ids, picked.map(({ variant }) => variant.id)) })
            }
          />
        </>
      )}
    </Stack>
  );
}

function ProductRow({ id, remove }: { id: string; remove: () => void }) {
  const w = usePromotionWords();
  const { query } = useStore();
  const product = query.useQuery('get', '/v1/products/{product_id}', { params: { path: { product_id: id } } });
  return <Row title={product.data?.title ?? (product.isError ? w.items.gone : '…')} image={product.data?.images[0]?.url} remove={remove} />;
}

function VariantRow({ id, remove }: { id: string; remove: () => void }) {
  const w = usePromotionWords();
  const { query } = useStore();
  const variant = query.useQuery('get', '/v1/variants/{variant_id}', { params: { path: { variant_id: id } } });
  const product_id = variant.data?.product_id ?? '';
  const product = query.useQuery('get', '/v1/products/{product_id}', { params: { path: { product_id } } }, { enabled: product_id !== '' });
  const title = [product.data?.title, variant.data && variant.data.title !== 'Default' && variant.data.title].filter(Boolean).join(' · ');
  return <Row title={title || (variant.isError ? w.items.gone : '…')} image={product.data?.images[0]?.url} remove={remove} />;
}

function Row({ title, image, remove }: { title: string; image?: string; remove: () => void }) {
  const w = useWords();
  return (
    <Group wrap="nowrap" gap="sm">
      <Avatar src={image} size={32} radius="sm" alt="" color="gray">
        <IconPhoto size={16} stroke={1.5} aria-hidden />
      </Avatar>
      <Text size="sm" flex={1} miw={0} truncate>
        {title}
      </Text>
      <ActionIcon aria-label={`${w.remove}: ${title}`} onClick={remove}>
        <IconX size={16} />
      </ActionIcon>
    </Group>
  );
}
