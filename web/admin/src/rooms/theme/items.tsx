import { ActionIcon, Box, Button, Collapse, Group, Input, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, Suspense, lazy, useState } from 'react';
import { moved, Ordered } from '../../page/order';
import { useWords } from '../../words/everywhere';
import { ImageChooser, ImageField } from '../content/images';
import { LinkField } from '../content/links';
import { type Draft, type Keyed, keyed, type Section } from './draft';
import classes from './editor.module.css';
import { useThemeWords } from './words';

const RichText = lazy(() => import('../../page/richtext'));

const most = 24;

type ListProps = { section: Section; draft: Draft; set: (changes: Partial<Section>) => void };

/** The pictures of a gallery. */
export function Pictures({ section, draft, set }: ListProps) {
  const w = useThemeWords();
  const [choosing, setChoosing] = useState(false);
  const pictures = section.pictures ?? [];
  const change = (key: string, changes: object) => set({ pictures: pictures.map((picture) => (picture.key === key ? { ...picture, ...changes } : picture)) });
  return (
    <>
    <Items
      title={w.fields.pictures}
      items={pictures}
      name={(picture, at) => picture.caption?.trim() || w.fields.picture(at + 1)}
      set={(next) => set({ pictures: next })}
      add={
        <Button variant="light" fullWidth leftSection={<IconPlus size={17} aria-hidden />} disabled={pictures.length >= most} onClick={() => setChoosing(true)}>
          {w.fields.addPicture}
        </Button>
      }
    >
      {(picture, at) => (
        <>
          <ImageField label={w.fields.image_id} value={picture.image_id} onChange={(image_id) => (image_id ? change(picture.key, { image_id }) : set({ pictures: pictures.filter(({ key }) => key !== picture.key) }))} />
          <TextInput label={w.fields.caption} maxLength={200} error={draft.faults[`home/${section.id}/pictures/${at}/caption`]} value={picture.caption ?? ''} onChange={(event) => change(picture.key, { caption: event.currentTarget.value })} />
          <LinkField clearable value={picture.link ?? null} onChange={(link) => change(picture.key, { link })} errors={{ url: draft.faults[`home/${section.id}/pictures/${at}/link/url`] }} />
        </>
      )}
    </Items>
    <ImageChooser
      opened={choosing}
      close={() => setChoosing(false)}
      choose={(image) => {
        set({ pictures: [...pictures, keyed({ image_id: image.id })] });
        setChoosing(false);
      }}
    />
    </>
  );
}

/** The questions that are asked often, and their answers. */
export function Questions({ section, draft, set }: ListProps) {
  const w = useThemeWords();
  const questions = section.questions ?? [];
  const change = (key: string, changes: object) => set({ questions: questions.map((each) => (each.key === key ? { ...each, ...changes } : each)) });
  return (
    <Items
      title={w.fields.questions}
      items={questions}
      name={({ question }, at) => question.trim() || w.fields.nameless(at + 1)}
      set={(next) => set({ questions: next })}
      add={
        <Button variant="light" fullWidth leftSection={<IconPlus size={17} aria-hidden />} disabled={questions.length >= most} onClick={() => set({ questions: [...questions, keyed({ question: '', answer_html: '' })] })}>
          {w.fields.addQuestion}
        </Button>
      }
    >
      {(each, at) => (
        <>
          <TextInput label={w.fields.question} maxLength={200} error={draft.faults[`home/${section.id}/questions/${at}/question`]} value={each.question} onChange={(event) => change(each.key, { question: event.currentTarget.value })} />
          <Input.Wrapper label={w.fields.answer} labelElement="div" error={draft.faults[`home/${section.id}/questions/${at}/answer_html`]}>
            <Suspense fallback={<Skeleton height={160} />}>
              <RichText label={w.fields.answer} value={each.answer_html} onChange={(answer_html) => change(each.key, { answer_html })} />
            </Suspense>
          </Input.Wrapper>
        </>
      )}
    </Items>
  );
}

type ItemsProps<T> = { title: string; items: T[]; name: (item: T, at: number) => string; set: (items: T[]) => void; add: ReactNode; children: (item: T, at: number) => ReactNode };

/** Things of a section, of which one is open at a time. */
function Items<T extends Keyed<object>>({ title, items, name, set, add, children }: ItemsProps<T>) {
  const everywhere = useWords();
  const [opened, setOpened] = useState<string>();
  // What was just added is what one goes on with.
  const [known, setKnown] = useState(items);
  if (items.length !== known.length) {
    setKnown(items);
    const added = items.filter(({ key }) => !known.some((former) => former.key === key));
    if (added.length === 1) setOpened(added[0]?.key);
  }
  return (
    <Input.Wrapper label={title} labelElement="div">
      <Box mt={4}>
        <Ordered items={items} id={({ key }) => key} name={name} move={(from, to) => set(moved(items, from, to))}>
          {(item, handle, at) => {
            const open = opened === item.key;
            return (
              <Box className={classes.item}>
                <Group wrap="nowrap" gap={4}>
                  {handle}
                  <button type="button" className={classes.open} aria-expanded={open} onClick={() => setOpened(open ? undefined : item.key)}>
                    <Text size="sm" fw={550} truncate flex={1}>
                      {name(item, at)}
                    </Text>
                    {open ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
                  </button>
                  <ActionIcon aria-label={`${everywhere.remove}: ${name(item, at)}`} onClick={() => set(items.filter(({ key }) => key !== item.key))}>
                    <IconTrash size={16} />
                  </ActionIcon>
                </Group>
                <Collapse expanded={open}>{open && <Stack gap="sm">{children(item, at)}</Stack>}</Collapse>
              </Box>
            );
          }}
        </Ordered>
        {add}
      </Box>
    </Input.Wrapper>
  );
}
