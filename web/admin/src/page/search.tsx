import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../words/everywhere';

/** A field that narrows a list down while one types. */
export function Search({ value, label, onChange }: { value: string; label: string; onChange: (value: string) => void }) {
  const w = useWords();
  const [text, setText] = useState(value);
  const [former, setFormer] = useState(value);
  if (value !== former) {
    setFormer(value);
    if (value === '' || !text.startsWith(value)) setText(value); // and not what was typed meanwhile
  }
  const change = useDebouncedCallback(onChange, 250);
  return (
    <TextInput
      type="search"
      flex={1}
      miw={180}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label={w.clear} onClick={() => onChange('')} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        change(event.currentTarget.value.trim());
      }}
    />
  );
}
