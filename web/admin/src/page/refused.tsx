import { Text } from '@mantine/core';
import type { Problem } from '../api/problem';

/** Why something cannot be done, where one is about to do it. */
export function RefusedText({ problem }: { problem?: Problem }) {
  if (!problem) return null;
  const details = [...new Set((problem.errors ?? []).map(({ detail }) => detail))];
  return (
    <Text size="sm" c="var(--stoa-bad)" role="alert">
      {details.length > 0 ? details.join(' ') : (problem.detail ?? problem.title)}
    </Text>
  );
}
