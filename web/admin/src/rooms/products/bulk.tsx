import { ActionIcon, Button, Checkbox, Group, Menu, Modal, NumberInput, Select, Stack, TagsInput, Text } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useCategoryChoices } from '../categories/tree';
import { useProductWords } from './words';

type Kind = 'addTags' | 'removeTags' | 'category' | 'prices';

type BulkProps = {
  chosen: string[];
  /** What narrows the list down, where all that it finds can be meant in place of those that are chosen. */
  filter?: Schemas['BulkFilter'];
  done: () => void;
};

/** What can be done with the products that are chosen: each is an operation that can be taken back. */
export function Bulk({ chosen, filter, done }: BulkProps) {
  const w = useProductWords();
  const everywhere = useWords();
  const { api, to } = useStore();
  const [asked, setAsked] = useState<Kind>();
  const [all, setAll] = useState(false);
  const [search] = useSearchParams();
  const those = all && filter ? { filter } : { product_ids: chosen };
  const header = () => ({ 'Idempotency-Key': idempotencyKey() });
  const ends = () => {
    setAsked(undefined);
    done();
  };
  const change = useWrite({
    write: (changes: Schemas['BulkProductUpdate']) => answered(api.POST('/v1/products/bulk', { params: { header: header() }, body: { action: 'update', ...those, changes } })),
    done: ends,
  });
  const remove = useWrite({ write: () => answered(api.POST('/v1/products/bulk', { params: { header: header() }, body: { action: 'delete', ...those } })), done: ends });
  const prices = useWrite({
    write: async (adjust_price: Schemas['PriceAdjustment']) => {
      const changes = { adjust_price };
      if (all && filter) return answered(api.POST('/v1/variants/bulk', { params: { header: header() }, body: { action: 'update', filter, changes } }));
      const products = await Promise.all(chosen.map((product_id) => answered(api.GET('/v1/products/{product_id}/variants', { params: { path: { product_id }, query: { limit: 100 } } }))));
      const variant_ids = products.flatMap(({ data }) => data.data.map(({ id }) => id));
      return answered(api.POST('/v1/variants/bulk', { params: { header: header() }, body: { action: 'update', variant_ids, changes } }));
    },
    done: ends,
  });
  const statuses: [Schemas['ProductStatus'], string][] = [
    ['active', w.bulk.activate],
    ['draft', w.bulk.draft],
    ['archived', w.bulk.archive],
  ];
  return (
    <>
      {filter && <Checkbox label={w.bulk.all} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />}
      <Button component={Link} to={to(all && filter ? `products/grid?${search}` : `products/grid?ids=${chosen.join(',')}`)} size="xs" variant="default">
        {w.bulk.edit}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={everywhere.actions} loading={change.isPending || remove.isPending}>
            <IconDots size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {statuses.map(([status, name]) => (
            <Menu.Item key={status} onClick={() => change.mutate({ status })}>
              {name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setAsked('prices')}>{w.bulk.prices}</Menu.Item>
          <Menu.Item onClick={() => setAsked('category')}>{w.bulk.category}</Menu.Item>
          <Menu.Item onClick={() => setAsked('addTags')}>{w.bulk.addTags}</Menu.Item>
          <Menu.Item onClick={() => setAsked('removeTags')}>{w.bulk.removeTags}</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => remove.mutate()}>
            {everywhere.delete}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={asked !== undefined} onClose={() => setAsked(undefined)} title={asked && w.bulk[asked]}>
        {(asked === 'addTags' || asked === 'removeTags') && <Tags pending={change.isPending} close={() => setAsked(undefined)} go={(tags) => change.mutate(asked === 'addTags' ? { add_tags: tags } : { remove_tags: tags })} />}
        {asked === 'category' && <Shelf pending={change.isPending} close={() => setAsked(undefined)} go={(category_id) => change.mutate({ category_id })} />}
        {asked === 'prices' && <Prices pending={prices.isPending} close={() => setAsked(undefined)} go={(adjustment) => prices.mutate(adjustment)} />}
      </Modal>
    </>
  );
}

type AskProps<T> = { pending: boolean; close: () => void; go: (given: T) => void };

function Ask({ pending, close, ready, go, children }: Omit<AskProps<never>, 'go'> & { ready: boolean; go: () => void; children: ReactNode }) {
  const w = useProductWords();
  const everywhere = useWords();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <Stack>
        {children}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!ready} loading={pending}>
            {w.bulk.go}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Tags({ go, ...rest }: AskProps<string[]>) {
  const w = useProductWords();
  const { query } = useStore();
  const there = query.useQuery('get', '/v1/product-tags', { params: { query: { limit: 100 } } });
  const [tags, setTags] = useState<string[]>([]);
  return (
    <Ask {...rest} ready={tags.length > 0} go={() => go(tags)}>
      <TagsInput label={w.organisation.tags} placeholder={tags.length ? '' : w.organisation.tagsExample} data-autofocus acceptValueOnBlur data={(there.data?.data ?? []).map(({ tag }) => tag)} value={tags} onChange={setTags} />
    </Ask>
  );
}

function Shelf({ go, ...rest }: AskProps<string | null>) {
  const w = useProductWords();
  const [category, setCategory] = useState<string | null>(null);
  return (
    <Ask {...rest} ready go={() => go(category)}>
      <Select label={w.organisation.category} placeholder={w.organisation.noCategory} clearable searchable data-autofocus data={useCategoryChoices()} value={category} onChange={setCategory} />
    </Ask>
  );
}

function Prices({ go, ...rest }: AskProps<Schemas['PriceAdjustment']>) {
  const w = useProductWords();
  const everywhere = useWords();
  const { settings } = useStore();
  const [percent, setPercent] = useState<number | string>('');
  const [amount, setAmount] = useState<number | null>(null);
  const [currency, setCurrency] = useState<string>(settings.currency);
  const [compare_at, setCompareAt] = useState<NonNullable<Schemas['PriceAdjustment']['compare_at']>>('keep');
  const share = Number(percent);
  return (
    <Ask {...rest} ready={share !== 0 || Boolean(amount)} go={() => go({ currency, ...(share !== 0 && { by_percentage: String(share) }), ...(amount && { by_amount: amount }), compare_at })}>
      <NumberInput label={w.bulk.by} description={w.bulk.byText} data-autofocus suffix=" %" decimalScale={2} min={-100} max={1000} allowNegative value={percent} onChange={setPercent} />
      <MoneyInput label={w.bulk.byAmount} description={w.bulk.byAmountText} allowNegative currency={currency} value={amount} onChange={setAmount} />
      {settings.currencies.length > 1 && <Select label={everywhere.currency} allowDeselect={false} data={settings.currencies} value={currency} onChange={(next) => setCurrency(next ?? settings.currency)} />}
      <Select
        label={w.bulk.compareAt}
        allowDeselect={false}
        data={Object.entries(w.bulk.compareAts).map(([value, label]) => ({ value, label }))}
        value={compare_at}
        onChange={(next) => setCompareAt(next as typeof compare_at)}
      />
      <Text size="xs" c="dimmed">
        {w.bulk.undo}
      </Text>
    </Ask>
  );
}
