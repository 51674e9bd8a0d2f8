import { ActionIcon, Button, Drawer, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { IconLanguage, IconPlus, IconTrash } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Texts, translationMoods } from '../../page/translate';
import { Toggle } from '../../page/toggle';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import classes from './languages.module.css';
import { useLanguageWords } from './words';

type Locale = Schemas['StoreLocale'];
type Translation = Schemas['Translation'];

/** Languages that shops speak, of which any other can be set by the API. */
const known = 'ar bg bs ca cs da de de-AT de-CH el en en-GB en-US es es-MX et eu fa fi fr fr-CA fr-CH ga gl he hi hr hu id is it ja ko lt lv mk ms mt nb nl nl-BE pl pt pt-BR ro ru sk sl sq sr sv th tr uk vi zh zh-Hant'.split(' ');

const most = 20;

/** The languages of the shop, and what is called how in them. */
export default function Languages() {
  const w = useLanguageWords();
  const { settings, can } = useStore();
  const filters = useFilters('new');
  const others = settings.locales.filter(({ locale }) => locale !== settings.locale);
  const add = can('store:write') && others.length < most && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  return (
    <Page title={w.title} text={w.text} actions={others.length > 0 && add}>
      <Stack gap="lg">
        <Spoken others={others} />
        {others.length > 0 ? (
          <Translations others={others} />
        ) : (
          <Section flush>
            <Empty icon={IconLanguage} {...w.none} action={add} />
          </Section>
        )}
      </Stack>
      <NewLanguage opened={filters.values.new !== ''} others={others} close={() => filters.set({ new: '' })} />
    </Page>
  );
}

/** Sets which languages there are beside the main one, and which of them shoppers can choose. */
function useLocales(said: (locales: Locale[]) => string, done?: () => void) {
  const { api } = useStore();
  return useWrite({
    write: (locales: Locale[]) => answered(api.PATCH('/v1/store', { body: { locales } })).then((answer) => ({ ...answer, data: locales })),
    said,
    undoable: true,
    done,
  });
}

function Spoken({ others }: { others: Locale[] }) {
  const w = useLanguageWords();
  const everywhere = useWords();
  const { language: nameOf } = useFormat();
  const { settings, can } = useStore();
  const [changed, setChanged] = useState<string>();
  const set = useLocales((locales) => (changed !== undefined && !locales.some(({ locale }) => locale === changed) ? w.removed(nameOf(changed)) : everywhere.saved));
  const writes = can('store:write');
  return (
    <Section flush>
      <div className={classes.language}>
        <div className={classes.name}>
          <Text fw={600}>{nameOf(settings.locale)}</Text>
          <Text size="sm" c="dimmed">
            {w.mainText}
          </Text>
        </div>
        <State mood="well">{w.main}</State>
      </div>
      {others.map(({ locale, published }) => (
        <div key={locale} className={classes.language}>
          <div className={classes.name}>
            <Text fw={600}>{nameOf(locale)}</Text>
            <Text size="sm" c="dimmed">
              {published ? w.publishedText : w.hiddenText}
            </Text>
          </div>
          <Toggle
            aria-label={w.publish(nameOf(locale))}
            label={w.published}
            labelPosition="left"
            checked={published}
            disabled={!writes || set.isPending}
            turn={(on) => {
              setChanged(locale);
              return set.mutateAsync(others.map((each) => (each.locale === locale ? { locale, published: on } : each)));
            }}
          />
          {writes && (
            <ActionIcon
              aria-label={w.remove(nameOf(locale))}
              disabled={set.isPending}
              onClick={() => {
                setChanged(locale);
                set.mutate(others.filter((each) => each.locale !== locale));
              }}
            >
              <IconTrash size={17} />
            </ActionIcon>
          )}
        </div>
      ))}
    </Section>
  );
}

