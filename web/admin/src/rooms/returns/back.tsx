import { Button, Group, Menu, Modal, Stack, Text, Textarea } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { LineRow } from '../orders/lines';
import { Inspect } from './inspect';
import { Exchange, PayBack } from './settle';
import { ReturnState } from './states';
import { useReturnWords } from './words';

type Told = 'approve' | 'decline' | 'cancel' | 'close';
type Doing = Told | 'inspect' | 'refund' | 'exchange';

/** What comes back of an order: how far it is, and what is next. */
export function Back({ order, back }: { order: Schemas['Order']; back: Schemas['Return'] }) {
  const w = useReturnWords();
  const everywhere = useWords();
  const { api, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [doing, setDoing] = useState<Doing>();
  const stop = () => setDoing(undefined);
  const whole = useRef<HTMLDivElement>(null);
  const meant = useSearchParams()[0].get('return') === back.id;
  useEffect(() => {
    if (meant) whole.current?.scrollIntoView({ block: 'center' });
  }, [meant]);
  const receive = useWrite({
    write: () => answered(api.POST('/v1/returns/{return_id}/receive', { params: { path: { return_id: back.id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
    said: w.received,
  });
  const writes = can('orders:write');
  const pays = can('refunds:write');
  const accepted = back.lines.some(({ accepted_quantity }) => (accepted_quantity ?? 0) > 0);
  const { state } = back;
  const exchanges = pays && !back.edit_id && (state === 'approved' || state === 'received' || (state === 'inspected' && accepted && !back.refund_id));
  const refunds = pays && state === 'inspected' && accepted && !back.refund_id;
  const more: [Doing, string][] = [
    ...(exchanges ? ([['exchange', w.exchange.do]] as [Doing, string][]) : []),
    ...(writes && state === 'approved' ? ([['cancel', w.told.cancel.do]] as [Doing, string][]) : []),
    ...(writes && state === 'inspected' && !back.refund_id ? ([['close', w.told.close.do]] as [Doing, string][]) : []),
  ];
  return (
    <div ref={whole}>
      <Section
        title={w.one}
        text={f.time(back.created_at)}
        actions={
          <Group gap="xs" wrap="nowrap">
            <ReturnState state={state} />
            {more.length > 0 && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button variant="default" size="compact-sm" px={6} aria-label={`${everywhere.actions}: ${w.one}`}>
                    <IconDots size={16} />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  {more.map(([what, name]) => (
                    <Menu.Item key={what} onClick={() => setDoing(what)}>
                      {name}
                    </Menu.Item>
                  ))}
                </Menu.Dropdown>
              </Menu>
            )}
          </Group>
        }
      >
        {back.lines.map((each) => (
          <LineRow key={each.line_id} line={order.lines.find(({ id }) => id === each.line_id) ?? { title: w.gone, variant_title: 'Default' }} beside={[w.reasons[each.reason], each.note].filter(Boolean).join(': ')}>
            <Stack gap={0} align="flex-end" style={{ flexShrink: 0 }}>
              <Text size="sm">{w.pieces(each.quantity)}</Text>
              {each.accepted_quantity !== null && (
                <Text size="xs" c="dimmed">
                  {[w.acceptedOf(each.accepted_quantity), each.condition && w.conditions[each.condition]].filter(Boolean).join(' · ')}
                </Text>
              )}
            </Stack>
          </LineRow>
        ))}
        {back.exchange_lines.length > 0 && !back.edit_id && (
          <Text size="sm" c="dimmed">
            {w.wantsInstead(back.exchange_lines.reduce((sum, { quantity }) => sum + quantity, 0))}
          </Text>
        )}
        {back.note && (
          <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
            “{back.note}”
          </Text>
        )}
        {back.edit_id && <Text size="sm">{w.exchanged}</Text>}
        <Group gap="xs">
          {writes && state === 'requested' && (
            <>
              <Button size="xs" onClick={() => setDoing('approve')}>
                {w.told.approve.do}
              </Button>
              <Button size="xs" variant="default" onClick={() => setDoing('decline')}>
                {w.told.decline.do}
              </Button>
            </>
          )}
          {writes && state === 'approved' && (
            <Button size="xs" loading={receive.isPending} onClick={() => receive.mutate()}>
              {w.receive}
            </Button>
          )}
          {writes && state === 'received' && (
            <Button size="xs" onClick={() => setDoing('inspect')}>
              {w.inspect.open}
            </Button>
          )}
          {refunds && (
            <Button size="xs" onClick={() => setDoing('refund')}>
              {w.refund.do}
            </Button>
          )}
        </Group>
      </Section>
      <Inspect order={order} back={back} opened={doing === 'inspect'} close={stop} />
      <PayBack order={order} back={back} opened={doing === 'refund'} close={stop} />
      <Exchange order={order} back={back} opened={doing === 'exchange'} close={stop} />
      <Tell back={back} what={doing === 'approve' || doing === 'decline' || doing === 'cancel' || doing === 'close' ? doing : undefined} close={stop} />
    </div>
  );
}

/** What the shopper is told when a return goes on or ends. */
function Tell({ back, what, close }: { back: Schemas['Return']; what?: Told; close: () => void }) {
  const w = useReturnWords();
  return (
    <Modal opened={what !== undefined} onClose={close} title={what && w.told[what].title}>
      {what && <Message back={back} what={what} close={close} />}
    </Modal>
  );
}

function Message({ back, what, close }: { back: Schemas['Return']; what: Told; close: () => void }) {
  const w = useReturnWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [message, setMessage] = useState('');
  const go = useWrite({
    said: w.told[what].done,
    done: close,
    write: () =>
      answered(
        api.POST(`/v1/returns/{return_id}/${what}`, {
          params: { path: { return_id: back.id }, header: { 'Idempotency-Key': key } },
          body: { ...(message.trim() && { message: message.trim() }) },
        }),
      ),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        go.mutate();
      }}
    >
      <Stack>
        <Textarea label={w.message} description={w.told[what].text} autosize minRows={3} maxLength={2000} data-autofocus value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" color={what === 'approve' ? undefined : 'red'} loading={go.isPending}>
            {w.told[what].do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
