import { ActionIcon, Avatar, Button, Checkbox, Divider, Grid, Group, NumberInput, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconPhoto, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { Leaving } from '../../page/form';
import { MoneyInput } from '../../page/money';
import { Page } from '../../page/page';
import { type Picked, PickVariants } from '../../page/pick';
import { RefusedText } from '../../page/refused';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { Sum } from './money';
import { useOrderWords } from './words';

type Added = { variant_id: string; title: string; variant_title: string; image_url?: string; quantity: number; price: number | null };

/** Changes what an order contains, and shows beforehand what that comes to. */
export default function EditOrder() {
  const { order: order_id = '' } = useParams();
  const { api } = useStore();
  const order = useQuery({ queryKey: ['order', order_id], queryFn: () => answered(api.GET('/v1/orders/{order_id}', { params: { path: { order_id } } })) });
  if (order.isLoadingError) return <Trouble error={order.error} retry={order.refetch} />;
  if (!order.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Changes order={order.data.data} version={order.data.version} />;
}

function Changes({ order, version }: { order: Schemas['Order']; version?: string }) {
  const w = useOrderWords();
  const f = useFormat();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [quantities, setQuantities] = useState<Record<string, number>>({});
  const [added, setAdded] = useState<Added[]>([]);
  const [shipping, setShipping] = useState<number | null>(order.shipping?.price.amount ?? null);
  const [refund, setRefund] = useState(true);
  const [reason, setReason] = useState('');
  const [picking, setPicking] = useState(false);
  const [saved, setSaved] = useState(false);
  const money = (amount: number) => ({ amount, currency: order.currency });
  const lines = order.lines.flatMap((line) => (quantities[line.id] !== undefined && quantities[line.id] !== line.quantity ? [{ line_id: line.id, quantity: quantities[line.id] ?? 0 }] : []));
  const otherShipping = order.shipping && shipping !== null && shipping !== order.shipping.price.amount;
  const changed = lines.length > 0 || added.length > 0 || Boolean(otherShipping);
  const body: Schemas['OrderEditCreate'] = {
    ...(lines.length > 0 && { lines }),
    ...(added.length > 0 && { add: added.map(({ variant_id, quantity, price }) => ({ variant_id, quantity, ...(price !== null && { unit_price: money(price) }) })) }),
    ...(otherShipping && { shipping: money(shipping ?? 0) }),
    refund,
    ...(reason.trim() && { reason: reason.trim() }),
  };
  const ask = (given: Schemas['OrderEditCreate'], dry_run: boolean) =>
    answered(
      api.POST('/v1/orders/{order_id}/edits', {
        params: { path: { order_id: order.id }, header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key, 'If-Match': version }, query: { dry_run } },
        body: given,
      }),
    );
  const trial = useTrial(`edit ${order.id}`, changed ? body : undefined, (given) => ask(given, true));
  const save = useWrite({ write: () => ask(body, false), said: w.edit.done, done: () => setSaved(true) });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (saved) void go(to(`orders/${order.id}`), { replace: true });
  }, [saved, go, to, order.id]);

  const add = (picked: Picked[]) =>
    setAdded((now) => [
      ...now,
      ...picked
        .filter(({ variant }) => !now.some(({ variant_id }) => variant_id === variant.id))
        .map(({ product, variant }) => ({ variant_id: variant.id, title: product.title, variant_title: variant.title, image_url: product.images[0]?.url, quantity: 1, price: null })),
    ]);
  const change = (variant_id: string, changes: Partial<Added>) => setAdded((now) => now.map((each) => (each.variant_id === variant_id ? { ...each, ...changes } : each)));
  return (
    <Page title={w.edit.title(order.number)} back={`orders/${order.id}`}>
      <Leaving guarded={changed && !saved} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (changed) save.mutate();
        }}
      >
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="lg">
              <Section
                title={w.items}
                actions={
                  <Button variant="default" size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setPicking(true)}>
                    {w.edit.add}
                  </Button>
                }
              >
                {order.lines.map((line) => {
                  const quantity = quantities[line.id] ?? line.quantity;
                  const least = Math.max(line.fulfilled_quantity, line.refunded_quantity);
                  const set = (n: number) => setQuantities((now) => ({ ...now, [line.id]: n }));
                  return (
                    <Row key={line.id} line={line} gone={quantity === 0} beside={[f.money(line.unit_price), line.fulfilled_quantity > 0 && w.sent(line.fulfilled_quantity)].filter(Boolean).join(' · ')}>
                      <NumberInput aria-label={w.edit.quantity(line.title)} w={90} min={least} max={9999} clampBehavior="strict" allowDecimal={false} value={quantity} onChange={(n) => set(Number(n))} />
                      {quantity === line.quantity && least === 0 ? (
                        <ActionIcon size="lg" aria-label={w.edit.remove(line.title)} onClick={() => set(0)}>
                          <IconTrash size={18} />
                        </ActionIcon>
                      ) : (
                        <ActionIcon size="lg" aria-label={w.edit.restore(line.title)} disabled={quantity === line.quantity} onClick={() => set(line.quantity)}>
                          <IconArrowBackUp size={18} />
                        </ActionIcon>
                      )}
                    </Row>
                  );
                })}
                {added.map((each) => (
                  <Row key={each.variant_id} line={each} beside={w.edit.new}>
                    <MoneyInput aria-label={w.edit.price(each.title)} placeholder={w.edit.present} currency={order.currency} w={120} value={each.price} onChange={(price) => change(each.variant_id, { price })} />
                    <NumberInput
                      aria-label={w.edit.quantity(each.title)}
                      w={90}
                      min={1}
                      max={9999}
                      clampBehavior="strict"
                      allowDecimal={false}
                      value={each.quantity}
                      onChange={(n) => change(each.variant_id, { quantity: Number(n) || 1 })}
                    />
                    <ActionIcon size="lg" aria-label={w.edit.remove(each.title)} onClick={() => setAdded((now) => now.filter(({ variant_id }) => variant_id !== each.variant_id))}>
                      <IconTrash size={18} />
                    </ActionIcon>
                  </Row>
                ))}
              </Section>
              <Section>
                {order.shipping && <MoneyInput label={w.edit.shipping} description={order.shipping.name} maw={240} currency={order.currency} value={shipping} onChange={setShipping} />}
                <TextInput label={w.edit.reason} description={w.edit.reasonText} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
              </Section>
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Difference order={order} would={trial.would} pending={trial.pending} changed={changed}>
              <RefusedText problem={trial.refused} />
              {trial.would && trial.would.totals.total.amount < order.totals.total.amount && (
                <Checkbox label={w.edit.refund} description={w.edit.refundText} checked={refund} onChange={(event) => setRefund(event.currentTarget.checked)} />
              )}
              <Button type="submit" fullWidth disabled={!changed || trial.refused !== undefined} loading={save.isPending || saved}>
                {w.edit.save}
              </Button>
            </Difference>
          </Grid.Col>
        </Grid>
      </form>
      <PickVariants opened={picking} close={() => setPicking(false)} add={add} />
    </Page>
  );
}

