import { ActionIcon, Avatar, Badge, Button, Group, Menu, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconPlus, IconUserMinus, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Sure } from '../../page/sure';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useSession } from '../../session/session';
import { useStore } from '../../session/store';
import { useSessionWords } from '../../session/words';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { RoleForm } from './role';
import { useStaffWords } from './words';

type Role = Schemas['Role'];

/** Who belongs to the store, and what they may. */
export default function Staff() {
  const w = useStaffWords();
  const { query, can } = useStore();
  const filters = useFilters('invite');
  const [inviting, setInviting] = useState(false);
  const members = query.useQuery('get', '/v1/staff', { params: { query: { limit: 100 } } });
  const invitations = query.useQuery('get', '/v1/invitations', { params: { query: { limit: 100, state: 'pending' } } });
  const roles = query.useQuery('get', '/v1/roles', { params: { query: { limit: 100 } } });
  if (members.isLoadingError) return <Trouble error={members.error} retry={members.refetch} />;
  const own = (roles.data?.data ?? []).filter((role) => !role.built_in);
  const writes = can('staff:write');
  const stop = () => {
    setInviting(false);
    filters.clear();
  };
  return (
    <Page
      title={w.title}
      narrow
      actions={
        writes && (
          <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => setInviting(true)}>
            {w.invite.do}
          </Button>
        )
      }
    >
      <Stack gap="lg">
        <Section title={w.people}>
          {members.data?.data.map((member) => (
            <Member key={member.account_id} member={member} roles={own} />
          ))}
        </Section>
        {(invitations.data?.data.length ?? 0) > 0 && (
          <Section title={w.pending.title}>
            {invitations.data?.data.map((invitation) => (
              <Invited key={invitation.id} invitation={invitation} roles={own} />
            ))}
          </Section>
        )}
        <Roles roles={roles.data?.data ?? []} />
      </Stack>
      {writes && (
        <Modal opened={inviting || filters.values.invite !== ''} onClose={stop} title={w.invite.title}>
          <Invite roles={own} close={stop} />
        </Modal>
      )}
    </Page>
  );
}

/** What a role is called, be it built in or the store's own. */
function useRoleName() {
  const w = useSessionWords();
  return (role: Schemas['RoleName'], roleID: string | null, own: Role[]) => (role === 'custom' ? (own.find(({ id }) => id === roleID)?.name ?? w.role.custom) : w.role[role]);
}

/** The roles to choose from: a value of a role of one's own is its ID. */
function useRoleChoices(own: Role[]) {
  const w = useSessionWords();
  const { role } = useStore();
  const builtIn = (['owner', 'admin', 'catalogue', 'orders', 'support', 'analyst'] as const).filter((name) => name !== 'owner' || role === 'owner');
  return [...builtIn.map((value) => ({ value: value as string, label: w.role[value] })), ...own.map(({ id, name }) => ({ value: id, label: name }))];
}

const chosen = (value: string): { role: Schemas['RoleName']; role_id?: string } => (value.startsWith('role_') ? { role: 'custom', role_id: value } : { role: value as Schemas['RoleName'] });

function Member({ member, roles }: { member: Schemas['StaffMember']; roles: Role[] }) {
  const w = useStaffWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const f = useFormat();
  const { account } = useSession();
  const [removing, setRemoving] = useState(false);
  const choices = useRoleChoices(roles);
  const nameOf = useRoleName();
  const path = { account_id: member.account_id };
  const change = useWrite({ write: (value: string) => answered(api.PATCH('/v1/staff/{account_id}', { params: { path }, body: chosen(value) })), said: w.changed });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/staff/{account_id}', { params: { path } })), said: w.remove.done, done: () => setRemoving(false) });
  const me = member.account_id === account.id;
  const may = can('staff:write') && choices.some(({ value }) => value === (member.role_id ?? member.role));
  return (
    <Group wrap="nowrap" gap="md">
      <Avatar name={member.name ?? member.email} color="clay" radius="xl" />
      <Stack gap={0} flex={1} miw={0}>
        <Group gap={6}>
          <Text size="sm" fw={600} truncate>
            {member.name ?? member.email}
          </Text>
          {me && <Badge color="gray">{w.you}</Badge>}
        </Group>
        <Text size="xs" c="dimmed" truncate>
          {member.name && `${member.email} · `}
          {w.since(f.date(member.joined_at))}
        </Text>
      </Stack>
      {may ? (
        <Select aria-label={`${w.role}: ${member.name ?? member.email}`} w={{ base: 128, xs: 170 }} allowDeselect={false} data={choices} value={member.role_id ?? member.role} onChange={(value) => value && change.mutate(value)} />
      ) : (
        <Text size="sm">{nameOf(member.role, member.role_id, roles)}</Text>
      )}
      {may && !me && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`${everywhere.actions}: ${member.name ?? member.email}`}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item color="red" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={() => setRemoving(true)}>
              {w.remove.do}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <Sure opened={removing} title={w.remove.title} text={w.remove.text} go={everywhere.remove} pending={remove.isPending} confirm={() => remove.mutate()} close={() => setRemoving(false)} />
    </Group>
  );
}

