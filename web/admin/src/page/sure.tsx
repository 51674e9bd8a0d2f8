import { Button, Group, Modal, Text } from '@mantine/core';
import { useWords } from '../words/everywhere';

type SureProps = { opened: boolean; title: string; text: string; go: string; pending: boolean; confirm: () => void; close: () => void };

/** Asks once more, which is only for what nothing takes back. */
export function Sure({ opened, title, text, go, pending, confirm, close }: SureProps) {
  const w = useWords();
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <Text size="sm">{text}</Text>
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={close} data-autofocus>
          {w.cancel}
        </Button>
        <Button color="red" loading={pending} onClick={confirm}>
          {go}
        </Button>
      </Group>
    </Modal>
  );
}
