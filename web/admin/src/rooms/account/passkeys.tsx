import { ActionIcon, Button, Group, Menu, Modal, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconFingerprint, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { Section } from '../../page/section';
import { Sure } from '../../page/sure';
import { useForm } from '../../page/typed';
import { addPasskey, letBe, takesPasskeys } from '../../session/passkey';
import { platform } from '../../session/session';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { deviceOf } from './device';
import { Proof } from './proof';
import { useAccountWords } from './words';

/** The keys by which one signs in without a password. */
export function Passkeys() {
  const w = useAccountWords();
  const filters = useFilters('do');
  const passkeys = platform.query.useQuery('get', '/v1/account/passkeys', { params: { query: { limit: 100 } } });
  const list = passkeys.data?.data;
  return (
    <Section
      title={w.passkeys.title}
      text={w.passkeys.text}
      actions={
        takesPasskeys() && (
          <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filters.set({ do: 'passkey' })}>
            {w.passkeys.add}
          </Button>
        )
      }
    >
      {list === undefined && <Skeleton height={40} />}
      {list?.length === 0 && (
        <Text size="sm" c="dimmed">
          {takesPasskeys() ? w.passkeys.none : w.passkeys.cannot}
        </Text>
      )}
      {list?.map((passkey) => (
        <Passkey key={passkey.id} passkey={passkey} />
      ))}
      <Modal opened={filters.values.do === 'passkey'} onClose={filters.clear} title={w.passkeys.add}>
        <Proof
          text={w.passkeys.how}
          go={w.passkeys.next}
          initial={{ password: '', name: deviceOf(navigator.userAgent) ?? '' }}
          fields={(form) => <TextInput label={w.passkeys.name} description={w.passkeys.nameText} required maxLength={64} {...form.getInputProps('name')} />}
          write={(given) =>
            addPasskey(given).catch((error) => {
              throw letBe(error) ? new Refused({ type: 'about:blank', title: w.passkeys.letBe, status: 422, code: 'passkey_let_be', request_id: '' }) : error;
            })
          }
          said={w.passkeys.added}
          done={filters.clear}
          close={filters.clear}
        />
      </Modal>
    </Section>
  );
}

function Passkey({ passkey }: { passkey: Schemas['Passkey'] }) {
  const w = useAccountWords();
  const everywhere = useWords();
  const f = useFormat();
  const [asked, setAsked] = useState<'rename' | 'remove'>();
  const close = () => setAsked(undefined);
  const path = { passkey_id: passkey.id };
  const remove = useWrite({ write: () => answered(platform.api.DELETE('/v1/account/passkeys/{passkey_id}', { params: { path } })), said: w.passkeys.removed, done: close });
  const used = passkey.last_used_at ? w.used(f.ago(passkey.last_used_at)) : w.unused;
  return (
    <Group wrap="nowrap" gap="md">
      <IconFingerprint size={22} stroke={1.5} aria-hidden style={{ flexShrink: 0 }} />
      <Stack gap={0} flex={1} miw={0}>
        <Text size="sm" fw={600} truncate>
          {passkey.name}
        </Text>
        <Text size="xs" c="dimmed">
          {[w.since(f.date(passkey.created_at)), used, passkey.synced && w.passkeys.synced].filter(Boolean).join(' · ')}
        </Text>
      </Stack>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`${everywhere.actions}: ${passkey.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setAsked('rename')}>
            {w.passkeys.rename}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsked('remove')}>
            {everywhere.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={asked === 'rename'} onClose={close} title={w.passkeys.rename}>
        <Rename passkey={passkey} close={close} />
      </Modal>
      <Sure opened={asked === 'remove'} title={w.passkeys.removeTitle} text={w.passkeys.removeText} go={everywhere.remove} pending={remove.isPending} confirm={() => remove.mutate()} close={close} />
    </Group>
  );
}

function Rename({ passkey, close }: { passkey: Schemas['Passkey']; close: () => void }) {
  const w = useAccountWords();
  const everywhere = useWords();
  const form = useForm({ of: passkey.id, initialValues: { name: passkey.name } });
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    write: ({ name }: typeof form.values) => answered(platform.api.PATCH('/v1/account/passkeys/{passkey_id}', { params: { path: { passkey_id: passkey.id } }, body: { name: name.trim() } })),
    done: close,
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <TextInput label={w.passkeys.name} required maxLength={64} data-autofocus {...form.getInputProps('name')} />
      <Group justify="end" mt="md">
        <Button variant="default" onClick={close}>
          {everywhere.cancel}
        </Button>
        <Button type="submit" loading={save.isPending}>
          {everywhere.save}
        </Button>
      </Group>
    </form>
  );
}
