import { ActionIcon, Box, Button, Grid, Group, Menu, SegmentedControl, Select, Skeleton, Stack, Text, TextInput, Textarea, Tooltip, UnstyledButton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDots, IconRestore, IconSend } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useParams } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { NarrowText } from '../../page/narrow';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useSession } from '../../session/session';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { MailFrame } from './frame';
import classes from './mails.module.css';
import { useLanguage } from '../../words/language';
import { german } from './meanings.de';
import { useMailWords } from './words';

type Template = Schemas['MailTemplate'];

/** What mails of a kind say in one of the store's languages. */
export default function Mail() {
  const { kind = '' } = useParams();
  const { api, query, settings } = useStore();
  const filters = useFilters('locale');
  const locale = filters.values.locale || settings.locale;
  const kinds = query.useQuery('get', '/v1/mail-templates', { params: { query: { limit: 100 } } });
  const template = useQuery({ queryKey: ['mail', kind, locale], queryFn: () => answered(api.GET('/v1/mail-templates/{mail_kind}/{locale}', { params: { path: { mail_kind: kind, locale } } })) });
  if (template.isLoadingError) return <Trouble error={template.error} retry={template.refetch} />;
  const about = kinds.data?.data.find((each) => each.kind === kind);
  if (!template.data || !about) return <Skeleton height={500} radius="lg" maw={1180} mx="auto" />;
  return <Present key={`${kind} ${locale}`} about={about} template={template.data.data} version={template.data.version} choose={(next) => filters.set({ locale: next === settings.locale ? '' : next })} />;
}

const written = ({ subject, body_html }: Template) => ({ subject, body_html });

type PresentProps = { about: Schemas['MailKind']; template: Template; version?: string; choose: (locale: string) => void };

function Present({ about, template, version, choose }: PresentProps) {
  const { language } = useLanguage();
  const w = useMailWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, can, settings } = useStore();
  const { account } = useSession();
  const client = useQueryClient();
  const form = useForm({ of: `${template.kind} ${template.locale}`, initialValues: written(template) });
  const base = useFresh(form, written(template), version);
  const path = { mail_kind: template.kind, locale: template.locale };
  const body = useRef<HTMLTextAreaElement>(null);
  const subject = useRef<HTMLInputElement>(null);
  const last = useRef<'subject' | 'body_html'>('body_html');
  const save = useWrite({
    form: form as never,
    said: w.saved,
    undoable: true,
    write: (values: typeof form.values) => answered(api.PATCH('/v1/mail-templates/{mail_kind}/{locale}', { params: { path, header: { 'If-Match': base.version } }, body: values })),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['mail', template.kind, template.locale], answer);
    },
  });
  const reset = useWrite({ write: () => answered(api.DELETE('/v1/mail-templates/{mail_kind}/{locale}', { params: { path } })), said: w.wasReset, undoable: true });
  const test = useWrite({ write: () => answered(api.POST('/v1/mail-templates/{mail_kind}/{locale}/test', { params: { path, header: { 'Idempotency-Key': idempotencyKey() } }, body: {} })), said: w.tested(account.email) });
  const insert = (variable: Schemas['MailVariable']) => {
    const name = last.current;
    const field = name === 'subject' ? subject.current : body.current;
    const text = variable.type === 'text' ? `{{${variable.name}}}` : `{{#${variable.name}}}${(variable.items ?? []).map((item) => `{{${item.name}}}`).join(' ')}{{/${variable.name}}}`;
    const now = form.getValues()[name];
    const from = field?.selectionStart ?? now.length;
    const to = field?.selectionEnd ?? now.length;
    form.setFieldValue(name, now.slice(0, from) + text + now.slice(to));
    requestAnimationFrame(() => {
      field?.focus();
      field?.setSelectionRange(from + text.length, from + text.length);
    });
  };
  const locales = [settings.locale, ...settings.locales.map(({ locale }) => locale)];
  const writes = can('settings:write');
  return (
    <Page
      title={(w.kinds as Record<string, string>)[template.kind] ?? about.description}
      beside={template.edited && <State mood="well">{w.changed}</State>}
      back="mails"
      actions={
        writes && (
          <>
            <Tooltip label={w.testUnsaved} disabled={!form.isDirty()}>
              <Button variant="default" leftSection={<IconSend size={17} aria-hidden />} disabled={form.isDirty()} loading={test.isPending} onClick={() => test.mutate()}>
                {w.test}
              </Button>
            </Tooltip>
            {template.edited && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size={36} aria-label={everywhere.actions}>
                    <IconDots size={18} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconRestore size={16} aria-hidden />} onClick={() => reset.mutate()}>
                    {w.reset}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        )
      }
    >
      <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 6 }}>
            <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
              <Stack gap="lg">
                <Section>
                  {locales.length > 1 && <Select label={w.language} allowDeselect={false} value={template.locale} onChange={(next) => next && choose(next)} data={locales.map((value) => ({ value, label: f.language(value) }))} />}
                  <TextInput ref={subject} label={w.subject} maxLength={500} onFocusCapture={() => (last.current = 'subject')} {...form.getInputProps('subject')} />
                  <Textarea
                    ref={body}
                    className={classes.code}
                    label={w.body}
                    description={w.bodyText}
                    inputWrapperOrder={['label', 'input', 'description', 'error']}
                    autosize
                    minRows={14}
                    maxRows={30}
                    maxLength={50_000}
                    spellCheck={false}
                    onFocusCapture={() => (last.current = 'body_html')}
                    {...form.getInputProps('body_html')}
                  />
                </Section>
                <Section title={w.variables} text={w.variablesText}>
                  <Stack gap={2}>
                    {about.variables.map((variable) => (
                      <Group key={variable.name} gap="xs" wrap="nowrap" align="baseline">
                        <UnstyledButton onClick={() => insert(variable)} disabled={!writes}>
                          <Text size="xs" ff="monospace" fw={600} c="var(--mantine-primary-color-light-color)" style={{ whiteSpace: 'nowrap' }}>
                            {variable.type === 'text' ? `{{${variable.name}}}` : `{{#${variable.name}}}`}
                          </Text>
                        </UnstyledButton>
                        <Text size="xs" c="dimmed">
                          {language === 'de' ? german(variable.description) : variable.description}
                          {variable.required && ` (${w.required})`}
                        </Text>
                      </Group>
                    ))}
                  </Stack>
                  <Text size="xs" c="dimmed">
                    {w.conditions}
                  </Text>
                </Section>
              </Stack>
            </fieldset>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 6 }}>
            <Box pos="sticky" top={80}>
              {writes && <Preview template={template} values={form.values} refuse={form.setErrors} />}
            </Box>
          </Grid.Col>
        </Grid>
        <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
      </form>
    </Page>
  );
}

