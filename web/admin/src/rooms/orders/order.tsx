import { ActionIcon, Button, Grid, Menu, Skeleton, Stack } from '@mantine/core';
import { IconDots, IconPackageExport, IconPencil, IconPrinter, IconReceiptRefund, IconTruckReturn, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { complain } from '../../api/write';
import { openFile } from '../../page/file';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Back } from '../returns/back';
import { NewReturn, returnable } from '../returns/new';
import { useReturnWords } from '../returns/words';
import { Cancel } from './cancel';
import { Edits } from './edits';
import { Fulfil } from './fulfil';
import { Goods } from './goods';
import { Money } from './money';
import { Refund } from './refund';
import { Who } from './who';
import { FulfilmentState, PaymentState } from './states';
import { Timeline } from './timeline';
import { useOrderWords } from './words';

/** An order, what happened to it, and what can be done with it. */
export default function Order() {
  const { order: order_id = '' } = useParams();
  const { api } = useStore();
  const order = useQuery({ queryKey: ['order', order_id], queryFn: () => answered(api.GET('/v1/orders/{order_id}', { params: { path: { order_id } } })), refetchInterval: 30_000 });
  if (order.isLoadingError) return <Trouble error={order.error} retry={order.refetch} />;
  if (!order.data) return <Loading />;
  return <Present key={order_id} order={order.data.data} version={order.data.version} />;
}

type Doing = 'fulfil' | 'refund' | 'return' | 'cancel';

function Present({ order, version }: { order: Schemas['Order']; version?: string }) {
  const w = useOrderWords();
  const ofReturns = useReturnWords();
  const everywhere = useWords();
  const { api, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [doing, setDoing] = useState<Doing>();
  const stop = () => setDoing(undefined);
  const open = order.state !== 'cancelled';
  const toSend = open && order.fulfilment_state !== 'fulfilled';
  const paidBack = order.totals.refunded.amount;
  const taken = order.payments.reduce((sum, payment) => sum + payment.captured.amount, 0);
  const may = {
    fulfil: can('orders:write') && toSend,
    refund: can('refunds:write') && taken > paidBack,
    edit: can('orders:write') && open,
    return: can('orders:write') && open && returnable(order).length > 0,
    cancel: can('orders:write') && open && order.fulfilments.length === 0,
  };
  const slip = () =>
    openFile(api.GET('/v1/orders/{order_id}/packing-slip', { params: { path: { order_id: order.id } }, parseAs: 'blob' }) as never).catch((error: Error) => complain(error.message || everywhere.trouble.offline));
  return (
    <Page
      title={w.order(order.number)}
      beside={
        <>
          <PaymentState state={order.payment_state} />
          <FulfilmentState order={order} />
        </>
      }
      text={f.time(order.created_at)}
      back="orders"
      actions={
        <>
          {may.refund && (
            <Button variant="default" leftSection={<IconReceiptRefund size={17} aria-hidden />} onClick={() => setDoing('refund')}>
              {w.refund.do}
            </Button>
          )}
          {may.fulfil && (
            <Button leftSection={<IconPackageExport size={17} aria-hidden />} onClick={() => setDoing('fulfil')}>
              {w.fulfil.do}
            </Button>
          )}
          {(toSend || may.edit || may.return) && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {toSend && (
                  <Menu.Item leftSection={<IconPrinter size={16} aria-hidden />} onClick={() => void slip()}>
                    {w.slip}
                  </Menu.Item>
                )}
                {may.edit && (
                  <Menu.Item component={Link} to={to(`orders/${order.id}/edit`)} leftSection={<IconPencil size={16} aria-hidden />}>
                    {w.edit.do}
                  </Menu.Item>
                )}
                {may.return && (
                  <Menu.Item leftSection={<IconTruckReturn size={16} aria-hidden />} onClick={() => setDoing('return')}>
                    {ofReturns.new.menu}
                  </Menu.Item>
                )}
                {may.cancel && (
                  <Menu.Item color="red" leftSection={<IconX size={16} aria-hidden />} onClick={() => setDoing('cancel')}>
                    {w.cancel.do}
                  </Menu.Item>
                )}
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack gap="lg">
            <Goods order={order} />
            {order.returns.toReversed().map((back) => (
              <Back key={back.id} order={order} back={back} />
            ))}
            <Money order={order} />
            <Edits order={order} />
            <Timeline order={order} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Who order={order} version={version} />
        </Grid.Col>
      </Grid>
      {may.fulfil && <Fulfil order={order} opened={doing === 'fulfil'} close={stop} />}
      {may.refund && <Refund order={order} opened={doing === 'refund'} close={stop} most={taken - paidBack} />}
      {may.return && <NewReturn order={order} opened={doing === 'return'} close={stop} />}
      {may.cancel && <Cancel order={order} opened={doing === 'cancel'} close={stop} />}
    </Page>
  );
}

function Loading() {
  return (
    <Stack maw={1180} mx="auto">
      <Skeleton height={32} width={280} mb="md" />
      <Skeleton height={220} radius="lg" />
      <Skeleton height={260} radius="lg" />
    </Stack>
  );
}
