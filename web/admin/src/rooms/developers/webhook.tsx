import { ActionIcon, Alert, Button, Drawer, Group, Menu, Modal, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconDots, IconHistory, IconKey, IconPencil, IconPower, IconSend, IconTrash } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Instant } from '../../page/instant';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Fact, Section } from '../../page/section';
import { type Mood, State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { Search } from '../../page/search';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Secret } from './secret';
import { EndpointForm } from './webhooks';
import { useDeveloperWords } from './words';

type Delivery = Schemas['WebhookDelivery'];

const moods: Record<Delivery['state'], Mood> = { pending: 'waits', delivered: 'well', failed: 'wrong' };

/** One endpoint, what was sent to it and what it answered. */
export default function Webhook() {
  const { endpoint: endpoint_id = '' } = useParams();
  const { query } = useStore();
  const endpoint = query.useQuery('get', '/v1/webhook-endpoints/{endpoint_id}', { params: { path: { endpoint_id } } });
  if (endpoint.isLoadingError) return <Trouble error={endpoint.error} retry={endpoint.refetch} />;
  return endpoint.data ? <Present endpoint={endpoint.data} /> : <Skeleton height={200} radius="lg" maw={1180} mx="auto" />;
}

function Present({ endpoint }: { endpoint: Schemas['WebhookEndpoint'] }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const go = useNavigate();
  const [editing, setEditing] = useState(false);
  const [recovering, setRecovering] = useState(false);
  const [secret, setSecret] = useState<string | null>();
  const path = { endpoint_id: endpoint.id };
  const header = () => ({ 'Idempotency-Key': idempotencyKey() });
  const enabled = endpoint.state === 'enabled';
  const test = useWrite({ write: () => answered(api.POST('/v1/webhook-endpoints/{endpoint_id}/test', { params: { path, header: header() } })), said: w.webhooks.tested });
  const turn = useWrite({ write: () => answered(api.PATCH('/v1/webhook-endpoints/{endpoint_id}', { params: { path }, body: { state: enabled ? 'disabled' : 'enabled' } })), said: w.webhooks.saved });
  const rotate = useWrite({ write: () => answered(api.POST('/v1/webhook-endpoints/{endpoint_id}/rotate-secret', { params: { path, header: header() }, body: { overlap_seconds: 86_400 } })), said: w.webhooks.rotated, done: ({ data }) => setSecret(data.secret) });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/webhook-endpoints/{endpoint_id}', { params: { path } })),
    said: w.webhooks.deleted,
    undoable: true,
    done: () => void go(to('webhooks')),
  });
  return (
    <Page
      title={new URL(endpoint.url).host}
      beside={<State mood={enabled ? 'well' : 'wrong'}>{w.webhooks.states[endpoint.state]}</State>}
      text={endpoint.description}
      back="webhooks"
      actions={
        can('webhooks:write') && (
          <>
            {enabled && (
              <Button variant="default" leftSection={<IconSend size={17} aria-hidden />} loading={test.isPending} onClick={() => test.mutate()}>
                {w.webhooks.test}
              </Button>
            )}
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setEditing(true)}>
                  {everywhere.edit}
                </Menu.Item>
                <Menu.Item leftSection={<IconPower size={16} aria-hidden />} onClick={() => turn.mutate()}>
                  {enabled ? w.webhooks.off : w.webhooks.on}
                </Menu.Item>
                {enabled && (
                  <Menu.Item leftSection={<IconHistory size={16} aria-hidden />} onClick={() => setRecovering(true)}>
                    {w.webhooks.recover.do}
                  </Menu.Item>
                )}
                <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => rotate.mutate()}>
                  {w.webhooks.rotate}
                </Menu.Item>
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
                  {everywhere.delete}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )
      }
    >
      <Stack gap="lg">
        {endpoint.disabled_reason && <Alert color="red">{w.webhooks.reasons[endpoint.disabled_reason]}</Alert>}
        <Section>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Fact name={w.webhooks.url}>{endpoint.url}</Fact>
            <Fact name={w.webhooks.events}>{endpoint.event_types.join(', ')}</Fact>
          </SimpleGrid>
        </Section>
        <Deliveries endpoint={endpoint} />
      </Stack>
      <Modal opened={editing} onClose={() => setEditing(false)} title={everywhere.edit}>
        <EndpointForm endpoint={endpoint} close={() => setEditing(false)} />
      </Modal>
      <Modal opened={recovering} onClose={() => setRecovering(false)} title={w.webhooks.recover.do}>
        <Recover endpoint={endpoint} close={() => setRecovering(false)} />
      </Modal>
      <Secret value={secret} close={() => setSecret(undefined)} />
    </Page>
  );
}

