import { SegmentedControl } from '@mantine/core';
import { type Language, languages, useLanguage } from '../words/language';
import { useShellWords } from './words';

export function LanguageChoice() {
  const { language, choose } = useLanguage();
  const w = useShellWords();
  return (
    <SegmentedControl
      size="xs"
      aria-label={w.language}
      value={language}
      onChange={(next) => choose(next as Language)}
      data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
    />
  );
}
