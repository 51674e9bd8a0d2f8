import { Badge, Button, Code, Drawer, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconHistory } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Chip, Only } from '../../page/chip';
import { Copy } from '../../page/copy';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Narrow } from '../../page/narrow';
import { Page } from '../../page/page';
import { Period, within } from '../../page/period';
import { Search } from '../../page/search';
import { Fact } from '../../page/section';
import { usePartWords } from '../../page/words';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useAuditWords } from './words';

type Entry = Schemas['AuditEntry'];

/** An action in words: "Product changed". What has none is told as it is. */
function useAction() {
  const w = useAuditWords();
  return (action: string) => {
    const [kind = '', verb = ''] = action.split('.');
    const kinds: Record<string, string> = w.kinds;
    const verbs: Record<string, string> = w.verbs;
    return kinds[kind] && verbs[verb] ? `${kinds[kind]} ${verbs[verb]}` : action;
  };
}

/** Who it was: some have no name of their own. */
function useActor() {
  const w = useAuditWords();
  return ({ kind, label }: Entry['actor']) => (kind === 'system' || kind === 'anonymous' ? w.actors[kind] : label);
}

/** Who did what. */
export default function Audit() {
  const w = useAuditWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const action = useAction();
  const actor = useActor();
  const filters = useFilters('id', 'actor', 'action', 'since', 'until');
  const { id, since, until } = filters.values;
  const entries = query.useInfiniteQuery(
    'get',
    '/v1/audit',
    {
      params: {
        query: {
          limit: 50,
          ...(id && (id.startsWith('req_') ? { request_id: id } : { resource_id: id })),
          ...(filters.values.actor && { actor_id: filters.values.actor }),
          ...(filters.values.action && { action: filters.values.action }),
          ...within({ since, until }, settings.time_zone),
        },
      },
    },
    { ...pages, placeholderData: keepPreviousData },
  );
  const [opened, setOpened] = useState<string>();
  const all = entries.data?.pages.flatMap((page) => page.data) ?? [];
  const shown = all.find((entry) => entry.id === opened);
  const who = all.find((entry) => entry.actor.id === filters.values.actor)?.actor;
  const only = (narrower: Parameters<typeof filters.set>[0]) => {
    setOpened(undefined);
    filters.set(narrower);
  };
  return (
    <Page title={w.title} text={w.text}>
      <List<Entry>
        label={w.title}
        query={entries}
        id={(entry) => entry.id}
        open={(entry) => setOpened(entry.id)}
        narrowed={filters.any ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconHistory} {...w.empty} />}
        filters={
          <>
            <Search label={w.search} value={id} onChange={(next) => filters.set({ id: next })} />
            <Narrow set={[since, until].filter(Boolean).length}>
              <Period since={since} until={until} set={filters.set} />
            </Narrow>
            {filters.values.actor && <Chip name={who ? actor(who) : filters.values.actor} clear={() => filters.set({ actor: '' })} />}
            {filters.values.action && <Chip name={action(filters.values.action)} clear={() => filters.set({ action: '' })} />}
          </>
        }
        columns={[
          {
            name: w.columns.what,
            cell: (entry) => (
              <>
                <Group gap="xs">
                  <span>{action(entry.action)}</span>
                  {entry.undone_by && <Badge color="gray">{w.undone}</Badge>}
                </Group>
                <Text size="xs" c="dimmed" fw={400} hiddenFrom="sm" style={{ overflowWrap: 'anywhere' }}>
                  {actor(entry.actor)} · {f.ago(entry.at)}
                </Text>
              </>
            ),
          },
          {
            name: w.columns.who,
            wide: true,
            cell: (entry) => (
              <div>
                {entry.actor.id ? (
                  <Only name={actor(entry.actor)} set={() => filters.set({ actor: entry.actor.id ?? '' })} />
                ) : (
                  <Text size="sm">{actor(entry.actor)}</Text>
                )}
                {actor(entry.actor) !== w.actors[entry.actor.kind] && (
                  <Text size="xs" c="dimmed">
                    {w.actors[entry.actor.kind]}
                  </Text>
                )}
              </div>
            ),
          },
          {
            name: w.columns.when,
            wide: true,
            width: 200,
            cell: (entry) => (
              <Text size="sm" title={f.time(entry.at)}>
                {f.ago(entry.at)}
              </Text>
            ),
          },
        ]}
      />
      <Drawer opened={shown !== undefined} onClose={() => setOpened(undefined)} position="right" size="lg" title={shown && action(shown.action)}>
        {shown && <Told entry={shown} only={only} />}
      </Drawer>
    </Page>
  );
}

