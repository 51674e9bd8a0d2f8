import { ActionIcon, Box, Container, Group, Text, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';

type PageProps = {
  title: string;
  /** What is told of it beside its title, such as its state. */
  beside?: ReactNode;
  text?: ReactNode;
  /** Where one came from: the list that this is of. */
  back?: string;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
};

/** What all screens look like: a title, what can be done, and what there is. */
export function Page({ title, beside, text, back, actions, narrow, children }: PageProps) {
  const w = useWords();
  const { name, to } = useStore();
  return (
    <Container size={narrow ? 820 : 1180} p={0}>
      <title>{`${title} – ${name}`}</title>
      <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
        <Group gap="xs" wrap="nowrap" align="flex-start" miw={0}>
          {back !== undefined && (
            <ActionIcon component={Link} to={to(back)} aria-label={w.back} size="lg" mt={1}>
              <IconArrowLeft size={20} />
            </ActionIcon>
          )}
          <Box miw={0}>
            <Group gap="sm" mih={36}>
              <Title order={1} style={{ overflowWrap: 'anywhere' }}>
                {title}
              </Title>
              {beside}
            </Group>
            {text && (
              <Text size="sm" c="dimmed">
                {text}
              </Text>
            )}
          </Box>
        </Group>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </Container>
  );
}
