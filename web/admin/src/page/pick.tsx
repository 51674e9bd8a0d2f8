import { Avatar, Box, Button, Checkbox, Group, Modal, ScrollArea, Skeleton, Stack, Text } from '@mantine/core';
import { IconPhoto } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { useFormat } from '../words/format';
import { Search } from './search';
import { Trouble } from './trouble';
import { usePartWords } from './words';

export type Picked = { product: Schemas['Product']; variant: Schemas['Variant'] };

type Choice = {
  opened: boolean;
  close: () => void;
  add: (picked: Picked[]) => void;
  /** Whether products are chosen as a whole, with all their variants. */
  whole?: boolean;
};

/** Lets one choose variants of all that the store sells. */
export function PickVariants({ opened, close, add, whole }: Choice) {
  const w = usePartWords();
  return (
    <Modal opened={opened} onClose={close} title={w.pick.variants} size="lg" padding={0} styles={{ header: { padding: 'var(--mantine-spacing-md) var(--mantine-spacing-lg)' } }}>
      <Choose close={close} add={add} whole={whole} />
    </Modal>
  );
}

function Choose({ close, add, whole }: Omit<Choice, 'opened'>) {
  const w = usePartWords();
  const everywhere = useWords();
  const { query, settings } = useStore();
  const f = useFormat();
  const [q, setQ] = useState('');
  const [chosen, setChosen] = useState<Record<string, Picked>>({});
  const latest = query.useQuery('get', '/v1/products', { params: { query: { limit: 25 } } }, { enabled: q === '' });
  const found = query.useQuery('get', '/v1/search', { params: { query: { q, limit: 25 } } }, { enabled: q !== '', placeholderData: keepPreviousData });
  const shown = q === '' ? latest : found;
  const products = shown.data?.data ?? [];
  const picked = Object.values(chosen);
  const count = whole ? new Set(picked.map(({ product }) => product.id)).size : picked.length;
  const set = (those: Picked[], on: boolean) =>
    setChosen((now) => {
      const next = { ...now };
      for (const each of those) {
        if (on) next[each.variant.id] = each;
        else delete next[each.variant.id];
      }
      return next;
    });
  const told = (variant: Schemas['Variant']) => {
    const price = variant.prices.find(({ currency }) => currency === settings.currency) ?? variant.prices[0];
    return [price && f.money(price), variant.track_inventory && w.pick.stock(f.number(variant.stock_quantity))].filter(Boolean).join(' · ');
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        add(picked);
        close();
      }}
    >
      <Box px="lg" pb="sm" display="flex">
        <Search label={w.pick.search} value={q} onChange={setQ} />
      </Box>
      <ScrollArea.Autosize mah="50vh" type="auto" style={{ borderBlock: '1px solid var(--mantine-color-default-border)' }}>
        <Stack gap={0} px="lg" py="xs" mih={200}>
          {shown.isPending && [1, 2, 3, 4].map((n) => <Skeleton key={n} height={36} my={6} />)}
          {shown.isLoadingError && <Trouble error={shown.error} retry={shown.refetch} />}
          {shown.data && products.length === 0 && (
            <Text size="sm" c="dimmed" ta="center" py="xl">
              {q === '' ? w.pick.none : w.pick.nothing}
            </Text>
          )}
          {products.map((product) => {
            const all = product.variants.map((variant) => ({ product, variant }));
            const several = product.variant_count > 1;
            const n = all.filter(({ variant }) => variant.id in chosen).length;
            return (
              <div key={product.id}>
                <Choosable
                  label={product.title}
                  text={several ? w.pick.of(product.variant_count) : product.variants[0] && told(product.variants[0])}
                  image={product.images[0]?.url}
                  checked={n > 0 && n === all.length}
                  some={n > 0 && n < all.length}
                  set={(on) => set(all, on)}
                />
                {several &&
                  !whole &&
                  all.map((each) => (
                    <Choosable key={each.variant.id} within label={each.variant.title} text={told(each.variant)} checked={each.variant.id in chosen} set={(on) => set([each], on)} />
                  ))}
              </div>
            );
          })}
        </Stack>
      </ScrollArea.Autosize>
      <Group justify="end" px="lg" py="md">
        <Button variant="default" onClick={close}>
          {everywhere.cancel}
        </Button>
        <Button type="submit" disabled={picked.length === 0}>
          {w.pick.add(count)}
        </Button>
      </Group>
    </form>
  );
}

type ChoosableProps = { label: string; text?: string; image?: string; within?: boolean; checked: boolean; some?: boolean; set: (on: boolean) => void };

function Choosable({ label, text, image, within, checked, some, set }: ChoosableProps) {
  return (
    <Group component="label" wrap="nowrap" gap="sm" py={6} ps={within ? 36 : 0} style={{ cursor: 'pointer' }}>
      <Checkbox aria-label={label} checked={checked} indeterminate={some} onChange={(event) => set(event.currentTarget.checked)} />
      {!within && (
        <Avatar src={image} size={36} radius="sm" alt="" color="gray">
          <IconPhoto size={18} stroke={1.5} aria-hidden />
        </Avatar>
      )}
      <Text size="sm" fw={within ? 400 : 500} flex={1} miw={0} lineClamp={2}>
        {label}
      </Text>
      <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {text}
      </Text>
    </Group>
  );
}
