import { Box, Card, Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** A part of a screen that belongs together. */
export function Section({ title, text, actions, flush, children }: { title?: string; text?: string; actions?: ReactNode; flush?: boolean; children: ReactNode }) {
  return (
    <Card component="section" padding={0}>
      {(title || actions) && (
        <Group justify="space-between" px="lg" pt="md" pb={flush ? 'sm' : 0} align="flex-start">
          <Box flex="1 1 180px">
            {title && <Title order={2}>{title}</Title>}
            {text && (
              <Text size="sm" c="dimmed">
                {text}
              </Text>
            )}
          </Box>
          {actions}
        </Group>
      )}
      {flush ? (
        children
      ) : (
        <Stack px="lg" pt="md" pb="lg">
          {children}
        </Stack>
      )}
    </Card>
  );
}

/** A name and what is so called, one below the other. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box>
      <Text size="xs" c="dimmed" fw={500}>
        {name}
      </Text>
      <Text size="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </Box>
  );
}
