import { ActionIcon, Alert, Box, Button, Group, Input, Menu, MultiSelect, NumberInput, SegmentedControl, Select, Skeleton, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft, IconCopy, IconDots, IconEye, IconEyeOff, IconTrash } from '@tabler/icons-react';
import { Suspense, lazy } from 'react';
import type { Schemas } from '../../api/client';
import { useWords } from '../../words/everywhere';
import { ImageField } from '../content/images';
import { LinkField, ThingSelect, useThings } from '../content/links';
import { complete, type Draft, newName, type Section, type SectionType } from './draft';
import classes from './editor.module.css';
import { Pictures, Questions } from './items';
import { useThemeWords } from './words';

const RichText = lazy(() => import('../../page/richtext'));

type Field = Exclude<keyof Section, 'id' | 'type' | 'hidden'>;

/** What can be set of the types of sections, in the order in which one would. */
const fields: Record<SectionType, Field[]> = {
  hero: ['eyebrow', 'heading', 'text', 'image_id', 'layout', 'button', 'second_button'],
  featured_collection: ['collection_id', 'heading', 'text', 'limit'],
  featured_product: ['product_id', 'eyebrow', 'heading', 'text', 'layout'],
  product_grid: ['heading', 'text', 'order', 'limit'],
  category_list: ['heading', 'category_ids'],
  text_with_image: ['eyebrow', 'heading', 'body_html', 'image_id', 'layout', 'button'],
  rich_text: ['heading', 'body_html', 'button'],
  gallery: ['heading', 'pictures', 'layout'],
  newsletter: ['heading', 'text'],
  faq: ['heading', 'questions'],
  blog_posts: ['heading', 'limit'],
  testimonials: ['heading', 'limit'],
};

const layouts: Partial<Record<SectionType, readonly ('split' | 'cover' | 'image_start' | 'image_end' | 'grid' | 'logos')[]>> = {
  hero: ['split', 'cover'],
  featured_product: ['image_start', 'image_end'],
  text_with_image: ['image_start', 'image_end'],
  gallery: ['grid', 'logos'],
};

/** How many things are shown at most, and how many where nothing is said. */
const limits: Partial<Record<SectionType, { most: number; usual: number }>> = {
  featured_collection: { most: 12, usual: 4 },
  product_grid: { most: 24, usual: 8 },
  blog_posts: { most: 12, usual: 3 },
  testimonials: { most: 6, usual: 3 },
};

/** What has a heading only if it is given one; all else is called what it shows. */
const nameless: SectionType[] = ['rich_text', 'text_with_image', 'gallery'];

const most = 20;

type SectionFieldsProps = { section: Section; draft: Draft; dead: Schemas['DeadLink'][]; close: () => void; open: (id: string) => void };

/** All that can be set of a section. */
export function SectionFields({ section, draft, dead, close, open }: SectionFieldsProps) {
  const w = useThemeWords();
  const everywhere = useWords();
  const { home } = draft.design;
  const at = home.indexOf(section);
  const duplicate = () => {
    const copy = { ...section, id: newName(section.type, home) };
    draft.change({ home: home.toSpliced(at + 1, 0, copy) });
    open(copy.id);
  };
  const remove = () => {
    draft.change({ home: home.filter(({ id }) => id !== section.id) });
    close();
  };
  const empty = { rich_text: !section.body_html && !section.heading, text_with_image: !section.body_html && !section.heading && !section.image_id, gallery: !section.pictures?.length, faq: !section.questions?.length }[section.type as 'faq'] ?? false;
  return (
    <Box className={classes.part}>
      <Group wrap="nowrap" gap="xs" mb="md">
        <ActionIcon size="lg" aria-label={w.sections.back} onClick={close}>
          <IconArrowLeft size={19} />
        </ActionIcon>
        <Box flex={1} miw={0}>
          <Text component="h2" fw={650} truncate>
            {w.sections.types[section.type]}
          </Text>
          <Text size="xs" c="dimmed">
            {section.hidden ? w.sections.hidden : w.sections.texts[section.type]}
          </Text>
        </Box>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon size="lg" aria-label={everywhere.actions}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={section.hidden ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />} onClick={() => draft.section(section.id, { hidden: !section.hidden })}>
              {section.hidden ? w.sections.show : w.sections.hide}
            </Menu.Item>
            <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} disabled={home.length >= most} onClick={duplicate}>
              {w.sections.duplicate}
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove}>
              {w.sections.remove}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Stack gap="md">
        {(!complete(section) || empty) && <Alert color="gray">{empty ? w.sections.nothing : w.sections.incomplete}</Alert>}
        {dead.some(({ pointer }) => pointer.startsWith(`/home/${at}/`)) && (
          <Alert color="yellow" icon={<IconAlertTriangle size={18} />}>
            {w.dead.one}
          </Alert>
        )}
        {fields[section.type].map((name) => (
          <SectionField key={name} name={name} section={section} draft={draft} />
        ))}
        <Button variant="subtle" color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove}>
          {w.sections.remove}
        </Button>
      </Stack>
    </Box>
  );
}

