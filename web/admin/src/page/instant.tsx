import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useStore } from '../session/store';
import { clockOf, instantOf } from '../words/days';

type InstantProps = {
  label?: string;
  'aria-label'?: string;
  description?: string;
  error?: ReactNode;
  disabled?: boolean;
  required?: boolean;
  value: string | null;
  change: (at: string | null) => void;
};

/** A field for a day and a time, as it is on the clock of the store, by which times are shown. */
export function Instant({ value, change, ...rest }: InstantProps) {
  const { time_zone } = useStore().settings;
  return (
    <TextInput
      type="datetime-local"
      value={value ? clockOf(value, time_zone) : ''}
      onChange={(event) => change(event.currentTarget.value ? instantOf(event.currentTarget.value, time_zone) : null)}
      {...rest}
    />
  );
}
