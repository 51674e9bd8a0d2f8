import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { problemOf, Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { Ending } from '../../page/form';
import { Fact, Section } from '../../page/section';
import { State } from '../../page/state';
import { Sure } from '../../page/sure';
import { Toggle } from '../../page/toggle';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { usePaymentWords } from './words';

type StripeProps = { settings: Schemas['PaymentSettings']; version?: string; turn: (on: boolean) => Promise<unknown> };

/** Cards and wallets by Stripe: with an account that is connected, or by keys of its own. */
export function Stripe({ settings: { stripe, providers }, version, turn }: StripeProps) {
  const w = usePaymentWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const client = useQueryClient();
  const [asked, setAsked] = useState<'keys' | 'remove'>();
  const close = () => setAsked(undefined);
  const connect = useWrite({
    write: () => answered(api.POST('/v1/payment-settings/stripe/connect', { body: { return_url: window.location.href } })),
    done: ({ data }) => window.location.assign(data.url),
  });
  const remove = useWrite({
    write: () => answered(api.PATCH('/v1/payment-settings', { params: { header: { 'If-Match': version } }, body: { stripe: null } })),
    said: w.stripe.removed,
    done: (answer) => {
      client.setQueryData(['payment-settings'], answer);
      close();
    },
  });
  const writes = can('settings:write');
  return (
    <Section
      title={w.stripe.title}
      text={w.stripe.text}
      actions={stripe && <Toggle aria-label={w.stripe.offered} disabled={!writes} checked={providers.includes('stripe')} turn={turn} />}
    >
      {stripe && (
        <Group gap="xl" align="flex-start">
          <Fact name={w.stripe.account}>
            <Group gap={4}>
              {stripe.account_id}
              <Copy value={stripe.account_id} />
            </Group>
          </Fact>
          <Fact name={w.stripe.state}>{stripe.charges_enabled ? <State mood="well">{w.stripe.ready}</State> : <State mood="waits">{w.stripe.incomplete}</State>}</Fact>
          {stripe.secret_key_last4 && <Fact name={w.stripe.secret}>…{stripe.secret_key_last4}</Fact>}
          {stripe.secret_key_last4 && <Fact name={w.stripe.webhook}>{stripe.webhook_secret_set ? everywhere.yes : everywhere.no}</Fact>}
        </Group>
      )}
      {writes && (
        <Group gap="sm">
          {(!stripe || (!stripe.secret_key_last4 && !stripe.charges_enabled)) && (
            <Button loading={connect.isPending} onClick={() => connect.mutate()}>
              {stripe ? w.stripe.complete : w.stripe.connect}
            </Button>
          )}
          {(!stripe || stripe.secret_key_last4) && (
            <Button variant="default" onClick={() => setAsked('keys')}>
              {stripe ? w.stripe.changeKeys : w.stripe.ownKeys}
            </Button>
          )}
          {stripe && (
            <Button variant="subtle" color="red" onClick={() => setAsked('remove')}>
              {everywhere.remove}
            </Button>
          )}
        </Group>
      )}
      <Modal opened={asked === 'keys'} onClose={close} title={w.stripe.ownKeys}>
        <Keys version={version} close={close} on={providers} />
      </Modal>
      <Sure opened={asked === 'remove'} title={w.stripe.removeTitle} text={w.stripe.removeText} go={everywhere.remove} pending={remove.isPending} confirm={() => remove.mutate()} close={close} />
    </Section>
  );
}

function Keys({ version, close, on }: { version?: string; close: () => void; on: Schemas['PaymentProvider'][] }) {
  const w = usePaymentWords();
  const everywhere = useWords();
  const { api } = useStore();
  const client = useQueryClient();
  // Secrets are kept nowhere but at the API.
  const form = useForm({ initialValues: { secret_key: '', publishable_key: '', webhook_secret: '' } });
  const save = useWrite({
    form: form as never,
    said: w.stripe.keysSaved,
    write: ({ secret_key, publishable_key, webhook_secret }: typeof form.values) =>
      answered(
        api.PATCH('/v1/payment-settings', {
          params: { header: { 'If-Match': version } },
          body: {
            stripe: { secret_key: secret_key.trim(), ...(publishable_key.trim() && { publishable_key: publishable_key.trim() }), ...(webhook_secret.trim() && { webhook_secret: webhook_secret.trim() }) },
            ...(!on.includes('stripe') && { providers: [...on, 'stripe' as const] }),
          },
        }),
      ).catch((error) => {
        const problem = problemOf(error);
        throw problem.errors ? new Refused({ ...problem, errors: problem.errors.map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^\/stripe(?=\/)/, '') })) }) : error;
      }),
    done: (answer) => {
      client.setQueryData(['payment-settings'], answer);
      close();
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <Text size="sm" c="dimmed">
          {w.stripe.keysText}
        </Text>
        <PasswordInput label={w.stripe.secret} placeholder="sk_live_…" autoComplete="off" required maxLength={255} data-autofocus {...form.getInputProps('secret_key')} />
        <TextInput label={w.stripe.publishable} placeholder="pk_live_…" autoComplete="off" maxLength={255} {...form.getInputProps('publishable_key')} />
        <PasswordInput label={w.stripe.webhook} description={w.stripe.webhookText} placeholder="whsec_…" autoComplete="off" maxLength={255} {...form.getInputProps('webhook_secret')} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
