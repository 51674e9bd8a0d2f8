import { ActionIcon, AppShell, Box, Burger, Button, Group, Kbd, Menu, NavLink, ScrollArea, SegmentedControl, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconBuildingStore, IconExternalLink, IconPlus, IconSearch, IconSelector } from '@tabler/icons-react';
import { Fragment, type ReactNode, Suspense, lazy, useEffect, useState } from 'react';
import { Link, useLocation, useNavigate, useNavigation } from 'react-router';
import { type Screen, type Section, found, screens } from '../screens';
import { useSession } from '../session/session';
import { labelOf, useStore } from '../session/store';
import { Mark } from './mark';
import classes from './shell.module.css';
import { UserMenu } from './user';
import { useShellWords } from './words';

const Palette = lazy(() => import('./palette'));
const Tray = lazy(() => import('./tray'));

const sections: Section[] = ['sell', 'shop', 'build'];

/** What stands around every screen of a store. */
export function Shell({ children }: { children: ReactNode }) {
  const w = useShellWords();
  const store = useStore();
  const { pathname } = useLocation();
  const [menu, { toggle, close }] = useDisclosure();
  const [palette, setPalette] = useState(0);
  const open = () => setPalette((times) => times + 1);
  const suspended = store.settings.state === 'suspended';
  useHotkeys([['mod+K', open]], []);
  useHotkeys([['/', open]]);
  useEffect(close, [pathname, close]);
  if (screens.some(({ path, alone }) => alone && pathname === store.to(path))) return children;
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 236, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding={{ base: 'md', md: 'xl' }}
      mod={{ sandbox: store.mode === 'test' }}
      classNames={{ header: classes.header, navbar: classes.navbar, main: classes.main }}
    >
      <a className="skip" href="#content">
        {w.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={menu} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={w.menu} />
          <Box visibleFrom="sm" w={204}>
            <StoreMenu />
          </Box>
          <Box hiddenFrom="sm" flex={1} miw={0}>
            <StoreMenu />
          </Box>
          <Box visibleFrom="sm" flex={1} maw={520} mx="auto">
            <UnstyledButton className={classes.search} onClick={open}>
              <IconSearch size={16} aria-hidden />
              <Text size="sm" flex={1} inherit>
                {w.searchAll}
              </Text>
              <Kbd size="xs">{/Mac|iPhone/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K'}</Kbd>
            </UnstyledButton>
          </Box>
          <ActionIcon hiddenFrom="sm" size="lg" aria-label={w.search} onClick={open}>
            <IconSearch size={20} />
          </ActionIcon>
          <Group gap="sm" wrap="nowrap">
            {store.can('operations:read') && (
              <Suspense>
                <Tray />
              </Suspense>
            )}
            <Box visibleFrom="md">
              <ModeSwitch />
            </Box>
            <Tooltip label={w.openShop}>
              <ActionIcon component="a" href={store.settings.shop_url} target="_blank" rel="noopener" size="lg" aria-label={w.openShop} visibleFrom="sm">
                <IconExternalLink size={19} />
              </ActionIcon>
            </Tooltip>
            <UserMenu />
          </Group>
        </Group>
        <Progress />
      </AppShell.Header>
      <AppShell.Navbar aria-label={w.main}>
        <ScrollArea flex={1} type="scroll" p="sm">
          <Rooms />
        </ScrollArea>
        <Box hiddenFrom="md" p="sm" className={classes.foot}>
          <ModeSwitch />
          <Button component="a" href={store.settings.shop_url} target="_blank" rel="noopener" variant="subtle" color="gray" fullWidth justify="start" mt="xs" leftSection={<IconExternalLink size={18} />}>
            {w.openShop}
          </Button>
        </Box>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {store.mode === 'test' && (
          <Group className={classes.sandbox} gap="xs" justify="space-between" role="note">
            <Text size="sm">{w.sandbox}</Text>
            <Button component={Link} to={`/${labelOf(store.settings.address, 'live')}`} size="compact-sm" variant="white" color="dark">
              {w.toLive}
            </Button>
          </Group>
        )}
        {suspended && (
          <Group className={classes.suspended} role="note">
            <Text size="sm">{w.suspended}</Text>
          </Group>
        )}
        {children}
      </AppShell.Main>
      {palette > 0 && (
        <Suspense>
          <Palette opening={palette} />
        </Suspense>
      )}
    </AppShell>
  );
}

/** A line at the top while a screen that was asked for is on its way. */
function Progress() {
  return useNavigation().state === 'idle' ? null : <div className={classes.progress} role="progressbar" aria-label="…" />;
}

function Rooms() {
  const w = useShellWords();
  const { can, to } = useStore();
  const { pathname } = useLocation();
  const seen = screens.filter(found(can));
  const leadsHere = ({ path }: Screen) => pathname === to(path) || (path !== '' && pathname.startsWith(`${to(path)}/`));
  // Of orders and orders/new both lead to the latter; the longer path is where one is.
  const here = seen.filter(leadsHere).toSorted((a, b) => b.path.length - a.path.length)[0];
  return sections.map((section) => {
    const tops = screens.filter(({ menu }) => menu && 'section' in menu && menu.section === section).map((top) => ({ top, below: seen.filter(({ menu }) => menu && 'under' in menu && menu.under === top.path) }));
    const shown = tops.filter(({ top, below }) => seen.includes(top) || below.length > 0);
    if (shown.length === 0) return null;
    return (
      <Box key={section} mb="md">
        {section !== 'sell' && (
          <Text size="xs" fw={600} c="dimmed" px="sm" pb={4}>
            {w.sections[section]}
          </Text>
        )}
        {shown.map(({ top, below }) => (
          <Fragment key={top.path}>
            {/* Whoever may see only what stands under it is led there. */}
            <Entry screen={top} leads={seen.includes(top) ? top : below[0]} here={here === top} />
            {here && (here === top || below.includes(here)) && below.map((screen) => <Entry key={screen.path} screen={screen} leads={screen} here={here === screen} />)}
          </Fragment>
        ))}
      </Box>
    );
  });
}

function Entry({ screen: { menu }, leads, here }: { screen: Screen; leads?: Screen; here: boolean }) {
  const w = useShellWords();
  const { to } = useStore();
  if (!menu || !leads) return null;
  const Icon = 'icon' in menu ? menu.icon : undefined;
  return (
    <NavLink
      component={Link}
      to={to(leads.path)}
      label={w.screens[menu.name]}
      leftSection={Icon && <Icon size={19} stroke={1.6} aria-hidden />}
      active={here}
      aria-current={here ? 'page' : undefined}
      className={classes.room}
      mod={{ below: !Icon }}
      onMouseEnter={() => void leads.load()}
      onFocus={() => void leads.load()}
    />
  );
}

/** Which store one is in, and the way to others. */
function StoreMenu() {
  const w = useShellWords();
  const { settings } = useStore();
  const others = useSession().stores.filter((store) => store.state !== 'deleted' && store.address !== settings.address);
  return (
    <Menu position="bottom-start" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.store}>
          <Mark size={22} />
          <Text fw={650} truncate flex={1}>
            {settings.name}
          </Text>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {others.map((store) => (
          <Menu.Item key={store.store_id} component={Link} to={`/${store.address}`} leftSection={<IconBuildingStore size={16} aria-hidden />}>
            {store.name}
          </Menu.Item>
        ))}
        {others.length > 0 && <Menu.Divider />}
        <Menu.Item component="a" href="/sign-up" leftSection={<IconPlus size={16} aria-hidden />}>
          {w.anotherStore}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The live side or the sandbox. It leads to the same room there, as things of one side are not on the other. */
function ModeSwitch() {
  const w = useShellWords();
  const store = useStore();
  const go = useNavigate();
  const { pathname } = useLocation();
  const room = pathname.split('/')[2] ?? '';
  return (
    <SegmentedControl
      size="xs"
      aria-label={w.mode.title}
      value={store.mode}
      onChange={(mode) => void go(`/${labelOf(store.settings.address, mode as typeof store.mode)}/${room}`)}
      data={[
        { value: 'live', label: w.mode.live },
        { value: 'test', label: w.mode.test },
      ]}
    />
  );
}