type RowProps = { line: { title: string; variant_title: string; image_url?: string | null }; beside: string; gone?: boolean; children: ReactNode };

function Row({ line, beside, gone, children }: RowProps) {
  return (
    <Group gap="sm" justify="space-between">
      <Group gap="sm" wrap="nowrap" flex="1 1 180px" miw={0} opacity={gone ? 0.55 : undefined}>
        <Avatar src={line.image_url} size={40} radius="md" alt="" color="gray">
          <IconPhoto size={18} stroke={1.5} aria-hidden />
        </Avatar>
        <Stack gap={0} miw={0}>
          <Text size="sm" fw={600} td={gone ? 'line-through' : undefined}>
            {line.title}
          </Text>
          <Text size="xs" c="dimmed">
            {[line.variant_title !== 'Default' && line.variant_title, beside].filter(Boolean).join(' · ')}
          </Text>
        </Stack>
      </Group>
      <Group gap="xs" wrap="nowrap">
        {children}
      </Group>
    </Group>
  );
}

/** What the order came to, what it would come to, and who would owe whom how much. */
function Difference({ order, would, pending, changed, children }: { order: Schemas['Order']; would?: Schemas['Order']; pending: boolean; changed: boolean; children: ReactNode }) {
  const w = useOrderWords();
  const f = useFormat();
  const difference = would ? would.totals.total.amount - order.totals.total.amount : 0;
  const money = (amount: number) => f.money({ amount, currency: order.currency });
  return (
    <Section title={w.edit.summary}>
      {!changed && (
        <Text size="sm" c="dimmed">
          {w.edit.nothing}
        </Text>
      )}
      {would && (
        <Stack gap={6} aria-live="polite" aria-busy={pending} opacity={pending ? 0.6 : 1}>
          <Sum name={w.edit.before}>{f.money(order.totals.total)}</Sum>
          <Sum name={w.edit.after}>{f.money(would.totals.total)}</Sum>
          <Divider />
          <Sum name={w.edit.difference} strong>
            {difference > 0 ? '+' : ''}
            {money(difference)}
          </Sum>
          {would.totals.outstanding.amount > 0 && <Sum name={w.totals.outstanding}>{f.money(would.totals.outstanding)}</Sum>}
          {would.totals.refunded.amount > order.totals.refunded.amount && <Sum name={w.edit.paidBack}>{money(would.totals.refunded.amount - order.totals.refunded.amount)}</Sum>}
        </Stack>
      )}
      {children}
    </Section>
  );
}
