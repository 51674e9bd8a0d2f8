import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconDownload, IconInfoCircle, IconPlayerStop } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from 'react-router';
import { answered, idempotencyKey } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { saveFile } from '../../page/file';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Far, type Operation, OperationState, goesOn, isAhead, isPreview, outcomes } from './progress';
import { Rows } from './rows';
import { useExchangeWords } from './words';

/** One long operation: how far it is, what came of it, and how it is taken back. */
export default function OperationScreen() {
  const { operation: operation_id = '' } = useParams();
  const { query } = useStore();
  const operation = query.useQuery('get', '/v1/operations/{operation_id}', { params: { path: { operation_id } } }, { refetchInterval: ({ state }) => (state.data && goesOn(state.data) ? 1_000 : false) });
  if (operation.isLoadingError) return <Trouble error={operation.error} retry={operation.refetch} />;
  if (!operation.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Told operation={operation.data} />;
}

function Told({ operation }: { operation: Operation }) {
  const w = useExchangeWords();
  const { settings, to } = useStore();
  const f = useFormat(settings.time_zone);
  const other = operation.undone_by ?? operation.undoes;
  const exports = operation.kind.startsWith('export_');
  return (
    <Page
      title={w.kinds[operation.kind]}
      beside={<OperationState state={operation.state} />}
      text={`${f.time(operation.created_at)} · ${operation.created_by.label}`}
      back="exchange"
      actions={<Actions operation={operation} />}
    >
      <Stack gap="lg">
        <Section>
          {goesOn(operation) && <Far operation={operation} />}
          {operation.error && (
            <Alert color="red" role="alert">
              {operation.error.detail}
            </Alert>
          )}
          {!exports && <Counts operation={operation} />}
          {operation.file && (
            <Text size="sm">
              {isAhead(operation.file.expires_at)
                ? w.downloadUntil(operation.file.name, `${f.number(Math.max(1, Math.round(operation.file.bytes / 1024)))} kB`, f.time(operation.file.expires_at))
                : w.expired}
            </Text>
          )}
          {other && (
            <Text size="sm">
              {operation.undone_by ? w.undoneBy : w.undoes}{' '}
              <Anchor underline="always" component={Link} to={to(`exchange/${other}`)} size="sm">
                {w.seeOther}
              </Anchor>
            </Text>
          )}
          {operation.undo_until && !operation.undone_by && !goesOn(operation) && (
            <Text size="sm" c="dimmed">
              {w.undoUntil(f.date(operation.undo_until))}
            </Text>
          )}
        </Section>
        {operation.messages.length > 0 && (
          <Section title={w.remarks}>
            <Stack gap="xs">
              {operation.messages.map((message) => (
                <Group key={`${message.code} ${message.field}`} gap="xs" wrap="nowrap" align="flex-start">
                  <IconInfoCircle size={17} style={{ flexShrink: 0, marginTop: 2 }} aria-hidden />
                  <Text size="sm">
                    {message.field && <b>{message.field}: </b>}
                    {message.detail}
                  </Text>
                </Group>
              ))}
            </Stack>
          </Section>
        )}
        {!exports && <Rows operation={operation} />}
      </Stack>
    </Page>
  );
}

/** How many rows had which fate. */
export function Counts({ operation }: { operation: Operation }) {
  const w = useExchangeWords();
  const f = useFormat();
  const names = isPreview(operation) ? w.previewCounts : w.counts;
  const told = outcomes.filter((outcome) => operation.counts[outcome] > 0);
  if (told.length === 0) return null;
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: Math.max(told.length, 3) }} spacing="sm">
      {told.map((outcome) => (
        <Paper key={outcome} withBorder p="sm" radius="md">
          <Text size="xl" fw={650} c={outcome === 'failed' ? 'var(--stoa-bad)' : undefined}>
            {f.number(operation.counts[outcome])}
          </Text>
          <Text size="xs" c="dimmed">
            {names[outcome]}
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function Actions({ operation }: { operation: Operation }) {
  const w = useExchangeWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const go = useNavigate();
  const params = { path: { operation_id: operation.id } };
  const stop = useWrite({ said: w.stopped, write: () => answered(api.POST('/v1/operations/{operation_id}/cancel', { params })) });
  const undo = useWrite({
    write: () => answered(api.POST('/v1/operations/{operation_id}/undo', { params: { ...params, header: { 'Idempotency-Key': idempotencyKey() } } })),
    done: ({ data }) => void go(to(`exchange/${data.id}`)),
  });
  const { file } = operation;
  return (
    <>
      {goesOn(operation) && can('operations:write') && (
        <Button variant="default" leftSection={<IconPlayerStop size={17} aria-hidden />} loading={stop.isPending} onClick={() => stop.mutate()}>
          {w.stop}
        </Button>
      )}
      {!goesOn(operation) && operation.undo_until && isAhead(operation.undo_until) && !operation.undone_by && can('operations:write') && (
        <Button variant="default" leftSection={<IconArrowBackUp size={17} aria-hidden />} loading={undo.isPending} onClick={() => undo.mutate()}>
          {w.undo}
        </Button>
      )}
      {file && isAhead(file.expires_at) && can('exports:read') && (
        <Button
          leftSection={<IconDownload size={17} aria-hidden />}
          onClick={() =>
            saveFile(api.GET('/v1/operations/{operation_id}/file', { params, parseAs: 'blob' }) as never, file.name).catch((error: Error) => complain(error.message || everywhere.trouble.offline))
          }
        >
          {w.download}
        </Button>
      )}
    </>
  );
}
