import { Button, Modal, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { State } from '../../page/state';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { Secret } from './secret';
import { useDeveloperWords } from './words';

type Endpoint = Schemas['WebhookEndpoint'];

/** Where events are sent to. */
export default function Webhooks() {
  const w = useDeveloperWords();
  const { query, can, to } = useStore();
  const filters = useFilters('new');
  const endpoints = query.useInfiniteQuery('get', '/v1/webhook-endpoints', { params: { query: { limit: 50 } } }, pages);
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>();
  const stop = () => {
    setMaking(false);
    filters.clear();
  };
  const add = can('webhooks:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setMaking(true)}>
      {w.webhooks.add}
    </Button>
  );
  return (
    <Page title={w.webhooks.title} text={w.webhooks.text} actions={add}>
      <List<Endpoint>
        label={w.webhooks.title}
        query={endpoints}
        id={(endpoint) => endpoint.id}
        to={(endpoint) => to(`webhooks/${endpoint.id}`)}
        empty={<Empty icon={IconWebhook} {...w.webhooks.empty} action={add} />}
        columns={[
          { name: w.webhooks.columns.url, cell: (endpoint) => <span style={{ wordBreak: 'break-all' }}>{endpoint.url}</span> },
          { name: w.webhooks.columns.events, wide: true, cell: (endpoint) => <Text size="sm" c="dimmed" lineClamp={1}>{endpoint.event_types.join(', ')}</Text> },
          { name: w.webhooks.columns.state, width: 110, cell: (endpoint) => <State mood={endpoint.state === 'enabled' ? 'well' : 'wrong'}>{w.webhooks.states[endpoint.state]}</State> },
        ]}
      />
      <Modal opened={making || filters.values.new !== ''} onClose={stop} title={w.webhooks.add}>
        <EndpointForm
          close={stop}
          made={(value) => {
            stop();
            setSecret(value);
          }}
        />
      </Modal>
      <Secret value={secret} close={() => setSecret(undefined)} />
    </Page>
  );
}

/** An endpoint, new or to be changed. */
export function EndpointForm({ endpoint, made, close }: { endpoint?: Endpoint; made?: (secret: string | null) => void; close: () => void }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ of: endpoint?.id, initialValues: { url: endpoint?.url ?? '', description: endpoint?.description ?? '', event_types: endpoint?.event_types ?? ['*'] } });
  const save = useWrite({
    form: form as never,
    said: endpoint && w.webhooks.saved,
    undoable: endpoint !== undefined,
    write: async ({ url, description, event_types }: typeof form.values) => {
      if (endpoint) {
        const { requests } = await answered(api.PATCH('/v1/webhook-endpoints/{endpoint_id}', { params: { path: { endpoint_id: endpoint.id } }, body: { url: url.trim(), description: description.trim() || null, event_types } }));
        return { data: null, requests, version: undefined };
      }
      const { data, requests } = await answered(
        api.POST('/v1/webhook-endpoints', { params: { header: { 'Idempotency-Key': key } }, body: { url: url.trim(), event_types, ...(description.trim() && { description: description.trim() }) } }),
      );
      return { data: data.secret, requests, version: undefined };
    },
    done: ({ data }) => (endpoint ? close() : made?.(data)),
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.webhooks.url} type="url" placeholder="https://" required maxLength={2048} data-autofocus {...form.getInputProps('url')} />
        <TextInput label={w.webhooks.description} maxLength={1000} {...form.getInputProps('description')} />
        <TagsInput label={w.webhooks.events} description={w.webhooks.eventsText} data={['*', 'order.*', 'payment.*', 'refund.*', 'return.*', 'product.*', 'inventory.*', 'customer.*']} {...form.getInputProps('event_types')} />
        <Ending go={endpoint ? everywhere.save : w.webhooks.create} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
