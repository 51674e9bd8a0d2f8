import { ActionIcon, Button, Code, Menu, Modal, SegmentedControl, Select, Skeleton, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconDots, IconKey, IconPencil, IconPlus, IconRefresh, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { type Mood, State } from '../../page/state';
import { Sure } from '../../page/sure';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Permissions } from '../staff/permissions';
import { Secret } from './secret';
import { useDeveloperWords } from './words';

type Key = Schemas['ApiKey'];

const moods: Record<Key['state'], Mood> = { active: 'well', rotated: 'waits', expired: 'over', revoked: 'over' };
const day = 86_400;

/** The keys by which programs act. */
export default function Keys() {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const f = useFormat();
  const { query, can } = useStore();
  const filters = useFilters('new');
  const keys = query.useInfiniteQuery('get', '/v1/api-keys', { params: { query: { limit: 50 } } }, pages);
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>();
  const writes = can('keys:write');
  const stop = () => {
    setMaking(false);
    filters.clear();
  };
  const add = writes && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setMaking(true)}>
      {w.keys.add}
    </Button>
  );
  return (
    <Page
      title={w.keys.title}
      text={w.keys.text}
      actions={
        <>
          <Button component="a" href="/docs" target="_blank" rel="noopener" variant="default">
            {w.documentation}
          </Button>
          {add}
        </>
      }
    >
      <List<Key>
        label={w.keys.title}
        query={keys}
        id={(key) => key.id}
        empty={<Empty icon={IconKey} {...w.keys.empty} action={add} />}
        columns={[
          { name: w.keys.columns.name, cell: (key) => <Text size="sm" fw={600}>{key.name}</Text> },
          { name: w.keys.columns.kind, wide: true, cell: (key) => w.keys.kinds[key.kind] },
          { name: w.keys.columns.key, wide: true, cell: (key) => <Code>{`${key.prefix}…${key.last_four}`}</Code> },
          { name: w.keys.columns.used, wide: true, cell: (key) => (key.last_used_at ? f.ago(key.last_used_at) : w.keys.never) },
          { name: w.keys.columns.state, cell: (key) => <State mood={moods[key.state]}>{w.keys.states[key.state]}</State> },
          ...(writes ? [{ name: everywhere.actions, silent: true, width: 56, cell: (key: Key) => (key.state === 'active' || key.state === 'rotated' ? <Actions of={key} made={setSecret} /> : null) }] : []),
        ]}
      />
      <Modal opened={making || filters.values.new !== ''} onClose={stop} title={w.keys.add} size="lg">
        <Make
          made={(value) => {
            stop();
            setSecret(value);
          }}
          close={stop}
        />
      </Modal>
      <Secret value={secret} close={() => setSecret(undefined)} />
    </Page>
  );
}

