import type { Schemas } from '../../api/client';
import { type Mood, State } from '../../page/state';
import { useOrderWords } from './words';

const payment: Record<Schemas['OrderPaymentState'], Mood> = {
  pending: 'waits',
  authorised: 'waits',
  partially_paid: 'waits',
  paid: 'well',
  partially_refunded: 'over',
  refunded: 'over',
  voided: 'over',
  failed: 'wrong',
};

const fulfilment: Record<Schemas['OrderFulfilmentState'], Mood> = { unfulfilled: 'waits', partially_fulfilled: 'waits', fulfilled: 'well' };

export function PaymentState({ state }: { state: Schemas['OrderPaymentState'] }) {
  const w = useOrderWords();
  return <State mood={payment[state]}>{w.payment[state]}</State>;
}

/** Whether it was sent; of an order that is cancelled, that it is. */
export function FulfilmentState({ order }: { order: Pick<Schemas['Order'], 'state' | 'fulfilment_state'> }) {
  const w = useOrderWords();
  if (order.state === 'cancelled') return <State mood="over">{w.state.cancelled}</State>;
  return <State mood={fulfilment[order.fulfilment_state]}>{w.fulfilment[order.fulfilment_state]}</State>;
}
