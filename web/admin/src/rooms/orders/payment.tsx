import { ActionIcon, Alert, Button, Group, Menu, Modal, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconDots } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { type Mood, State } from '../../page/state';
import { Sure } from '../../page/sure';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

const moods: Record<Schemas['PaymentState'], Mood> = {
  pending: 'waits',
  requires_action: 'waits',
  processing: 'waits',
  due: 'waits',
  authorised: 'waits',
  captured: 'well',
  partially_refunded: 'over',
  refunded: 'over',
  voided: 'over',
  failed: 'wrong',
};

/** A payment, and what can be done with it. */
export function Paid({ payment }: { payment: Schemas['Payment'] }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [letting, setLetting] = useState(false);
  const [taking, setTaking] = useState(false);
  const asked = () => ({ params: { path: { payment_id: payment.id }, header: { 'Idempotency-Key': idempotencyKey() } } });
  const capture = useWrite({ write: () => answered(api.POST('/v1/payments/{payment_id}/capture', { ...asked(), body: {} })), said: w.capture.done });
  const letGo = useWrite({ write: () => answered(api.POST('/v1/payments/{payment_id}/void', asked())), said: w.void.done, done: () => setLetting(false) });
  const held = (payment.state === 'authorised' || payment.state === 'due') && can('payments:write');
  return (
    <>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <Stack gap={2}>
          <Group gap="xs">
            <Text size="sm" fw={500}>
              {w.providers[payment.provider]}
              {payment.method ? ` · ${payment.method}` : ''}
            </Text>
            <State mood={moods[payment.state]}>{w.payments[payment.state]}</State>
          </Group>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {[f.time(payment.created_at), payment.reference, payment.failure_code && (w.failures[payment.failure_code] ?? payment.failure_code)].filter(Boolean).join(' · ')}
          </Text>
        </Stack>
        <Group gap="sm" justify="end">
          <Text size="sm" fw={500}>
            {f.money(payment.amount)}
          </Text>
          {held && (
            <Group gap={4} wrap="nowrap">
              <Button size="xs" loading={capture.isPending} onClick={() => capture.mutate()}>
                {payment.state === 'due' ? w.capture.due : w.capture.do}
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size={30} aria-label={`${everywhere.actions}: ${w.pays}`}>
                    <IconDots size={16} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => setTaking(true)}>{w.capture.part}</Menu.Item>
                  <Menu.Item color="red" onClick={() => setLetting(true)}>
                    {w.void.do}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </Group>
          )}
        </Group>
      </Group>
      {payment.disputes.map((dispute) => (
        <Alert key={dispute.reference} color={dispute.state === 'won' ? 'green' : 'red'} icon={<IconAlertTriangle aria-hidden />} title={`${w.dispute.title} · ${w.dispute.states[dispute.state]}`}>
          {[f.money(dispute.amount), dispute.reason, dispute.respond_by && w.dispute.until(f.time(dispute.respond_by))].filter(Boolean).join(' · ')}
        </Alert>
      ))}
      <Modal opened={taking} onClose={() => setTaking(false)} title={w.capture.part}>
        <Part payment={payment} close={() => setTaking(false)} />
      </Modal>
      <Sure opened={letting} title={w.void.title} text={w.void.text(f.money(payment.amount))} go={w.void.do} pending={letGo.isPending} confirm={() => letGo.mutate()} close={() => setLetting(false)} />
    </>
  );
}

/** Takes a part of what is held or due; the rest is let go. */
function Part({ payment, close }: { payment: Schemas['Payment']; close: () => void }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [amount, setAmount] = useState<number | null>(payment.amount.amount);
  const fits = Boolean(amount) && (amount ?? 0) <= payment.amount.amount;
  const take = useWrite({
    write: () =>
      answered(
        api.POST('/v1/payments/{payment_id}/capture', {
          params: { path: { payment_id: payment.id }, header: { 'Idempotency-Key': key } },
          body: { amount: { amount: amount ?? 0, currency: payment.amount.currency } },
        }),
      ),
    said: w.capture.done,
    done: close,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (fits) take.mutate();
      }}
    >
      <Stack>
        <MoneyInput label={w.refund.amount} description={w.capture.partText(f.money(payment.amount))} currency={payment.amount.currency} data-autofocus value={amount} onChange={setAmount} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!fits} loading={take.isPending}>
            {payment.state === 'due' ? w.capture.due : w.capture.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
