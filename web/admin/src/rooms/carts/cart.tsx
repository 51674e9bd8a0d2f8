import { Alert, Anchor, Avatar, Button, CopyButton, Grid, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconCheck, IconCopy, IconMail, IconPhoto } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { postal } from '../../page/address';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Fact, Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { LineRow } from '../orders/lines';
import { Sum } from '../orders/money';
import { useCartWords } from './words';

/** What somebody is about to buy, or has left. */
export default function Cart() {
  const { cart: cart_id = '' } = useParams();
  const { api } = useStore();
  const cart = useQuery({ queryKey: ['cart', cart_id], queryFn: () => answered(api.GET('/v1/carts/{cart_id}', { params: { path: { cart_id } } })) });
  if (cart.isLoadingError) return <Trouble error={cart.error} retry={cart.refetch} />;
  if (!cart.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Present key={cart_id} cart={cart.data.data} version={cart.data.version} />;
}

function Present({ cart, version }: { cart: Schemas['Cart']; version?: string }) {
  const w = useCartWords();
  const everywhere = useWords();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  // Where its shopper finds it again is told by the list.
  const listed = query.useQuery('get', '/v1/carts', { params: { query: { limit: 20, ...(cart.email ? { email: cart.email } : {}) } } }, { enabled: cart.email !== null });
  const link = listed.data?.data.find(({ id }) => id === cart.id)?.recover_url;
  const { totals } = cart;
  return (
    <Page
      title={cart.email ?? w.one}
      beside={<State mood={cart.state === 'completed' ? 'well' : 'waits'}>{w.states[cart.state]}</State>}
      text={w.changed(f.time(cart.updated_at))}
      back="carts"
      actions={
        link && (
          <>
            <CopyButton value={link}>
              {({ copied, copy }) => (
                <Button variant="default" leftSection={copied ? <IconCheck size={17} aria-hidden /> : <IconCopy size={17} aria-hidden />} onClick={copy}>
                  {copied ? everywhere.copied : w.link}
                </Button>
              )}
            </CopyButton>
            {cart.email && (
              <Button component="a" href={`mailto:${cart.email}?subject=${encodeURIComponent(w.mail.subject(settings.name))}&body=${encodeURIComponent(w.mail.body(link))}`} leftSection={<IconMail size={17} aria-hidden />}>
                {w.mail.do}
              </Button>
            )}
          </>
        )
      }
    >
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack gap="lg">
            {cart.order_id && (
              <Alert color="green">
                {w.became}{' '}
                <Anchor component={Link} to={to(`orders/${cart.order_id}`)} inherit fw={600}>
                  {w.toOrder}
                </Anchor>
              </Alert>
            )}
            <Section title={w.goods}>
              {cart.lines.length === 0 && (
                <Text size="sm" c="dimmed">
                  {w.noGoods}
                </Text>
              )}
              {cart.lines.map((line) => (
                <Group key={line.id} wrap="nowrap">
                  <Avatar src={line.image_url} size={44} radius="md" alt="" color="gray">
                    <IconPhoto size={19} stroke={1.5} aria-hidden />
                  </Avatar>
                  <div style={{ flex: 1, minWidth: 0 }}>
                    <LineRow line={line} beside={[`${f.number(line.quantity)} × ${f.money(line.unit_price)}`, !line.available && w.unavailable].filter(Boolean).join(' · ')}>
                      <Text size="sm" fw={500} style={{ whiteSpace: 'nowrap' }}>
                        {f.money(line.total)}
                      </Text>
                    </LineRow>
                  </div>
                </Group>
              ))}
            </Section>
            <Section title={w.summary}>
              <Stack gap={6}>
                <Sum name={w.totals.subtotal}>{f.money(totals.subtotal)}</Sum>
                {totals.discount.amount > 0 && (
                  <Sum name={w.totals.discount} beside={cart.discounts.map(({ code, title }) => code ?? title).join(', ')}>
                    −{f.money(totals.discount)}
                  </Sum>
                )}
                <Sum name={w.totals.shipping} beside={cart.shipping_method?.name}>
                  {f.money(totals.shipping)}
                </Sum>
                <Sum name={cart.prices_include_tax ? w.totals.included : w.totals.tax} beside={totals.estimated ? w.totals.estimated : undefined}>
                  {f.money(totals.tax)}
                </Sum>
                <Sum name={w.totals.total} strong>
                  {f.money(totals.total)}
                </Sum>
              </Stack>
            </Section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Stack gap="lg">
            <Section title={w.who}>
              <Fact name={w.email}>{cart.email ? <Anchor href={`mailto:${cart.email}`} inherit>{cart.email}</Anchor> : w.unknown}</Fact>
              {cart.customer_id && can('customers:read') && (
                <Anchor component={Link} to={to(`customers/${cart.customer_id}`)} size="sm">
                  {w.toCustomer}
                </Anchor>
              )}
              {cart.shipping_address && (
                <Fact name={w.shipsTo}>
                  <span style={{ whiteSpace: 'pre-line' }}>{postal(cart.shipping_address, f.country).join('\n')}</span>
                </Fact>
              )}
              <Fact name={w.expires}>{f.date(cart.expires_at)}</Fact>
            </Section>
            {cart.note && (
              <Section title={w.note}>
                <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
                  {cart.note}
                </Text>
              </Section>
            )}
            {cart.state === 'open' && can('orders:write') && <Exempt cart={cart} version={version} />}
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

function Exempt({ cart, version }: { cart: Schemas['Cart']; version?: string }) {
  const w = useCartWords();
  const everywhere = useWords();
  const { api } = useStore();
  const client = useQueryClient();
  const there = { tax_exempt_reason: cart.tax_exempt_reason ?? '' };
  const form = useForm({ of: cart.id, initialValues: there });
  const base = useFresh(form, there, version);
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    write: ({ tax_exempt_reason }: typeof form.values) =>
      answered(api.PATCH('/v1/carts/{cart_id}', { params: { path: { cart_id: cart.id }, header: { 'If-Match': base.version } }, body: { tax_exempt_reason: tax_exempt_reason.trim() || null } })),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['cart', cart.id], answer);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Section title={w.taxes}>
        <TextInput label={w.exempt} description={w.exemptText} maxLength={255} {...form.getInputProps('tax_exempt_reason')} />
      </Section>
      <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
    </form>
  );
}
