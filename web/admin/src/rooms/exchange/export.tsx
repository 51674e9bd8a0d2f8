import { Modal, SegmentedControl, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { type Permission, useStore } from '../../session/store';
import { instantOf } from '../../words/days';
import { useExchangeWords } from './words';

type Resource = Schemas['ExportRequest']['resource'];

const needs: Record<Resource, Permission> = { products: 'products:read', customers: 'customers:read', orders: 'orders:read' };

type ExportProps = { resource: string; choose: (resource: Resource) => void; close: () => void };

/** Asks what is to be written into a file. */
export function Export({ resource, choose, close }: ExportProps) {
  const w = useExchangeWords();
  return (
    <Modal opened={resource in needs} onClose={close} title={w.export.title}>
      {resource in needs && <Ask resource={resource as Resource} choose={choose} close={close} />}
    </Modal>
  );
}

function Ask({ resource, choose, close }: { resource: Resource; choose: (resource: Resource) => void; close: () => void }) {
  const w = useExchangeWords();
  const { api, can, to, settings } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [format, setFormat] = useState<'csv' | 'jsonl'>('csv');
  const [since, setSince] = useState('');
  const [until, setUntil] = useState('');
  const ask = useWrite({
    said: w.export.started,
    write: () =>
      answered(
        api.POST('/v1/exports', {
          params: { header: { 'Idempotency-Key': key } },
          body: { resource, format: resource === 'products' ? 'csv' : format, ...(since && { since: instantOf(since, settings.time_zone) }), ...(until && { until: instantOf(until, settings.time_zone, 1) }) },
        }),
      ),
    done: ({ data }) => void go(to(`exchange/${data.id}`)),
  });
  const allowed = (Object.keys(needs) as Resource[]).filter((each) => can(needs[each]));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate();
      }}
    >
      <Stack>
        <SegmentedControl aria-label={w.export.what} value={resource} onChange={(next) => choose(next as Resource)} data={allowed.map((value) => ({ value, label: w.export.whats[value] }))} />
        {resource !== 'products' && (
          <Select
            label={w.export.format}
            allowDeselect={false}
            value={format}
            onChange={(next) => setFormat(next as typeof format)}
            data={Object.entries(w.export.formats).map(([value, label]) => ({ value, label }))}
          />
        )}
        <SimpleGrid cols={2}>
          <TextInput type="date" label={w.export.since} value={since} max={until || undefined} onChange={(event) => setSince(event.currentTarget.value)} />
          <TextInput type="date" label={w.export.until} value={until} min={since || undefined} onChange={(event) => setUntil(event.currentTarget.value)} />
        </SimpleGrid>
        <Text size="xs" c="dimmed">
          {w.export.time[resource]}
        </Text>
        <Ending go={w.export.go} pending={ask.isPending} close={close} />
      </Stack>
    </form>
  );
}
