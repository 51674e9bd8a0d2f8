import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';

type InstantProps = { label?: string; 'aria-label'?: string; description?: string; error?: ReactNode; disabled?: boolean; value: string | null; change: (at: string | null) => void };

/** A field for a day and a time, as it is on the clock of whoever sets it. */
export function Instant({ value, change, ...rest }: InstantProps) {
  return <TextInput type="datetime-local" value={value ? local(value) : ''} onChange={(event) => change(event.currentTarget.value ? new Date(event.currentTarget.value).toISOString() : null)} {...rest} />;
}

function local(at: string): string {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