/** Has what was missed sent again. */
function Recover({ endpoint, close }: { endpoint: Schemas['WebhookEndpoint']; close: () => void }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [since, setSince] = useState<string | null>(null);
  const recover = useWrite({
    write: (from: string) =>
      answered(api.POST('/v1/webhook-endpoints/{endpoint_id}/recover', { params: { path: { endpoint_id: endpoint.id }, header: { 'Idempotency-Key': key } }, body: { since: from } })),
    said: w.webhooks.recover.done,
    done: close,
  });
  return (
    <Stack>
      <Text size="sm">{w.webhooks.recover.text}</Text>
      <Instant label={w.webhooks.recover.since} required value={since} change={setSince} />
      <Group justify="end">
        <Button variant="default" onClick={close}>
          {everywhere.cancel}
        </Button>
        <Button disabled={!since} loading={recover.isPending} onClick={() => since && recover.mutate(since)}>
          {w.webhooks.recover.go}
        </Button>
      </Group>
    </Stack>
  );
}

function Deliveries({ endpoint }: { endpoint: Schemas['WebhookEndpoint'] }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const f = useFormat();
  const { query } = useStore();
  const filters = useFilters('state', 'event');
  const state = filters.values.state as Delivery['state'] | '';
  const { event } = filters.values;
  const deliveries = query.useInfiniteQuery(
    'get',
    '/v1/webhook-endpoints/{endpoint_id}/deliveries',
    { params: { path: { endpoint_id: endpoint.id }, query: { limit: 50, ...(state && { state }), ...(event && { event_id: event }) } } },
    { ...pages, placeholderData: keepPreviousData, refetchInterval: 10_000 },
  );
  const [opened, setOpened] = useState<string>();
  const shown = deliveries.data?.pages.flatMap((page) => page.data).find((delivery) => delivery.id === opened);
  return (
    <>
      <List<Delivery>
        label={w.webhooks.deliveries}
        query={deliveries}
        id={(delivery) => delivery.id}
        open={(delivery) => setOpened(delivery.id)}
        narrowed={filters.any ? { nothing: w.webhooks.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconSend} {...w.webhooks.none} />}
        filters={
          <>
            <Views label={w.webhooks.delivery.state} value={state} names={{ all: everywhere.all, ...w.webhooks.deliveryStates }} onChange={(next) => filters.set({ state: next })} />
            <Search label={w.webhooks.ofEvent} value={event} onChange={(next) => filters.set({ event: next })} />
          </>
        }
        columns={[
          { name: w.webhooks.delivery.event, cell: (delivery) => delivery.event_type },
          { name: w.webhooks.delivery.state, cell: (delivery) => <State mood={moods[delivery.state]}>{w.webhooks.deliveryStates[delivery.state]}</State> },
          { name: w.webhooks.delivery.tries, wide: true, end: true, width: 100, cell: (delivery) => f.number(delivery.attempts.length) },
          { name: w.webhooks.delivery.at, wide: true, width: 180, cell: (delivery) => f.ago(delivery.created_at) },
        ]}
      />
      <Drawer opened={shown !== undefined} onClose={() => setOpened(undefined)} position="right" size="lg" title={shown?.event_type}>
        {shown && <Told delivery={shown} />}
      </Drawer>
    </>
  );
}

function Told({ delivery }: { delivery: Delivery }) {
  const w = useDeveloperWords();
  const f = useFormat();
  const { api, can } = useStore();
  const resend = useWrite({
    write: () => answered(api.POST('/v1/webhook-deliveries/{delivery_id}/resend', { params: { path: { delivery_id: delivery.id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
    said: w.webhooks.resent,
  });
  return (
    <Stack>
      <Group justify="space-between">
        <State mood={moods[delivery.state]}>{w.webhooks.deliveryStates[delivery.state]}</State>
        {can('webhooks:write') && delivery.state !== 'pending' && (
          <Button variant="default" size="xs" loading={resend.isPending} onClick={() => resend.mutate()}>
            {w.webhooks.resend}
          </Button>
        )}
      </Group>
      {delivery.next_attempt_at && (
        <Text size="sm" c="dimmed">
          {w.webhooks.next(f.time(delivery.next_attempt_at))}
        </Text>
      )}
      {delivery.attempts.map((attempt) => (
        <Section key={attempt.number} title={w.webhooks.attempt(attempt.number)} text={f.time(attempt.at)}>
          <Group>
            {attempt.status !== null && <State mood={attempt.status < 300 ? 'well' : 'wrong'}>{String(attempt.status)}</State>}
            {attempt.duration_ms !== null && (
              <Text size="sm" c="dimmed">
                {w.webhooks.took(f.number(attempt.duration_ms))}
              </Text>
            )}
          </Group>
          {(attempt.error ?? attempt.response_excerpt) && (
            <Text size="xs" ff="monospace" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
              {attempt.error ?? attempt.response_excerpt}
            </Text>
          )}
        </Section>
      ))}
    </Stack>
  );
}
