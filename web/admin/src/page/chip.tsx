import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { usePartWords } from './words';

/** A filter that was set by a click elsewhere, and how it is taken away. */
export function Chip({ name, clear }: { name: string; clear: () => void }) {
  const w = usePartWords();
  return (
    <Button variant="light" maw="100%" rightSection={<IconX size={15} aria-hidden />} aria-label={w.without(name)} onClick={clear}>
      {name}
    </Button>
  );
}
