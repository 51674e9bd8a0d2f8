import { Alert, Button, Code, CopyButton, Group, Modal, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { problemOf, Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { save } from '../../page/file';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { State } from '../../page/state';
import { platform, platformMemory } from '../../session/session';
import { useWords } from '../../words/everywhere';
import { Row } from './account';
import { Proof } from './proof';
import { QrCode } from './qr';
import { useAccountWords } from './words';

/** The second factor beside the password: whether there is one, and how it comes and goes. */
export function Authenticator({ account }: { account: Schemas['Account'] }) {
  const w = useAccountWords();
  const filters = useFilters('do');
  const [codes, setCodes] = useState<string[]>();
  const close = () => {
    filters.clear();
    setCodes(undefined);
    void platformMemory.invalidateQueries();
  };
  const opened = (dialog: string) => filters.values.do === dialog && !codes;
  return (
    <>
      <Row
        name={w.totp.title}
        beside={account.totp_enabled ? <State mood="well">{w.on}</State> : <State mood="over">{w.off}</State>}
        text={account.totp_enabled ? w.totp.textOn : w.totp.text}
        action={
          account.totp_enabled ? (
            <>
              <Button variant="default" onClick={() => filters.set({ do: 'codes' })}>
                {w.codes.renew}
              </Button>
              <Button variant="subtle" color="red" onClick={() => filters.set({ do: 'remove-totp' })}>
                {w.totp.remove}
              </Button>
            </>
          ) : (
            <Button onClick={() => filters.set({ do: 'totp' })}>{w.totp.begin}</Button>
          )
        }
      />
      <Modal opened={opened('totp')} onClose={close} title={w.totp.begin} closeOnClickOutside={false}>
        <Begin done={setCodes} close={close} />
      </Modal>
      <Modal opened={opened('codes')} onClose={close} title={w.codes.renew}>
        <Proof
          text={w.codes.renewText}
          go={w.codes.renew}
          initial={{ password: '' }}
          write={(body) => answered(platform.api.POST('/v1/account/recovery-codes', { body }))}
          done={(made) => setCodes(made.codes)}
          close={close}
        />
      </Modal>
      <Modal opened={opened('remove-totp')} onClose={close} title={w.totp.removeTitle}>
        <Proof
          text={w.totp.removeText}
          go={w.totp.remove}
          initial={{ password: '', code: '' }}
          fields={(form) => <TextInput label={w.code} description={w.codeOrRecovery} autoComplete="one-time-code" required maxLength={16} {...form.getInputProps('code')} />}
          write={({ password, code }) => answered(platform.api.POST('/v1/account/totp/remove', { body: { password, code: plain(code) } }))}
          said={w.totp.removed}
          done={close}
          close={close}
        />
      </Modal>
      <Modal opened={codes !== undefined} onClose={close} title={w.codes.title} closeOnClickOutside={false}>
        <Codes codes={codes ?? []} close={close} />
      </Modal>
    </>
  );
}

const plain = (code: string) => code.replaceAll(' ', '');

/** From the password to the secret, and from the secret to a first code. */
function Begin({ done, close }: { done: (codes: string[]) => void; close: () => void }) {
  const w = useAccountWords();
  const [made, setMade] = useState<Schemas['TotpEnrolment']>();
  if (made) return <Confirm made={made} done={done} close={close} />;
  return <Proof text={w.totp.text} go={w.totp.next} initial={{ password: '' }} write={(body) => answered(platform.api.POST('/v1/account/totp', { body }))} done={setMade} close={close} />;
}

function Confirm({ made, done, close }: { made: Schemas['TotpEnrolment']; done: (codes: string[]) => void; close: () => void }) {
  const w = useAccountWords();
  const form = useForm({ initialValues: { code: '' } });
  const confirm = useWrite({
    form: form as never,
    said: w.totp.done,
    write: ({ code }: typeof form.values) =>
      answered(platform.api.POST('/v1/account/totp/confirm', { body: { code: plain(code) } })).catch((error) => {
        const problem = problemOf(error);
        throw problem.code === 'invalid_code' ? new Refused({ ...problem, errors: [{ pointer: '/code', code: problem.code, detail: w.wrongCode }] }) : error;
      }),
    done: ({ data }) => done(data.codes),
  });
  return (
    <form onSubmit={form.onSubmit((values) => confirm.mutate(values))}>
      <Stack>
        <Text size="sm">{w.totp.scan}</Text>
        <Group justify="center">
          <QrCode value={made.uri} label={w.totp.qr} />
        </Group>
        <Text size="sm" c="dimmed">
          {w.totp.type}
        </Text>
        <Group wrap="nowrap" gap="xs">
          <Code flex={1} style={{ overflowWrap: 'anywhere' }}>
            {made.secret}
          </Code>
          <Copy value={made.secret} />
        </Group>
        <TextInput label={w.code} description={w.totp.codeText} autoComplete="one-time-code" inputMode="numeric" required maxLength={7} data-autofocus {...form.getInputProps('code')} />
        <Ending go={w.totp.turnOn} pending={confirm.isPending} close={close} />
      </Stack>
    </form>
  );
}

/** The codes that stand in for the authenticator, the one time that they can be seen. */
function Codes({ codes, close }: { codes: string[]; close: () => void }) {
  const w = useAccountWords();
  const everywhere = useWords();
  const text = codes.join('\n');
  return (
    <Stack>
      <Alert color="yellow">
        <Text size="sm">{w.codes.text}</Text>
      </Alert>
      <SimpleGrid cols={2} spacing="xs">
        {codes.map((code) => (
          <Code key={code} fz="md" ta="center" py={6}>
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group justify="space-between">
        <Group gap="xs">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? everywhere.copied : everywhere.copy}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={() => save(new Blob([`${text}\n`], { type: 'text/plain' }), w.codes.file)}>
            {w.codes.download}
          </Button>
        </Group>
        <Button onClick={close}>{w.codes.kept}</Button>
      </Group>
    </Stack>
  );
}
