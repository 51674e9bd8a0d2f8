import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf } from '../../api/problem';
import { complain } from '../../api/write';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { leads } from '../content/links';

type Theme = Schemas['Theme'];
export type SectionType = Schemas['HomeSection']['type'];

/** A section of the home page, of any type. What is in a list has a key here, by which it is told from its neighbours while it is moved. */
export type Section = {
  id: string;
  type: SectionType;
  hidden?: boolean;
  eyebrow?: string | null;
  heading?: string | null;
  text?: string | null;
  body_html?: string;
  button?: Schemas['LinkButton'] | null;
  second_button?: Schemas['LinkButton'] | null;
  image_id?: string | null;
  layout?: string;
  product_id?: string | null;
  collection_id?: string | null;
  category_ids?: string[];
  order?: string;
  limit?: number;
  pictures?: Keyed<Schemas['GalleryPicture']>[];
  questions?: Keyed<Schemas['FaqQuestion']>[];
};

export type Keyed<T> = T & { key: string };
export const keyed = <T>(item: T): Keyed<T> => ({ ...item, key: idempotencyKey() });

const named = ['theme', 'colors', 'dark_mode', 'dark_colors', 'heading_font', 'body_font', 'corners', 'logo_image_id', 'favicon_image_id', 'announcement'] as const;
export type Design = Pick<Theme, (typeof named)[number]> & { home: Section[] };

const designOf = (theme: Theme): Design => ({
  ...(Object.fromEntries(named.map((name) => [name, theme[name]])) as Pick<Theme, (typeof named)[number]>),
  home: (theme.home as Section[]).map((section) => ({ ...section, ...(section.pictures && { pictures: section.pictures.map(keyed) }), ...(section.questions && { questions: section.questions.map(keyed) }) })),
});

/** Whether all is there that a section cannot be without. */
export const complete = (section: Section) => section.type !== 'featured_product' || Boolean(section.product_id);

/** A design as it is kept: without what is not complete yet. */
function kept(design: Design): Schemas['ThemeUpdate'] {
  const button = (given: Section['button']) => (given && leads(given.link) ? given : null);
  const bare = <T>(item: Keyed<T>): T => ({ ...item, key: undefined });
  const { announcement } = design;
  return {
    ...design,
    announcement: announcement?.text.trim() ? { text: announcement.text, link: leads(announcement.link) ? announcement.link : null } : null,
    home: design.home.filter(complete).map((section) => ({
      ...section,
      ...(section.button && { button: button(section.button) }),
      ...(section.second_button && { second_button: button(section.second_button) }),
      ...(section.pictures && { pictures: section.pictures.map(bare).map((picture) => ({ ...picture, link: leads(picture.link) ? picture.link : null })) }),
      ...(section.questions && { questions: section.questions.map(bare).filter(({ question }) => question.trim()) }),
    })) as Theme['home'],
  };
}

/** What differs of two designs. */
function differing(after: Schemas['ThemeUpdate'], before: Schemas['ThemeUpdate']): Schemas['ThemeUpdate'] | undefined {
  const changed = Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof typeof before]));
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

