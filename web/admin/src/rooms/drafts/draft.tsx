import { ActionIcon, Alert, Anchor, Button, Checkbox, Group, Menu, Modal, Radio, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import { IconCircleCheck, IconDots, IconSend, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { Ending } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Editor } from './editor';
import { type DraftValues, draftUpdate, writtenDraft } from './model';
import { DraftState } from './states';
import { useDraftWords } from './words';

/** An order that the staff puts together: it is sent to be paid, or completed here. */
export default function Draft() {
  const { draft: draft_order_id = '' } = useParams();
  const { api } = useStore();
  const draft = useQuery({ queryKey: ['draft', draft_order_id], queryFn: () => answered(api.GET('/v1/draft-orders/{draft_order_id}', { params: { path: { draft_order_id } } })) });
  if (draft.isLoadingError) return <Trouble error={draft.error} retry={draft.refetch} />;
  if (!draft.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Present key={draft_order_id} draft={draft.data.data} version={draft.data.version} />;
}

type Doing = 'send' | 'complete';

function Present({ draft, version }: { draft: Schemas['DraftOrder']; version?: string }) {
  const w = useDraftWords();
  const everywhere = useWords();
  const { api, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const client = useQueryClient();
  const go = useNavigate();
  const [doing, setDoing] = useState<Doing>();
  const stop = () => setDoing(undefined);
  const path = { draft_order_id: draft.id };
  const there = writtenDraft(draft, settings);
  const form = useForm<DraftValues>({ of: draft.id, initialValues: there, validate: { lines: (lines) => (lines.length === 0 ? w.goods.none : null) } });
  const base = useFresh(form, there, version);
  const dirty = form.isDirty();
  const ask = (body: Schemas['DraftOrderUpdate'], dry_run: boolean) =>
    answered(api.PATCH('/v1/draft-orders/{draft_order_id}', { params: { path, header: { 'If-Match': base.version }, query: { dry_run } }, body }));
  const changes = draftUpdate(form.values, base.values);
  const trial = useTrial(`draft ${draft.id}`, Object.keys(changes).length > 0 && form.values.lines.length > 0 ? changes : undefined, (given) => ask(given, true));
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    write: (values: DraftValues) => ask(draftUpdate(values, base.values), false),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['draft', draft.id], answer);
    },
  });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/draft-orders/{draft_order_id}', { params: { path } })),
    said: w.deleted,
    undoable: true,
    done: () => void go(to('drafts')),
  });
  const open = draft.state !== 'completed';
  const writes = can('orders:write') && open;
  // What its shopper can say is no obstacle to sending it.
  const unfit = draft.problems.some(({ code }) => code === 'empty' || code === 'out_of_stock' || code === 'unavailable');
  return (
    <Page
      title={draft.email ?? w.one}
      beside={<DraftState state={draft.state} />}
      text={w.since(f.time(draft.created_at))}
      back="drafts"
      actions={
        writes && (
          <>
            <Button variant="default" leftSection={<IconCircleCheck size={17} aria-hidden />} disabled={dirty || draft.problems.length > 0} title={draft.problems[0]?.detail} onClick={() => setDoing('complete')}>
              {w.complete.do}
            </Button>
            <Button leftSection={<IconSend size={17} aria-hidden />} disabled={dirty || unfit} onClick={() => setDoing('send')}>
              {draft.sent_at ? w.send.again : w.send.do}
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
                  {everywhere.delete}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )
      }
    >
      <Editor form={form} would={trial.would ?? (dirty ? undefined : draft)} refused={trial.refused} pending={trial.pending} saving={save.isPending} fixed={!writes} save={(values) => save.mutate(values)}>
        {draft.order_id && (
          <Alert color="green" icon={<IconCircleCheck aria-hidden />}>
            {w.became}{' '}
            <Anchor component={Link} to={to(`orders/${draft.order_id}`)} inherit fw={600}>
              {w.toOrder}
            </Anchor>
          </Alert>
        )}
        {draft.payment_url && open && (
          <Section title={w.link.title} text={draft.sent_at ? w.link.sent(f.time(draft.sent_at)) : undefined}>
            <Group gap="xs" wrap="nowrap">
              <Text size="sm" ff="monospace" truncate flex={1}>
                {draft.payment_url}
              </Text>
              <Copy value={draft.payment_url} />
            </Group>
            <Text size="xs" c="dimmed">
              {w.link.text}
            </Text>
          </Section>
        )}
      </Editor>
      <Modal opened={doing === 'send'} onClose={stop} title={w.send.title}>
        <Send draft={draft} close={stop} />
      </Modal>
      <Modal opened={doing === 'complete'} onClose={stop} title={w.complete.title}>
        <Complete draft={draft} close={stop} />
      </Modal>
    </Page>
  );
}

function Send({ draft, close }: { draft: Schemas['DraftOrder']; close: () => void }) {
  const w = useDraftWords();
  const { api } = useStore();
  const client = useQueryClient();
  const [key] = useState(idempotencyKey);
  const [mail, setMail] = useState(draft.email !== null);
  const [message, setMessage] = useState('');
  const send = useWrite({
    said: mail ? w.send.mailed : w.send.opened,
    write: () =>
      answered(
        api.POST('/v1/draft-orders/{draft_order_id}/send', {
          params: { path: { draft_order_id: draft.id }, header: { 'Idempotency-Key': key } },
          body: { mail, ...(mail && message.trim() && { message: message.trim() }) },
        }),
      ),
    done: (answer) => {
      client.setQueryData(['draft', draft.id], answer);
      close();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {w.send.text}
        </Text>
        <Checkbox label={draft.email ? w.send.mail(draft.email) : w.send.noMail} disabled={draft.email === null} checked={mail} onChange={(event) => setMail(event.currentTarget.checked)} />
        {mail && <Textarea label={w.send.message} autosize minRows={3} maxLength={2000} data-autofocus value={message} onChange={(event) => setMessage(event.currentTarget.value)} />}
        <Ending go={mail ? w.send.do : w.send.open} pending={send.isPending} close={close} />
      </Stack>
    </form>
  );
}

function Complete({ draft, close }: { draft: Schemas['DraftOrder']; close: () => void }) {
  const w = useDraftWords();
  const f = useFormat();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [paid, setPaid] = useState('paid');
  const complete = useWrite({
    said: (order) => w.complete.done(order.number),
    write: () =>
      answered(api.POST('/v1/draft-orders/{draft_order_id}/complete', { params: { path: { draft_order_id: draft.id }, header: { 'Idempotency-Key': key } }, body: { mark_as_paid: paid === 'paid' } })),
    done: ({ data }) => void go(to(`orders/${data.id}`)),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        complete.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {w.complete.text}
        </Text>
        <Radio.Group label={w.complete.how(f.money(draft.totals.total))} value={paid} onChange={setPaid}>
          <Stack gap="xs" mt="xs">
            <Radio value="paid" label={w.complete.paid} />
            <Radio value="due" label={w.complete.due} />
          </Stack>
        </Radio.Group>
        <Ending go={w.complete.do} pending={complete.isPending} close={close} />
      </Stack>
    </form>
  );
}
