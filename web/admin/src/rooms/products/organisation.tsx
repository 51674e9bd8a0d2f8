import { Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { Instant } from '../../page/instant';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useCategoryChoices } from '../categories/tree';
import type { Draft } from './draft';
import type { ProductForm } from './editor';
import { useProductWords } from './words';

/** Whether a product is shown, and by what it is found. */
export function Organisation({ form }: { form: ProductForm }) {
  const w = useProductWords();
  const { query } = useStore();
  const categories = useCategoryChoices();
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
        {form.values.status === 'active' && (
          <>
            <Instant label={w.organisation.from} value={form.values.publish_at} error={form.errors.publish_at} change={(at) => form.setFieldValue('publish_at', at)} />
            <Instant label={w.organisation.until} value={form.values.unpublish_at} error={form.errors.unpublish_at} change={(at) => form.setFieldValue('unpublish_at', at)} />
          </>
        )}
      </Section>
      <Section title={w.organisation.title}>
        <Select
          label={w.organisation.category}
          placeholder={w.organisation.noCategory}
          clearable
          searchable
          data={categories}
          {...form.getInputProps('category_id')}
        />
        <TextInput label={w.organisation.vendor} maxLength={255} {...form.getInputProps('vendor')} />
        <TextInput label={w.organisation.type} maxLength={255} {...form.getInputProps('product_type')} />
        <TagsInput label={w.organisation.tags} placeholder={form.values.tags.length ? '' : w.organisation.tagsExample} data={(tags.data?.data ?? []).map(({ tag }) => tag)} {...form.getInputProps('tags')} />
      </Section>
    </Stack>
  );
}