function Actions({ of: key, made }: { of: Key; made: (secret: string | null) => void }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [sure, setSure] = useState<'edit' | 'rotate' | 'revoke'>();
  const close = () => setSure(undefined);
  const path = { key_id: key.id };
  const rotate = useWrite({
    write: () => answered(api.POST('/v1/api-keys/{key_id}/rotate', { params: { path, header: { 'Idempotency-Key': idempotencyKey() } }, body: { overlap_seconds: day } })),
    done: ({ data }) => {
      close();
      made(data.secret);
    },
  });
  const revoke = useWrite({ write: () => answered(api.DELETE('/v1/api-keys/{key_id}', { params: { path } })), said: w.keys.revoke.done, done: close });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`${everywhere.actions}: ${key.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setSure('edit')}>
            {everywhere.edit}
          </Menu.Item>
          {key.state === 'active' && (
            <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => setSure('rotate')}>
              {w.keys.rotate.do}
            </Menu.Item>
          )}
          <Menu.Item color="red" leftSection={<IconX size={16} aria-hidden />} onClick={() => setSure('revoke')}>
            {w.keys.revoke.do}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={sure === 'edit'} onClose={close} title={w.keys.edit.title}>
        <Edit of={key} close={close} />
      </Modal>
      <Sure opened={sure === 'rotate'} title={w.keys.rotate.title} text={w.keys.rotate.text} go={w.keys.rotate.do} pending={rotate.isPending} confirm={() => rotate.mutate()} close={close} />
      <Sure opened={sure === 'revoke'} title={w.keys.revoke.title} text={w.keys.revoke.text} go={w.keys.revoke.do} pending={revoke.isPending} confirm={() => revoke.mutate()} close={close} />
    </>
  );
}

/** What of a key may change: what it is called, and where it may be used from. */
function Edit({ of: { id }, close }: { of: Key; close: () => void }) {
  const { api } = useStore();
  const key = useQuery({ queryKey: ['key', id], queryFn: () => answered(api.GET('/v1/api-keys/{key_id}', { params: { path: { key_id: id } } })), gcTime: 0 });
  if (key.isLoadingError) return <Trouble error={key.error} retry={key.refetch} />;
  return key.data ? <Restrictions of={key.data.data} version={key.data.version ?? ''} close={close} /> : <Skeleton height={180} />;
}

function Restrictions({ of: key, version, close }: { of: Key; version: string; close: () => void }) {
  const w = useDeveloperWords();
  const everywhere = useWords();
  const { api } = useStore();
  const form = useForm({ of: key.id, initialValues: { name: key.name, allowed_ips: key.allowed_ips, allowed_origins: key.allowed_origins } });
  const save = useWrite({
    form: form as never,
    said: w.keys.edit.done,
    write: ({ name, allowed_ips, allowed_origins }: typeof form.values) =>
      answered(
        api.PATCH('/v1/api-keys/{key_id}', {
          params: { path: { key_id: key.id }, header: { 'If-Match': version } },
          body: { name: name.trim(), ...(key.kind === 'publishable' ? { allowed_origins } : { allowed_ips }) },
        }),
      ),
    done: close,
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.keys.name} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        {key.kind === 'publishable' ? (
          <TagsInput label={w.keys.origins} description={w.keys.originsText} {...form.getInputProps('allowed_origins')} />
        ) : (
          <TagsInput label={w.keys.edit.ips} description={w.keys.edit.ipsText} {...form.getInputProps('allowed_ips')} />
        )}
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}

function Make({ made, close }: { made: (secret: string | null) => void; close: () => void }) {
  const w = useDeveloperWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ initialValues: { name: '', kind: 'restricted' as Schemas['ApiKeyKind'], scopes: [] as Schemas['Permission'][], allowed_origins: [] as string[], days: '' } });
  const { kind } = form.values;
  const create = useWrite({
    form: form as never,
    write: ({ name, scopes, allowed_origins, days }: typeof form.values) =>
      answered(
        api.POST('/v1/api-keys', {
          params: { header: { 'Idempotency-Key': key } },
          body: {
            name: name.trim(),
            kind,
            ...(kind === 'restricted' && { scopes }),
            ...(kind === 'publishable' && { allowed_origins }),
            ...(days && { expires_at: `${new Date(Date.now() + Number(days) * day * 1000).toISOString().slice(0, 19)}Z` }),
          },
        }),
      ),
    done: ({ data }) => made(data.secret),
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack>
        <TextInput label={w.keys.name} placeholder={w.keys.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <Stack gap={6}>
          <SegmentedControl
            aria-label={w.keys.kind}
            data={Object.entries(w.keys.kinds).map(([value, label]) => ({ value, label }))}
            value={kind}
            onChange={(next) => form.setFieldValue('kind', next as typeof kind)}
          />
          <Text size="xs" c="dimmed">
            {w.keys.kindText[kind]}
          </Text>
        </Stack>
        {kind === 'restricted' && <Permissions label={w.keys.scopes} value={form.values.scopes} error={form.errors.scopes} onChange={(scopes) => form.setFieldValue('scopes', scopes)} />}
        {kind === 'publishable' && <TagsInput label={w.keys.origins} description={w.keys.originsText} {...form.getInputProps('allowed_origins')} />}
        <Select label={w.keys.expires} allowDeselect={false} maw={220} data={Object.entries(w.keys.expiry).map(([value, label]) => ({ value, label }))} {...form.getInputProps('days')} />
        <Ending go={w.keys.create} pending={create.isPending} close={close} />
      </Stack>
    </form>
  );
}
