import { Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import type { Draft } from './draft';
import type { ProductForm } from './editor';
import { useProductWords } from './words';

/** Whether a product is shown, and by what it is found. */
export function Organisation({ form }: { form: ProductForm }) {
  const w = useProductWords();
  const { query } = useStore();
  const categories = query.useQuery('get', '/v1/categories', { params: { query: { limit: 100 } } });
  const tags = query.useQuery('get', '/v1/product-tags', { params: { query: { limit: 100 } } });
  return (
    <Stack gap="lg">
      <Section>
        <Select
          label={w.organisation.status}
          description={w.statusText[form.values.status]}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          allowDeselect={false}
          data={Object.entries(w.status).map(([value, label]) => ({ value, label }))}
          {...form.getInputProps('status')}
          onChange={(status) => form.setFieldValue('status', status as Draft['status'])}
        />
      </Section>
      <Section title={w.organisation.title}>
        <Select
          label={w.organisation.category}
          placeholder={w.organisation.noCategory}
          clearable
          searchable
          data={(categories.data?.data ?? []).map((category) => ({ value: category.id, label: category.name }))}
          {...form.getInputProps('category_id')}
        />
        <TextInput label={w.organisation.vendor} maxLength={255} {...form.getInputProps('vendor')} />
        <TextInput label={w.organisation.type} maxLength={255} {...form.getInputProps('product_type')} />
        <TagsInput label={w.organisation.tags} placeholder={form.values.tags.length ? '' : w.organisation.tagsExample} data={(tags.data?.data ?? []).map(({ tag }) => tag)} {...form.getInputProps('tags')} />
      </Section>
    </Stack>
  );
}
