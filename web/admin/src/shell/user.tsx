import { ActionIcon, Avatar, type MantineColorScheme, Menu, Stack, Text, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconLanguage, IconLogout, IconMoon, IconShieldLock, IconSun, IconUser } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { use } from 'react';
import { Link } from 'react-router';
import { answered } from '../api/client';
import { platform, useSession } from '../session/session';
import { StoreContext } from '../session/store';
import { type Language, languages, useLanguage } from '../words/language';
import { useShellWords } from './words';

const schemes: [MantineColorScheme, typeof IconSun][] = [
  ['light', IconSun],
  ['dark', IconMoon],
  ['auto', IconDeviceDesktop],
];

/** Who is signed in, what they like, and the way out. */
export function UserMenu() {
  const w = useShellWords();
  const { account } = useSession();
  const store = use(StoreContext);
  const { language, choose } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useMutation({
    mutationFn: () => answered(platform.api.DELETE('/v1/session')),
    // All of the program goes, and with it all that it has kept.
    onSuccess: () => {
      sessionStorage.clear();
      window.location.assign('/admin/sign-in');
    },
  });
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <ActionIcon variant="transparent" size={34} radius="xl" aria-label={w.account}>
          <Avatar size={32} radius="xl" color="clay">
            <IconUser size={18} stroke={1.8} aria-hidden />
          </Avatar>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Stack gap={0} px="sm" py={6}>
          {account.name && (
            <Text size="sm" fw={600} truncate>
              {account.name}
            </Text>
          )}
          <Text size="xs" c="dimmed" truncate>
            {account.email}
          </Text>
        </Stack>
        {store && (
          <Menu.Item component={Link} to={store.to('account')} leftSection={<IconShieldLock size={16} aria-hidden />}>
            {w.screens.account}
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>{w.language}</Menu.Label>
        {Object.entries(languages).map(([tag, name]) => (
          <Menu.Item
            key={tag}
            leftSection={<IconLanguage size={16} aria-hidden />}
            fw={tag === language ? 600 : undefined}
            aria-current={tag === language}
            onClick={() => choose(tag as Language)}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Label>{w.scheme.title}</Menu.Label>
        {schemes.map(([scheme, Icon]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} aria-hidden />}
            fw={scheme === colorScheme ? 600 : undefined}
            aria-current={scheme === colorScheme}
            onClick={() => setColorScheme(scheme)}
          >
            {w.scheme[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          {w.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
