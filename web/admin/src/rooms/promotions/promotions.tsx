import { Button, Stack, Text } from '@mantine/core';
import { IconDiscount, IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useTold } from './told';
import { PromotionState } from './states';
import { usePromotionWords } from './words';

/** Everything that makes carts cheaper. */
export default function Promotions() {
  const w = usePromotionWords();
  const told = useTold();
  const { query, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const promotions = query.useInfiniteQuery('get', '/v1/promotions', { params: { query: { limit: 50 } } }, pages);
  const add = can('promotions:write') && (
    <Button component={Link} to={to('promotions/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={add}>
      <List<Schemas['Promotion']>
        label={w.title}
        query={promotions}
        id={(promotion) => promotion.id}
        to={(promotion) => to(`promotions/${promotion.id}`)}
        empty={<Empty icon={IconDiscount} {...w.empty} action={add} />}
        columns={[
          {
            name: w.columns.title,
            cell: (promotion) => (
              <Stack gap={0}>
                <Text size="sm" fw={600}>
                  {promotion.title}
                </Text>
                <Text size="xs" c="dimmed" fw={400}>
                  {told(promotion)}
                </Text>
              </Stack>
            ),
          },
          { name: w.columns.how, wide: true, width: 140, cell: (promotion) => (promotion.automatic ? w.automatic : w.codes.count(f.number(promotion.codes_count), promotion.codes_count === 1)) },
          {
            name: w.columns.when,
            wide: true,
            width: 230,
            cell: (promotion) => (promotion.ends_at ? `${f.date(promotion.starts_at)} – ${f.date(promotion.ends_at)}` : w.summary.from(f.date(promotion.starts_at))),
          },
          { name: w.columns.state, width: 120, cell: (promotion) => <PromotionState state={promotion.state} /> },
          { name: w.columns.used, end: true, wide: true, width: 100, cell: (promotion) => f.number(promotion.used) },
        ]}
      />
    </Page>
  );
}
