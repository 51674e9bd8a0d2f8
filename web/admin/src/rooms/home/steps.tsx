import { Button, Collapse, Group, Progress, Stack, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { IconCheck, IconCircleDashed } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { answered } from '../../api/client';
import { awaited } from '../../api/memory';
import { problemOf } from '../../api/problem';
import { complain, tell, useWrite } from '../../api/write';
import { Section } from '../../page/section';
import { platform, useSession } from '../../session/session';
import { labelOf, useStore } from '../../session/store';
import { useLanguage } from '../../words/language';
import { sampleTag } from './sampletag';
import classes from './home.module.css';
import { useHomeWords } from './words';

type Step = { key: string; done: boolean; title: string; text: string; action: ReactNode };

/** What the steps go by, and whether there are samples. */
function useBeginning() {
  const { query, can } = useStore();
  const mayLead = can('products:write') && can('orders:read');
  const asks = (also: boolean) => ({ enabled: mayLead && also });
  const products = query.useQuery('get', '/v1/products', { params: { query: { limit: 1, status: 'active' } } }, asks(true));
  const orders = query.useQuery('get', '/v1/orders', { params: { query: { limit: 1 } } }, asks(true));
  const first = orders.data?.data.length === 0;
  const shipping = query.useQuery('get', '/v1/shipping-methods', { params: { query: { limit: 100 } } }, asks(first && can('settings:read')));
  const payments = query.useQuery('get', '/v1/payment-settings', {}, asks(first && can('settings:read')));
  const theme = query.useQuery('get', '/v1/theme', {}, asks(first && can('content:read')));
  const domains = query.useQuery('get', '/v1/domains', { params: { query: { limit: 100 } } }, asks(first && can('domains:read')));
  const samples = query.useQuery('get', '/v1/products', { params: { query: { tag: sampleTag, limit: 1 } } }, { enabled: can('products:write') && can('operations:write') });
  const known = !awaited(products, orders, shipping, payments, theme, domains, samples);
  return { products, first, shipping, payments, theme, domains, samples, known };
}

/** Whether it is known what stands above all else at home: what is below waits for it, so that it is not pushed down. */
export const useBegun = () => useBeginning().known;

/** What leads to the first order. It is there until that has come. */
export function Steps() {
  const w = useHomeWords();
  const { to, settings, mode } = useStore();
  const { account } = useSession();
  const { products, first, shipping, payments, theme, domains, known } = useBeginning();
  const remind = useMutation({
    mutationFn: () => answered(platform.api.POST('/v1/account/email-verification')),
    onSuccess: () => tell(w.steps.verify.sent),
    onError: (error) => complain(problemOf(error).detail ?? ''),
  });
  const [opened, setOpened] = useState<string>();
  if (!products.data || !first || !known) return null;
  const stocked = products.data.data.length > 0;
  const last = mode === 'test' ? w.steps.orderTest : w.steps.order;
  const leads = (path: string, label: string) => (
    <Button component={Link} to={to(path)} variant="default">
      {label}
    </Button>
  );
  const shop = (label: string) => (
    <Button component="a" href={settings.shop_url} target="_blank" rel="noopener" variant="default">
      {label}
    </Button>
  );
  const all: (Step | undefined | false)[] = [
    {
      key: 'verify',
      done: account.email_verified,
      ...w.steps.verify,
      action: (
        <Button variant="default" onClick={() => remind.mutate()} loading={remind.isPending}>
          {w.steps.verify.action}
        </Button>
      ),
    },
    {
      key: 'product',
      done: stocked,
      ...w.steps.product,
      action: (
        <>
          <Button component={Link} to={to('products/new')}>
            {w.steps.product.action}
          </Button>
          <TrySamples />
        </>
      ),
    },
    shipping.data && { key: 'shipping', done: shipping.data.data.some(({ active }) => active), ...w.steps.shipping, action: leads('shipping', w.steps.shipping.action) },
    payments.data && { key: 'payment', done: payments.data.test_provider || payments.data.providers.length > 0, ...w.steps.payment, action: leads('payments', w.steps.payment.action) },
    theme.data && {
      key: 'theme',
      done: theme.data.published_at !== null,
      ...w.steps.theme,
      action: (
        <>
          {leads('theme', w.steps.theme.action)}
          {stocked && shop(w.steps.look.action)}
        </>
      ),
    },
    domains.data && mode === 'live' && { key: 'domain', done: domains.data.data.some(({ state }) => state === 'active'), ...w.steps.domain, action: leads('domains', w.steps.domain.action) },
    {
      key: 'order',
      done: false,
      ...last,
      action: mode === 'test' ? shop(last.action) : (
        <Button component={Link} to={`/${labelOf(settings.address, 'test')}`} variant="default">
          {last.action}
        </Button>
      ),
    },
  ];
  const steps = all.filter((step): step is Step => Boolean(step));
  const done = steps.filter((step) => step.done).length;
  const next = opened ?? steps.find((step) => !step.done)?.key;
  return (
    <Section
      title={w.steps.title}
      actions={
        <Group gap="sm" wrap="nowrap">
          <Text size="sm" c="dimmed">
            {w.steps.text(done, steps.length)}
          </Text>
          <Progress value={(done / steps.length) * 100} w={90} aria-label={w.steps.title} visibleFrom="xs" />
        </Group>
      }
    >
      <Stack gap="sm">
        {steps.map((step) => (
          <Group key={step.key} wrap="nowrap" align="start" gap="md">
            <ThemeIcon variant={step.done ? 'filled' : 'light'} color={step.done ? 'green' : 'gray'} radius="xl" size={26} mt={2}>
              {step.done ? <IconCheck size={16} aria-hidden /> : <IconCircleDashed size={16} aria-hidden />}
            </ThemeIcon>
            <Stack gap={0} flex={1}>
              <UnstyledButton className={classes.step} aria-expanded={step.key === next} onClick={() => setOpened(step.key)}>
                <Text fw={600} size="sm" td={step.done ? 'line-through' : undefined} c={step.done ? 'dimmed' : undefined}>
                  {step.title}
                </Text>
              </UnstyledButton>
              <Collapse expanded={step.key === next}>
                <Text size="sm" c="dimmed">
                  {step.text}
                </Text>
                <Group mt="xs" mb="xs" gap="sm">
                  {step.action}
                </Group>
              </Collapse>
            </Stack>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

/** Sample products to play with, in place of one's own. */
function TrySamples() {
  const w = useHomeWords();
  const { api, can, settings } = useStore();
  const { language } = useLanguage();
  const add = useWrite({
    write: async () => (await import('./samples')).addSamples(api, language, settings.currency),
    said: w.samples.added,
  });
  if (!can('imports:write')) return null;
  return (
    <Button variant="subtle" loading={add.isPending} onClick={() => add.mutate()}>
      {w.samples.add}
    </Button>
  );
}

/** Says that there are sample products, for as long as there are, and takes them away. */
export function Samples() {
  const w = useHomeWords();
  const { api, to } = useStore();
  const { samples } = useBeginning();
  const remove = useWrite({ write: async () => (await import('./samples')).removeSamples(api), said: w.samples.removed });
  if (!samples.data?.data.length) return null;
  return (
    <Section>
      <Group justify="space-between" gap="sm">
        <Stack gap={0} flex={1} miw={220}>
          <Text size="sm" fw={600}>
            {w.samples.title}
          </Text>
          <Text size="sm" c="dimmed">
            {w.samples.text}
          </Text>
        </Stack>
        <Group gap="sm">
          <Button component={Link} to={to('products')} variant="subtle">
            {w.samples.look}
          </Button>
          <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
            {w.samples.remove}
          </Button>
        </Group>
      </Group>
    </Section>
  );
}
