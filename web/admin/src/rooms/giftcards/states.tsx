import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useGiftCardWords } from './words';

const moods: Record<Schemas['GiftCard']['state'], Mood> = { active: 'well', used: 'over', expired: 'over', disabled: 'wrong' };

export function GiftCardState({ state }: { state: Schemas['GiftCard']['state'] }) {
  const w = useGiftCardWords();
  return <State mood={moods[state]}>{w.states[state]}</State>;
}
