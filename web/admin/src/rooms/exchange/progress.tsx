import { Group, Progress, Stack, Text } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useFormat } from '../../words/format';
import { useExchangeWords } from './words';

export type Operation = Schemas['Operation'];

/** Whether an operation goes on. */
export const goesOn = ({ state }: Operation) => state === 'queued' || state === 'running';

/** Whether an instant is still to come. */
export const isAhead = (at: string) => new Date(at) > new Date();

/** Whether it only told what would become of something. */
export const isPreview = ({ kind }: Operation) => kind.startsWith('preview_');

const moods: Record<Operation['state'], Mood> = { queued: 'waits', running: 'waits', succeeded: 'well', failed: 'wrong', cancelled: 'over' };

export function OperationState({ state }: { state: Operation['state'] }) {
  return <State mood={moods[state]}>{useExchangeWords().states[state]}</State>;
}

/** How far it is. */
export function Far({ operation }: { operation: Operation }) {
  const w = useExchangeWords();
  const f = useFormat();
  const { done, total } = operation.progress;
  const share = total ? (100 * done) / total : 0;
  return (
    <Stack gap={4}>
      <Progress value={total ? share : 100} striped={!total} animated={goesOn(operation)} aria-label={w.kinds[operation.kind]} />
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {operation.state === 'queued' ? w.states.queued : total === null ? w.done(f.number(done)) : w.progress(f.number(done), f.number(total))}
        </Text>
        {total ? (
          <Text size="xs" c="dimmed">
            {f.percent(share / 100).replace('+', '')}
          </Text>
        ) : null}
      </Group>
    </Stack>
  );
}

export const outcomes = ['created', 'updated', 'deleted', 'skipped', 'failed', 'warnings'] as const;

/** What came of it, in a few words. */
export function useResult() {
  const w = useExchangeWords();
  const f = useFormat();
  return ({ kind, counts, progress }: Operation) =>
    kind.startsWith('export_')
      ? f.number(progress.done)
      : outcomes
          .filter((outcome) => counts[outcome] > 0)
          .map((outcome) => w.results[outcome](f.number(counts[outcome])))
          .join(' · ') || '–';
}
