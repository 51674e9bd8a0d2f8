import { createContext, useContext } from 'react';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

const kept = 'stoa.language';

/** The language that was chosen in this browser, or else the first of the browser's that there is. */
export function firstLanguage(): Language {
  const wanted = [localStorage.getItem(kept) ?? '', ...navigator.languages];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => tag in languages) ?? 'en';
}

export function keepLanguage(language: Language) {
  localStorage.setItem(kept, language);
}

export const LanguageContext = createContext<{ language: Language; choose: (language: Language) => void }>({
  language: 'en',
  choose: () => undefined,
});

export function useLanguage() {
  return useContext(LanguageContext);
}

/** Texts in the form of others: the same keys, and the same parameters. */
type Like<T> = {
  readonly [K in keyof T]: T[K] extends string ? string : T[K] extends (...given: infer Given) => string ? (...given: Given) => string : Like<T[K]>;
};

/**
 * The words of a room. They stand beside it in one file, in English and in all other
 * languages; one that lacks a text, or has one too many, does not compile.
 */
export function words<const English>(en: English, others: Record<Exclude<Language, 'en'>, Like<English>>): () => Like<English> {
  const all = { en: en as Like<English>, ...others } as Record<Language, Like<English>>;
  return () => all[useLanguage().language];
}
