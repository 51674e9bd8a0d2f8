import { Button, Group, Skeleton, Text, Textarea, Timeline as Line } from '@mantine/core';
import { IconCash, IconFileText, IconMessage, IconPackageExport, IconPencil, IconPoint, IconReceipt, IconReceiptRefund, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { pages } from '../../page/list';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useOrderWords } from './words';

const icons: [RegExp, typeof IconPoint][] = [
  [/^order\.place/, IconReceipt],
  [/^order\.note/, IconMessage],
  [/^order\.fulfil/, IconPackageExport],
  [/^order\.(edit|update)/, IconPencil],
  [/^order\.cancel|\.fail$/, IconX],
  [/^payment/, IconCash],
  [/^refund|^return/, IconReceiptRefund],
  [/document|invoice|credit_note/, IconFileText],
];

/** Everything that happened to an order, with the team's notes. */
export function Timeline({ order }: { order: Schemas['Order'] }) {
  const w = useOrderWords();
  const { api, query, can, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const [note, setNote] = useState('');
  const entries = query.useInfiniteQuery('get', '/v1/orders/{order_id}/timeline', { params: { path: { order_id: order.id }, query: { limit: 20 } } }, { ...pages, refetchInterval: 30_000 });
  const add = useWrite({
    write: () => answered(api.POST('/v1/orders/{order_id}/notes', { params: { path: { order_id: order.id }, header: { 'Idempotency-Key': idempotencyKey() } }, body: { note: note.trim() } })),
    done: () => setNote(''),
  });
  const names: Record<string, string> = w.timeline.actions;
  const all = entries.data?.pages.flatMap((page) => page.data);
  return (
    <Section title={w.timeline.title}>
      {can('orders:write') && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (note.trim()) add.mutate();
          }}
        >
          <Textarea aria-label={w.timeline.note} placeholder={w.timeline.note} autosize minRows={1} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
          {note.trim() && (
            <Group justify="end" mt="xs">
              <Button type="submit" size="xs" loading={add.isPending}>
                {w.timeline.add}
              </Button>
            </Group>
          )}
        </form>
      )}
      {!all && <Skeleton height={120} />}
      {all && (
        <Line bulletSize={28} lineWidth={1} color="gray" autoContrast>
          {all.map((entry) => {
            const Icon = icons.find(([pattern]) => pattern.test(entry.action))?.[1] ?? IconPoint;
            return (
              <Line.Item key={entry.id} bullet={<Icon size={15} aria-hidden />} title={<Text size="sm" fw={500} span>{names[entry.action] ?? entry.action}</Text>}>
                {(entry.note ?? entry.reason) && (
                  <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
                    {entry.note ?? entry.reason}
                  </Text>
                )}
                <Text size="xs" c="dimmed">
                  {f.time(entry.at)} {w.timeline.by(entry.actor.kind === 'system' ? w.timeline.system : entry.actor.kind === 'publishable' || entry.actor.kind === 'anonymous' ? w.timeline.shopper : entry.actor.label)}
                </Text>
              </Line.Item>
            );
          })}
        </Line>
      )}
      {entries.hasNextPage && (
        <Button variant="subtle" size="xs" loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
          {w.timeline.more}
        </Button>
      )}
    </Section>
  );
}
