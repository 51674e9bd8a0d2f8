import { Switch, type SwitchProps } from '@mantine/core';
import { useState } from 'react';

type ToggleProps = Omit<SwitchProps, 'checked' | 'onChange'> & { checked: boolean; turn: (on: boolean) => Promise<unknown> };

/** A switch of what is written at once. It shows what was asked for until that is so, or was refused. */
export function Toggle({ checked, turn, ...rest }: ToggleProps) {
  const [wanted, setWanted] = useState<boolean>();
  if (wanted === checked) setWanted(undefined);
  const change = async (on: boolean) => {
    setWanted(on);
    try {
      await turn(on);
    } catch {
      setWanted(undefined); // why is told by the write
    }
  };
  return <Switch {...rest} checked={wanted ?? checked} onChange={(event) => void change(event.currentTarget.checked)} />;
}
