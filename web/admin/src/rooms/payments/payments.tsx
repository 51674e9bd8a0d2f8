import { Button, Group, Modal, Radio, Skeleton, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type Answer, answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { Toggle } from '../../page/toggle';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { ManualForm } from './manual';
import { Stripe } from './stripe';
import { usePaymentWords } from './words';

type Settings = Schemas['PaymentSettings'];

/** How shoppers may pay. */
export default function Payments() {
  const { api } = useStore();
  const settings = useQuery({ queryKey: ['payment-settings'], queryFn: () => answered(api.GET('/v1/payment-settings')) });
  if (settings.isLoadingError) return <Trouble error={settings.error} retry={settings.refetch} />;
  if (!settings.data) return <Skeleton height={300} radius="lg" maw={820} mx="auto" />;
  return <Present settings={settings.data.data} version={settings.data.version} />;
}

/** A change of how shoppers may pay; all of it but the keys of an account can be taken back. */
export function useChange(version: string | undefined, said: string, done?: () => void) {
  const { api } = useStore();
  const client = useQueryClient();
  return useWrite({
    said,
    undoable: true,
    ahead: (body) => ({ key: ['payment-settings'], to: (now: Answer<Settings>) => ({ ...now, data: { ...now.data, ...body, stripe: now.data.stripe } }) }),
    write: (body: Schemas['PaymentSettingsUpdate']) => answered(api.PATCH('/v1/payment-settings', { params: { header: { 'If-Match': version } }, body })),
    done: (answer) => {
      client.setQueryData(['payment-settings'], answer);
      done?.();
    },
  });
}

function Present({ settings, version }: { settings: Settings; version?: string }) {
  const w = usePaymentWords();
  const everywhere = useWords();
  const { can } = useStore();
  const filters = useFilters('method');
  const change = useChange(version, everywhere.saved);
  const writes = can('settings:write');
  const { providers, manual_methods: methods } = settings;
  const turn = (provider: Schemas['PaymentProvider'], on: boolean) => change.mutateAsync({ providers: on ? [...providers, provider] : providers.filter((each) => each !== provider) });
  const none = providers.length === 0 && !settings.test_provider;
  const opened = methods.findIndex(({ id }) => id === filters.values.method);
  const withMethods = (next: typeof methods) => change.mutate({ manual_methods: next, ...(next.length === 0 && { providers: providers.filter((each) => each !== 'manual') }) });
  return (
    <Page title={w.title} text={none ? undefined : w.text} narrow beside={none && <State mood="wrong">{w.none}</State>}>
      <Stack gap="lg">
        <Stripe settings={settings} version={version} turn={(on) => turn('stripe', on)} />
        <Section
          title={w.manual.title}
          text={w.manual.text}
          actions={
            <Group gap="sm" wrap="nowrap">
              {methods.length > 0 && <Toggle aria-label={w.manual.offered} disabled={!writes} checked={providers.includes('manual')} turn={(on) => turn('manual', on)} />}
              {writes && methods.length < 10 && (
                <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filters.set({ method: 'new' })}>
                  {everywhere.add}
                </Button>
              )}
            </Group>
          }
        >
          {methods.length === 0 && (
            <Text size="sm" c="dimmed">
              {w.manual.none}
            </Text>
          )}
          {methods.map((method, n) => (
            <Group key={method.id} wrap="nowrap" align="flex-start">
              <Stack gap={0} flex={1} miw={0}>
                <Text size="sm" fw={600}>
                  {method.name}
                </Text>
                <Text size="sm" c="dimmed" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
                  {method.instructions}
                </Text>
              </Stack>
              {writes && (
                <Group gap={4} wrap="nowrap">
                  {n > 0 && (
                    <Button size="xs" variant="subtle" color="gray" onClick={() => withMethods(methods.toSpliced(n, 1).toSpliced(n - 1, 0, method))}>
                      {w.manual.up}
                    </Button>
                  )}
                  <Button size="xs" variant="default" onClick={() => filters.set({ method: method.id })}>
                    {everywhere.edit}
                  </Button>
                  <Button size="xs" variant="subtle" color="red" onClick={() => withMethods(methods.toSpliced(n, 1))}>
                    {everywhere.remove}
                  </Button>
                </Group>
              )}
            </Group>
          ))}
        </Section>
        {settings.test_provider && (
          <Section title={w.test.title}>
            <Text size="sm">{w.test.text}</Text>
          </Section>
        )}
        <Section title={w.capture.title} text={w.capture.text}>
          <Radio.Group aria-label={w.capture.title} value={settings.capture_method} onChange={(capture_method) => change.mutate({ capture_method: capture_method as Settings['capture_method'] })}>
            <Stack gap="sm">
              {(['automatic', 'manual'] as const).map((method) => (
                <Radio key={method} value={method} disabled={!writes} label={w.capture.methods[method]} description={w.capture.texts[method]} />
              ))}
            </Stack>
          </Radio.Group>
        </Section>
      </Stack>
      {writes && (
        <Modal opened={filters.values.method !== ''} onClose={filters.clear} title={methods[opened]?.name ?? w.manual.add}>
          <ManualForm settings={settings} version={version} at={opened} close={filters.clear} />
        </Modal>
      )}
    </Page>
  );
}