/** Faults by where they are; those of sections by their names, as incomplete ones have no place in what was sent. */
function faultsOf(errors: { pointer: string; detail: string }[], sent: Schemas['ThemeUpdate']): Record<string, string> {
  return Object.fromEntries(
    errors.map(({ pointer, detail }) => [
      pointer.replace(/^\//, '').replace(/^home\/(\d+)/, (_, at: string) => `home/${sent.home?.[Number(at)]?.id ?? at}`),
      detail,
    ]),
  );
}

type History = { past: Design[]; design: Design; future: Design[]; mark: string; at: number };

const begun = (design: Design): History => ({ past: [], design, future: [], mark: '', at: 0 });

/**
 * The design as somebody changes it. Each change is kept as the store's draft by itself, a moment
 * after it was made, and can be taken back and done again here.
 */
export function useDraft({ data: theme, version }: Answer<Theme>) {
  const w = useWords();
  const { api, can } = useStore();
  const client = useQueryClient();
  const [history, setHistory] = useState(() => begun(designOf(theme)));
  const [there, setThere] = useState(() => ({ design: kept(designOf(theme)), version }));
  const [seen, setSeen] = useState(version);
  const [saving, setSaving] = useState(false);
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState('');
  const { design } = history;

  const unsaved = differing(kept(design), there.design);
  const text = JSON.stringify(unsaved);

  // What somebody else has changed, or was taken back by the audit, is taken over as long as nothing is changed here.
  if (version !== seen) {
    setSeen(version);
    if (version !== there.version && !unsaved && !saving) {
      const now = kept(designOf(theme));
      setThere({ design: now, version });
      if (differing(now, there.design)) setHistory(begun(designOf(theme)));
    }
  }

  const save = useEffectEvent(async () => {
    if (!unsaved) return;
    const sent = kept(design);
    setSaving(true);
    try {
      const answer = await answered(api.PATCH('/v1/theme', { params: { header: { 'If-Match': there.version } }, body: unsaved }));
      setThere({ design: sent, version: answer.version });
      setFaults({});
      client.setQueryData(['theme'], answer);
    } catch (error) {
      const problem = problemOf(error);
      setRefused(text ?? '');
      setFaults(faultsOf(problem.errors ?? [], sent));
      if (problem.status === 412) {
        complain(w.trouble.changed);
        const now = await client.fetchQuery({ queryKey: ['theme'], queryFn: () => answered(api.GET('/v1/theme')) });
        setThere({ design: kept(designOf(now.data)), version: now.version });
        setHistory(begun(designOf(now.data)));
      } else if (problem.status === 0 || problem.status === 429 || problem.status >= 500) {
        // It is tried again: nothing is wrong with what was designed.
        setTimeout(() => setRefused(''), (problem.retry_after ?? 4) * 1000);
      } else if (!problem.errors?.length && problem.status !== 401) {
        complain(problem.detail ?? problem.title);
      }
    } finally {
      setSaving(false);
    }
  });
  useEffect(() => {
    if (!text || saving || text === refused || !can('content:write')) return undefined;
    const soon = setTimeout(() => void save(), 500);
    return () => clearTimeout(soon);
  }, [text, saving, refused, can]);

  /** What is changed in one go, such as a text that is typed, is taken back in one go: it has a mark. */
  const change = (changes: Partial<Design>, mark = '') =>
    setHistory((now) => {
      const goesOn = mark !== '' && mark === now.mark && Date.now() - now.at < 2000;
      return { past: goesOn ? now.past : [...now.past, now.design].slice(-100), design: { ...now.design, ...changes }, future: [], mark, at: Date.now() };
    });
  const step = (back: boolean) =>
    setHistory((now) => {
      const from = back ? now.past : now.future;
      const design = from.at(-1);
      if (!design) return now;
      const rest = from.slice(0, -1);
      return { past: back ? rest : [...now.past, now.design], design, future: back ? [...now.future, now.design] : rest, mark: '', at: 0 };
    });

  return {
    design,
    change,
    section: (id: string, changes: Partial<Section>) => change({ home: design.home.map((each) => (each.id === id ? { ...each, ...changes } : each)) }, `${id}/${Object.keys(changes).join()}`),
    undo: history.past.length > 0 ? () => step(true) : undefined,
    redo: history.future.length > 0 ? () => step(false) : undefined,
    version: there.version,
    faults,
    state: saving ? ('saving' as const) : !unsaved ? ('saved' as const) : Object.keys(faults).length > 0 ? ('refused' as const) : ('unsaved' as const),
  };
}

export type Draft = ReturnType<typeof useDraft>;

/** The name of a section that is new: its type's, and a number where there are several. */
export function newName(type: SectionType, home: Section[]): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? type : `${type}-${n}`;
    if (!home.some(({ id }) => id === name)) return name;
  }
}
