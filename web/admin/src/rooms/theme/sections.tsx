import { ActionIcon, Box, Button, Modal, SimpleGrid, Stack, Text, ThemeIcon, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconAlignLeft, IconCategory, IconEye, IconEyeOff, IconHelp, IconLayoutGrid, IconLayoutSidebar, IconMail, IconNews, IconPackage, IconPhoto, IconPlus, IconQuote, IconStack2, IconStar } from '@tabler/icons-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { moved, Ordered } from '../../page/order';
import { complete, type Draft, newName, type Section, type SectionType } from './draft';
import classes from './editor.module.css';
import { useThemeWords } from './words';

export const sectionIcons: Record<SectionType, typeof IconStar> = {
  hero: IconStar,
  featured_collection: IconStack2,
  featured_product: IconPackage,
  product_grid: IconLayoutGrid,
  category_list: IconCategory,
  text_with_image: IconLayoutSidebar,
  rich_text: IconAlignLeft,
  gallery: IconPhoto,
  newsletter: IconMail,
  faq: IconHelp,
  blog_posts: IconNews,
  testimonials: IconQuote,
};

const most = 20;

type SectionsProps = { draft: Draft; dead: Schemas['DeadLink'][]; open: (id: string) => void };

/** The sections of the home page, from top to bottom: dragged, hidden, opened and added. */
export function Sections({ draft, dead, open }: SectionsProps) {
  const w = useThemeWords();
  const { home } = draft.design;
  const [adding, setAdding] = useState(false);
  const add = (type: SectionType) => {
    const section: Section = { id: newName(type, home), type };
    draft.change({ home: [...home, section] });
    setAdding(false);
    open(section.id);
  };
  return (
    <Box className={classes.part}>
      <Text size="sm" c="dimmed" mb="sm">
        {home.length > 0 ? w.sections.text : w.sections.none}
      </Text>
      <Ordered items={home} id={({ id }) => id} name={(section) => nameOf(section, w)} move={(from, to) => draft.change({ home: moved(home, from, to) }, 'order')}>
        {(section, handle) => {
          const Icon = sectionIcons[section.type];
          const trouble = !complete(section) ? w.sections.incomplete : isDead(section, draft.design.home, dead) ? w.dead.one : firstFault(section, draft.faults);
          return (
            <div className={classes.row} data-hidden={section.hidden || undefined}>
              {handle}
              <button type="button" className={classes.open} onClick={() => open(section.id)}>
                <Icon size={18} stroke={1.6} aria-hidden />
                <Box miw={0}>
                  <Text size="sm" fw={550} truncate>
                    {nameOf(section, w)}
                  </Text>
                  {section.heading && (
                    <Text size="xs" c="dimmed" truncate>
                      {w.sections.types[section.type]}
                    </Text>
                  )}
                </Box>
              </button>
              {trouble && (
                <Tooltip label={trouble}>
                  <IconAlertTriangle size={17} color="var(--stoa-bad)" role="img" aria-label={trouble} />
                </Tooltip>
              )}
              <ActionIcon aria-label={`${section.hidden ? w.sections.show : w.sections.hide}: ${nameOf(section, w)}`} onClick={() => draft.section(section.id, { hidden: !section.hidden })}>
                {section.hidden ? <IconEyeOff size={17} /> : <IconEye size={17} />}
              </ActionIcon>
            </div>
          );
        }}
      </Ordered>
      <Button variant="light" fullWidth mt="sm" leftSection={<IconPlus size={17} aria-hidden />} disabled={home.length >= most} onClick={() => setAdding(true)}>
        {w.sections.add}
      </Button>
      {home.length >= most && (
        <Text size="xs" c="dimmed" mt="xs">
          {w.sections.full}
        </Text>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={w.sections.add} size="lg">
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          {(Object.keys(sectionIcons) as SectionType[]).map((type) => {
            const Icon = sectionIcons[type];
            return (
              <button key={type} type="button" className={classes.type} onClick={() => add(type)}>
                <ThemeIcon variant="light" size={36} radius="md">
                  <Icon size={20} stroke={1.6} aria-hidden />
                </ThemeIcon>
                <Stack gap={0}>
                  <Text size="sm" fw={600}>
                    {w.sections.types[type]}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {w.sections.texts[type]}
                  </Text>
                </Stack>
              </button>
            );
          })}
        </SimpleGrid>
      </Modal>
    </Box>
  );
}

/** What a section is called in a list: what it says, or else what it is. */
export const nameOf = (section: Section, w: ReturnType<typeof useThemeWords>) => section.heading?.trim() || w.sections.types[section.type];

const isDead = (section: Section, home: Section[], dead: Schemas['DeadLink'][]) => dead.some(({ pointer }) => pointer.startsWith(`/home/${home.indexOf(section)}/`));

const firstFault = (section: Section, faults: Record<string, string>) => Object.entries(faults).find(([at]) => at.startsWith(`home/${section.id}/`))?.[1];
