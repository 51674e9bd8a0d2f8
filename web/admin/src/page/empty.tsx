import { Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { IconHome } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** What stands where there is nothing yet: what would be here, and how it comes to be. */
export function Empty({ icon: Icon, title, text, action, alone }: { icon: typeof IconHome; title: string; text?: string; action?: ReactNode; alone?: boolean }) {
  return (
    <Stack align="center" gap="sm" py={56} px="md" ta="center">
      <ThemeIcon size={56} radius="xl" variant="light">
        <Icon size={28} stroke={1.5} aria-hidden />
      </ThemeIcon>
      <Title order={alone ? 1 : 2} size="h2">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" size="sm" maw={420}>
          {text}
        </Text>
      )}
      {action}
    </Stack>
  );
}
