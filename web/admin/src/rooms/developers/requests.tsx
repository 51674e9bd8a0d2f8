import { Badge, Button, Drawer, Group, Select, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Chip, Only } from '../../page/chip';
import { Empty } from '../../page/empty';
import { given, useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow, NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Period, within } from '../../page/period';
import { Search } from '../../page/search';
import { Fact } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useAuditWords } from '../audit/words';
import { Json } from './json';
import { useDeveloperWords } from './words';

type Call = Schemas['LoggedRequest'];

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function Status({ of: status }: { of: number }) {
  return <State mood={status < 400 ? 'well' : status < 500 ? 'waits' : 'wrong'}>{String(status)}</State>;
}

/** How the API was called. */
export default function Requests() {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const f = useFormat();
  const { query, settings } = useStore();
  const filters = useFilters('status', 'path', 'actor', 'method', 'operation', 'code', 'since', 'until', 'id');
  const { status, path, actor, method, operation, code, since, until, id } = filters.values;
  const asked = { ...given({ status, path, actor_id: actor, operation, error_code: code }), ...(methods.find((each) => each === method) && { method: method as (typeof methods)[number] }), ...within({ since, until }, settings.time_zone) };
  const calls = query.useInfiniteQuery('get', '/v1/requests', { params: { query: { limit: 50, ...asked } } }, { ...pages, placeholderData: keepPreviousData });
  const caller = useCaller();
  const who = calls.data?.pages.flatMap((page) => page.data).find((call) => call.actor.id === actor)?.actor;
  return (
    <Page title={w.requests.title} text={w.requests.text}>
      <List<Call>
        label={w.requests.title}
        query={calls}
        id={(call) => call.id}
        open={(call) => filters.set({ id: call.id })}
        narrowed={Object.keys(asked).length > 0 ? { nothing: w.requests.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconListSearch} {...w.requests.empty} />}
        filters={
          <>
            <Views label={w.requests.view} value={status} names={w.requests.views} onChange={(next) => filters.set({ status: next })} />
            <Search label={w.requests.search} value={path} onChange={(next) => filters.set({ path: next })} />
            <Narrow set={[method, operation, code, since, until].filter(Boolean).length}>
              <Select label={w.requests.method} placeholder={everywhere.any} clearable comboboxProps={{ withinPortal: false }} data={methods} value={method || null} onChange={(next) => filters.set({ method: next ?? '' })} />
              <NarrowText label={w.requests.operation} placeholder="updateProduct" value={operation} onChange={(next) => filters.set({ operation: next })} />
              <NarrowText label={w.requests.code} placeholder="stale" value={code} onChange={(next) => filters.set({ code: next })} />
              <Period since={since} until={until} set={filters.set} />
            </Narrow>
            {actor && <Chip name={who ? caller(who) : actor} clear={() => filters.set({ actor: '' })} />}
          </>
        }
        columns={[
          {
            name: w.requests.columns.call,
            cell: (call) => (
              <Group gap="xs" wrap="nowrap" align="baseline">
                <Text span size="xs" fw={700} ff="monospace" miw={48}>
                  {call.method}
                </Text>
                <Text span size="sm" ff="monospace" style={{ wordBreak: 'break-all' }}>
                  {call.path}
                </Text>
                {call.dry_run && <Badge color="gray">{w.requests.dry}</Badge>}
              </Group>
            ),
          },
          { name: w.requests.columns.status, width: 90, cell: (call) => <Status of={call.status} /> },
          { name: w.requests.columns.who, wide: true, cell: (call) => <Who actor={call.actor} name={caller(call.actor)} only={(next) => filters.set({ actor: next })} /> },
          { name: w.requests.columns.took, wide: true, end: true, width: 100, cell: (call) => w.webhooks.took(f.number(Math.round(call.duration_ms))) },
          { name: w.requests.columns.at, wide: true, width: 150, cell: (call) => f.ago(call.at) },
        ]}
      />
      <Drawer opened={id !== ''} onClose={() => filters.set({ id: '' })} position="right" size="xl" title={w.requests.columns.call}>
        {id && <Told id={id} only={(next) => filters.set({ actor: next, id: '' })} />}
      </Drawer>
    </Page>
  );
}

/** Who called. The log keeps no names of people: those of the team are told by the list of it. */
function useCaller() {
  const { actors } = useAuditWords();
  const { query, can } = useStore();
  const staff = query.useQuery('get', '/v1/staff', { params: { query: { limit: 100 } } }, { enabled: can('staff:read') });
  return ({ kind, id, label }: Call['actor']) => label || staff.data?.data.find(({ account_id }) => account_id === id)?.email || actors[kind];
}

/** Who called; a click shows their calls alone. */
function Who({ actor, name, only }: { actor: Call['actor']; name: string; only: (id: string) => void }) {
  const { id } = actor;
  return id ? <Only name={name} lines={1} set={() => only(id)} /> : <Text size="sm">{name}</Text>;
}

/** All that was said in a call. */
function Told({ id, only }: { id: string; only: (actor: string) => void }) {
  const w = useDeveloperWords();
  const caller = useCaller();
  const { api, query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const call = query.useQuery('get', '/v1/requests/{request_id}', { params: { path: { request_id: id } } });
  const replay = useWrite({ write: () => answered(api.POST('/v1/requests/{request_id}/replay', { params: { path: { request_id: id } } })) });
  if (call.isLoadingError) return <Trouble error={call.error} retry={call.refetch} />;
  if (!call.data) return <Skeleton height={300} />;
  const { data } = call;
  return (
    <Stack>
      <Group justify="space-between">
        <Group gap="xs">
          <Status of={data.status} />
          <Text ff="monospace" size="sm" fw={600}>
            {data.method} {data.path}
            {data.query && `?${data.query}`}
          </Text>
        </Group>
        {data.method !== 'GET' && (
          <Button variant="default" size="xs" loading={replay.isPending} onClick={() => replay.mutate()}>
            {w.requests.replay}
          </Button>
        )}
      </Group>
      {replay.data && <Json title={w.requests.replayed(replay.data.data.status)} value={replay.data.data.body} />}
      <SimpleGrid cols={2}>
        <Fact name={w.requests.columns.who}>
          <Who actor={data.actor} name={caller(data.actor)} only={only} />
        </Fact>
        <Fact name={w.requests.columns.at}>{f.time(data.at)}</Fact>
        <Fact name={w.requests.columns.took}>{w.webhooks.took(f.number(data.duration_ms))}</Fact>
        <Fact name="ID">{data.id}</Fact>
      </SimpleGrid>
      <Json title={w.requests.headers} value={data.headers} />
      <Body title={w.requests.request} body={data.request_body} kept={data.request_body_state} />
      <Body title={w.requests.response} body={data.response_body} kept={data.response_body_state} />
    </Stack>
  );
}

function Body({ title, body, kept }: { title: string; body: unknown; kept: Schemas['LoggedBodyState'] }) {
  const w = useDeveloperWords();
  return (
    <Stack gap={4}>
      {body === null ? (
        <Text size="sm" fw={600}>
          {title}
        </Text>
      ) : (
        <Json title={title} value={body} />
      )}
      {w.requests.kept[kept] && (
        <Text size="xs" c="dimmed">
          {w.requests.kept[kept]}
        </Text>
      )}
    </Stack>
  );
}
