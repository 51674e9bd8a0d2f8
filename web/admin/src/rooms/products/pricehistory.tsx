import { Button, Group, Modal, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { pages } from '../../page/list';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useProductWords } from './words';

/** What one of a variant has cost everybody, which the law asks of whoever announces a reduction. */
export function PriceHistory({ variant }: { variant: string }) {
  const w = useProductWords();
  const [opened, setOpened] = useState(false);
  return (
    <Group>
      <Button variant="subtle" size="xs" leftSection={<IconHistory size={16} aria-hidden />} onClick={() => setOpened(true)}>
        {w.history.open}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={w.history.title} size="lg">
        <History variant={variant} />
      </Modal>
    </Group>
  );
}

function History({ variant }: { variant: string }) {
  const w = useProductWords();
  const everywhere = useWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const prices = query.useInfiniteQuery('get', '/v1/variants/{variant_id}/price-history', { params: { path: { variant_id: variant }, query: { limit: 50 } } }, pages);
  if (prices.isLoadingError) return <Trouble error={prices.error} retry={prices.refetch} />;
  if (!prices.data) return <Skeleton height={160} />;
  const all = prices.data.pages.flatMap((page) => page.data);
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {all.length > 0 ? w.history.text : w.history.none}
      </Text>
      {all.length > 0 && (
        <Table.ScrollContainer minWidth={420} type="native">
          <Table aria-label={w.history.title}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{w.history.from}</Table.Th>
                <Table.Th>{w.history.until}</Table.Th>
                <Table.Th ta="end">{w.price.price}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {all.map((each) => (
                <Table.Tr key={`${each.currency} ${each.starts_at}`}>
                  <Table.Td>{f.time(each.starts_at)}</Table.Td>
                  <Table.Td>{each.ends_at ? f.time(each.ends_at) : w.history.now}</Table.Td>
                  <Table.Td ta="end">
                    <Group gap="xs" justify="end" wrap="nowrap">
                      {each.reduced && <State mood="well">{w.history.reduced}</State>}
                      <Text size="sm">{each.price ? f.money(each.price) : w.history.notSold(each.currency)}</Text>
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {prices.hasNextPage && (
        <Button variant="subtle" loading={prices.isFetchingNextPage} onClick={() => void prices.fetchNextPage()}>
          {everywhere.more}
        </Button>
      )}
    </Stack>
  );
}
