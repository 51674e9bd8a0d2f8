import { Box, Text, TextInput, Textarea } from '@mantine/core';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import type { ProductForm } from './editor';
import { useProductWords } from './words';

/** How the product's page looks where somebody searches for it. */
export function SearchEngines({ form }: { form: ProductForm }) {
  const w = useProductWords();
  const { settings } = useStore();
  const { title, handle, seo_title, seo_description, description_html } = form.values;
  const told = seo_description || new DOMParser().parseFromString(description_html, 'text/html').body.textContent.slice(0, 160) || w.seo.noDescription;
  return (
    <Section title={w.seo.title}>
      {title && (
        <Box aria-hidden>
          <Text size="xs" c="dimmed" truncate>
            {settings.shop_url.replace(/^https?:\/\//, '').replace(/\/$/, '')} › products › {handle || slug(title)}
          </Text>
          <Text size="lg" c="light-dark(#1a0dab, #8ab4f8)" truncate>
            {seo_title || title}
          </Text>
          <Text size="sm" c="dimmed" lineClamp={2}>
            {told}
          </Text>
        </Box>
      )}
      <TextInput label={w.seo.pageTitle} placeholder={title} maxLength={255} {...form.getInputProps('seo_title')} />
      <Textarea label={w.seo.description} autosize minRows={2} maxLength={1000} {...form.getInputProps('seo_description')} />
      <TextInput
        label={w.seo.handle}
        description={handle && w.seo.handleText}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        leftSection={<Text size="sm">/products/</Text>}
        leftSectionWidth={88}
        placeholder={slug(title)}
        maxLength={255}
        {...form.getInputProps('handle')}
      />
    </Section>
  );
}

/** About the handle that a title will be given. */
function slug(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
