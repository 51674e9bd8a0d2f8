import { Modal, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type Answer, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { useForm } from '../../page/typed';
import { useFormat } from '../../words/format';
import { MoneyInput } from '../../page/money';
import { useCreditWords } from './words';

type AdjustProps = {
  opened: boolean;
  title: string;
  /** What there is now, in the currency that is changed. */
  balance: Schemas['Money'];
  write: (key: string, adjustment: Schemas['CreditAdjustment']) => Promise<Answer<unknown>>;
  close: () => void;
};

/** Adds to a balance or takes from it, and says why. */
export function Adjust({ opened, title, ...rest }: AdjustProps) {
  return (
    <Modal opened={opened} onClose={rest.close} title={title}>
      <Change {...rest} />
    </Modal>
  );
}

function Change({ balance, write, close }: Omit<AdjustProps, 'opened' | 'title'>) {
  const w = useCreditWords();
  const f = useFormat();
  const [key] = useState(idempotencyKey);
  const form = useForm({
    initialValues: { way: 'add', amount: null as number | null, reason: '' },
    validate: {
      amount: (amount, { way }) => (amount ? (way === 'take' && amount > balance.amount ? w.tooMuch(f.money(balance)) : null) : w.howMuch),
      reason: (reason) => (reason.trim() ? null : w.sayWhy),
    },
  });
  const adjust = useWrite({
    form: form as never,
    said: w.done,
    done: close,
    write: ({ way, amount, reason }: typeof form.values) => write(key, { amount: { amount: (way === 'add' ? 1 : -1) * (amount ?? 0), currency: balance.currency }, reason: reason.trim() }),
  });
  return (
    <form onSubmit={form.onSubmit((values) => adjust.mutate(values))}>
      <Stack>
        <SegmentedControl
          aria-label={w.way}
          data={[
            { value: 'add', label: w.add },
            { value: 'take', label: w.take },
          ]}
          {...form.getInputProps('way')}
        />
        <MoneyInput label={w.amount} description={w.now(f.money(balance))} currency={balance.currency} data-autofocus value={form.values.amount} error={form.errors.amount} onChange={(amount) => form.setFieldValue('amount', amount)} />
        <TextInput label={w.reason} description={w.reasonText} maxLength={255} {...form.getInputProps('reason')} />
        <Ending go={form.values.way === 'add' ? w.add : w.take} pending={adjust.isPending} close={close} />
      </Stack>
    </form>
  );
}
