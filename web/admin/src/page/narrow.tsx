import { Button, Indicator, Popover, Stack } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useWords } from '../words/everywhere';

/** The rarer filters of a list, behind a button that says how many are set. */
export function Narrow({ set, children }: { set: number; children: ReactNode }) {
  const w = useWords();
  return (
    <Popover position="bottom-end" width={300} shadow="md" trapFocus>
      <Indicator label={set} size={18} disabled={set === 0} color="clay">
        <Popover.Target>
          <Button variant="default" leftSection={<IconFilter size={16} aria-hidden />}>
            {w.filter}
          </Button>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown>
        <Stack gap="sm">{children}</Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
