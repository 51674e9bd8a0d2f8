import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useDraftWords } from './words';

const moods: Record<Schemas['DraftOrderState'], Mood> = { open: 'waits', invoice_sent: 'waits', completed: 'well', expired: 'over' };

export function DraftState({ state }: { state: Schemas['DraftOrderState'] }) {
  const w = useDraftWords();
  return <State mood={moods[state]}>{w.states[state]}</State>;
}