/** All that an entry tells, and how to see what else was by the same, or is the same. */
function Told({ entry, only }: { entry: Entry; only: (narrower: { actor?: string; action?: string; id?: string }) => void }) {
  const w = useAuditWords();
  const parts = usePartWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const action = useAction();
  const actor = useActor();
  const undo = useWrite({
    write: () => answered(api.POST('/v1/audit/{audit_entry_id}/undo', { params: { path: { audit_entry_id: entry.id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
    said: everywhere.undone,
  });
  return (
    <Stack>
      <SimpleGrid cols={2}>
        <Fact name={w.columns.who}>{actor(entry.actor)}</Fact>
        <Fact name={w.columns.when}>{f.time(entry.at)}</Fact>
        {entry.resource_id && (
          <Fact name={w.thing}>
            <Group gap={4} wrap="nowrap">
              <Code>{entry.resource_id}</Code>
              <Copy value={entry.resource_id} />
            </Group>
          </Fact>
        )}
        {entry.request_id && (
          <Fact name={w.request}>
            <Group gap={4} wrap="nowrap">
              <Code>{entry.request_id}</Code>
              <Copy value={entry.request_id} />
            </Group>
          </Fact>
        )}
        {entry.ip && <Fact name={w.address}>{entry.ip}</Fact>}
        {entry.user_agent && <Fact name={w.program}>{entry.user_agent}</Fact>}
        {entry.reason && <Fact name={w.reason}>{entry.reason}</Fact>}
      </SimpleGrid>
      <Group gap="xs">
        {entry.actor.id && (
          <Button variant="default" size="xs" onClick={() => only({ actor: entry.actor.id ?? '' })}>
            {parts.only(actor(entry.actor))}
          </Button>
        )}
        <Button variant="default" size="xs" onClick={() => only({ action: entry.action })}>
          {parts.only(action(entry.action))}
        </Button>
        {entry.resource_id && (
          <Button variant="default" size="xs" onClick={() => only({ id: entry.resource_id ?? '' })}>
            {w.onlyThis}
          </Button>
        )}
      </Group>
      {entry.undoes && (
        <Text size="sm" c="dimmed">
          {w.undoes}
        </Text>
      )}
      <Difference before={entry.before} after={entry.after} />
      {entry.resource_id && <AsItWas entry={entry} id={entry.resource_id} />}
      {entry.undoable && !entry.undone_by && (
        <Group>
          <Button variant="default" leftSection={<IconArrowBackUp size={17} aria-hidden />} loading={undo.isPending} onClick={() => undo.mutate()}>
            {w.undo}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** What has its own record beside that of the thing whose ID it has. */
const besides = ['inventory_item', 'store_credit'] as const;

/** The whole of a thing as it was after the change, which is worked out only when it is asked for. */
function AsItWas({ entry, id }: { entry: Entry; id: string }) {
  const w = useAuditWords();
  const { query } = useStore();
  const [asked, setAsked] = useState(false);
  const kind = besides.find((name) => entry.action.startsWith(`${name}.`));
  const was = query.useQuery('get', '/v1/audit-records/{record_id}', { params: { path: { record_id: id }, query: { at: entry.at, ...(kind && { kind }) } } }, { enabled: asked });
  if (!asked) {
    return (
      <Group>
        <Button variant="subtle" onClick={() => setAsked(true)}>
          {w.asItWas.show}
        </Button>
      </Group>
    );
  }
  if (was.isError) return <Text size="sm">{problemOf(was.error).code === 'not_found' ? w.asItWas.none : (problemOf(was.error).detail ?? '')}</Text>;
  if (!was.data) return <Skeleton height={120} />;
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {w.asItWas.title}
      </Text>
      {was.data.existed ? <Value label={w.asItWas.title} text={JSON.stringify(was.data.record, null, 2)} /> : <Text size="sm">{w.asItWas.none}</Text>}
      {was.data.unknown.length > 0 && (
        <Text size="xs" c="dimmed">
          {w.asItWas.unknown(was.data.unknown.join(', '))}
        </Text>
      )}
    </Stack>
  );
}

/** What was and what is, property by property. */
function Difference({ before, after }: { before: Entry['before']; after: Entry['after'] }) {
  const w = useAuditWords();
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const text = (value: unknown) => (value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return (
    <Stack gap="md">
      {names.map((name) => (
        <Stack key={name} gap={4}>
          <Text size="sm" fw={600} ff="monospace">
            {name}
          </Text>
          <SimpleGrid cols={before && after ? 2 : 1} spacing="xs">
            {before && <Value label={w.before} text={text(before[name])} color="light-dark(#fbeeea, #3a211c)" />}
            {after && <Value label={w.after} text={text(after[name])} color="light-dark(#ebf3ec, #1d2c22)" />}
          </SimpleGrid>
        </Stack>
      ))}
    </Stack>
  );
}

function Value({ label, text, color }: { label: string; text: string; color?: string }) {
  return (
    <Code block aria-label={label} style={{ background: color, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {text}
    </Code>
  );
}
