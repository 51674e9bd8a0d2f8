import { Badge } from '@mantine/core';

/** How a state feels: all is well, something waits, something is wrong, or nothing is left to do. */
export type Mood = 'well' | 'waits' | 'wrong' | 'over';

/** Behind and before, in light and in dark; all of it can be read. */
const colors: Record<Mood, [string, string]> = {
  well: ['light-dark(#ddefe2, #1d3325)', 'light-dark(#1f5a34, #a5d8b4)'],
  waits: ['light-dark(#fbeecb, #3a2f14)', 'light-dark(#6b4c00, #f1d894)'],
  wrong: ['light-dark(#fbe3dd, #43221b)', 'light-dark(#8c2618, #f3ab9d)'],
  over: ['light-dark(#ebe6dc, #35312b)', 'light-dark(#4f4a42, #cfc8bc)'],
};

/** The name of a state, coloured by what it means. */
export function State({ mood, children }: { mood: Mood; children: string }) {
  const [background, color] = colors[mood];
  // It is a word or two, and is read whole.
  return (
    <Badge miw="max-content" style={{ background, color }}>
      {children}
    </Badge>
  );
}
