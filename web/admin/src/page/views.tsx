import { Box, SegmentedControl } from '@mantine/core';
import classes from './list.module.css';

type ViewsProps = { label: string; value: string; names: Record<string, string>; onChange: (view: string) => void };

/** The ways to look at a list, of which the first, all of it, is the one without a name in the address. */
export function Views({ label, value, names, onChange }: ViewsProps) {
  return (
    <Box className={classes.views}>
      <SegmentedControl aria-label={label} value={value} onChange={onChange} data={Object.entries(names).map(([view, name]) => ({ value: view === 'all' ? '' : view, label: name }))} />
    </Box>
  );
}