function NewLanguage({ opened, others, close }: { opened: boolean; others: Locale[]; close: () => void }) {
  const w = useLanguageWords();
  const everywhere = useWords();
  const { language: nameOf } = useFormat();
  const { settings } = useStore();
  const [chosen, setChosen] = useState<string | null>(null);
  const add = useLocales(
    (locales) => w.added(nameOf(locales.at(-1)?.locale ?? '')),
    () => {
      setChosen(null);
      close();
    },
  );
  const there = new Set([settings.locale, ...others.map(({ locale }) => locale)]);
  const choices = known.filter((locale) => !there.has(locale)).map((value) => ({ value, label: nameOf(value) }));
  return (
    <Modal opened={opened} onClose={close} title={w.add}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen) add.mutate([...others, { locale: chosen, published: false }]);
        }}
      >
        <Stack>
          <Select label={w.which} placeholder={w.search} searchable data-autofocus data={choices.toSorted((a, b) => a.label.localeCompare(b.label))} value={chosen} onChange={setChosen} />
          <Group justify="end">
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" disabled={!chosen} loading={add.isPending}>
              {everywhere.add}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** How far the things of the shop are translated, kind by kind. */
function Translations({ others }: { others: Locale[] }) {
  const w = useLanguageWords();
  const everywhere = useWords();
  const { language: nameOf } = useFormat();
  const { query } = useStore();
  const filters = useFilters('locale', 'of', 'state', 'thing');
  const locale = others.find((each) => each.locale === filters.values.locale) ?? others[0];
  const resource = (filters.values.of || 'store') as Translation['resource'];
  const state = filters.values.state as Translation['state'] | '';
  const list = query.useInfiniteQuery(
    'get',
    '/v1/translations/{locale}',
    { params: { path: { locale: locale?.locale ?? '' }, query: { resource, limit: 50, ...(state && { state }) } } },
    { ...pages, placeholderData: keepPreviousData, enabled: locale !== undefined },
  );
  if (!locale) return null;
  const named = ({ texts }: Translation) => (resource === 'store' ? w.resources.store : (texts.find(({ key }) => key === 'title' || key === 'name')?.source ?? texts.find(({ source }) => source)?.source ?? w.unnamed));
  const opened = list.data?.pages.flatMap((page) => page.data).find(({ resource_id }) => resource_id === filters.values.thing);
  const close = () => filters.set({ thing: '' });
  return (
    <>
      <List<Translation>
        label={w.translations}
        query={list}
        id={({ resource_id }) => resource_id}
        open={({ resource_id }) => filters.set({ thing: resource_id })}
        narrowed={state || filters.values.of ? { nothing: state ? w.nothing : w.empty.text, clear: filters.clear } : undefined}
        empty={null}
        filters={
          <>
            <Select aria-label={w.which} allowDeselect={false} w={200} value={locale.locale} onChange={(next) => filters.set({ locale: next ?? '' })} data={others.map((each) => ({ value: each.locale, label: nameOf(each.locale) }))} />
            <Select aria-label={w.of} allowDeselect={false} w={200} value={resource} onChange={(next) => filters.set({ of: next === 'store' ? '' : (next ?? '') })} data={Object.entries(w.resources).map(([value, label]) => ({ value, label }))} />
            <Select aria-label={w.state} w={200} placeholder={everywhere.all} clearable value={state || null} onChange={(next) => filters.set({ state: next ?? '' })} data={Object.entries(w.states).map(([value, label]) => ({ value, label }))} />
          </>
        }
        columns={[
          { name: w.thing, cell: (translation) => <Text size="sm" fw={600} lineClamp={1}>{named(translation)}</Text> },
          { name: w.state, width: 180, cell: (translation) => <State mood={translationMoods[translation.state]}>{w.states[translation.state]}</State> },
        ]}
      />
      <Drawer opened={opened !== undefined} onClose={close} position="right" size="xl" title={opened && named(opened)} closeOnClickOutside={false}>
        {opened && <Texts id={opened.resource_id} locale={locale} language={nameOf(locale.locale)} close={close} />}
      </Drawer>
    </>
  );
}
