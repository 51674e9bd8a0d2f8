import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useContentWords } from './words';

const moods: Record<Schemas['ContentState'], Mood> = { draft: 'waits', scheduled: 'waits', published: 'well' };

/** Whether a page or a post is seen. */
export function EntryState({ state }: { state: Schemas['ContentState'] }) {
  const w = useContentWords();
  return <State mood={moods[state]}>{w.states[state]}</State>;
}
