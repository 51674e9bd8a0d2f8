import { Group, Text } from '@mantine/core';
import { IconArrowDownRight, IconArrowUpRight } from '@tabler/icons-react';
import { useFormat } from '../../words/format';
import { useHomeWords } from './words';

/** How much more or less it was than before. */
export function Change({ now, before, against }: { now?: number; before?: number; against: string }) {
  const w = useHomeWords();
  const f = useFormat();
  if (now === undefined || before === undefined) return <Text size="xs">&nbsp;</Text>;
  if (before <= 0) {
    return (
      <Text size="xs" c="dimmed">
        {w.noneBefore(against)}
      </Text>
    );
  }
  const share = (now - before) / before;
  const Icon = share < 0 ? IconArrowDownRight : IconArrowUpRight;
  const color = share < 0 ? 'var(--stoa-bad)' : 'var(--stoa-good)';
  return (
    <Group gap={4} wrap="nowrap" align="start">
      {share !== 0 && <Icon size={15} color={color} aria-hidden style={{ flexShrink: 0 }} />}
      <Text size="xs" c="dimmed">
        {w.compared(f.percent(share), against)}
      </Text>
    </Group>
  );
}
