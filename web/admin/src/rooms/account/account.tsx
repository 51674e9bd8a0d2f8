import { Box, Button, Group, Modal, PasswordInput, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answered, type Schemas } from '../../api/client';
import { awaited } from '../../api/memory';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { platform, platformMemory } from '../../session/session';
import { useWords } from '../../words/everywhere';
import { Passkeys } from './passkeys';
import { Proof } from './proof';
import { Sessions } from './sessions';
import { Authenticator } from './totp';
import { useAccountWords } from './words';

/** Who one is, how one signs in, and where one is signed in. It is of no store. */
export default function Account() {
  const account = useQuery({ queryKey: ['account'], queryFn: () => answered(platform.api.GET('/v1/account')) });
  // Each part would push down what is below it.
  const passkeys = platform.query.useQuery('get', '/v1/account/passkeys', { params: { query: { limit: 100 } } });
  const sessions = platform.query.useQuery('get', '/v1/account/sessions', { params: { query: { limit: 100 } } });
  if (account.isLoadingError) return <Trouble error={account.error} retry={account.refetch} />;
  if (!account.data || awaited(passkeys, sessions)) return <Skeleton height={300} radius="lg" maw={820} mx="auto" />;
  return <Present account={account.data.data} version={account.data.version} />;
}

type Dialog = 'email' | 'password';

function Present({ account, version }: { account: Schemas['Account']; version?: string }) {
  const w = useAccountWords();
  const everywhere = useWords();
  const filters = useFilters('do');
  const opened = (dialog: Dialog) => filters.values.do === dialog;
  const there = { name: account.name ?? '' };
  const form = useForm({ of: account.id, initialValues: there });
  const base = useFresh(form, there, version);
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    write: ({ name }: typeof there) => answered(platform.api.PATCH('/v1/account', { params: { header: { 'If-Match': base.version } }, body: { name: name.trim() || null } })),
    done: () => {
      form.resetDirty();
      void platformMemory.invalidateQueries();
    },
  });
  const remind = useWrite({ write: () => answered(platform.api.POST('/v1/account/email-verification')), said: w.email.reminded });
  return (
    <Page title={w.title} text={w.text} narrow>
      <Stack gap="lg">
        <Section title={w.you}>
          <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
            <TextInput label={w.name} autoComplete="name" maxLength={255} maw={380} {...form.getInputProps('name')} />
            <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
          </form>
          <Row
            name={w.email.title}
            beside={account.email_verified ? <State mood="well">{w.email.proven}</State> : <State mood="waits">{w.email.unproven}</State>}
            text={account.pending_email ? w.email.pending(account.email, account.pending_email) : account.email}
            action={
              <>
                {!account.email_verified && (
                  <Button variant="subtle" loading={remind.isPending} onClick={() => remind.mutate()}>
                    {w.email.remind}
                  </Button>
                )}
                <Button variant="default" onClick={() => filters.set({ do: 'email' })}>
                  {w.email.change}
                </Button>
              </>
            }
          />
        </Section>
        <Section title={w.signIn}>
          <Row
            name={w.password.title}
            text={w.password.text}
            action={
              <Button variant="default" onClick={() => filters.set({ do: 'password' })}>
                {w.password.change}
              </Button>
            }
          />
          <Authenticator account={account} />
        </Section>
        <Passkeys />
        <Sessions />
      </Stack>
      <Modal opened={opened('email')} onClose={filters.clear} title={w.email.change}>
        <Proof
          text={w.email.text}
          go={w.email.send}
          initial={{ password: '', email: '' }}
          fields={(of) => <TextInput label={w.email.next} type="email" autoComplete="email" required maxLength={254} {...of.getInputProps('email')} />}
          write={({ email, password }) => answered(platform.api.POST('/v1/account/email-change', { body: { email: email.trim(), password } }))}
          said={w.email.sent}
          done={filters.clear}
          close={filters.clear}
        />
      </Modal>
      <Modal opened={opened('password')} onClose={filters.clear} title={w.password.change}>
        <ChangePassword least={account.totp_enabled ? 8 : 15} close={filters.clear} />
      </Modal>
    </Page>
  );
}

function ChangePassword({ least, close }: { least: number; close: () => void }) {
  const w = useAccountWords();
  return (
    <Proof
      text={w.password.ends}
      go={w.password.change}
      initial={{ password: '', new_password: '' }}
      validate={{ new_password: (next) => (next.length < least ? w.password.short(least) : null) }}
      fields={(form) => <PasswordInput label={w.password.next} description={w.password.rule(least)} autoComplete="new-password" required maxLength={1024} {...form.getInputProps('new_password')} />}
      write={({ password, new_password }) => answered(platform.api.POST('/v1/account/password', { body: { current_password: password, new_password } }))}
      said={w.password.done}
      done={close}
      close={close}
    />
  );
}

/** Something of the account, what it is like, and what can be done about it. */
export function Row({ name, beside, text, action }: { name: string; beside?: ReactNode; text: ReactNode; action?: ReactNode }) {
  return (
    <Group justify="space-between" gap="sm">
      <Box flex={1} miw={200}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {name}
          </Text>
          {beside}
        </Group>
        <Text size="sm" c="dimmed" component="div" style={{ overflowWrap: 'anywhere' }}>
          {text}
        </Text>
      </Box>
      {action && <Group gap="xs">{action}</Group>}
    </Group>
  );
}
