import { SimpleGrid, Stack, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { IconCoin, IconGift, IconPercentage, IconTruck } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { Page } from '../../page/page';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { Editor } from './editor';
import { type PromotionValues, newPromotion, promotionCreate } from './model';
import classes from './new.module.css';
import { Summary } from './summary';
import { usePromotionWords } from './words';

type Kind = Schemas['Promotion']['kind'];

const icons: Record<Kind, typeof IconGift> = { percentage: IconPercentage, fixed_amount: IconCoin, free_shipping: IconTruck, buy_x_get_y: IconGift };

/** A promotion that is not there yet: first what it does, and then the rest. */
export default function NewPromotion() {
  const w = usePromotionWords();
  const filters = useFilters('kind');
  const { kind } = filters.values;
  if (kind in icons) return <Details key={kind} kind={kind as Kind} />;
  return (
    <Page title={w.new} text={w.choose} back="promotions" narrow>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {(Object.keys(icons) as Kind[]).map((each) => {
          const Icon = icons[each];
          return (
            <UnstyledButton key={each} className={classes.kind} onClick={() => filters.set({ kind: each })}>
              <ThemeIcon size={44} radius="md" variant="light">
                <Icon size={24} stroke={1.6} aria-hidden />
              </ThemeIcon>
              <Stack gap={2}>
                <Text fw={650}>{w.kinds[each].title}</Text>
                <Text size="sm" c="dimmed">
                  {w.kinds[each].text}
                </Text>
              </Stack>
            </UnstyledButton>
          );
        })}
      </SimpleGrid>
    </Page>
  );
}

function Details({ kind }: { kind: Kind }) {
  const w = usePromotionWords();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [sent, setSent] = useState(false);
  const form = useForm<PromotionValues>({
    of: kind, // it begins now, which is later each time
    initialValues: newPromotion(kind),
    validate: { code: (code, { automatic }) => (!automatic && code.trim() && !/^\S{3,64}$/.test(code.trim()) ? w.codeWrong : null) },
  });
  const create = useWrite({
    form: form as never,
    said: (promotion) => w.created(promotion.title),
    undoable: true,
    write: (values: PromotionValues) => answered(api.POST('/v1/promotions', { params: { header: { 'Idempotency-Key': key } }, body: promotionCreate(values) })),
    done: () => setSent(true),
  });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (sent && create.data) void go(to(`promotions/${create.data.data.id}`), { replace: true });
  }, [sent, create.data, go, to]);
  return (
    <Page title={w.kinds[kind].title} back="promotions/new">
      <Editor form={form} isNew saving={create.isPending || sent} save={(values) => create.mutate(values)} beside={<Summary values={form.values} />} />
    </Page>
  );
}
