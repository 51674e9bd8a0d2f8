import { Box, Text, TextInput, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useStore } from '../session/store';
import { Section } from './section';
import { usePartWords } from './words';

type Values = { handle: string; seo_title: string; seo_description: string };

type SearchProps = {
  /** The form of what is looked for, of which these fields are a part. */
  form: Pick<UseFormReturnType<Values>, 'values' | 'getInputProps'>;
  /** The room of the shop that its page is in, such as products. */
  room: string;
  name: string;
  /** What is told of it, as HTML, where search engines are told nothing. */
  html: string;
};

/** How a page of the shop looks where somebody searches for it. */
export function SearchEngines({ form, room, name, html }: SearchProps) {
  const w = usePartWords().seo;
  const { settings } = useStore();
  const { handle, seo_title, seo_description } = form.values;
  const told = seo_description || new DOMParser().parseFromString(html.replaceAll('><', '> <'), 'text/html').body.textContent.trim().slice(0, 160) || w.noDescription;
  const path = `/${room}/`;
  return (
    <Section title={w.title}>
      {name && (
        <Box aria-hidden>
          <Text size="xs" c="dimmed" truncate>
            {settings.shop_url.replace(/^https?:\/\//, '').replace(/\/$/, '')} › {room} › {handle || slug(name)}
          </Text>
          <Text size="lg" c="light-dark(#1a0dab, #8ab4f8)" truncate>
            {seo_title || name}
          </Text>
          <Text size="sm" c="dimmed" lineClamp={2}>
            {told}
          </Text>
        </Box>
      )}
      <TextInput label={w.pageTitle} placeholder={name} maxLength={255} {...form.getInputProps('seo_title')} />
      <Textarea label={w.description} autosize minRows={2} maxLength={1000} {...form.getInputProps('seo_description')} />
      <TextInput
        label={w.handle}
        description={handle && w.handleText}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        leftSection={<Text size="sm">{path}</Text>}
        leftSectionWidth={16 + 7.5 * path.length}
        placeholder={slug(name)}
        maxLength={255}
        {...form.getInputProps('handle')}
      />
    </Section>
  );
}

/** About the handle that a name will be given. */
function slug(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
