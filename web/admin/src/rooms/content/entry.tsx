import { ActionIcon, Button, Grid, Input, Menu, Select, Skeleton, Stack, TextInput, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconDots, IconExternalLink, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useRef, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Instant } from '../../page/instant';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { SearchEngines } from '../../page/seo';
import { Translate } from '../../page/translate';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore, type StoreSide } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { ImageField } from './images';
import { EntryState } from './state';
import { useContentWords } from './words';

const RichText = lazy(() => import('../../page/richtext'));

export type Kind = 'page' | 'post';
type Purpose = Schemas['PagePurpose'];
type Entry = Schemas['Page'] & Schemas['Post'];

/** A page or a post as it stands in the form. */
type Draft = {
  title: string;
  body_html: string;
  excerpt: string;
  author: string;
  purpose: Purpose | null;
  image_id: string | null;
  handle: string;
  seo_title: string;
  seo_description: string;
  visibility: 'draft' | 'now' | 'later';
  published_at: string | null;
};

/** What differs between pages and posts: their operations, and their rooms here and in the shop. */
const rooms = {
  page: {
    list: 'pages',
    shop: 'pages',
    read: ({ api }: StoreSide, page_id: string) => answered(api.GET('/v1/pages/{page_id}', { params: { path: { page_id } } })),
    create: ({ api }: StoreSide, key: string, body: Schemas['PageCreate']) => answered(api.POST('/v1/pages', { params: { header: { 'Idempotency-Key': key } }, body })),
    update: ({ api }: StoreSide, page_id: string, version: string | undefined, body: Schemas['PageUpdate']) => answered(api.PATCH('/v1/pages/{page_id}', { params: { path: { page_id }, header: { 'If-Match': version } }, body })),
    remove: ({ api }: StoreSide, page_id: string) => answered(api.DELETE('/v1/pages/{page_id}', { params: { path: { page_id } } })),
  },
  post: {
    list: 'blog',
    shop: 'blog',
    read: ({ api }: StoreSide, post_id: string) => answered(api.GET('/v1/posts/{post_id}', { params: { path: { post_id } } })),
    create: ({ api }: StoreSide, key: string, body: Schemas['PostCreate']) => answered(api.POST('/v1/posts', { params: { header: { 'Idempotency-Key': key } }, body })),
    update: ({ api }: StoreSide, post_id: string, version: string | undefined, body: Schemas['PostUpdate']) => answered(api.PATCH('/v1/posts/{post_id}', { params: { path: { post_id }, header: { 'If-Match': version } }, body })),
    remove: ({ api }: StoreSide, post_id: string) => answered(api.DELETE('/v1/posts/{post_id}', { params: { path: { post_id } } })),
  },
} as const;

const draftOf = (entry?: Entry): Draft => ({
  title: entry?.title ?? '',
  body_html: entry?.body_html ?? '',
  excerpt: entry?.excerpt ?? '',
  author: entry?.author ?? '',
  purpose: entry?.purpose ?? null,
  image_id: entry?.image_id ?? null,
  handle: entry?.handle ?? '',
  seo_title: entry?.seo_title ?? '',
  seo_description: entry?.seo_description ?? '',
  visibility: entry ? ({ draft: 'draft', scheduled: 'later', published: 'now' } as const)[entry.state] : 'now',
  published_at: entry?.published_at ?? null,
});

/** A draft as the contract has it. What is published now is so from this instant on, unless it was already. */
function said(kind: Kind, draft: Draft, before?: Draft) {
  const { title, handle, excerpt, author, purpose, visibility, published_at, seo_title, seo_description, ...rest } = draft;
  const since = before?.visibility === 'now' ? published_at : new Date().toISOString();
  return {
    ...rest,
    title: title.trim(),
    ...(handle.trim() && { handle: handle.trim() }),
    seo_title: seo_title.trim() || null,
    seo_description: seo_description.trim() || null,
    ...(kind === 'post' ? { excerpt: excerpt.trim() || null, author: author.trim() || null } : { purpose }),
    published_at: { draft: null, now: since, later: published_at }[visibility],
  };
}

/** A page or a post: a new one, or one that there is. */
export function EntryScreen({ kind }: { kind: Kind }) {
  const { entry: id } = useParams();
  const store = useStore();
  const loaded = useQuery({ queryKey: [kind, id], queryFn: () => rooms[kind].read(store, id ?? '') as Promise<Answer<Entry>>, enabled: id !== undefined });
  if (loaded.isLoadingError) return <Trouble error={loaded.error} retry={loaded.refetch} />;
  if (id !== undefined && !loaded.data) return <Skeleton height={400} radius="lg" maw={1180} mx="auto" />;
  return <Present key={id ?? 'new'} kind={kind} entry={loaded.data?.data} version={loaded.data?.version} />;
}

