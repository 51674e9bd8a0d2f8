import { ActionIcon, Anchor, Group, Loader, Popover, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconProgressCheck } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'react-router';
import { answered, idempotencyKey } from '../api/client';
import { complain, tell, useWrite } from '../api/write';
import { Far, type Operation, OperationState, goesOn, isPreview, useResult } from '../rooms/exchange/progress';
import { useExchangeWords } from '../rooms/exchange/words';
import { useSession } from '../session/session';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { useFormat } from '../words/format';

/** Whether something was done in the last quarter of an hour. */
const recently = (at: string) => Date.now() - new Date(at).getTime() < 15 * 60_000;

/** What takes long, wherever one is: how far it is, and that it is done. It is not seen while there is nothing. */
export default function Tray() {
  const w = useExchangeWords();
  const f = useFormat();
  const result = useResult();
  const everywhere = useWords();
  const { api, query, can, to } = useStore();
  const client = useQueryClient();
  const { pathname } = useLocation();
  const [opened, { toggle, close }] = useDisclosure();
  const operations = query.useQuery('get', '/v1/operations', { params: { query: { limit: 5 } } }, { refetchInterval: ({ state }) => (state.data?.data.some(goesOn) ? 1_500 : false) });
  const latest = operations.data?.data;
  const me = useSession().account.id;
  const before = useRef<Operation[]>(undefined);
  const { mutate: undo } = useWrite({
    write: (operation_id: string) => answered(api.POST('/v1/operations/{operation_id}/undo', { params: { path: { operation_id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
  });
  useEffect(() => {
    if (!latest) return;
    // What is done now, and was not when it was last looked at; of what others began nothing is told.
    const ended = before.current ? latest.filter((operation) => !goesOn(operation) && operation.created_by.id === me && !before.current?.some((former) => former.id === operation.id && !goesOn(former))) : [];
    before.current = latest;
    if (ended.length === 0) return;
    // What it changed is on other screens too.
    void client.invalidateQueries();
    for (const operation of ended.filter((each) => !isPreview(each))) {
      if (operation.state === 'succeeded') tell(w.finished(w.kinds[operation.kind]), operation.undo_until && can('operations:write') ? { label: everywhere.undo, run: () => undo(operation.id) } : undefined);
      else if (operation.state === 'failed') complain(w.failed(w.kinds[operation.kind]));
    }
  }, [latest, me, client, w, everywhere, can, undo]);
  useEffect(close, [pathname, close]);
  const shown = (latest ?? []).filter((operation) => goesOn(operation) || recently(operation.finished_at ?? operation.created_at));
  if (shown.length === 0) return null;
  return (
    <Popover opened={opened} onChange={close} position="bottom-end" width={340} shadow="lg" radius="lg" trapFocus>
      <Popover.Target>
        <ActionIcon size="lg" aria-label={w.latest} onClick={toggle}>
          {shown.some(goesOn) ? <Loader size={18} /> : <IconProgressCheck size={20} />}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={w.latest}>
        <Stack gap="md">
          {shown.map((operation) => (
            <Stack key={operation.id} gap={4}>
              <Group justify="space-between" wrap="nowrap">
                <Anchor component={Link} to={to(`exchange/${operation.id}`)} size="sm" fw={600} c="inherit">
                  {w.kinds[operation.kind]}
                </Anchor>
                {!goesOn(operation) && <OperationState state={operation.state} />}
              </Group>
              {goesOn(operation) ? (
                <Far operation={operation} />
              ) : (
                <Text size="xs" c="dimmed">
                  {[result(operation), f.ago(operation.finished_at ?? operation.created_at)].join(' · ')}
                </Text>
              )}
            </Stack>
          ))}
          <Anchor component={Link} to={to('exchange')} size="sm">
            {w.all}
          </Anchor>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
