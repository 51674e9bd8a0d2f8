import { Button, Indicator, Popover, Stack, TextInput } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
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

type NarrowTextProps = { label: string; placeholder?: string; value: string; type?: 'number'; error?: string; onChange: (value: string) => void };

/** A rarer filter that is written: it counts once one has left it, or pressed Enter. */
export function NarrowText({ value, onChange, ...rest }: NarrowTextProps) {
  const [text, setText] = useState(value);
  const [former, setFormer] = useState(value);
  if (value !== former) {
    setFormer(value);
    setText(value);
  }
  const meant = () => text.trim() !== value && onChange(text.trim());
  return <TextInput maxLength={255} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={meant} onKeyDown={(event) => event.key === 'Enter' && meant()} {...rest} />;
}
