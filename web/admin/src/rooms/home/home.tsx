import { Grid, SegmentedControl, Stack } from '@mantine/core';
import { Page } from '../../page/page';
import { useFilters } from '../../page/filters';
import { useSession } from '../../session/session';
import { useStore } from '../../session/store';
import { Latest } from './latest';
import { Sales } from './sales';
import { Samples, Steps, useBegun } from './steps';
import { Waiting } from './waiting';
import { useHomeWords } from './words';

export type Period = '1' | '7' | '30';

/** How the store does, and what waits to be done. */
export default function Home() {
  const w = useHomeWords();
  const { can } = useStore();
  const { account } = useSession();
  const filters = useFilters('days');
  const period: Period = filters.values.days in w.periods ? (filters.values.days as Period) : '7';
  const first = account.name?.split(' ')[0];
  const begun = useBegun();
  const figures = can('analytics:read');
  return (
    <Page
      title={first ? w.hello(first) : w.helloAll}
      actions={
        figures && (
          <SegmentedControl
            aria-label={w.period}
            value={period}
            onChange={(days) => filters.set({ days })}
            data={Object.entries(w.periods).map(([value, label]) => ({ value, label }))}
          />
        )
      }
    >
      <Stack gap="lg" style={{ visibility: begun ? undefined : 'hidden' }}>
        <Steps />
        <Samples />
        {figures && <Sales period={period} />}
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: can('orders:read') ? 5 : 12 }}>
            <Waiting />
          </Grid.Col>
          {can('orders:read') && (
            <Grid.Col span={{ base: 12, md: 7 }}>
              <Latest />
            </Grid.Col>
          )}
        </Grid>
      </Stack>
    </Page>
  );
}
