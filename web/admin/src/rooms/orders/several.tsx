import { Anchor, Button, Group, Modal, Progress, Stack, TagsInput, Text } from '@mantine/core';
import { IconPackageExport, IconPrinter, IconTag } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { complain, tell } from '../../api/write';
import { openFile } from '../../page/file';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useOrderWords } from './words';

type Order = Schemas['Order'];

/** What can be done with several orders at once. */
export function Several({ orders, done }: { orders: Order[]; done: () => void }) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const [doing, setDoing] = useState<'send' | 'label'>();
  const stop = () => setDoing(undefined);
  const toSend = orders.filter((order) => order.state === 'open' && order.fulfilment_state !== 'fulfilled');
  const slips = () =>
    openFile(api.GET('/v1/packing-slips', { params: { query: { order_id: orders.slice(0, 100).map(({ id }) => id) } }, parseAs: 'blob' }) as never).catch((error: Error) =>
      complain(error.message || everywhere.trouble.offline),
    );
  return (
    <>
      {can('orders:write') && toSend.length > 0 && (
        <Button leftSection={<IconPackageExport size={17} aria-hidden />} onClick={() => setDoing('send')}>
          {w.fulfil.do}
        </Button>
      )}
      <Button variant="default" leftSection={<IconPrinter size={17} aria-hidden />} onClick={() => void slips()}>
        {w.several.slips}
      </Button>
      {can('orders:write') && (
        <Button variant="default" leftSection={<IconTag size={17} aria-hidden />} onClick={() => setDoing('label')}>
          {w.several.label}
        </Button>
      )}
      <Modal opened={doing === 'send'} onClose={stop} title={w.several.send(toSend.length)}>
        <Send orders={toSend} close={stop} done={done} />
      </Modal>
      <Modal opened={doing === 'label'} onClose={stop} title={w.several.label}>
        <Label orders={orders} close={stop} done={done} />
      </Modal>
    </>
  );
}

type Each = { orders: Order[]; close: () => void; done: () => void };

/** Does the same with one order after the other, and tells how far it is and what failed. */
function useEach(orders: Order[], write: (order: Order) => Promise<unknown>, said: (n: number) => string, finished: () => void) {
  const client = useQueryClient();
  const [far, setFar] = useState(0);
  const [failed, setFailed] = useState<{ order: Order; why: string }[]>([]);
  const run = useMutation({
    mutationFn: async () => {
      const wrong: typeof failed = [];
      for (const order of orders) {
        // One after the other: whoever runs out of patience sees how far it is.
        // oxlint-disable-next-line no-await-in-loop
        await write(order).catch((error: unknown) => wrong.push({ order, why: problemOf(error).detail ?? problemOf(error).title }));
        setFar((n) => n + 1);
      }
      setFailed(wrong);
      return wrong;
    },
    onSuccess: (wrong) => {
      void client.invalidateQueries();
      if (wrong.length < orders.length) tell(said(orders.length - wrong.length));
      if (wrong.length === 0) finished();
    },
  });
  return { run, far, failed };
}

function Far({ far, of, failed }: { far: number; of: number; failed: { order: Order; why: string }[] }) {
  const w = useOrderWords();
  const { to } = useStore();
  return (
    <>
      {far > 0 && <Progress value={(100 * far) / of} aria-label={w.several.far(far, of)} />}
      {failed.map(({ order, why }) => (
        <Text key={order.id} size="sm" c="var(--stoa-bad)" role="alert">
          <Anchor component={Link} to={to(`orders/${order.id}`)} inherit>
            #{order.number}
          </Anchor>
          : {why}
        </Text>
      ))}
    </>
  );
}

function Send({ orders, close, done }: Each) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [all] = useState(() => orders.map((order) => ({ order, key: idempotencyKey() })));
  const { run, far, failed } = useEach(
    all.map(({ order }) => order),
    (order) =>
      answered(
        api.POST('/v1/orders/{order_id}/fulfilments', {
          params: { path: { order_id: order.id }, header: { 'Idempotency-Key': all.find((each) => each.order.id === order.id)?.key } },
          body: {}, // all that was not sent yet
        }),
      ),
    w.several.sent,
    () => {
      close();
      done();
    },
  );
  return (
    <Stack>
      <Text size="sm">{w.several.sendText}</Text>
      <Far far={far} of={all.length} failed={failed} />
      <Group justify="end">
        <Button variant="default" onClick={close}>
          {run.isSuccess ? everywhere.close : everywhere.cancel}
        </Button>
        {!run.isSuccess && (
          <Button data-autofocus loading={run.isPending} onClick={() => run.mutate()}>
            {w.fulfil.do}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Label({ orders, close, done }: Each) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [labels, setLabels] = useState<string[]>([]);
  const { run, far, failed } = useEach(
    orders,
    (order) => answered(api.PATCH('/v1/orders/{order_id}', { params: { path: { order_id: order.id } }, body: { tags: [...new Set([...order.tags, ...labels])] } })),
    w.several.labelled,
    () => {
      close();
      done();
    },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (labels.length > 0) run.mutate();
      }}
    >
      <Stack>
        <TagsInput label={w.labels} placeholder={labels.length ? '' : w.labelsExample} acceptValueOnBlur value={labels} onChange={setLabels} data-autofocus />
        <Far far={far} of={orders.length} failed={failed} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={labels.length === 0} loading={run.isPending}>
            {everywhere.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
