import { ActionIcon, Button, Group, Modal, NumberInput, Select, SimpleGrid, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { MoneyInput } from '../../page/money';
import { PickVariants } from '../../page/pick';
import { RefusedText } from '../../page/refused';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { HowMany, LineRow } from '../orders/lines';
import { useReturnWords } from './words';

type Reason = Schemas['ReturnReason'];
type Asking = { quantity: number; reason: Reason; note: string };
export type Instead = { variant_id: string; title: string; variant_title: string; quantity: number; price: number | null };

/** What of an order was sent, and is neither back nor on its way back. */
export function returnable(order: Schemas['Order']) {
  const back = new Map<string, number>();
  for (const { state, lines } of order.returns) {
    if (state === 'declined' || state === 'cancelled') continue;
    for (const line of lines) back.set(line.line_id, (back.get(line.line_id) ?? 0) + (line.accepted_quantity ?? line.quantity));
  }
  return order.lines.map((line) => ({ line, left: line.fulfilled_quantity - (back.get(line.id) ?? 0) })).filter(({ left }) => left > 0);
}

/** Notes that goods of an order are to come back. */
export function NewReturn({ order, opened, close }: { order: Schemas['Order']; opened: boolean; close: () => void }) {
  const w = useReturnWords();
  return (
    <Modal opened={opened} onClose={close} title={w.new.title} size="lg">
      <Asked order={order} close={close} />
    </Modal>
  );
}

function Asked({ order, close }: { order: Schemas['Order']; close: () => void }) {
  const w = useReturnWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [asked, setAsked] = useState<Record<string, Asking>>({});
  const [instead, setInstead] = useState<Instead[]>([]);
  const [note, setNote] = useState('');
  const [message, setMessage] = useState('');
  const lines = Object.entries(asked).flatMap(([line_id, { quantity, reason, note: said }]) => (quantity > 0 ? [{ line_id, quantity, reason, ...(said.trim() && { note: said.trim() }) }] : []));
  const body: Schemas['ReturnCreate'] = {
    lines,
    ...(instead.length > 0 && { exchange_lines: instead.map(({ variant_id, quantity }) => ({ variant_id, quantity })) }),
    ...(note.trim() && { note: note.trim() }),
    ...(message.trim() && { message: message.trim() }),
  };
  const ask = (given: Schemas['ReturnCreate'], dry_run: boolean) =>
    answered(api.POST('/v1/orders/{order_id}/returns', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: given }));
  const trial = useTrial(`return ${order.id}`, lines.length > 0 ? body : undefined, (given) => ask(given, true));
  const create = useWrite({ write: () => ask(body, false), said: w.new.done, done: close });
  const set = (line_id: string, changes: Partial<Asking>) =>
    setAsked((now) => ({ ...now, [line_id]: { quantity: 0, reason: 'unwanted', note: '', ...now[line_id], ...changes } }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (lines.length > 0) create.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {w.new.text}
        </Text>
        {returnable(order).map(({ line, left }) => (
          <Stack key={line.id} gap="xs">
            <LineRow line={line}>
              <HowMany label={line.title} most={left} value={asked[line.id]?.quantity ?? 0} onChange={(quantity) => set(line.id, { quantity })} />
            </LineRow>
            {(asked[line.id]?.quantity ?? 0) > 0 && (
              <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
                <Select
                  aria-label={w.new.reason(line.title)}
                  allowDeselect={false}
                  data={Object.entries(w.reasons).map(([value, label]) => ({ value, label }))}
                  value={asked[line.id]?.reason}
                  onChange={(reason) => set(line.id, { reason: (reason ?? 'other') as Reason })}
                />
                <TextInput aria-label={w.new.lineNote(line.title)} placeholder={w.new.more} maxLength={1000} value={asked[line.id]?.note} onChange={(event) => set(line.id, { note: event.currentTarget.value })} />
              </SimpleGrid>
            )}
          </Stack>
        ))}
        <InsteadOf instead={instead} change={setInstead} />
        <Textarea label={w.new.note} description={w.new.noteText} autosize minRows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Textarea label={w.message} description={w.new.messageText} autosize minRows={2} maxLength={2000} value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        <RefusedText problem={trial.refused} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={lines.length === 0 || trial.refused !== undefined} loading={create.isPending}>
            {w.new.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What is sent instead of what comes back. */
export function InsteadOf({ instead, change, priced }: { instead: Instead[]; change: (next: Instead[]) => void; /** The currency in which it may have another price than it has. */ priced?: string }) {
  const w = useReturnWords();
  const everywhere = useWords();
  const [picking, setPicking] = useState(false);
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        {w.instead}
      </Text>
      {instead.map((each, n) => (
        <LineRow key={each.variant_id} line={each}>
          <Group gap="xs" wrap="nowrap">
            {priced && <MoneyInput aria-label={w.price(each.title)} placeholder={w.priceNow} w={110} currency={priced} value={each.price} onChange={(price) => change(instead.with(n, { ...each, price }))} />}
            <NumberInput
              aria-label={each.title}
              w={90}
              min={1}
              max={9999}
              clampBehavior="strict"
              allowDecimal={false}
              value={each.quantity}
              onChange={(quantity) => change(instead.with(n, { ...each, quantity: Number(quantity) || 1 }))}
            />
            <ActionIcon size="lg" aria-label={`${everywhere.remove}: ${each.title}`} onClick={() => change(instead.toSpliced(n, 1))}>
              <IconTrash size={18} />
            </ActionIcon>
          </Group>
        </LineRow>
      ))}
      <div>
        <Button variant="default" size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setPicking(true)}>
          {w.addInstead}
        </Button>
      </div>
      <PickVariants
        opened={picking}
        close={() => setPicking(false)}
        add={(picked) =>
          change([
            ...instead,
            ...picked
              .filter(({ variant }) => !instead.some(({ variant_id }) => variant_id === variant.id))
              .map(({ product, variant }) => ({ variant_id: variant.id, title: product.title, variant_title: variant.title, quantity: 1, price: null })),
          ])
        }
      />
    </Stack>
  );
}
