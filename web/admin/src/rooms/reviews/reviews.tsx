import { Anchor, Badge, Button, Drawer, Group, Rating, Select, Stack, Text, Textarea } from '@mantine/core';
import { IconStar } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomerChip } from '../../page/customer';
import { Empty } from '../../page/empty';
import { given, useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { type Mood, State } from '../../page/state';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useReviewWords } from './words';

type Review = Schemas['Review'];

const moods: Record<Review['state'], Mood> = { pending: 'waits', approved: 'well', rejected: 'over' };

/** What customers think of products, and whether others see it. */
export default function Reviews() {
  const w = useReviewWords();
  const f = useFormat();
  const { query } = useStore();
  const filters = useFilters('state', 'rating', 'customer', 'id');
  const { state, rating, customer, id } = filters.values;
  const asked = given({ state: state as Review['state'] | '', rating: rating ? Number(rating) : undefined, customer_id: customer }) as { state?: Review['state']; rating?: number; customer_id?: string };
  const reviews = query.useInfiniteQuery('get', '/v1/reviews', { params: { query: { limit: 50, ...asked } } }, { ...pages, placeholderData: keepPreviousData });
  const opened = reviews.data?.pages.flatMap((page) => page.data).find((review) => review.id === id);
  const close = () => filters.set({ id: '' });
  return (
    <Page title={w.title} text={w.text}>
      <List<Review>
        label={w.title}
        query={reviews}
        id={(review) => review.id}
        open={(review) => filters.set({ id: review.id })}
        narrowed={state || rating || customer ? { nothing: w.nothing, clear: filters.clear } : undefined}
        empty={<Empty icon={IconStar} {...w.empty} />}
        filters={
          <>
            <Views label={w.view} value={state} names={w.views} onChange={(next) => filters.set({ state: next })} />
            <Select
              aria-label={w.rating}
              placeholder={w.rating}
              clearable
              w={140}
              data={[5, 4, 3, 2, 1].map((n) => ({ value: String(n), label: w.stars(n) }))}
              value={rating || null}
              onChange={(next) => filters.set({ rating: next ?? '' })}
            />
            <CustomerChip id={customer} clear={() => filters.set({ customer: '' })} />
          </>
        }
        columns={[
          {
            name: w.columns.review,
            cell: (review) => (
              <Stack gap={2}>
                <Stars rating={review.rating} />
                <Text size="sm" fw={600} lineClamp={1}>
                  {review.title ?? review.author ?? w.anonymous}
                </Text>
                {review.body && (
                  <Text size="xs" c="dimmed" fw={400} lineClamp={2}>
                    {review.body}
                  </Text>
                )}
              </Stack>
            ),
          },
          { name: w.columns.product, wide: true, width: 240, cell: (review) => <ProductName id={review.product_id} /> },
          { name: w.columns.state, width: 150, cell: (review) => <State mood={moods[review.state]}>{w.states[review.state]}</State> },
          { name: w.columns.when, wide: true, width: 140, cell: (review) => <span title={f.time(review.created_at)}>{f.ago(review.created_at)}</span> },
        ]}
      />
      <Drawer opened={opened !== undefined} onClose={close} position="right" size="lg" title={opened && (opened.title ?? w.columns.review)}>
        {opened && <Told key={opened.id} review={opened} close={close} />}
      </Drawer>
    </Page>
  );
}

function Stars({ rating }: { rating: number }) {
  const w = useReviewWords();
  return (
    <span role="img" aria-label={w.stars(rating)}>
      <Rating value={rating} readOnly size="xs" aria-hidden />
    </span>
  );
}

/** What a product is called, which a review does not tell. */
function ProductName({ id }: { id: string }) {
  const { api } = useStore();
  const product = useQuery({ queryKey: ['product name', id], staleTime: 60_000, queryFn: () => answered(api.GET('/v1/products/{product_id}', { params: { path: { product_id: id } } })) });
  return (
    <Text size="sm" lineClamp={2}>
      {product.data?.data.title ?? '–'}
    </Text>
  );
}

function Told({ review, close }: { review: Review; close: () => void }) {
  const w = useReviewWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const f = useFormat();
  const [reply, setReply] = useState(review.reply ?? '');
  const params = { path: { review_id: review.id } };
  const moderate = useWrite({
    undoable: true,
    said: (changed: Review) => (changed.state === review.state ? everywhere.saved : changed.state === 'approved' ? w.approved : w.rejected),
    write: (body: Schemas['ReviewUpdate']) => answered(api.PATCH('/v1/reviews/{review_id}', { params, body })),
    done: close,
  });
  const remove = useWrite({ undoable: true, said: w.deleted, write: () => answered(api.DELETE('/v1/reviews/{review_id}', { params })), done: close });
  const writes = can('reviews:write');
  const answer = reply.trim() === (review.reply ?? '') ? {} : { reply: reply.trim() || null };
  return (
    <Stack>
      <Group gap="sm">
        <Stars rating={review.rating} />
        <State mood={moods[review.state]}>{w.states[review.state]}</State>
        {review.verified_purchase && <Badge>{w.verified}</Badge>}
      </Group>
      <Text size="sm" c="dimmed">
        {review.author ?? w.anonymous} · {f.date(review.created_at)}
      </Text>
      {review.body && (
        <Text size="sm" lang={review.locale ?? undefined} style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
          {review.body}
        </Text>
      )}
      <Group gap="lg">
        {can('products:read') && (
          <Anchor component={Link} to={to(`products/${review.product_id}`)} size="sm">
            <ProductName id={review.product_id} />
          </Anchor>
        )}
        {can('customers:read') && (
          <Anchor component={Link} to={to(`customers/${review.customer_id}`)} size="sm">
            {w.customer}
          </Anchor>
        )}
      </Group>
      <Textarea label={w.reply} description={w.replyText} autosize minRows={3} maxLength={5000} disabled={!writes} value={reply} onChange={(event) => setReply(event.currentTarget.value)} />
      {writes && (
        <Group justify="space-between">
          <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            {w.delete}
          </Button>
          <Group gap="xs">
            {Object.keys(answer).length > 0 && (
              <Button variant="default" loading={moderate.isPending} onClick={() => moderate.mutate(answer)}>
                {everywhere.save}
              </Button>
            )}
            {review.state !== 'rejected' && (
              <Button variant="default" loading={moderate.isPending} onClick={() => moderate.mutate({ ...answer, state: 'rejected' })}>
                {w.reject}
              </Button>
            )}
            {review.state !== 'approved' && (
              <Button loading={moderate.isPending} onClick={() => moderate.mutate({ ...answer, state: 'approved' })}>
                {w.approve}
              </Button>
            )}
          </Group>
        </Group>
      )}
    </Stack>
  );
}
