import { Anchor, Box, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import '@mantine/dropzone/styles.layer.css';
import { IconFileSpreadsheet } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { save } from '../../page/file';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { columns, meaningOf, samples } from './columns';
import { firstRows } from './csv';
import { Mapping } from './mapping';
import { Counts } from './operation';
import { Far, goesOn } from './progress';
import { useExchangeWords } from './words';

type Kind = Schemas['ImportKind'];

/** A file that was chosen, with its first rows. */
type Chosen = { file: File; header: string[]; rows: string[][] };

const most = 32 * 1024 * 1024;
const kinds = { 'text/csv': ['.csv'], 'application/vnd.ms-excel': ['.csv'] };

/** From a file to what it brings: what its columns mean, what would become of each row, and then the import. */
export default function Import() {
  const w = useExchangeWords();
  const { query, can } = useStore();
  const filters = useFilters('kind');
  const kind: Kind = filters.values.kind === 'customers' ? 'shopify_customers' : 'shopify_products';
  const [chosen, setChosen] = useState<Chosen>();
  const definitions = query.useQuery('get', '/v1/field-definitions', { params: { query: { limit: 100 } } }, { enabled: can('settings:read') });
  const fields = (definitions.data?.data ?? []).filter(({ resource }) => (kind === 'shopify_customers' ? resource === 'customer' : resource === 'product' || resource === 'variant'));
  const choose = async ([file]: File[]) => {
    if (!file) return;
    const [header = [], ...rows] = firstRows(await file.slice(0, 256 * 1024).text(), 20);
    setChosen({ file, header, rows });
  };
  return (
    <Page title={w.import.title} back="exchange" narrow>
      <Stack gap="lg">
        <Section title={w.import.kind}>
          {can('customers:write') && (
            <SegmentedControl
              aria-label={w.import.kind}
              value={kind}
              onChange={(next) => {
                filters.set({ kind: next === 'shopify_customers' ? 'customers' : '' });
                setChosen(undefined);
              }}
              data={Object.entries(w.import.kinds).map(([value, label]) => ({ value, label }))}
            />
          )}
          <Dropzone onDrop={(files) => void choose(files)} onReject={() => complain(w.import.refused)} accept={kinds} maxSize={most} multiple={false} aria-label={w.import.drop} radius="md" py={chosen ? 'sm' : 'xl'}>
            <Stack align="center" gap={4} style={{ pointerEvents: 'none' }}>
              <IconFileSpreadsheet size={chosen ? 24 : 36} stroke={1.4} aria-hidden />
              <Text size="sm" fw={500} ta="center" style={{ overflowWrap: 'anywhere' }}>
                {chosen ? chosen.file.name : w.import.drop}
              </Text>
              <Text size="xs" c="dimmed" ta="center" maw={440}>
                {chosen ? w.import.another : w.import.text}
              </Text>
            </Stack>
          </Dropzone>
          {!chosen && (
            <Box>
              <Anchor component="button" type="button" size="sm" onClick={() => save(new Blob([samples[kind]], { type: 'text/csv' }), kind === 'shopify_products' ? 'products.csv' : 'customers.csv')}>
                {w.import.sample}
              </Anchor>
            </Box>
          )}
        </Section>
        {chosen && !definitions.isLoading && <Read key={`${kind} ${chosen.file.name} ${chosen.file.lastModified}`} kind={kind} chosen={chosen} fields={fields} />}
      </Stack>
    </Page>
  );
}

/** A file whose columns are known: what would become of it is seen before it does. */
function Read({ kind, chosen, fields }: { kind: Kind; chosen: Chosen; fields: Schemas['FieldDefinition'][] }) {
  const w = useExchangeWords();
  const f = useFormat();
  const { api, query, to } = useStore();
  const go = useNavigate();
  const [meanings, setMeanings] = useState(() => chosen.header.map((column) => meaningOf(kind, column, fields)));
  const [key] = useState(idempotencyKey);
  const [previewed, setPreviewed] = useState('');
  const mapping = Object.fromEntries(chosen.header.flatMap((column, n) => (column.trim() && meanings[n] !== column ? [[column.trim(), meanings[n] ?? '']] : [])));
  const send = (preview: boolean) =>
    answered(
      api.POST('/v1/imports', {
        params: { header: { 'Idempotency-Key': preview ? idempotencyKey() : key } },
        body: { kind, file: '' },
        bodySerializer: () => {
          const form = new FormData();
          form.append('kind', kind);
          if (preview) form.append('preview', 'true');
          form.append('mapping', JSON.stringify(mapping));
          form.append('file', chosen.file);
          return form;
        },
      }),
    );
  const preview = useWrite({ write: () => send(true), done: ({ data }) => setPreviewed(data.id) });
  const start = useWrite({ write: () => send(false), done: ({ data }) => void go(to(`exchange/${data.id}`)) });
  const shown = query.useQuery(
    'get',
    '/v1/operations/{operation_id}',
    { params: { path: { operation_id: previewed } } },
    { enabled: previewed !== '', refetchInterval: ({ state }) => (state.data && goesOn(state.data) ? 700 : false) },
  );
  const lacking = columns[kind].needed.filter((name) => !meanings.includes(name));
  const operation = previewed ? shown.data : undefined;
  const brings = operation ? operation.counts.created + operation.counts.updated : 0;
  return (
    <>
      <Section title={w.import.columns} text={w.import.columnsText} flush>
        <Mapping
          kind={kind}
          header={chosen.header}
          rows={chosen.rows}
          fields={fields}
          meanings={meanings}
          change={(n, meaning) => {
            setMeanings((now) => now.map((each, at) => (at === n ? meaning : meaning && each === meaning ? '' : each)));
            setPreviewed('');
          }}
        />
        <Group px="lg" py="md" justify="space-between">
          <Text size="sm" c="var(--stoa-bad)" role="status">
            {lacking.length > 0 && w.import.lacking(lacking.join(', '))}
          </Text>
          <Button variant={operation ? 'default' : 'filled'} disabled={lacking.length > 0} loading={preview.isPending} onClick={() => preview.mutate()}>
            {w.import.preview}
          </Button>
        </Group>
      </Section>
      {operation && (
        <Section title={goesOn(operation) ? w.import.previewing : w.import.ready}>
          {goesOn(operation) && <Far operation={operation} />}
          {operation.error && (
            <Text size="sm" c="var(--stoa-bad)" role="alert">
              {operation.error.detail}
            </Text>
          )}
          <Counts operation={operation} />
          {operation.state === 'succeeded' && (
            <Group justify="space-between">
              <Box>
                <Text size="sm" c="dimmed">
                  {brings > 0 ? w.import.safe : w.import.nothing}
                </Text>
                <Anchor component={Link} to={to(`exchange/${operation.id}${operation.counts.failed > 0 ? '?rows=failed' : ''}`)} target="_blank" size="sm">
                  {w.import.details}
                </Anchor>
              </Box>
              <Button disabled={brings === 0} loading={start.isPending} onClick={() => start.mutate()}>
                {w.import.go(f.number(brings))}
              </Button>
            </Group>
          )}
        </Section>
      )}
    </>
  );
}
