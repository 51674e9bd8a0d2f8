import { ActionIcon, Button, Group, Menu, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconDots, IconPencil, IconPlus, IconTrash, IconTruckDelivery } from '@tabler/icons-react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { Toggle } from '../../page/toggle';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { MethodForm } from './method';
import { RateServices } from './services';
import { useShippingWords } from './words';
import { ZoneForm } from './zone';

type Method = Schemas['ShippingMethod'];
type Zone = Schemas['ShippingZone'];

const all = { params: { query: { limit: 100 } } };

/** Where the shop sends to, how, and for how much. */
export default function Shipping() {
  const w = useShippingWords();
  const { query, can } = useStore();
  const filters = useFilters('method', 'zone', 'in');
  const zones = query.useQuery('get', '/v1/shipping-zones', all);
  const methods = query.useQuery('get', '/v1/shipping-methods', all);
  const services = query.useQuery('get', '/v1/rate-services', all);
  const failed = [zones, methods, services].find((asked) => asked.isLoadingError);
  if (failed) return <Trouble error={failed.error} retry={failed.refetch} />;
  if (!zones.data || !methods.data || !services.data) return <Skeleton height={300} radius="lg" maw={820} mx="auto" />;
  const writes = can('settings:write');
  const carriers = services.data.data.filter(({ kind }) => kind === 'carrier');
  const method = methods.data.data.find(({ id }) => id === filters.values.method);
  const zone = zones.data.data.find(({ id }) => id === filters.values.zone);
  const list = (zone?: Zone) => {
    const within = methods.data.data.filter(({ zone_id }) => zone_id === (zone?.id ?? null));
    return (
      <Part
        key={zone?.id ?? 'everywhere'}
        zone={zone}
        methods={within}
        carriers={carriers}
        edit={(method) => filters.set({ method })}
        add={() => filters.set({ method: 'new', in: zone?.id })}
        change={zone && (() => filters.set({ zone: zone.id }))}
      />
    );
  };
  const without = methods.data.data.some(({ zone_id }) => zone_id === null) || zones.data.data.length === 0;
  return (
    <Page
      title={w.title}
      text={w.text}
      narrow
      actions={
        writes && (
          <>
            <Button variant="default" leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ zone: 'new' })}>
              {w.zone.add}
            </Button>
            <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ method: 'new' })}>
              {w.method.add}
            </Button>
          </>
        )
      }
    >
      <Stack gap="lg">
        {zones.data.data.map(list)}
        {without && list()}
        <RateServices kind="carrier" services={carriers} />
      </Stack>
      {writes && (
        <>
          <Modal opened={zone !== undefined || filters.values.zone === 'new'} onClose={filters.clear} title={zone ? zone.name : w.zone.add} size="lg">
            <ZoneForm zone={zone} close={filters.clear} />
          </Modal>
          <Modal opened={method !== undefined || filters.values.method === 'new'} onClose={filters.clear} title={method ? method.name : w.method.add} size="lg">
            <MethodForm method={method} within={filters.values.in} zones={zones.data.data} carriers={carriers} close={filters.clear} />
          </Modal>
        </>
      )}
    </Page>
  );
}

type PartProps = { zone?: Zone; methods: Method[]; carriers: Schemas['RateService'][]; edit: (id: string) => void; add: () => void; change?: () => void };

