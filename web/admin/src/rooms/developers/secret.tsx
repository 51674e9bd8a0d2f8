import { Alert, Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import { Copy } from '../../page/copy';
import { useDeveloperWords } from './words';

/** Shows a secret the one time that it can be seen. */
export function Secret({ value, close }: { value?: string | null; close: () => void }) {
  const w = useDeveloperWords();
  return (
    <Modal opened={Boolean(value)} onClose={close} title={w.secret.title} closeOnClickOutside={false} size="lg">
      <Stack>
        <Alert color="yellow">
          <Text size="sm">{w.secret.text}</Text>
        </Alert>
        <Group wrap="nowrap" gap="xs">
          <Code block flex={1} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
            {value}
          </Code>
          <Copy value={value ?? ''} />
        </Group>
        <Group justify="end">
          <Button onClick={close}>{w.secret.done}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
