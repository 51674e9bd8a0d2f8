import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Adjust } from '../credit/adjust';
import { Entries } from '../credit/entries';
import { useCustomerWords } from './words';

/** What the shop owes a customer, who can spend it there. */
export function StoreCredit({ customer }: { customer: Schemas['Customer'] }) {
  const w = useCustomerWords();
  const everywhere = useWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [adjusting, setAdjusting] = useState<Schemas['Money']>();
  const [more, setMore] = useState(false);
  const path = { customer_id: customer.id };
  const balances = query.useQuery('get', '/v1/customers/{customer_id}/store-credit', { params: { path, query: { limit: 50 } } });
  const entries = query.useQuery('get', '/v1/customers/{customer_id}/store-credit/entries', { params: { path, query: { limit: 50 } } });
  const there = balances.data?.data.map(({ balance }) => balance) ?? [];
  const shown = there.length > 0 ? there : [{ amount: 0, currency: settings.currency }];
  const others = settings.currencies.filter((currency) => !shown.some((balance) => balance.currency === currency));
  const all = entries.data?.data ?? [];
  return (
    <Section title={w.credit.title}>
      {balances.isPending && <Skeleton height={32} />}
      {balances.data &&
        shown.map((balance) => (
          <Group key={balance.currency} justify="space-between">
            <Text fz="lg" fw={650}>
              {f.money(balance)}
            </Text>
            {can('store_credit:write') && (
              <Button variant="default" size="xs" onClick={() => setAdjusting(balance)}>
                {w.credit.adjust}
              </Button>
            )}
          </Group>
        ))}
      {balances.data && can('store_credit:write') && others.length > 0 && (
        <Group gap="xs">
          {others.map((currency) => (
            <Button key={currency} variant="subtle" size="compact-sm" onClick={() => setAdjusting({ amount: 0, currency })}>
              {w.credit.other(currency)}
            </Button>
          ))}
        </Group>
      )}
      {all.length > 0 && (
        <Stack gap="xs">
          <Entries entries={more ? all : all.slice(0, 3)} />
          {all.length > 3 && !more && (
            <Button variant="subtle" size="compact-sm" onClick={() => setMore(true)}>
              {everywhere.more}
            </Button>
          )}
        </Stack>
      )}
      {balances.data && all.length === 0 && (
        <Text size="xs" c="dimmed">
          {w.credit.text}
        </Text>
      )}
      <Adjust
        opened={adjusting !== undefined}
        title={w.credit.adjust}
        balance={adjusting ?? { amount: 0, currency: settings.currency }}
        close={() => setAdjusting(undefined)}
        write={(key, body) => answered(api.POST('/v1/customers/{customer_id}/store-credit/adjustments', { params: { path, header: { 'Idempotency-Key': key } }, body }))}
      />
    </Section>
  );
}
