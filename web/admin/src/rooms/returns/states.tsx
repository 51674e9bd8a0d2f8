import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useReturnWords } from './words';

const moods: Record<Schemas['ReturnState'], Mood> = { requested: 'waits', approved: 'waits', declined: 'over', received: 'waits', inspected: 'waits', closed: 'well', cancelled: 'over' };

export function ReturnState({ state }: { state: Schemas['ReturnState'] }) {
  const w = useReturnWords();
  return <State mood={moods[state]}>{w.states[state]}</State>;
}