function SectionField({ name, section, draft }: { name: Field; section: Section; draft: Draft }) {
  const w = useThemeWords();
  const set = (changes: Partial<Section>) => draft.section(section.id, changes);
  const error = draft.faults[`home/${section.id}/${name}`];
  const limit = limits[section.type];
  switch (name) {
    case 'eyebrow':
    case 'heading':
      return <TextInput label={w.fields[name]} placeholder={name === 'heading' && !nameless.includes(section.type) ? w.fields.headingDefault : undefined} maxLength={200} error={error} value={section[name] ?? ''} onChange={(event) => set({ [name]: event.currentTarget.value })} />;
    case 'text':
      return <Textarea label={w.fields.text} autosize minRows={2} maxLength={1000} error={error} value={section.text ?? ''} onChange={(event) => set({ text: event.currentTarget.value })} />;
    case 'body_html':
      return (
        <Input.Wrapper label={w.fields.body_html} error={error} labelElement="div">
          <Suspense fallback={<Skeleton height={180} />}>
            <RichText label={w.fields.body_html} value={section.body_html ?? ''} onChange={(body_html) => set({ body_html })} />
          </Suspense>
        </Input.Wrapper>
      );
    case 'button':
    case 'second_button':
      return <ButtonField name={name} value={section[name] ?? null} onChange={(button) => set({ [name]: button })} draft={draft} at={`home/${section.id}/${name}`} />;
    case 'image_id':
      return <ImageField label={w.fields.image_id} error={error} value={section.image_id ?? null} onChange={(image_id) => set({ image_id })} />;
    case 'layout': {
      const choices = layouts[section.type] ?? [];
      return (
        <Input.Wrapper label={w.fields.layout} error={error} labelElement="div">
          <SegmentedControl fullWidth aria-label={w.fields.layout} value={section.layout ?? choices[0]} onChange={(layout) => set({ layout })} data={choices.map((value) => ({ value, label: w.fields.layouts[value] }))} />
        </Input.Wrapper>
      );
    }
    case 'product_id':
      return <ThingSelect kind="product" label={w.fields.product_id} error={error} value={section.product_id ?? null} onChange={(product_id) => set({ product_id })} />;
    case 'collection_id':
      return <ThingSelect kind="collection" label={w.fields.collection_id} placeholder={w.fields.latestCollection} clearable error={error} value={section.collection_id ?? null} onChange={(collection_id) => set({ collection_id })} />;
    case 'category_ids':
      return <Categories value={section.category_ids ?? []} onChange={(category_ids) => set({ category_ids })} error={error} />;
    case 'order':
      return (
        <Select
          label={w.fields.order}
          allowDeselect={false}
          error={error}
          value={section.order ?? 'newest'}
          onChange={(order) => set({ order: order ?? 'newest' })}
          data={Object.entries(w.fields.orders).map(([value, label]) => ({ value, label }))}
        />
      );
    case 'limit':
      return <NumberInput label={w.fields.limit} min={1} max={limit?.most} clampBehavior="strict" allowDecimal={false} error={error} value={section.limit ?? limit?.usual} onChange={(value) => typeof value === 'number' && set({ limit: value })} />;
    case 'pictures':
      return <Pictures section={section} draft={draft} set={set} />;
    case 'questions':
      return <Questions section={section} draft={draft} set={set} />;
  }
}

/** Which categories are shown. */
function Categories({ value, onChange, error }: { value: string[]; onChange: (ids: string[]) => void; error?: string }) {
  const w = useThemeWords();
  const all = useThings('category', '');
  return <MultiSelect label={w.fields.category_ids} placeholder={value.length === 0 ? w.fields.topCategories : undefined} searchable maxValues={24} error={error} value={value} onChange={onChange} data={all.map(({ id, name }) => ({ value: id, label: name }))} />;
}

type ButtonFieldProps = { name: 'button' | 'second_button'; value: Schemas['LinkButton'] | null; onChange: (button: Schemas['LinkButton'] | null) => void; draft: Draft; at: string };

/** What a button leads to, and what stands on it. */
function ButtonField({ name, value, onChange, draft, at }: ButtonFieldProps) {
  const w = useThemeWords();
  return (
    <Stack gap="xs">
      <LinkField
        label={w.fields[name]}
        clearable
        value={value?.link ?? null}
        onChange={(link) => onChange(link && { label: value?.label ?? null, link })}
        errors={{ type: draft.faults[`${at}/link/type`], resource_id: draft.faults[`${at}/link/resource_id`], url: draft.faults[`${at}/link/url`] }}
      />
      {value && <TextInput label={w.fields.label} description={w.fields.labelText} inputWrapperOrder={['label', 'input', 'description', 'error']} maxLength={60} error={draft.faults[`${at}/label`]} value={value.label ?? ''} onChange={(event) => onChange({ ...value, label: event.currentTarget.value })} />}
    </Stack>
  );
}
