import { Group, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, createSpotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.layer.css';
import { IconArrowRight, IconPackage, IconReceipt, IconSearch, IconUser } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { actions, found as inMenu, screens as all } from '../screens';
import { useStore } from '../session/store';
import { useFormat } from '../words/format';
import { useShellWords } from './words';

const [spotlight, palette] = createSpotlight();

/** Finds any screen, action and thing of the store. Each new opening opens it. */
export default function Palette({ opening }: { opening: number }) {
  const w = useShellWords();
  const f = useFormat();
  const { can, to, query } = useStore();
  const go = useNavigate();
  const [text, setText] = useState('');
  const [sought] = useDebouncedValue(text.trim(), 120);
  useEffect(() => {
    if (opening > 0) palette.open();
  }, [opening]);

  const asked = sought.length > 1;
  const number = Number(sought.replace(/^#/, ''));
  const keep = { placeholderData: keepPreviousData };
  const products = query.useQuery('get', '/v1/search', { params: { query: { q: sought, limit: 5 } } }, { enabled: asked && can('products:read'), ...keep });
  const customers = query.useQuery('get', '/v1/customers', { params: { query: { q: sought, limit: 5 } } }, { enabled: asked && can('customers:read'), ...keep });
  const byNumber = Number.isSafeInteger(number) && number > 0;
  const orders = query.useQuery(
    'get',
    '/v1/orders',
    { params: { query: { limit: 5, ...(byNumber ? { number } : { email: sought }) } } },
    { enabled: can('orders:read') && (byNumber || /^\S+@\S+\.\S+$/.test(sought)), ...keep },
  );

  const matches = (label: string) => label.toLowerCase().includes(text.trim().toLowerCase());
  const screens = all.filter(inMenu(can)).flatMap(({ path, menu }) => (menu && matches(w.screens[menu.name]) ? [{ path, label: w.screens[menu.name], Icon: 'icon' in menu ? menu.icon : IconArrowRight }] : []));
  const doable = actions.filter((action) => can(action.needs) && matches(w.actions[action.name]));
  const found = asked
    ? [
        { label: w.found.orders, icon: IconReceipt, list: (orders.data?.data ?? []).map((o) => ({ id: o.id, to: `orders/${o.id}`, label: `#${o.number}`, text: `${o.email} · ${f.money(o.totals.total)}` })) },
        { label: w.found.products, icon: IconPackage, list: (products.data?.data ?? []).map((p) => ({ id: p.id, to: `products/${p.id}`, label: p.title, text: p.vendor ?? '' })) },
        { label: w.found.customers, icon: IconUser, list: (customers.data?.data ?? []).map((c) => ({ id: c.id, to: `customers/${c.id}`, label: c.name ?? c.email, text: c.email })) },
      ].filter((group) => group.list.length > 0)
    : [];
  const leave = (path: string) => () => void go(to(path));
  return (
    <Spotlight.Root store={spotlight} query={text} onQueryChange={setText} shortcut={null} clearQueryOnClose scrollable maxHeight={440} radius="lg">
      <Spotlight.Search placeholder={w.searchAll} aria-label={w.searchAll} leftSection={<IconSearch size={20} stroke={1.5} />} />
      <Spotlight.ActionsList>
        {found.map(({ label, icon: Icon, list }) => (
          <Spotlight.ActionsGroup key={label} label={label}>
            {list.map((thing) => (
              <Spotlight.Action key={thing.id} onClick={leave(thing.to)}>
                <Group wrap="nowrap" w="100%">
                  <Icon size={18} stroke={1.6} aria-hidden />
                  <Text size="sm" fw={500} truncate>
                    {thing.label}
                  </Text>
                  <Text size="sm" opacity={0.75} truncate>
                    {thing.text}
                  </Text>
                </Group>
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {doable.length > 0 && (
          <Spotlight.ActionsGroup label={w.do}>
            {doable.map(({ name, path, icon: Icon }) => (
              <Spotlight.Action key={name} label={w.actions[name]} leftSection={<Icon size={18} stroke={1.6} />} onClick={leave(path)} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {screens.length > 0 && (
          <Spotlight.ActionsGroup label={w.goTo}>
            {screens.map(({ path, label, Icon }) => (
              <Spotlight.Action key={path} label={label} leftSection={<Icon size={18} stroke={1.6} />} onClick={leave(path)} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {found.length + doable.length + screens.length === 0 && <Spotlight.Empty>{w.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