function Present({ kind, entry, version }: { kind: Kind; entry?: Entry; version?: string }) {
  const all = useContentWords();
  const w = all.entry;
  const everywhere = useWords();
  const store = useStore();
  const { can, to, settings } = store;
  const client = useQueryClient();
  const go = useNavigate();
  const [search] = useSearchParams();
  const [left, setLeft] = useState<string>();
  const key = useRef(idempotencyKey());
  const named = kind === 'page' ? all.pages : all.posts;
  const room = rooms[kind];
  // A legal page that is missing is begun by its name.
  const purpose = (search.get('purpose') ?? '') as Purpose | '';
  const begun = { ...draftOf(), ...(purpose && { purpose, title: all.legal.purposes[purpose] }) };
  const there = entry ? draftOf(entry) : begun;
  const form = useForm<Draft>({
    of: entry?.id,
    initialValues: there,
    validate: {
      title: (title) => (title.trim() ? null : w.needTitle),
      published_at: (at, { visibility }) => (visibility === 'later' && !at ? w.needWhen : null),
    },
  });
  const base = useFresh(form, there, version);
  const save = useWrite({
    form: form as never,
    said: entry ? everywhere.saved : ({ title }: Entry) => named.created(title),
    undoable: true,
    write: (draft: Draft) => (entry ? room.update(store, entry.id, base.version, said(kind, draft, base.values) as never) : room.create(store, key.current, said(kind, draft) as never)) as Promise<Answer<Entry>>,
    done: (answer) => {
      form.resetDirty();
      client.setQueryData([kind, answer.data.id], answer);
      if (!entry) setLeft(`${room.list}/${answer.data.id}`);
    },
  });
  const remove = useWrite({
    write: () => room.remove(store, entry?.id ?? ''),
    said: named.deleted(entry?.title ?? ''),
    undoable: true,
    done: () => setLeft(room.list),
  });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (left !== undefined) void go(to(left), { replace: true });
  }, [left, go, to]);
  const { visibility } = form.values;
  return (
    <Page
      title={entry?.title ?? named.new}
      beside={entry && <EntryState state={entry.state} />}
      back={room.list}
      actions={
        entry && (
          <>
            <Translate id={entry.id} name={entry.title} />
            {entry.state === 'published' && (
              <Button component="a" href={`${settings.shop_url.replace(/\/$/, '')}/${room.shop}/${entry.handle}`} target="_blank" rel="noopener" variant="default" leftSection={<IconExternalLink size={17} aria-hidden />}>
                {w.view}
              </Button>
            )}
            {can('content:write') && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                    <IconDots size={18} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
                    {everywhere.delete}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        )
      }
    >
      <form onSubmit={form.onSubmit((draft) => save.mutate(draft))} noValidate>
        <fieldset disabled={!can('content:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Grid gap="lg">
            <Grid.Col span={{ base: 12, md: 8 }}>
              <Stack gap="lg">
                <Section>
                  <TextInput label={w.title} required maxLength={255} {...form.getInputProps('title')} />
                  <Input.Wrapper label={w.body} error={form.errors.body_html} labelElement="div">
                    <Suspense fallback={<Skeleton height={300} />}>
                      <RichText label={w.body} value={form.values.body_html} onChange={(html) => form.setFieldValue('body_html', html)} />
                    </Suspense>
                  </Input.Wrapper>
                  {kind === 'post' && <Textarea label={w.excerpt} description={w.excerptText} inputWrapperOrder={['label', 'input', 'description', 'error']} autosize minRows={2} maxLength={1000} {...form.getInputProps('excerpt')} />}
                </Section>
                <SearchEngines form={form as never} room={room.shop} name={form.values.title} html={form.values.body_html} />
              </Stack>
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 4 }}>
              <Stack gap="lg">
                <Section>
                  <Visibility form={form} since={base.values.visibility === 'now' ? base.values.published_at : null} />
                  {visibility === 'later' && <Instant label={w.when} value={form.values.published_at} change={(at) => form.setFieldValue('published_at', at)} error={form.errors.published_at} />}
                </Section>
                <Section>
                  {kind === 'page' ? (
                    <Select
                      label={w.purpose}
                      description={w.purposeText}
                      inputWrapperOrder={['label', 'input', 'description', 'error']}
                      placeholder={w.noPurpose}
                      clearable
                      data={Object.entries(all.legal.purposes).map(([value, label]) => ({ value, label }))}
                      {...form.getInputProps('purpose')}
                    />
                  ) : (
                    <TextInput label={w.author} maxLength={255} {...form.getInputProps('author')} />
                  )}
                  <ImageField label={w.picture} error={form.errors.image_id} value={form.values.image_id} onChange={(image_id) => form.setFieldValue('image_id', image_id)} />
                </Section>
              </Stack>
            </Grid.Col>
          </Grid>
        </fieldset>
        <SaveBar dirty={form.isDirty()} saving={save.isPending || left !== undefined} discard={form.reset} />
      </form>
    </Page>
  );
}

/** Whether it is seen: not yet, now, or from some time on. */
function Visibility({ form, since }: { form: Pick<UseFormReturnType<Draft>, 'values' | 'setFieldValue'>; since: string | null }) {
  const w = useContentWords().entry;
  const f = useFormat();
  const { visibility } = form.values;
  const told = { draft: w.draftText, now: since ? w.since(f.time(since)) : w.nowText, later: w.laterText }[visibility];
  return (
    <Select
      label={w.visibility}
      description={told}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      allowDeselect={false}
      data={(['draft', 'now', 'later'] as const).map((value) => ({ value, label: w[value] }))}
      value={visibility}
      onChange={(next) => {
        form.setFieldValue('visibility', next as Draft['visibility']);
        if (next === 'later' && since) form.setFieldValue('published_at', null);
      }}
    />
  );
}
