import { TextInput } from '@mantine/core';
import { instantOf } from '../words/days';
import { usePartWords } from './words';

type Days = { since: string; until: string };

/** From which day and until which, both of them with it. */
export function Period({ since, until, set }: Days & { set: (changed: Partial<Days>) => void }) {
  const { period: w } = usePartWords();
  return (
    <>
      <TextInput type="date" label={w.since} max={until || undefined} value={since} onChange={(event) => set({ since: event.currentTarget.value })} />
      <TextInput type="date" label={w.until} min={since || undefined} value={until} onChange={(event) => set({ until: event.currentTarget.value })} />
    </>
  );
}

/** Such days as the API takes them, as they are on the clock of the store. */
export function within({ since, until }: Days, timeZone: string): { since?: string; until?: string } {
  return { ...(since && { since: instantOf(since, timeZone) }), ...(until && { until: instantOf(until, timeZone, 1) }) };
}