function Invited({ invitation, roles }: { invitation: Schemas['Invitation']; roles: Role[] }) {
  const w = useStaffWords();
  const f = useFormat();
  const { api, can } = useStore();
  const nameOf = useRoleName();
  const revoke = useWrite({ write: () => answered(api.DELETE('/v1/invitations/{invitation_id}', { params: { path: { invitation_id: invitation.id } } })), said: w.pending.done });
  return (
    <Group wrap="nowrap" gap="md">
      <Stack gap={0} flex={1} miw={0}>
        <Text size="sm" fw={500} truncate>
          {invitation.email}
        </Text>
        <Text size="xs" c="dimmed">
          {nameOf(invitation.role, invitation.role_id, roles)} · {w.pending.until(f.date(invitation.expires_at))}
        </Text>
      </Stack>
      {can('staff:write') && (
        <Button size="xs" variant="default" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          {w.pending.revoke}
        </Button>
      )}
    </Group>
  );
}

function Invite({ roles, close }: { roles: Role[]; close: () => void }) {
  const w = useStaffWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const choices = useRoleChoices(roles);
  const form = useForm({ initialValues: { email: '', role: 'orders' } });
  const role = form.values.role as keyof ReturnType<typeof useStaffWords>['about'];
  const invite = useWrite({
    form: form as never,
    said: (made: Schemas['Invitation']) => w.invite.done(made.email),
    done: close,
    write: (values: typeof form.values) => answered(api.POST('/v1/staff', { params: { header: { 'Idempotency-Key': key } }, body: { email: values.email.trim(), ...chosen(values.role) } })),
  });
  return (
    <form onSubmit={form.onSubmit((values) => invite.mutate(values))}>
      <Stack>
        <Text size="sm" c="dimmed">
          {w.invite.text}
        </Text>
        <TextInput label={w.email} type="email" required maxLength={254} data-autofocus {...form.getInputProps('email')} />
        <Select label={w.role} description={w.about[role]} inputWrapperOrder={['label', 'input', 'description', 'error']} allowDeselect={false} data={choices} {...form.getInputProps('role')} />
        <Ending go={w.invite.send} pending={invite.isPending} close={close} />
      </Stack>
    </form>
  );
}

function Roles({ roles }: { roles: Role[] }) {
  const w = useStaffWords();
  const session = useSessionWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const [opened, setOpened] = useState<Role | 'new'>();
  const remove = useWrite({
    write: (role: Role) => answered(api.DELETE('/v1/roles/{role_id}', { params: { path: { role_id: role.id }, header: { 'If-Match': '*' } } })),
    undoable: true,
    said: w.remove.done,
  });
  const writes = can('staff:write');
  return (
    <Section
      title={w.roles.title}
      actions={
        writes && (
          <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpened('new')}>
            {w.roles.add}
          </Button>
        )
      }
    >
      {roles.map((role) => {
        const builtIn = role.built_in ? (role.name as keyof typeof w.about) : undefined;
        return (
          <Group key={role.id} wrap="nowrap" gap="md" align="flex-start">
            <Stack gap={0} flex={1}>
              <Group gap={6}>
                <Text size="sm" fw={600}>
                  {builtIn ? session.role[builtIn] : role.name}
                </Text>
                {builtIn && <Badge color="gray">{w.roles.builtIn}</Badge>}
              </Group>
              <Text size="sm" c="dimmed">
                {builtIn ? w.about[builtIn] : (role.description ?? w.roles.count(role.permissions.length))}
              </Text>
            </Stack>
            {!role.built_in && writes && (
              <Group gap="xs" wrap="nowrap">
                <Button size="xs" variant="default" onClick={() => setOpened(role)}>
                  {everywhere.edit}
                </Button>
                <Button size="xs" variant="subtle" color="red" onClick={() => remove.mutate(role)}>
                  {everywhere.delete}
                </Button>
              </Group>
            )}
          </Group>
        );
      })}
      <Modal opened={opened !== undefined} onClose={() => setOpened(undefined)} title={opened === 'new' ? w.roles.new : opened?.name} size="lg">
        {opened && <RoleForm key={opened === 'new' ? 'new' : opened.id} role={opened === 'new' ? undefined : opened} close={() => setOpened(undefined)} />}
      </Modal>
    </Section>
  );
}
