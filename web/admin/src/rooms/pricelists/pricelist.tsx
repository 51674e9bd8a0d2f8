import { Button, Grid, MultiSelect, Skeleton, Stack, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Instant } from '../../page/instant';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { PriceListState } from './pricelists';
import { Prices, type Typed, nothingTyped, pricesOf } from './prices';
import { usePriceListWords } from './words';

type PriceList = Schemas['PriceList'];

/** A price list that there is. */
export default function PriceListScreen() {
  const { list: id = '' } = useParams();
  const { api } = useStore();
  const list = useQuery({ queryKey: ['price list', id], queryFn: () => answered(api.GET('/v1/price-lists/{price_list_id}', { params: { path: { price_list_id: id } } })) });
  if (list.isLoadingError) return <Trouble error={list.error} retry={list.refetch} />;
  if (!list.data) return <Skeleton height={360} radius="lg" maw={1180} mx="auto" />;
  return <Edit key={id} answer={list.data} refetch={list.refetch} />;
}

const written = (list: PriceList) => ({ name: list.name, active: list.active, starts_at: list.starts_at, ends_at: list.ends_at, customer_group_ids: list.customer_group_ids });

function Edit({ answer: { data: list, version }, refetch }: { answer: Answer<PriceList>; refetch: () => Promise<unknown> }) {
  const w = usePriceListWords();
  const everywhere = useWords();
  const { api, query, can, to } = useStore();
  const go = useNavigate();
  const params = { path: { price_list_id: list.id } };
  const form = useForm({ of: list.id, initialValues: written(list) });
  const base = useFresh(form, written(list), version);
  const [typed, setTyped] = useState<Typed>(nothingTyped);
  const groups = query.useQuery('get', '/v1/customer-groups', { params: { query: { limit: 100 } } }, { enabled: can('customers:read') });
  const prices = pricesOf(typed);
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    write: async (values: typeof form.values) => {
      const requests: string[] = [];
      if (form.isDirty()) requests.push(...(await answered(api.PATCH('/v1/price-lists/{price_list_id}', { params: { ...params, header: { 'If-Match': base.version } }, body: { ...values, name: values.name.trim() } }))).requests);
      if (prices.length > 0) {
        requests.push(...(await answered(api.POST('/v1/price-lists/{price_list_id}/prices', { params: { ...params, header: { 'Idempotency-Key': idempotencyKey() } }, body: { prices } }))).requests);
      }
      return { data: undefined, requests, version: undefined };
    },
    done: async () => {
      form.resetDirty();
      setTyped(nothingTyped);
      await refetch();
    },
  });
  const remove = useWrite({
    undoable: true,
    said: everywhere.deleted,
    write: () => answered(api.DELETE('/v1/price-lists/{price_list_id}', { params })),
    done: () => void go(to('price-lists')),
  });
  const writes = can('products:write');
  const twice = new Set(prices.map(({ variant_id, currency, min_quantity }) => `${variant_id} ${currency} ${min_quantity}`)).size < prices.length;
  return (
    <Page
      title={list.name}
      beside={<PriceListState state={list.state} />}
      text={w.kinds[list.kind]}
      back="price-lists"
      actions={
        writes && (
          <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
            {everywhere.delete}
          </Button>
        )
      }
    >
      <form onSubmit={form.onSubmit((values) => (twice ? complain(w.prices.twice) : save.mutate(values)))}>
        <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Grid gap="lg">
            <Grid.Col span={{ base: 12, md: 8 }}>
              <Prices list={list} typed={typed} setTyped={setTyped} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 4 }}>
              <Stack gap="lg">
                <Section>
                  <TextInput label={w.name} required maxLength={255} {...form.getInputProps('name')} />
                  <Switch label={w.active} description={w.activeText} {...form.getInputProps('active', { type: 'checkbox' })} />
                  <Instant label={w.starts} error={form.errors.starts_at} value={form.values.starts_at} change={(at) => form.setFieldValue('starts_at', at)} />
                  <Instant label={w.ends} error={form.errors.ends_at} value={form.values.ends_at} change={(at) => form.setFieldValue('ends_at', at)} />
                </Section>
                {(groups.data?.data.length ?? 0) > 0 && (
                  <Section>
                    <MultiSelect label={w.groups} description={w.groupsText} data={groups.data?.data.map(({ id, name }) => ({ value: id, label: name }))} {...form.getInputProps('customer_group_ids')} />
                  </Section>
                )}
              </Stack>
            </Grid.Col>
          </Grid>
        </fieldset>
        <SaveBar
          dirty={form.isDirty() || prices.length > 0}
          saving={save.isPending || remove.isSuccess}
          discard={() => {
            form.reset();
            setTyped(nothingTyped);
          }}
        />
      </form>
    </Page>
  );
}
