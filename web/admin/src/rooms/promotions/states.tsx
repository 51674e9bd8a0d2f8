import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { usePromotionWords } from './words';

const moods: Record<Schemas['Promotion']['state'], Mood> = { active: 'well', scheduled: 'waits', ended: 'over', used_up: 'over', inactive: 'over' };

export function PromotionState({ state }: { state: Schemas['Promotion']['state'] }) {
  const w = usePromotionWords();
  return <State mood={moods[state]}>{w.states[state]}</State>;
}
