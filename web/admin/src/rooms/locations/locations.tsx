import { ActionIcon, Button, Checkbox, Group, Menu, Modal, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconBuildingWarehouse, IconDots, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { AddressFields, addressOf, postal, writtenAddress } from '../../page/address';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useLocationWords } from './words';

type Location = Schemas['Location'];

/** Where goods lie, in the order in which they are sent from there. */
export default function Locations() {
  const w = useLocationWords();
  const { query, can } = useStore();
  const filters = useFilters('location');
  const locations = query.useQuery('get', '/v1/locations', { params: { query: { limit: 100 } } });
  if (locations.isLoadingError) return <Trouble error={locations.error} retry={locations.refetch} />;
  const list = locations.data?.data;
  const writes = can('inventory:write');
  const opened = list?.find(({ id }) => id === filters.values.location);
  const add = writes && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ location: 'new' })}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} narrow actions={add}>
      <Section>
        {list === undefined && <Skeleton height={120} />}
        {list?.length === 0 && <Empty icon={IconBuildingWarehouse} {...w.empty} action={add} />}
        {list?.map((location, n) => (
          <Place key={location.id} location={location} former={list[n - 1]} next={list[n + 1]} edit={() => filters.set({ location: location.id })} />
        ))}
      </Section>
      {writes && (
        <Modal opened={opened !== undefined || filters.values.location === 'new'} onClose={filters.clear} title={opened?.name ?? w.add} size="lg">
          <LocationForm location={opened} close={filters.clear} />
        </Modal>
      )}
    </Page>
  );
}

function Place({ location, former, next, edit }: { location: Location; former?: Location; next?: Location; edit: () => void }) {
  const w = useLocationWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, can } = useStore();
  const path = { location_id: location.id };
  // The two change places, and the order of serving is as it is seen.
  const swap = useWrite({
    write: async (other: Location) => {
      const set = (location_id: string, priority: number) => answered(api.PATCH('/v1/locations/{location_id}', { params: { path: { location_id }, header: { 'If-Match': '*' } }, body: { priority } }));
      const first = await set(location.id, other.priority);
      const second = await set(other.id, location.priority === other.priority ? location.priority + 1 : location.priority);
      return { data: undefined, requests: [...first.requests, ...second.requests], version: undefined };
    },
    said: everywhere.saved,
    undoable: true,
  });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/locations/{location_id}', { params: { path } })), said: w.deleted(location.name), undoable: true });
  return (
    <Group wrap="nowrap" align="flex-start" gap="md">
      <Stack gap={0} flex={1} miw={0}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {location.name}
          </Text>
          {!location.active && <State mood="over">{w.off}</State>}
        </Group>
        <Text size="sm" c="dimmed">
          {location.address ? postal(location.address, f.country).join(', ') : w.noAddress}
        </Text>
      </Stack>
      {can('inventory:write') && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`${everywhere.actions}: ${location.name}`}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
              {everywhere.edit}
            </Menu.Item>
            {former && (
              <Menu.Item leftSection={<IconArrowUp size={16} aria-hidden />} onClick={() => swap.mutate(former)}>
                {w.up}
              </Menu.Item>
            )}
            {next && (
              <Menu.Item leftSection={<IconArrowDown size={16} aria-hidden />} onClick={() => swap.mutate(next)}>
                {w.down}
              </Menu.Item>
            )}
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
              {everywhere.delete}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

function LocationForm({ location, close }: { location?: Location; close: () => void }) {
  const w = useLocationWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ of: location?.id, initialValues: { name: location?.name ?? '', active: location?.active ?? true, address: writtenAddress(location?.address, settings.country) } });
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: ({ name, active, address }: typeof form.values) => {
      const place = addressOf(address);
      const body = { name: name.trim(), active };
      return location
        ? answered(api.PATCH('/v1/locations/{location_id}', { params: { path: { location_id: location.id }, header: { 'If-Match': '*' } }, body: { ...body, address: place ?? null } }))
        : answered(api.POST('/v1/locations', { params: { header: { 'Idempotency-Key': key } }, body: { ...body, ...(place && { address: place }) } }));
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <Section title={w.address}>
          <AddressFields form={form as never} at="address" company />
        </Section>
        <Checkbox label={w.active} description={w.activeText} {...form.getInputProps('active', { type: 'checkbox' })} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
