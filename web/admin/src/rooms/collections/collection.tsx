import { Button, Grid, Input, SegmentedControl, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, Suspense, lazy, useEffect, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomFields } from '../../page/fields';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { SearchEngines } from '../../page/seo';
import { Translate } from '../../page/translate';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { type Draft, collectionCreate, collectionUpdate, draftOf, isWhole, newDraft } from './draft';
import { Chosen, Within } from './products';
import { Rule } from './rule';
import { useCollectionWords } from './words';

const RichText = lazy(() => import('../../page/richtext'));

/** A collection that there is, or is about to be. */
export default function CollectionScreen() {
  const { collection: id } = useParams();
  return id === undefined ? <New /> : <Present key={id} id={id} />;
}

function useCollectionForm(initialValues: Draft, of?: string) {
  const w = useCollectionWords();
  return useForm<Draft>({
    of,
    initialValues,
    validate: (draft) => ({
      ...(!draft.name.trim() && { name: w.needName }),
      ...(draft.by === 'rule' && Object.fromEntries(draft.rule.conditions.flatMap((condition, n) => (isWhole(condition) ? [] : [[`rule.conditions.${n}.value`, w.needValue]])))),
    }),
  });
}

type CollectionForm = ReturnType<typeof useCollectionForm>;

function New() {
  const w = useCollectionWords();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const [products, setProducts] = useState<Schemas['Product'][]>([]);
  const form = useCollectionForm(newDraft());
  const create = useWrite({
    form: form as never,
    write: (draft: Draft) =>
      answered(
        api.POST('/v1/collections', {
          params: { header: { 'Idempotency-Key': key } },
          body: collectionCreate(
            draft,
            products.map(({ id }) => id),
          ),
        }),
      ),
    said: (collection: Schemas['Collection']) => w.created(collection.name),
  });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (create.data) void go(to(`collections/${create.data.data.id}`), { replace: true });
  }, [create.data, go, to]);
  return (
    <Page title={w.new} back="collections">
      <Editor form={form} dirty={form.isDirty() || products.length > 0} saving={create.isPending || create.isSuccess} save={(draft) => create.mutate(draft)} discard={() => setProducts([])}>
        {form.values.by === 'hand' && <Chosen products={products} change={setProducts} />}
      </Editor>
    </Page>
  );
}

function Present({ id }: { id: string }) {
  const { api } = useStore();
  const collection = useQuery({ queryKey: ['collection', id], queryFn: () => answered(api.GET('/v1/collections/{collection_id}', { params: { path: { collection_id: id } } })) });
  if (collection.isLoadingError) return <Trouble error={collection.error} retry={collection.refetch} />;
  if (!collection.data) return <Skeleton height={420} radius="lg" maw={1180} mx="auto" />;
  return <Edit answer={collection.data} refetch={collection.refetch} />;
}

function Edit({ answer: { data: collection, version }, refetch }: { answer: Answer<Schemas['Collection']>; refetch: () => Promise<unknown> }) {
  const w = useCollectionWords();
  const everywhere = useWords();
  const { api, can, to, settings } = useStore();
  const go = useNavigate();
  const path = { collection_id: collection.id };
  const there = draftOf(collection);
  const form = useCollectionForm(there, collection.id);
  const base = useFresh(form, there, version);
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    write: (draft: Draft) => answered(api.PATCH('/v1/collections/{collection_id}', { params: { path, header: { 'If-Match': base.version } }, body: collectionUpdate(draft, base.values) })),
    done: async () => {
      form.resetDirty();
      await refetch();
    },
  });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/collections/{collection_id}', { params: { path } })),
    said: w.deleted(collection.name),
    undoable: true,
    done: () => void go(to('collections')),
  });
  return (
    <Page
      title={collection.name}
      back="collections"
      actions={
        <>
          <Button
            component="a"
            href={`${settings.shop_url.replace(/\/$/, '')}/collections/${collection.handle}`}
            target="_blank"
            rel="noopener"
            variant="default"
            leftSection={<IconExternalLink size={17} aria-hidden />}
          >
            {w.view}
          </Button>
          <Translate id={collection.id} name={collection.name} />
          {can('products:write') && (
            <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
              {everywhere.delete}
            </Button>
          )}
        </>
      }
    >
      <Editor
        form={form}
        dirty={form.isDirty()}
        saving={save.isPending || remove.isSuccess}
        save={(draft) => save.mutate(draft)}
        hint={form.values.by === there.by ? undefined : form.values.by === 'rule' ? w.toRule : w.toHand}
      >
        {form.values.by === there.by && <Within collection={collection} />}
      </Editor>
    </Page>
  );
}

type EditorProps = { form: CollectionForm; dirty: boolean; saving: boolean; save: (draft: Draft) => void; discard?: () => void; hint?: string; children: ReactNode };

function Editor({ form, dirty, saving, save, discard, hint, children }: EditorProps) {
  const w = useCollectionWords();
  const { can } = useStore();
  const { by, rule, name, description_html } = form.values;
  return (
    <form onSubmit={form.onSubmit(save)} noValidate>
      <fieldset disabled={!can('products:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="lg">
              <Section>
                <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} {...form.getInputProps('name')} />
                <Input.Wrapper label={w.description} error={form.errors.description_html} labelElement="div">
                  <Suspense fallback={<Skeleton height={180} />}>
                    <RichText label={w.description} value={description_html} onChange={(html) => form.setFieldValue('description_html', html)} />
                  </Suspense>
                </Input.Wrapper>
              </Section>
              <Section title={w.kind}>
                <SegmentedControl
                  aria-label={w.kind}
                  value={by}
                  onChange={(next) => form.setFieldValue('by', next as Draft['by'])}
                  data={[
                    { value: 'hand', label: w.byHand },
                    { value: 'rule', label: w.byRule },
                  ]}
                />
                <Text size="sm" c="dimmed">
                  {hint ?? w.kindText[by]}
                </Text>
                {by === 'rule' && <Rule rule={rule} errors={form.errors} change={(next) => form.setFieldValue('rule', next)} />}
              </Section>
              {children}
              <SearchEngines form={form as never} room="collections" name={name} html={description_html} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Stack gap="lg">
              <Section>
                <Select
                  label={w.sort}
                  allowDeselect={false}
                  data={Object.entries(w.sorts).map(([value, label]) => ({ value, label }))}
                  {...form.getInputProps('sort_order')}
                  onChange={(next) => form.setFieldValue('sort_order', next as Draft['sort_order'])}
                />
              </Section>
              <CustomFields resource="collection" values={form.values.custom_fields} errors={form.errors} change={(next) => form.setFieldValue('custom_fields', next)} />
            </Stack>
          </Grid.Col>
        </Grid>
      </fieldset>
      <SaveBar
        dirty={dirty}
        saving={saving}
        discard={() => {
          form.reset();
          discard?.();
        }}
      />
    </form>
  );
}
