import { ActionIcon, Alert, Box, Button, Collapse, Group, Skeleton, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconAlertTriangle, IconArrowBarToLeft, IconChevronDown, IconChevronUp, IconPlus, IconSparkles, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { moved, Ordered } from '../../page/order';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { Views } from '../../page/views';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { type Link, LinkField, LinkName, leads } from './links';
import classes from './menus.module.css';
import { useContentWords } from './words';

type Menu = Schemas['Menu'];
type Item = { id: string; label: string; link: Link | null; items: Item[] };
type Values = { items: Item[] | null };

const most = 20;

/** What the shop's head and foot lead to. */
export default function Menus() {
  const w = useContentWords().menus;
  const { api } = useStore();
  const filters = useFilters('menu');
  const menu: Menu['menu'] = filters.values.menu === 'footer' ? 'footer' : 'header';
  const loaded = useQuery({ queryKey: ['menu', menu], queryFn: () => answered(api.GET('/v1/menus/{menu}', { params: { path: { menu } } })) });
  return (
    <Page narrow title={w.title} text={w.text}>
      <Stack gap="lg">
        <Views label={w.title} value={menu === 'footer' ? 'footer' : ''} names={{ all: w.names.header, footer: w.names.footer }} onChange={(next) => filters.set({ menu: next })} />
        {loaded.isLoadingError ? <Trouble error={loaded.error} retry={loaded.refetch} /> : loaded.data ? <Present key={menu} menu={loaded.data.data} version={loaded.data.version} /> : <Skeleton height={240} radius="lg" />}
      </Stack>
    </Page>
  );
}

const itemOf = ({ id, label, link, items = [] }: Schemas['MenuItem']): Item => ({ id, label: label ?? '', link, items: items.map(itemOf) });
const written = (menu: Menu): Values => ({ items: menu.items?.map(itemOf) ?? null });
const said = ({ id, label, link }: Item): Schemas['MenuSubitem'] => ({ id, label: label.trim() || null, link: link ?? { type: 'home' } });
const newItem = (link: Link | null = null): Item => ({ id: crypto.randomUUID().slice(0, 8), label: '', link, items: [] });

function Present({ menu, version }: { menu: Menu; version?: string }) {
  const w = useContentWords().menus;
  const { api, can, query } = useStore();
  const client = useQueryClient();
  const form = useForm<Values>({
    of: menu.menu,
    initialValues: written(menu),
    validate: { items: (items) => (items?.every(({ link, items: below }) => leads(link) && below.every((each) => leads(each.link))) === false ? w.incomplete : null) },
  });
  const base = useFresh(form, written(menu), version);
  const save = useWrite({
    form: form as never,
    said: w.saved,
    undoable: true,
    write: ({ items }: Values) =>
      answered(api.PATCH('/v1/menus/{menu}', { params: { path: { menu: menu.menu }, header: { 'If-Match': base.version } }, body: { items: items?.map((item) => ({ ...said(item), items: item.items.map(said) })) ?? null } })),
    done: (answer) => {
      form.resetDirty();
      client.setQueryData(['menu', menu.menu], answer);
    },
  });
  // Whoever arranges a menu begins with what it is made of.
  const categories = query.useQuery('get', '/v1/categories', { params: { query: { limit: 100 } } }, { enabled: menu.items === null });
  const collections = query.useQuery('get', '/v1/collections', { params: { query: { limit: 20 } } }, { enabled: menu.items === null });
  const arrange = () => {
    const to = (type: 'category' | 'collection') => (thing: { id: string }) => newItem({ type, resource_id: thing.id });
    const made = [newItem({ type: 'products' }), ...(categories.data?.data ?? []).filter(({ parent_id }) => parent_id === null).map(to('category')), ...(collections.data?.data ?? []).map(to('collection'))];
    form.setFieldValue('items', made.slice(0, most));
  };
  const { items } = form.values;
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <fieldset disabled={!can('content:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Section title={w.names[menu.menu]} text={w.texts[menu.menu]}>
          {items === null ? (
            <Alert color="gray" icon={<IconSparkles size={18} />}>
              <Stack gap="sm" align="start">
                <Text size="sm">{w.automatic}</Text>
                <Button variant="default" loading={categories.isPending || collections.isPending} onClick={arrange}>
                  {w.arrange}
                </Button>
              </Stack>
            </Alert>
          ) : (
            <>
              {items.length === 0 && (
                <Text size="sm" c="dimmed">
                  {w.none}
                </Text>
              )}
              <Items items={items} at="items" set={(next) => form.setFieldValue('items', next)} form={form} dead={deadOf(menu)} />
              <Group justify="space-between">
                <Button variant="light" leftSection={<IconPlus size={17} aria-hidden />} disabled={items.length >= most} onClick={() => form.setFieldValue('items', [...items, newItem()])}>
                  {w.add}
                </Button>
                <Button variant="subtle" color="gray" leftSection={<IconSparkles size={16} aria-hidden />} onClick={() => form.setFieldValue('items', null)}>
                  {w.automate}
                </Button>
              </Group>
            </>
          )}
        </Section>
      </fieldset>
      <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
    </form>
  );
}

/** Which links, by their names, lead to what is not there or not shown. */
function deadOf({ items, dead_links }: Menu): Record<string, Schemas['DeadLink']['state']> {
  return Object.fromEntries(
    dead_links.flatMap(({ pointer, state }) => {
      const [, at, below] = /^\/items\/(\d+)(?:\/items\/(\d+))?\//.exec(pointer) ?? [];
      const item = items?.[Number(at)];
      const id = below === undefined ? item?.id : item?.items?.[Number(below)]?.id;
      return id === undefined ? [] : [[id, state]];
    }),
  );
}

type ItemsProps = { items: Item[]; at: string; set: (items: Item[]) => void; form: UseFormReturnType<Values>; dead: ReturnType<typeof deadOf>; up?: (item: Item) => void };

/** The links of a level, each with those below it. */
function Items({ items, at, set, form, dead, up }: ItemsProps) {
  const all = useContentWords();
  const w = all.menus;
  const everywhere = useWords();
  const [opened, setOpened] = useState<string>();
  // A link that is new is what one goes on with.
  const unfinished = items.find(({ link, label }) => link === null && label === '')?.id;
  const nameOf = (item: Item) => item.label.trim() || (item.link ? all.links.types[item.link.type] : w.new);
  const change = (id: string, changes: Partial<Item>) => set(items.map((item) => (item.id === id ? { ...item, ...changes } : item)));
  return (
    <Ordered items={items} id={({ id }) => id} name={nameOf} move={(from, to) => set(moved(items, from, to))}>
      {(item, handle, n) => {
        const path = `${at}.${n}`;
        const errors = { label: form.errors[`${path}.label`], type: form.errors[`${path}.link.type`], resource_id: form.errors[`${path}.link.resource_id`], url: form.errors[`${path}.link.url`] } as Record<string, string | undefined>;
        const lacks = form.errors.items && !leads(item.link) ? w.incomplete : undefined;
        const trouble = lacks ?? Object.values(errors).find(Boolean) ?? (dead[item.id] && w.dead[dead[item.id] as 'missing']);
        const open = opened === item.id || unfinished === item.id;
        return (
          <Box className={classes.item}>
            <Group wrap="nowrap" gap={4}>
              {handle}
              <button type="button" className={classes.name} aria-expanded={open} onClick={() => setOpened(opened === item.id ? undefined : item.id)}>
                <Text size="sm" fw={550} truncate>
                  {item.label.trim() || (item.link ? <LinkName link={item.link} /> : w.new)}
                </Text>
                {item.label.trim() && item.link && (
                  <Text size="xs" c="dimmed" truncate flex={1}>
                    <LinkName link={item.link} />
                  </Text>
                )}
                {open ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
              </button>
              {trouble && (
                <Tooltip label={trouble}>
                  <IconAlertTriangle size={17} color="var(--stoa-bad)" role="img" aria-label={trouble} />
                </Tooltip>
              )}
              {up && (
                <Tooltip label={w.up}>
                  <ActionIcon aria-label={`${w.up}: ${nameOf(item)}`} onClick={() => up(item)}>
                    <IconArrowBarToLeft size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
              <ActionIcon aria-label={`${everywhere.remove}: ${nameOf(item)}`} onClick={() => set(items.filter(({ id }) => id !== item.id))}>
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
            <Collapse expanded={open}>
              {open && (
                <Stack gap="sm" p="sm" pt={4}>
                  <LinkField value={item.link} onChange={(link) => change(item.id, { link })} errors={{ ...errors, type: errors.type ?? lacks }} />
                  <TextInput label={w.label} description={w.labelText} inputWrapperOrder={['label', 'input', 'description', 'error']} maxLength={60} error={errors.label} value={item.label} onChange={(event) => change(item.id, { label: event.currentTarget.value })} />
                </Stack>
              )}
            </Collapse>
            {!up && (
              <Box className={classes.below}>
                <Items
                  items={item.items}
                  at={`${path}.items`}
                  set={(below) => change(item.id, { items: below })}
                  form={form}
                  dead={dead}
                  up={(below) => set(items.flatMap((each) => (each.id === item.id ? [{ ...item, items: item.items.filter(({ id }) => id !== below.id) }, below] : [each])))}
                />
                {(open || item.items.length > 0) && (
                  <Button variant="subtle" size="compact-sm" color="gray" leftSection={<IconPlus size={14} aria-hidden />} disabled={item.items.length >= most} onClick={() => change(item.id, { items: [...item.items, newItem()] })}>
                    {w.below}
                  </Button>
                )}
              </Box>
            )}
          </Box>
        );
      }}
    </Ordered>
  );
}
