import { Button, Grid, Group, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomerField } from '../../page/customer';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Instant } from '../../page/instant';
import { pages } from '../../page/list';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Adjust } from '../credit/adjust';
import { Entries } from '../credit/entries';
import { GiftCardState } from './states';
import { useGiftCardWords } from './words';

/** A gift card, what is on it, and what came to it and went. */
export default function GiftCard() {
  const { card: gift_card_id = '' } = useParams();
  const { api } = useStore();
  const card = useQuery({ queryKey: ['gift card', gift_card_id], queryFn: () => answered(api.GET('/v1/gift-cards/{gift_card_id}', { params: { path: { gift_card_id } } })) });
  if (card.isLoadingError) return <Trouble error={card.error} retry={card.refetch} />;
  if (!card.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Present key={gift_card_id} card={card.data.data} version={card.data.version} />;
}

function Present({ card, version }: { card: Schemas['GiftCard']; version?: string }) {
  const w = useGiftCardWords();
  const everywhere = useWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const client = useQueryClient();
  const [adjusting, setAdjusting] = useState(false);
  const path = { gift_card_id: card.id };
  const there = { customer_id: card.customer_id, expires_at: card.expires_at, note: card.note ?? '' };
  const form = useForm({ of: card.id, initialValues: there });
  const base = useFresh(form, there, version);
  const entries = query.useInfiniteQuery('get', '/v1/gift-cards/{gift_card_id}/entries', { params: { path, query: { limit: 20 } } }, pages);
  const patch = (body: Schemas['GiftCardUpdate']) => answered(api.PATCH('/v1/gift-cards/{gift_card_id}', { params: { path, header: { 'If-Match': base.version } }, body }));
  const keep = (answer: Awaited<ReturnType<typeof patch>>) => {
    form.resetDirty();
    client.setQueryData(['gift card', card.id], answer);
  };
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: keep,
    write: ({ customer_id, expires_at, note }: typeof form.values) => patch({ customer_id, expires_at, note: note.trim() || null }),
  });
  const turn = useWrite({
    said: card.active ? w.turnedOff : w.turnedOn,
    undoable: true,
    write: () => answered(api.PATCH('/v1/gift-cards/{gift_card_id}', { params: { path }, body: { active: !card.active } })),
  });
  const writes = can('gift_cards:write');
  const all = entries.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Page
      title={`•••• ${card.last_characters}`}
      beside={<GiftCardState state={card.state} />}
      text={w.since(f.date(card.created_at))}
      back="gift-cards"
      actions={
        writes && (
          <>
            <Button variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>
              {card.active ? w.turnOff : w.turnOn}
            </Button>
            <Button onClick={() => setAdjusting(true)}>{w.adjust}</Button>
          </>
        )
      }
    >
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 7 }}>
            <Stack gap="lg">
              <Section>
                <Group justify="space-between" align="flex-end">
                  <div>
                    <Text size="xs" c="dimmed" fw={500}>
                      {w.columns.balance}
                    </Text>
                    <Text fz={28} fw={650} lh={1.3}>
                      {f.money(card.balance)}
                    </Text>
                  </div>
                  <Text size="sm" c="dimmed">
                    {w.issuedWith(f.money(card.issued))}
                  </Text>
                </Group>
              </Section>
              <Section title={w.entries}>
                {entries.isPending && <Skeleton height={80} />}
                <Entries entries={all} />
                {entries.hasNextPage && (
                  <Button variant="subtle" size="xs" loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
                    {everywhere.more}
                  </Button>
                )}
              </Section>
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 5 }}>
            <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
              <Section title={w.details}>
                {can('customers:read') && <CustomerField label={w.issue.customer} value={form.values.customer_id} onChange={(customer) => form.setFieldValue('customer_id', customer?.id ?? null)} />}
                <Instant label={w.issue.expires} description={w.issue.expiresText} value={form.values.expires_at} error={form.errors.expires_at} change={(at) => form.setFieldValue('expires_at', at)} />
                <Textarea label={w.note} description={w.noteText} autosize minRows={2} maxLength={2000} {...form.getInputProps('note')} />
              </Section>
            </fieldset>
          </Grid.Col>
        </Grid>
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
      <Adjust
        opened={adjusting}
        title={w.adjust}
        balance={card.balance}
        close={() => setAdjusting(false)}
        write={(key, body) => answered(api.POST('/v1/gift-cards/{gift_card_id}/adjustments', { params: { path, header: { 'Idempotency-Key': key } }, body }))}
      />
    </Page>
  );
}
