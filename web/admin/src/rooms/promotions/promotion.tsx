import { Button, Skeleton } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Codes } from './codes';
import { Editor } from './editor';
import { type PromotionValues, promotionUpdate, writtenPromotion } from './model';
import { PromotionState } from './states';
import { Summary } from './summary';
import { usePromotionWords } from './words';

/** A promotion, its codes, and how often it was used. */
export default function Promotion() {
  const { promotion: promotion_id = '' } = useParams();
  const { api } = useStore();
  const promotion = useQuery({ queryKey: ['promotion', promotion_id], queryFn: () => answered(api.GET('/v1/promotions/{promotion_id}', { params: { path: { promotion_id } } })) });
  if (promotion.isLoadingError) return <Trouble error={promotion.error} retry={promotion.refetch} />;
  if (!promotion.data) return <Skeleton height={300} radius="lg" maw={1180} mx="auto" />;
  return <Present key={promotion_id} promotion={promotion.data.data} version={promotion.data.version} />;
}

function Present({ promotion, version }: { promotion: Schemas['Promotion']; version?: string }) {
  const w = usePromotionWords();
  const everywhere = useWords();
  const { api, can, to, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const client = useQueryClient();
  const go = useNavigate();
  const there = writtenPromotion(promotion);
  const form = useForm<PromotionValues>({ of: promotion.id, initialValues: there });
  const base = useFresh(form, there, version);
  const path = { promotion_id: promotion.id };
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    write: async (values: PromotionValues) => {
      const body = promotionUpdate(values, base.values);
      // What was written may come to what is there.
      if (Object.keys(body).length === 0) return { data: promotion, requests: [], version: base.version };
      return answered(api.PATCH('/v1/promotions/{promotion_id}', { params: { path, header: { 'If-Match': base.version } }, body }));
    },
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['promotion', promotion.id], answer);
    },
  });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/promotions/{promotion_id}', { params: { path } })),
    said: w.deleted,
    undoable: true,
    done: () => void go(to('promotions')),
  });
  const writes = can('promotions:write');
  return (
    <Page
      title={promotion.title}
      beside={<PromotionState state={promotion.state} />}
      text={w.used(f.number(promotion.used), promotion.used === 1)}
      back="promotions"
      actions={
        writes && (
          <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
            {everywhere.delete}
          </Button>
        )
      }
    >
      <Editor form={form} fixed={!writes} saving={save.isPending} save={(values) => save.mutate(values)} beside={<Summary values={form.values} />}>
        {!promotion.automatic && <Codes promotion={promotion} />}
      </Editor>
    </Page>
  );
}
