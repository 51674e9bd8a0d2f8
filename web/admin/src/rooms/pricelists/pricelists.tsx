import { Button, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTags } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { type Mood, State } from '../../page/state';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { usePriceListWords } from './words';

type PriceList = Schemas['PriceList'];

const moods: Record<PriceList['state'], Mood> = { active: 'well', scheduled: 'waits', ended: 'over', inactive: 'over' };

export function PriceListState({ state }: { state: PriceList['state'] }) {
  return <State mood={moods[state]}>{usePriceListWords().states[state]}</State>;
}

/** Prices for a time, for groups and for quantities. */
export default function PriceLists() {
  const w = usePriceListWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('new');
  const lists = query.useInfiniteQuery('get', '/v1/price-lists', { params: { query: { limit: 50 } } }, { ...pages, placeholderData: keepPreviousData });
  const add = can('products:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  const time = ({ starts_at, ends_at }: PriceList) => {
    if (starts_at && ends_at) return `${f.time(starts_at)} – ${f.time(ends_at)}`;
    return starts_at ? w.from(f.time(starts_at)) : ends_at ? w.until(f.time(ends_at)) : w.always;
  };
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<PriceList>
        label={w.title}
        query={lists}
        id={(list) => list.id}
        to={(list) => to(`price-lists/${list.id}`)}
        empty={<Empty icon={IconTags} {...w.empty} action={add} />}
        columns={[
          { name: w.columns.name, cell: (list) => list.name },
          { name: w.columns.state, width: 140, cell: ({ state }) => <PriceListState state={state} /> },
          { name: w.columns.kind, wide: true, width: 150, cell: ({ kind }) => w.kinds[kind] },
          {
            name: w.columns.time,
            wide: true,
            cell: (list) => (
              <Text size="sm" c="dimmed">
                {time(list)}
              </Text>
            ),
          },
          { name: w.columns.prices, end: true, width: 100, cell: (list) => f.number(list.prices_count) },
        ]}
      />
      <Modal opened={filters.values.new !== ''} onClose={() => filters.set({ new: '' })} title={w.new}>
        <New close={() => filters.set({ new: '' })} />
      </Modal>
    </Page>
  );
}

function New({ close }: { close: () => void }) {
  const w = usePriceListWords();
  const everywhere = useWords();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const form = useForm({ initialValues: { name: '', kind: 'sale' as PriceList['kind'] } });
  const create = useWrite({
    form: form as never,
    said: w.created,
    // It holds only once it is told so, for it has no prices yet and no time.
    write: ({ name, kind }: typeof form.values) => answered(api.POST('/v1/price-lists', { params: { header: { 'Idempotency-Key': key } }, body: { name: name.trim(), kind, active: false } })),
    done: ({ data }) => void go(to(`price-lists/${data.id}`)),
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack>
        <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <Radio.Group label={w.kind} {...form.getInputProps('kind')}>
          <Stack gap="sm" mt={6}>
            {(['sale', 'override'] as const).map((kind) => (
              <Radio key={kind} value={kind} label={w.kinds[kind]} description={w.kindText[kind]} />
            ))}
          </Stack>
        </Radio.Group>
        <Ending go={everywhere.add} pending={create.isPending} close={close} />
      </Stack>
    </form>
  );
}
