import { Box, Button, Drawer, Group, SegmentedControl, Skeleton, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { IconLanguage } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { answered, type Schemas } from '../api/client';
import { useWrite } from '../api/write';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { useFormat } from '../words/format';
import { useFilters } from './filters';
import { type Mood, State } from './state';
import { Trouble } from './trouble';
import { usePartWords } from './words';

const RichText = lazy(() => import('./richtext'));

type Translation = Schemas['Translation'];

/** How it feels how far a thing is translated. */
export const translationMoods: Record<Translation['state'], Mood> = { missing: 'wrong', partial: 'waits', outdated: 'waits', complete: 'well' };

/** The way to what a thing is called in the shop's other languages; there is none where it has none. */
export function Translate({ id, name }: { id: string; name: string }) {
  const w = usePartWords().translate;
  const { can, settings } = useStore();
  const filters = useFilters('translate');
  const f = useFormat();
  const first = settings.locales[0];
  if (!first || !can('translations:read')) return null;
  const locale = settings.locales.find((each) => each.locale === filters.values.translate);
  return (
    <>
      <Button variant="default" leftSection={<IconLanguage size={17} aria-hidden />} onClick={() => filters.set({ translate: first.locale })}>
        {w.open}
      </Button>
      <Drawer opened={locale !== undefined} onClose={() => filters.set({ translate: '' })} position="right" size="xl" title={w.title(name)} closeOnClickOutside={false}>
        {locale && (
          <Stack>
            {settings.locales.length > 1 && (
              <Box style={{ overflowX: 'auto' }}>
                <SegmentedControl
                  aria-label={w.language}
                  value={locale.locale}
                  onChange={(next) => filters.set({ translate: next })}
                  data={settings.locales.map((each) => ({ value: each.locale, label: f.language(each.locale) }))}
                />
              </Box>
            )}
            <Texts key={locale.locale} id={id} locale={locale} language={f.language(locale.locale)} close={() => filters.set({ translate: '' })} />
          </Stack>
        )}
      </Drawer>
    </>
  );
}

type TextsProps = { id: string; locale: Schemas['StoreLocale']; language: string; close: () => void };

/** What a thing is called in one language, to be written. */
export function Texts({ id, locale: { locale, published }, language, close }: TextsProps) {
  const { api } = useStore();
  const translation = useQuery({
    queryKey: ['translation', locale, id],
    gcTime: 0,
    queryFn: () => answered(api.GET('/v1/translations/{locale}/{resource_id}', { params: { path: { locale, resource_id: id } } })),
  });
  if (translation.isLoadingError) return <Trouble error={translation.error} retry={translation.refetch} />;
  if (!translation.data) return <Skeleton height={320} />;
  return <Edit key={translation.data.version} translation={translation.data.data} version={translation.data.version} published={published} language={language} close={close} />;
}

type EditProps = { translation: Translation; version?: string; published: boolean; language: string; close: () => void };

function Edit({ translation, version, published, language, close }: EditProps) {
  const w = usePartWords().translate;
  const everywhere = useWords();
  const { api, can } = useStore();
  const name = useKeyName();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const writes = can('translations:write');
  const save = useWrite({
    said: everywhere.saved,
    undoable: true,
    write: () =>
      answered(
        api.PATCH('/v1/translations/{locale}/{resource_id}', {
          params: { path: { locale: translation.locale, resource_id: translation.resource_id }, header: { 'If-Match': version } },
          body: { texts: Object.fromEntries(Object.entries(typed).map(([key, text]) => [key, text.trim() || null])) },
        }),
      ),
    done: close,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="lg">
        <Group gap="sm">
          <State mood={translationMoods[translation.state]}>{w.states[translation.state]}</State>
          {!published && (
            <Text size="sm" c="dimmed">
              {w.unpublished}
            </Text>
          )}
        </Group>
        {translation.texts.length === 0 && <Text c="dimmed">{w.nothing}</Text>}
        {translation.texts
          .filter((text) => text.source || text.translation)
          .map((text) => {
            const label = `${name(text.key)} (${language})`;
            const field = {
              value: typed[text.key] ?? text.translation ?? '',
              onChange: (value: string) => setTyped((now) => ({ ...now, [text.key]: value })),
            };
            const html = text.key.endsWith('_html');
            const input = {
              label,
              disabled: !writes,
              lang: translation.locale,
              value: field.value,
              onChange: (event: { currentTarget: { value: string } }) => field.onChange(event.currentTarget.value),
            };
            return (
              <Box key={text.key}>
                {html ? (
                  <Suspense fallback={<Skeleton height={180} />}>
                    <Text size="sm" fw={500} mb={4}>
                      {label}
                    </Text>
                    <RichText label={label} value={field.value} onChange={field.onChange} />
                  </Suspense>
                ) : text.source.length > 60 || /description|excerpt/.test(text.key) ? (
                  <Textarea autosize minRows={2} {...input} />
                ) : (
                  <TextInput {...input} />
                )}
                <Text size="xs" c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }}>
                  {w.source}: {html ? new DOMParser().parseFromString(text.source, 'text/html').body.textContent : text.source}
                </Text>
                {text.outdated && typed[text.key] === undefined && (
                  <Group gap="xs" mt={4}>
                    <Text size="xs" c="var(--stoa-bad)">
                      {w.outdated}
                    </Text>
                    {writes && (
                      <Button size="compact-xs" variant="default" onClick={() => field.onChange(text.translation ?? '')}>
                        {w.still}
                      </Button>
                    )}
                  </Group>
                )}
              </Box>
            );
          })}
        {writes && (
          <Group justify="end">
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={Object.keys(typed).length === 0}>
              {everywhere.save}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

/** What people call the text of a key, such as options/Size/Small. */
function useKeyName() {
  const w = usePartWords().translate;
  return (key: string) => {
    const [kind = '', ...path] = key.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const [of = '', choice] = path;
    if (kind === 'options') return choice === undefined ? w.option(of) : w.choice(of, choice);
    const named = (part: string) => (w.keys as Record<string, string>)[part] ?? part;
    if (kind === 'menus') return named(of);
    // Of a section of the home page, by its name: which of its texts, and of which picture or question.
    if (kind === 'home') return `${of}: ${path.slice(1).map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : named(part))).join(' ')}`;
    return path.length > 0 ? path.join(' ') : named(kind);
  };
}
