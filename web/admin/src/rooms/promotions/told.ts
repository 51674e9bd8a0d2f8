import type { Schemas } from '../../api/client';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { usePromotionWords } from './words';

type What = Pick<Schemas['Promotion'], 'kind' | 'class' | 'percentage' | 'amounts' | 'each' | 'buy_quantity' | 'get_quantity'>;

/** Says in a few words what a promotion does. */
export function useTold() {
  const w = usePromotionWords();
  const f = useFormat();
  const { settings } = useStore();
  return ({ kind, class: of, percentage, amounts, each, buy_quantity, get_quantity }: What): string => {
    switch (kind) {
      case 'free_shipping':
        return w.told.freeShipping;
      case 'buy_x_get_y':
        return percentage === null || Number(percentage) === 100 ? w.told.getFree(buy_quantity, get_quantity) : w.told.getCheaper(buy_quantity, get_quantity, `${percentage} %`);
      case 'percentage':
        return w.told.off(`${percentage ?? '…'} %`, w.told.of[of]);
      case 'fixed_amount': {
        const amount = amounts.find(({ currency }) => currency === settings.currency) ?? amounts[0];
        return w.told.off(amount ? f.money(amount) : '…', each ? w.told.of.each : w.told.of[of]);
      }
    }
  };
}