type PreviewProps = { template: Template; values: { subject: string; body_html: string }; refuse: (errors: Record<string, string>) => void };

/** The mail as it would be sent, while it is written; what is wrong with it is put at its field. */
function Preview({ template, values, refuse }: PreviewProps) {
  const w = useMailWords();
  const { api, can } = useStore();
  const filters = useFilters('view', 'order');
  const number = filters.values.order;
  const [wrongOrder, setWrongOrder] = useState<string>();
  const view = filters.values.view === 'text' ? 'text' : 'html';
  const [shown] = useDebouncedValue(values, 500);
  const preview = useQuery({
    queryKey: ['mail-preview', template.kind, template.locale, shown, number],
    placeholderData: keepPreviousData,
    retry: false,
    // What is wrong is told each time, and kept nowhere.
    staleTime: 0,
    gcTime: 0,
    queryFn: async () => {
      setWrongOrder(undefined);
      try {
        const told = number ? await answered(api.GET('/v1/orders', { params: { query: { number: Number(number), limit: 1 } } })) : undefined;
        const order_id = told?.data.data[0]?.id;
        if (number && !order_id) {
          setWrongOrder(w.noOrder);
          return { mail: undefined };
        }
        const { data } = await answered(api.POST('/v1/mail-templates/{mail_kind}/{locale}/preview', { params: { path: { mail_kind: template.kind, locale: template.locale } }, body: { ...(shown.subject && { subject: shown.subject }), ...(shown.body_html && { body_html: shown.body_html }), ...(order_id && { order_id }) } }));
        refuse({});
        return { mail: data };
      } catch (error) {
        const problem = problemOf(error);
        if (problem.status !== 422) throw error;
        setWrongOrder(problem.errors?.find(({ pointer }) => pointer === '/order_id')?.detail);
        refuse(Object.fromEntries((problem.errors ?? []).map(({ pointer, detail }) => [pointer.slice(1), detail])));
        return { mail: undefined };
      }
    },
  });
  const mail = preview.data?.mail;
  return (
    <Section
      flush
      title={w.preview}
      text={number ? undefined : w.previewText}
      actions={<SegmentedControl size="xs" aria-label={w.preview} value={view} onChange={(next) => filters.set({ view: next === 'html' ? '' : next })} data={Object.entries(w.views).map(([value, label]) => ({ value, label }))} />}
    >
      {template.kind.startsWith('order_') && can('orders:read') && (
        <Box px="lg" pb="sm">
          <NarrowText label={w.ofOrder} placeholder={w.sample} type="number" value={number} error={wrongOrder} onChange={(next) => filters.set({ order: /^\d{1,9}$/.test(next) ? next : '' })} />
        </Box>
      )}
      {preview.isError ? (
        <Trouble error={preview.error} retry={preview.refetch} />
      ) : preview.data && !mail ? (
        <Text size="sm" c="dimmed" p="lg" role="status">
          {w.broken}
        </Text>
      ) : mail ? (
        <>
          <Text size="sm" fw={600} px="lg" pb="sm" className={classes.head}>
            {mail.subject}
          </Text>
          {view === 'html' ? (
            <MailFrame html={mail.html} title={w.preview} />
          ) : (
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- whoever has no mouse scrolls it by its focus
            <pre className={classes.plain} tabIndex={0}>
              {mail.text}
            </pre>
          )}
        </>
      ) : (
        <Skeleton height={640} />
      )}
    </Section>
  );
}
