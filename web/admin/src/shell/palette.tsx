import { Group, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, createSpotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.layer.css';
import { IconArrowRight, IconSearch } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Schemas } from '../api/client';
import { actions, found as inMenu, screens as all } from '../screens';
import { useStore } from '../session/store';
import { kinds } from './found';
import { useShellWords } from './words';

const [spotlight, palette] = createSpotlight();

/** Finds any screen, action and thing of the store. Each new opening opens it. */
export default function Palette({ opening }: { opening: number }) {
  const w = useShellWords();
  const { can, to, query } = useStore();
  const go = useNavigate();
  const [text, setText] = useState('');
  const [sought] = useDebouncedValue(text.trim(), 120);
  useEffect(() => {
    if (opening > 0) palette.open();
  }, [opening]);

  const asked = sought.length > 1;
  const look = query.useQuery('get', '/v1/lookup', { params: { query: { q: sought.slice(0, 255) } } }, { enabled: asked && can('store:read'), placeholderData: keepPreviousData, staleTime: 10_000 });

  const matches = (label: string) => label.toLowerCase().includes(text.trim().toLowerCase());
  const screens = all.filter(inMenu(can)).flatMap(({ path, menu }) => (menu && matches(w.screens[menu.name]) ? [{ path, label: w.screens[menu.name], Icon: 'icon' in menu ? menu.icon : IconArrowRight }] : []));
  const doable = actions.filter((action) => can(action.needs) && matches(w.actions[action.name]));
  const things = asked ? (look.data?.references ?? []) : [];
  const found = [...new Set(things.map(({ kind }) => kind))].map((kind) => ({ kind, list: things.filter((thing) => thing.kind === kind) }));
  const waits = text.trim().length > 1 && (text.trim() !== sought || look.isFetching);
  const leave = (path: string) => () => void go(to(path));
  return (
    <Spotlight.Root store={spotlight} query={text} onQueryChange={setText} shortcut={null} clearQueryOnClose scrollable maxHeight={440} radius="lg" attributes={{ content: { 'aria-label': w.search } }}>
      <Spotlight.Search placeholder={w.searchAll} aria-label={w.searchAll} leftSection={<IconSearch size={20} stroke={1.5} />} />
      <Spotlight.ActionsList>
        {found.map(({ kind, list }) => (
          <Spotlight.ActionsGroup key={kind} label={w.found[kind]}>
            {list.map((thing) => (
              <Thing key={thing.id} thing={thing} open={leave(kinds[thing.kind].at(thing))} />
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
        {found.length + doable.length + screens.length === 0 && <Spotlight.Empty>{waits ? w.finding : w.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function Thing({ thing, open }: { thing: Schemas['Reference']; open: () => void }) {
  const w = useShellWords();
  const Icon = kinds[thing.kind].icon;
  const status = thing.status !== null && thing.status in w.statuses ? w.statuses[thing.status as keyof typeof w.statuses] : undefined;
  return (
    <Spotlight.Action onClick={open}>
      <Group wrap="nowrap" flex={1} miw={0}>
        <Icon size={18} stroke={1.6} aria-hidden />
        <Text size="sm" fw={500} truncate>
          {thing.title || w.unnamed}
        </Text>
        {thing.detail !== thing.title && (
          <Text size="sm" opacity={0.75} truncate flex={1}>
            {thing.detail}
          </Text>
        )}
        {status && (
          <Text size="xs" opacity={0.75} ml="auto">
            {status}
          </Text>
        )}
      </Group>
    </Spotlight.Action>
  );
}
