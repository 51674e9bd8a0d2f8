import { ActionIcon, Alert, Button, Group, Menu, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconDownload, IconRefresh } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { answered, idempotencyKey } from '../../api/client';
import { useWrite } from '../../api/write';
import { saveFile } from '../../page/file';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { dayIn } from '../../words/format';
import { ask, isByTime, kinds, type Name, sorts, table } from './reports';
import { Ranking } from './ranking';
import { Times } from './times';
import { useAnalyticsWords } from './words';

const day = 86_400_000;

/** How long rows are that fit a period. */
function fitting(from: string, to: string) {
  const days = (new Date(to).getTime() - new Date(from).getTime()) / day;
  return days <= 45 ? 'day' : days <= 190 ? 'week' : 'month';
}

/** How the store does, from all sides. */
export default function Analytics() {
  const w = useAnalyticsWords();
  const everywhere = useWords();
  const { api, can, settings } = useStore();
  const filters = useFilters('report', 'days', 'from', 'to', 'compare', 'interval', 'currency', 'sort', 'figure');
  const { values, set } = filters;
  const name: Name = values.report in kinds ? (values.report as Name) : 'sales';
  const own = values.days === 'own';
  const days = values.days in w.periods && !own ? Number(values.days) : 30;
  const today = dayIn(settings.time_zone, 0);
  const from = own && values.from ? values.from : dayIn(settings.time_zone, days - 1);
  const to = own && values.to ? values.to : today;
  const asked = {
    from,
    to,
    interval: values.interval || fitting(from, to),
    compare: values.compare === 'none' ? '' : values.compare || 'previous_period',
    currency: values.currency || settings.currency,
    sort: values.sort || sorts[0],
  };
  const report = useQuery({
    queryKey: ['report', name, asked],
    queryFn: () => ask(api, name, asked),
    placeholderData: (former, query) => (query?.queryKey[1] === name ? keepPreviousData(former) : undefined),
  });
  const save = useWrite({
    write: async () => {
      await saveFile(table(api, name, asked) as never, `${name}${name === 'stock' ? `-${today}` : `-${from}-${to}`}.csv`);
      return { data: undefined, requests: [], version: undefined };
    },
  });
  const rebuild = useWrite({ write: () => answered(api.POST('/v1/analytics/rebuild', { params: { header: { 'Idempotency-Key': idempotencyKey() } } })), said: w.rebuild.done });
  const Shown = isByTime(name) ? Times : Ranking;
  return (
    <Page
      title={w.title}
      actions={
        <>
          <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} loading={save.isPending} onClick={() => save.mutate()}>
            {w.download}
          </Button>
          {can('store:write') && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => rebuild.mutate()}>
                  {w.rebuild.do}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      <Stack gap="lg">
        <Views label={w.report} value={name === 'sales' ? '' : name} names={{ all: w.reports.sales, ...Object.fromEntries(Object.keys(kinds).slice(1).map((kind) => [kind, w.reports[kind as Name]])) }} onChange={(next) => set({ report: next, sort: '', figure: '' })} />
        <Group gap="sm" align="flex-end">
          {name !== 'stock' && (
            <>
              <Select label={w.period} w={170} allowDeselect={false} data={Object.entries(w.periods).map(([value, label]) => ({ value, label }))} value={own ? 'own' : String(days)} onChange={(next) => set({ days: next === '30' ? '' : (next ?? ''), from: next === 'own' ? from : '', to: next === 'own' ? to : '', interval: '' })} />
              {own && (
                <>
                  <TextInput type="date" label={w.from} max={to} value={from} onChange={(event) => event.currentTarget.value && set({ from: event.currentTarget.value })} />
                  <TextInput type="date" label={w.to} min={from} max={today} value={to} onChange={(event) => event.currentTarget.value && set({ to: event.currentTarget.value })} />
                </>
              )}
              <Select
                label={w.compare}
                w={190}
                allowDeselect={false}
                data={Object.entries(w.comparisons).map(([value, label]) => ({ value, label }))}
                value={asked.compare || 'none'}
                onChange={(next) => set({ compare: next === 'previous_period' ? '' : (next ?? '') })}
              />
            </>
          )}
          {isByTime(name) && <Select label={w.interval} w={130} allowDeselect={false} data={Object.entries(w.intervals).map(([value, label]) => ({ value, label }))} value={asked.interval} onChange={(next) => set({ interval: next ?? '' })} />}
          {(name === 'products' || name === 'collections') && (
            <Select label={w.sort} w={190} allowDeselect={false} data={sorts.map((value) => ({ value, label: w.figures[value] }))} value={asked.sort} onChange={(next) => set({ sort: next === sorts[0] ? '' : (next ?? '') })} />
          )}
          {settings.currencies.length > 1 && name !== 'conversion' && <Select label={w.currency} w={110} allowDeselect={false} data={settings.currencies} value={asked.currency} onChange={(next) => set({ currency: next === settings.currency ? '' : (next ?? '') })} />}
        </Group>
        <Text size="sm" c="dimmed">
          {w.about[name]}
        </Text>
        {report.data?.rebuilding && <Alert color="yellow">{w.rebuild.going}</Alert>}
        {report.isLoadingError ? (
          <Trouble error={report.error} retry={report.refetch} />
        ) : report.data ? (
          <Shown name={name} report={report.data} interval={asked.interval} against={asked.compare ? w.against[asked.compare as keyof typeof w.against] : undefined} figure={name in { products: 1, collections: 1 } ? asked.sort : values.figure} choose={(figure) => set({ figure })} />
        ) : (
          <Skeleton height={360} radius="lg" />
        )}
      </Stack>
    </Page>
  );
}
