import { Badge } from '@mantine/core';

/** How a state feels: all is well, something waits, something is wrong, or nothing is left to do. */
export type Mood = 'well' | 'waits' | 'wrong' | 'over';

const colors: Record<Mood, string> = { well: 'green', waits: 'yellow', wrong: 'red', over: 'gray' };

/** The name of a state, coloured by what it means. */
export function State({ mood, children }: { mood: Mood; children: string }) {
  return (
    <Badge color={colors[mood]} autoContrast>
      {children}
    </Badge>
  );
}
