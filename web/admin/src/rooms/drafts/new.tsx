import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { answered, idempotencyKey } from '../../api/client';
import { useTrial } from '../../api/trial';
import { useWrite } from '../../api/write';
import { Page } from '../../page/page';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { Editor } from './editor';
import { type DraftValues, draftCreate, newDraft } from './model';
import { useDraftWords } from './words';

/** A draft order that is not there yet. */
export default function NewDraft() {
  const w = useDraftWords();
  const { api, to, settings } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [sent, setSent] = useState(false);
  const form = useForm<DraftValues>({ initialValues: newDraft(settings), validate: { lines: (lines) => (lines.length === 0 ? w.goods.none : null) } });
  const ask = (values: DraftValues, dry_run: boolean) =>
    answered(api.POST('/v1/draft-orders', { params: { header: { 'Idempotency-Key': dry_run ? idempotencyKey() : key }, query: { dry_run } }, body: draftCreate(values) }));
  const trial = useTrial('draft', form.values.lines.length > 0 ? form.values : undefined, (values) => ask(values, true));
  const create = useWrite({ form: form as never, write: (values: DraftValues) => ask(values, false), said: w.created, done: () => setSent(true) });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (sent && create.data) void go(to(`drafts/${create.data.data.id}`), { replace: true });
  }, [sent, create.data, go, to]);
  return (
    <Page title={w.new} back="drafts">
      <Editor isNew form={form} would={trial.would} refused={trial.refused} pending={trial.pending} saving={create.isPending || sent} fixed={false} save={(values) => create.mutate(values)} />
    </Page>
  );
}
