import { Button, Group, Modal, Progress, SegmentedControl, SimpleGrid, Skeleton, Stack, Table, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { Suspense, lazy, useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { saveFile } from '../../page/file';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { usePlanWords } from './words';

const Chart = lazy(() => import('../../page/chart'));

/** What the store may use, what it does use, and its end. */
export default function Plan() {
  const w = usePlanWords();
  const { query, can, role } = useStore();
  const usage = query.useQuery('get', '/v1/usage', {});
  const plans = query.useQuery('get', '/v1/plans', { params: { query: { limit: 100 } } });
  const failed = [usage, plans].find((asked) => asked.isLoadingError);
  if (failed) return <Trouble error={failed.error} retry={failed.refetch} />;
  return (
    <Page title={w.title} narrow>
      <Stack gap="lg">
        {usage.data && plans.data ? (
          <>
            <Present usage={usage.data} />
            <Plans plans={plans.data.data} present={usage.data.plan} />
            {(can('store:export') || role === 'owner') && <End />}
          </>
        ) : (
          <Skeleton height={360} radius="lg" />
        )}
      </Stack>
    </Page>
  );
}

function Present({ usage }: { usage: Schemas['Usage'] }) {
  const w = usePlanWords();
  const f = useFormat();
  const filters = useFilters('shown');
  const shown = filters.values.shown === 'orders' ? 'orders' : 'requests';
  const today = usage.days.at(-1);
  const used: [string, number, number | null][] = [
    [w.limits.products, usage.products, usage.plan.products],
    [w.limits.staff, usage.staff, usage.plan.staff],
    [w.today, today?.requests ?? 0, usage.plan.requests_per_day],
  ];
  return (
    <Section title={usage.plan.name} text={w.present}>
      <SimpleGrid cols={{ base: 1, xs: 3 }}>
        {used.map(([name, n, most]) => (
          <Stack key={name} gap={4}>
            <Text size="sm" c="dimmed">
              {name}
            </Text>
            <Text fw={650} fz="lg">
              {most === null ? f.number(n) : w.of(f.number(n), f.number(most))}
            </Text>
            <Progress value={most === null ? 0 : Math.min(100, (n / most) * 100)} color={most !== null && n >= most * 0.9 ? 'red' : 'clay'} aria-label={name} />
          </Stack>
        ))}
      </SimpleGrid>
      {usage.days.length > 1 && (
        <>
          <Group>
            <SegmentedControl
              size="xs"
              aria-label={w.shown}
              value={shown}
              onChange={(next) => filters.set({ shown: next === 'orders' ? next : '' })}
              data={[
                { value: 'requests', label: w.requests },
                { value: 'orders', label: w.orders },
              ]}
            />
          </Group>
          <div style={{ height: 220 }}>
            <Suspense fallback={<Skeleton height="100%" />}>
              <Chart title={w[shown]} now={w[shown]} before="" format={f.number} points={usage.days.map((day) => ({ at: f.day(day.date), now: day[shown], before: null }))} />
            </Suspense>
          </div>
        </>
      )}
    </Section>
  );
}

function Plans({ plans, present }: { plans: Schemas['Plan'][]; present: Schemas['Plan'] }) {
  const w = usePlanWords();
  const f = useFormat();
  const limits = ['products', 'staff', 'domains', 'requests_per_minute', 'requests_per_day', 'request_log_days', 'picture_megabytes'] as const;
  return (
    <Section title={w.plans} text={w.plansText} flush>
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
        <Table verticalSpacing="xs" horizontalSpacing="md" aria-label={w.plans}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>
                <VisuallyHidden>{w.present}</VisuallyHidden>
              </Table.Th>
              {plans.map((plan) => (
                <Table.Th key={plan.id} ta="end">
                  <Group gap={6} justify="end" wrap="nowrap">
                    {plan.id === present.id && <State mood="well">{w.yours}</State>}
                    {plan.name}
                  </Group>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {limits.map((limit) => (
              <Table.Tr key={limit}>
                <Table.Th fw={400}>{w.limits[limit]}</Table.Th>
                {plans.map((plan) => {
                  const most = plan[limit];
                  return (
                    <Table.Td key={plan.id} ta="end" fw={plan.id === present.id ? 600 : undefined}>
                      {most === null ? w.unlimited : f.number(most)}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  );
}

/** All data of the store as a file, and its end. */
function End() {
  const w = usePlanWords();
  const everywhere = useWords();
  const { api, can, role, settings } = useStore();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState('');
  const close = () => {
    setAsked(false);
    setTyped('');
  };
  const take = useWrite({
    write: async () => {
      await saveFile(api.GET('/v1/store/export', { parseAs: 'blob' }) as never, `${settings.address}.ndjson`);
      return { data: undefined, requests: [], version: undefined };
    },
  });
  const end = useWrite({
    write: () => answered(api.DELETE('/v1/store', { params: { query: { confirm: settings.address } } })),
    // All of the program goes, and with it all that it has kept.
    done: () => window.location.assign('/admin/'),
  });
  return (
    <Section title={w.end.title} text={w.end.text}>
      <Group>
        {can('store:export') && (
          <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} loading={take.isPending} onClick={() => take.mutate()}>
            {w.end.take}
          </Button>
        )}
        {role === 'owner' && (
          <Button variant="subtle" color="red" onClick={() => setAsked(true)}>
            {w.end.do}
          </Button>
        )}
      </Group>
      <Modal opened={asked} onClose={close} title={w.end.ask}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            end.mutate();
          }}
        >
          <Stack>
            <Text size="sm">{w.end.askText}</Text>
            <TextInput label={w.end.type(settings.address)} autoComplete="off" data-autofocus value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
            <Group justify="end">
              <Button variant="default" onClick={close}>
                {everywhere.cancel}
              </Button>
              <Button type="submit" color="red" disabled={typed.trim() !== settings.address} loading={end.isPending}>
                {w.end.do}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Section>
  );
}
