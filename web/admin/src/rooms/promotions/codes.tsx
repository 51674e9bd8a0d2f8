import { ActionIcon, Button, Code, Group, Modal, NumberInput, SegmentedControl, SimpleGrid, Stack, Table, Text, TextInput, Textarea, VisuallyHidden } from '@mantine/core';
import { IconDownload, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { save } from '../../page/file';
import { pages } from '../../page/list';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { usePromotionWords } from './words';

/** The codes by which a promotion is had. */
export function Codes({ promotion }: { promotion: Schemas['Promotion'] }) {
  const w = usePromotionWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, query, can } = useStore();
  const [adding, setAdding] = useState(false);
  const path = { promotion_id: promotion.id };
  const codes = query.useInfiniteQuery('get', '/v1/promotions/{promotion_id}/codes', { params: { path, query: { limit: 20 } } }, pages);
  const all = codes.data?.pages.flatMap((page) => page.data) ?? [];
  const writes = can('promotions:write');
  const download = useWrite({
    write: async () => {
      const rows: string[][] = [];
      let cursor: string | undefined;
      let answer: Awaited<ReturnType<typeof page>>;
      const page = (after?: string) => answered(api.GET('/v1/promotions/{promotion_id}/codes', { params: { path, query: { limit: 100, ...(after && { cursor: after }) } } }));
      do {
        // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
        answer = await page(cursor);
        rows.push(...answer.data.data.map(({ code, used, usage_limit }) => [code, String(used), usage_limit === null ? '' : String(usage_limit)]));
        cursor = answer.data.next_cursor ?? undefined;
      } while (cursor);
      save(new Blob([[['code', 'used', 'usage_limit'], ...rows].map((row) => row.join(',')).join('\r\n')], { type: 'text/csv' }), `${promotion.title}.csv`);
      return answer;
    },
  });
  const remove = useWrite({
    write: (code: string) => answered(api.DELETE('/v1/promotions/{promotion_id}/codes/{promotion_code}', { params: { path: { ...path, promotion_code: code } } })),
    said: w.codes.deleted,
    undoable: true,
  });
  return (
    <Section
      title={w.codes.title}
      text={w.codes.count(f.number(promotion.codes_count), promotion.codes_count === 1)}
      flush={all.length > 0}
      actions={
        <Group gap="xs" wrap="nowrap">
          {all.length > 0 && (
            <Button variant="default" size="xs" leftSection={<IconDownload size={15} aria-hidden />} loading={download.isPending} onClick={() => download.mutate(undefined)}>
              {w.codes.download}
            </Button>
          )}
          {writes && (
            <Button variant="default" size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setAdding(true)}>
              {w.codes.add}
            </Button>
          )}
        </Group>
      }
    >
      {codes.data && all.length === 0 && (
        <Text size="sm" c="dimmed">
          {w.codes.none}
        </Text>
      )}
      {all.length > 0 && (
        <Table horizontalSpacing="lg" verticalSpacing={6} aria-label={w.codes.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{w.code}</Table.Th>
              <Table.Th ta="end" w={120}>
                {w.columns.used}
              </Table.Th>
              {writes && (
                <Table.Th w={60}>
                  <VisuallyHidden>{everywhere.actions}</VisuallyHidden>
                </Table.Th>
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {all.map(({ code, used, usage_limit }) => (
              <Table.Tr key={code}>
                <Table.Td>
                  <Group gap={4} wrap="nowrap">
                    <Code>{code}</Code>
                    <Copy value={code} />
                  </Group>
                </Table.Td>
                <Table.Td ta="end">{usage_limit ? w.codes.of(f.number(used), f.number(usage_limit)) : f.number(used)}</Table.Td>
                {writes && (
                  <Table.Td>
                    <ActionIcon aria-label={`${everywhere.delete}: ${code}`} onClick={() => remove.mutate(code)}>
                      <IconTrash size={16} />
                    </ActionIcon>
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {codes.hasNextPage && (
        <Group p="sm" justify="center">
          <Button variant="subtle" size="xs" loading={codes.isFetchingNextPage} onClick={() => void codes.fetchNextPage()}>
            {everywhere.more}
          </Button>
        </Group>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={w.codes.add}>
        <Add promotion={promotion} close={() => setAdding(false)} />
      </Modal>
    </Section>
  );
}

/** Codes that one thinks of, or many that nobody guesses, which come in a file. */
function Add({ promotion, close }: { promotion: Schemas['Promotion']; close: () => void }) {
  const w = usePromotionWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [how, setHow] = useState<'own' | 'drawn'>('own');
  const [own, setOwn] = useState('');
  const [count, setCount] = useState(100);
  const [prefix, setPrefix] = useState('');
  const [limit, setLimit] = useState<number | ''>(1);
  const [wrong, setWrong] = useState<string>();
  const codes = [...new Set(own.split(/[\s,;]+/).filter(Boolean))];
  const make = useWrite({
    form: { getValues: () => ({ codes: own, count, prefix, usage_limit: limit }), setErrors: (errors) => setWrong(Object.values(errors).filter(Boolean).map(String).join(' ') || undefined) },
    said: (made) => w.codes.made(f.number(made.codes.length), made.codes.length === 1),
    undoable: true,
    write: () =>
      answered(
        api.POST('/v1/promotions/{promotion_id}/codes', {
          params: { path: { promotion_id: promotion.id }, header: { 'Idempotency-Key': key } },
          body: { ...(how === 'own' ? { codes } : { count, ...(prefix.trim() && { prefix: prefix.trim() }) }), ...(limit && { usage_limit: limit }) },
        }),
      ),
    done: ({ data }) => {
      if (how === 'drawn') save(new Blob([['code', ...data.codes].join('\r\n')], { type: 'text/csv' }), `${promotion.title}.csv`);
      close();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setWrong(undefined);
        make.mutate();
      }}
    >
      <Stack>
        <SegmentedControl
          aria-label={w.codes.how}
          value={how}
          onChange={(next) => setHow(next as typeof how)}
          data={[
            { value: 'own', label: w.codes.own },
            { value: 'drawn', label: w.codes.drawn },
          ]}
        />
        {how === 'own' ? (
          <Textarea label={w.codes.ownText} autosize minRows={3} maxRows={8} required error={wrong} value={own} onChange={(event) => setOwn(event.currentTarget.value)} data-autofocus />
        ) : (
          <SimpleGrid cols={2}>
            <NumberInput label={w.codes.many} min={1} max={10_000} clampBehavior="strict" allowDecimal={false} thousandSeparator required error={wrong} value={count} onChange={(n) => setCount(Number(n) || 1)} />
            <TextInput label={w.codes.prefix} placeholder="MAIL-" maxLength={20} value={prefix} onChange={(event) => setPrefix(event.currentTarget.value)} />
          </SimpleGrid>
        )}
        <NumberInput label={w.codes.limit} placeholder={w.limits.none} min={1} max={1_000_000_000} allowDecimal={false} value={limit} onChange={(n) => setLimit(n === '' ? '' : Number(n))} />
        {how === 'drawn' && (
          <Group gap={6} wrap="nowrap" c="dimmed">
            <IconDownload size={16} aria-hidden />
            <Text size="xs">{w.codes.file}</Text>
          </Group>
        )}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={how === 'own' && codes.length === 0} loading={make.isPending}>
            {everywhere.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
