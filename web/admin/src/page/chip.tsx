import { Anchor, Button } from '@mantine/core';
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

/** A name in a row that narrows the list down to what has it. */
export function Only({ name, lines, set }: { name: string; lines?: number; set: () => void }) {
  const w = usePartWords();
  return (
    <Anchor component="button" type="button" size="sm" c="inherit" ta="start" lineClamp={lines} style={{ overflowWrap: 'break-word' }} aria-label={w.only(name)} onClick={set}>
      {name}
    </Anchor>
  );
}
