import { Group, Modal, Stack, Table, Text } from '@mantine/core';
import { IconUserOff } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useErasureWords } from './words';

type Erasure = Schemas['Erasure'];

/** Whose data was erased, without saying who it was: what one shows to whoever asks whether it was done. */
export default function Erasures() {
  const w = useErasureWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const filters = useFilters('id');
  const erasures = query.useInfiniteQuery('get', '/v1/personal-data/erasures', { params: { query: { limit: 50 } } }, { ...pages, placeholderData: keepPreviousData });
  const close = () => filters.set({ id: '' });
  return (
    <Page title={w.title} text={w.text} narrow>
      <List<Erasure>
        label={w.title}
        query={erasures}
        id={(erasure) => erasure.id}
        open={(erasure) => filters.set({ id: erasure.id })}
        empty={<Empty icon={IconUserOff} {...w.empty} />}
        columns={[
          { name: w.when, cell: (erasure) => f.time(erasure.created_at) },
          { name: w.reason, wide: true, cell: (erasure) => <Text size="sm">{erasure.reason ?? w.none}</Text> },
          { name: w.rows, end: true, width: 130, cell: (erasure) => f.number(erasure.places.reduce((sum, { rows }) => sum + rows, 0)) },
          { name: w.state, width: 130, cell: (erasure) => <ErasureState erasure={erasure} /> },
        ]}
      />
      <Modal opened={filters.values.id !== ''} onClose={close} title={w.one} size="lg">
        {filters.values.id !== '' && <Told id={filters.values.id} />}
      </Modal>
    </Page>
  );
}

function ErasureState({ erasure }: { erasure: Erasure }) {
  const w = useErasureWords();
  return <State mood={erasure.state === 'done' ? 'well' : 'waits'}>{w.states[erasure.state]}</State>;
}

/** What became of everything. */
function Told({ id }: { id: string }) {
  const w = useErasureWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const erasure = query.useQuery('get', '/v1/personal-data/erasures/{erasure_id}', { params: { path: { erasure_id: id } } });
  if (erasure.isLoadingError) return <Trouble error={erasure.error} retry={erasure.refetch} />;
  if (!erasure.data) return null;
  const { places, reason, created_at, finished_at } = erasure.data;
  return (
    <Stack>
      <Group gap="sm">
        <ErasureState erasure={erasure.data} />
        <Text size="sm">{finished_at ? w.finished(f.time(created_at), f.time(finished_at)) : w.began(f.time(created_at))}</Text>
      </Group>
      <Text size="sm" c="dimmed">
        {reason ?? w.none}
      </Text>
      <Table.ScrollContainer minWidth={0} type="native">
        <Table aria-label={w.one}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{w.place}</Table.Th>
              <Table.Th ta="end">{w.rows}</Table.Th>
              <Table.Th>{w.outcome}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {places.map(({ place, rows, outcome, kept_because }) => (
              <Table.Tr key={`${place} ${outcome}`}>
                <Table.Td>{(w.places as Record<string, string>)[place] ?? place}</Table.Td>
                <Table.Td ta="end">{f.number(rows)}</Table.Td>
                <Table.Td>
                  <Text size="sm">{w.outcomes[outcome]}</Text>
                  {kept_because && (
                    <Text size="xs" c="dimmed">
                      {w.kept[kept_because] ?? kept_because}
                    </Text>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