/** A part of the world, and the ways to send there; without a zone, those that are offered everywhere. */
function Part({ zone, methods, carriers, edit, add, change }: PartProps) {
  const w = useShippingWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, can } = useStore();
  const remove = useWrite({
    write: (id: string) => answered(api.DELETE('/v1/shipping-zones/{shipping_zone_id}', { params: { path: { shipping_zone_id: id } } })),
    said: w.zone.deleted,
    undoable: true,
  });
  const writes = can('settings:write');
  const places = zone?.territories.map(({ country, region, postal_codes }) => {
    const part = [region, postal_codes?.join(', ')].filter(Boolean).join(' ');
    return part ? `${f.country(country)} (${part})` : f.country(country);
  });
  const told = places === undefined ? w.everywhere.text : places.length === 0 ? w.zone.rest : places.length > 12 ? w.zone.many(places.slice(0, 10).join(', '), places.length - 10) : places.join(', ');
  return (
    <Section
      title={zone?.name ?? w.everywhere.title}
      text={told}
      flush
      actions={
        writes && (
          <Group gap={4} wrap="nowrap">
            <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
              {everywhere.add}
            </Button>
            {zone && change && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon aria-label={`${everywhere.actions}: ${zone.name}`}>
                    <IconDots size={18} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={change}>
                    {everywhere.edit}
                  </Menu.Item>
                  <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate(zone.id)}>
                    {everywhere.delete}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </Group>
        )
      }
    >
      <Stack gap="md" px="lg" pb="lg">
        {methods.map((method, n) => (
          <Way key={method.id} method={method} former={methods[n - 1]} next={methods[n + 1]} carriers={carriers} edit={() => edit(method.id)} />
        ))}
        {methods.length === 0 &&
          (zone ? (
            <Text size="sm" c="var(--stoa-bad)">
              {w.zone.none}
            </Text>
          ) : (
            <Empty icon={IconTruckDelivery} {...w.empty} />
          ))}
      </Stack>
    </Section>
  );
}

type WayProps = { method: Method; former?: Method; next?: Method; carriers: Schemas['RateService'][]; edit: () => void };

/** A way to send. */
function Way({ method, former, next, carriers, edit }: WayProps) {
  const w = useShippingWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const price = usePrice();
  const path = { shipping_method_id: method.id };
  const change = useWrite({
    write: (body: Schemas['ShippingMethodUpdate']) => answered(api.PATCH('/v1/shipping-methods/{shipping_method_id}', { params: { path, header: { 'If-Match': '*' } }, body })),
    said: everywhere.saved,
    undoable: true,
  });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/shipping-methods/{shipping_method_id}', { params: { path } })), said: w.method.deleted(method.name), undoable: true });
  const writes = can('settings:write');
  const carrier = method.carrier && `${carriers.find(({ id }) => id === method.carrier?.service_id)?.name ?? w.method.carrier} · ${method.carrier.rate}`;
  return (
    <Group wrap="nowrap" gap="md" align="flex-start">
      {writes ? (
        <Toggle mt={2} aria-label={w.method.offered(method.name)} checked={method.active} turn={(active) => change.mutateAsync({ active })} />
      ) : (
        <State mood={method.active ? 'well' : 'over'}>{method.active ? w.method.on : w.method.off}</State>
      )}
      <Group gap="xs" flex={1} align="flex-start">
        <Stack gap={0} flex="1 1 170px" miw={0}>
          <Group gap="xs">
            <Text size="sm" fw={600} c={method.active ? undefined : 'dimmed'}>
              {method.name}
            </Text>
            {method.pickup_address && <State mood="over">{w.method.pickup}</State>}
          </Group>
          <Text size="sm" c="dimmed">
            {[method.description, carrier].filter(Boolean).join(' · ')}
          </Text>
        </Stack>
        <Stack gap={0}>
          {method.prices.map((each) => (
            <Text key={each.currency} size="sm" ta={{ xs: 'end' }}>
              {price(each)}
            </Text>
          ))}
        </Stack>
      </Group>
      {writes && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`${everywhere.actions}: ${method.name}`}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
              {everywhere.edit}
            </Menu.Item>
            {former && (
              <Menu.Item leftSection={<IconArrowUp size={16} aria-hidden />} onClick={() => change.mutate({ position: former.position })}>
                {w.up}
              </Menu.Item>
            )}
            {next && (
              <Menu.Item leftSection={<IconArrowDown size={16} aria-hidden />} onClick={() => change.mutate({ position: next.position })}>
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

/** What a way to send costs, in short. */
function usePrice() {
  const w = useShippingWords();
  const f = useFormat();
  return ({ amount, currency, free_from, tiers }: Schemas['ShippingPrice']) => {
    const amounts = [amount, ...(tiers ?? []).flatMap((tier) => tier.amount ?? [])];
    const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
    const money = (n: number) => (n === 0 ? w.free : f.money({ amount: n, currency }));
    const cost = least === most ? money(least) : `${money(least)} – ${money(most)}`;
    return typeof free_from === 'number' ? `${cost}, ${w.freeFrom(f.money({ amount: free_from, currency }))}` : cost;
  };
}
