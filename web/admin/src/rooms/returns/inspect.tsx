import { Button, Group, Modal, NumberInput, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { HowMany, LineRow } from '../orders/lines';
import { useReturnWords } from './words';

type Step = { order: Schemas['Order']; back: Schemas['Return']; opened: boolean; close: () => void };
type Found = { accepted: number; restocked: number; condition: Schemas['ReturnCondition']; location: string };

/** Notes what was found of what came back. */
export function Inspect({ order, back, opened, close }: Step) {
  const w = useReturnWords();
  return (
    <Modal opened={opened} onClose={close} title={w.inspect.title} size="lg">
      <Findings order={order} back={back} close={close} />
    </Modal>
  );
}

const nowhere = 'nowhere';

function Findings({ order, back, close }: Omit<Step, 'opened'>) {
  const w = useReturnWords();
  const everywhere = useWords();
  const { api, query, can } = useStore();
  const [key] = useState(idempotencyKey);
  const locations = query.useQuery('get', '/v1/locations', { params: { query: { limit: 100 } } }, { enabled: can('inventory:read') });
  const places = locations.data?.data.filter(({ active }) => active) ?? [];
  const [found, setFound] = useState<Record<string, Partial<Found>>>({});
  // What is said to be broken is not put back on the shelf unasked.
  const broken: Schemas['ReturnReason'][] = ['damaged', 'defective'];
  const of = ({ line_id, quantity, reason }: Schemas['ReturnLine']): Found =>
    broken.includes(reason)
      ? { accepted: quantity, restocked: quantity, condition: 'damaged', location: nowhere, ...found[line_id] }
      : { accepted: quantity, restocked: quantity, condition: 'new', location: places[0]?.id ?? nowhere, ...found[line_id] };
  const inspect = useWrite({
    said: w.inspect.done,
    done: close,
    write: () =>
      answered(
        api.POST('/v1/returns/{return_id}/inspect', {
          params: { path: { return_id: back.id }, header: { 'Idempotency-Key': key } },
          body: {
            lines: back.lines.map((line) => {
              const { accepted, restocked, condition, location } = of(line);
              const shelved = location !== nowhere && { restock_location_id: location, restocked_quantity: Math.min(restocked, accepted) };
              return { line_id: line.line_id, accepted_quantity: accepted, ...(accepted > 0 && { condition, ...shelved }) };
            }),
          },
        }),
      ),
  });
  const set = (line_id: string, changes: Partial<Found>) => setFound((now) => ({ ...now, [line_id]: { ...now[line_id], ...changes } }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        inspect.mutate();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {w.inspect.text}
        </Text>
        {back.lines.map((each) => {
          const { accepted, restocked, condition, location } = of(each);
          const line = order.lines.find(({ id }) => id === each.line_id) ?? { title: each.line_id, variant_title: 'Default' };
          return (
            <Stack key={each.line_id} gap="xs">
              <LineRow line={line} beside={w.reasons[each.reason]}>
                <HowMany label={w.inspect.accepted(line.title)} most={each.quantity} value={accepted} onChange={(n) => set(each.line_id, { accepted: n })} />
              </LineRow>
              {accepted > 0 && (
                <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
                  <Select
                    label={w.inspect.condition}
                    allowDeselect={false}
                    data={Object.entries(w.conditions).map(([value, label]) => ({ value, label }))}
                    value={condition}
                    onChange={(next) => {
                      const is = (next ?? 'new') as Found['condition'];
                      set(each.line_id, { condition: is, ...(is === 'damaged' && { location: nowhere }) });
                    }}
                  />
                  <Select
                    label={w.inspect.restock}
                    allowDeselect={false}
                    data={[...places.map(({ id, name }) => ({ value: id, label: name })), { value: nowhere, label: w.inspect.nowhere }]}
                    value={location}
                    onChange={(next) => set(each.line_id, { location: next ?? nowhere })}
                  />
                  {accepted > 1 && location !== nowhere && (
                    <NumberInput
                      label={w.inspect.restocked}
                      min={0}
                      max={accepted}
                      clampBehavior="strict"
                      allowDecimal={false}
                      value={Math.min(restocked, accepted)}
                      onChange={(n) => set(each.line_id, { restocked: Number(n) })}
                    />
                  )}
                </SimpleGrid>
              )}
            </Stack>
          );
        })}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" loading={inspect.isPending} disabled={locations.isLoading}>
            {w.inspect.do}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
