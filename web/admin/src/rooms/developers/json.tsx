import { Box, Code, Group, Text } from '@mantine/core';
import { Copy } from '../../page/copy';

/** Something that a program said, as it said it. */
export function Json({ title, value }: { title?: string; value: unknown }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <Box>
      <Group gap={4} mb={4}>
        {title && (
          <Text size="sm" fw={600}>
            {title}
          </Text>
        )}
        <Copy value={text} />
      </Group>
      <Code block tabIndex={0} mah={420} style={{ overflow: 'auto' }}>
        {text}
      </Code>
    </Box>
  );
}
