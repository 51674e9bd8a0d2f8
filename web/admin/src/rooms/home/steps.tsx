import { Button, Group, Progress, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconCircleDashed } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { answered } from '../../api/client';
import { complain, tell } from '../../api/write';
import { problemOf } from '../../api/problem';
import { Section } from '../../page/section';
import { platform, useSession } from '../../session/session';
import { labelOf, useStore } from '../../session/store';
import { useHomeWords } from './words';

/** What leads to the first order. It is there until that has come. */
export function Steps() {
  const w = useHomeWords();
  const { query, can, to, settings, mode } = useStore();
  const { account } = useSession();
  const mayLead = can('products:write') && can('orders:read');
  const products = query.useQuery('get', '/v1/products', { params: { query: { limit: 1, status: 'active' } } }, { enabled: mayLead });
  const orders = query.useQuery('get', '/v1/orders', { params: { query: { limit: 1 } } }, { enabled: mayLead });
  const remind = useMutation({
    mutationFn: () => answered(platform.api.POST('/v1/account/email-verification')),
    onSuccess: () => tell(w.steps.verify.sent),
    onError: (error) => complain(problemOf(error).detail ?? ''),
  });
  if (!products.data || !orders.data || orders.data.data.length > 0) return null;
  const stocked = products.data.data.length > 0;
  const last = mode === 'test' ? w.steps.orderTest : w.steps.order;
  const steps: { done: boolean; title: string; text: string; action: ReactNode }[] = [
    {
      done: account.email_verified,
      ...w.steps.verify,
      action: (
        <Button variant="default" onClick={() => remind.mutate()} loading={remind.isPending}>
          {w.steps.verify.action}
        </Button>
      ),
    },
    {
      done: stocked,
      ...w.steps.product,
      action: (
        <Button component={Link} to={to('products/new')}>
          {w.steps.product.action}
        </Button>
      ),
    },
    {
      done: false,
      ...last,
      action:
        mode === 'test' ? (
          <Button component="a" href={settings.shop_url} target="_blank" rel="noopener" variant="default">
            {last.action}
          </Button>
        ) : (
          <Button component={Link} to={`/${labelOf(settings.address, 'test')}`} variant="default">
            {last.action}
          </Button>
        ),
    },
  ];
  const done = steps.filter((step) => step.done).length;
  const next = steps.findIndex((step) => !step.done);
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
      <Stack gap="md">
        {steps.map((step, n) => (
          <Group key={step.title} wrap="nowrap" align="start" gap="md">
            <ThemeIcon variant={step.done ? 'filled' : 'light'} color={step.done ? 'green' : 'gray'} radius="xl" size={26} mt={2}>
              {step.done ? <IconCheck size={16} aria-hidden /> : <IconCircleDashed size={16} aria-hidden />}
            </ThemeIcon>
            <Stack gap={2} flex={1}>
              <Text fw={600} size="sm" td={step.done ? 'line-through' : undefined} c={step.done ? 'dimmed' : undefined}>
                {step.title}
              </Text>
              {!step.done && (
                <Text size="sm" c="dimmed">
                  {step.text}
                </Text>
              )}
              {n === next && (
                <Group mt="xs">
                  {step.action}
                  {stocked && (
                    <Button component="a" href={settings.shop_url} target="_blank" rel="noopener" variant="subtle">
                      {w.steps.look.action}
                    </Button>
                  )}
                </Group>
              )}
            </Stack>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}
