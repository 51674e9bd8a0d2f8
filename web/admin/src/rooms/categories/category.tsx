import { Group, Select, Stack, TextInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomFields, type FieldValues, fieldChanges } from '../../page/fields';
import { Ending } from '../../page/form';
import { SearchEngines } from '../../page/seo';
import { Translate } from '../../page/translate';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { flat, useCategories } from './tree';
import { useCategoryWords } from './words';

type Draft = { name: string; handle: string; description: string; seo_title: string; seo_description: string; parent_id: string | null; custom_fields: FieldValues };

type CategoryProps = { category?: Schemas['Category']; parent: string | null; close: () => void };

/** What is told of a category, one that there is or a new one. */
export function CategoryForm({ category, parent, close }: CategoryProps) {
  const w = useCategoryWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const categories = useCategories();
  const [key] = useState(idempotencyKey);
  const [there] = useState<Draft>({
    name: category?.name ?? '',
    handle: category?.handle ?? '',
    description: category?.description ?? '',
    seo_title: category?.seo_title ?? '',
    seo_description: category?.seo_description ?? '',
    parent_id: parent,
    custom_fields: category?.custom_fields ?? {},
  });
  const form = useForm<Draft>({ of: category?.id, initialValues: there, validate: { name: (name) => (name.trim() ? null : w.needName) } });
  const save = useWrite({
    form: form as never,
    said: (saved: Schemas['Category']) => (category ? everywhere.saved : w.created(saved.name)),
    undoable: true,
    write: ({ name, handle, description, seo_title, seo_description, parent_id, custom_fields }: Draft) => {
      if (category) {
        const fields = fieldChanges(custom_fields, there.custom_fields);
        return answered(
          api.PATCH('/v1/categories/{category_id}', {
            params: { path: { category_id: category.id } },
            body: {
              name: name.trim(),
              handle,
              description: description || null,
              seo_title: seo_title || null,
              seo_description: seo_description || null,
              ...(parent_id !== there.parent_id && { parent_id }),
              ...(fields && { custom_fields: fields }),
            },
          }),
        );
      }
      return answered(
        api.POST('/v1/categories', {
          params: { header: { 'Idempotency-Key': key } },
          body: {
            name: name.trim(),
            ...(handle && { handle }),
            ...(description && { description }),
            ...(seo_title && { seo_title }),
            ...(seo_description && { seo_description }),
            ...(parent_id && { parent_id }),
            custom_fields,
          },
        }),
      );
    },
    done: close,
  });
  const all = categories.data?.all ?? [];
  const own = category ? all.find((node) => node.category.id === category.id) : undefined;
  const below = own ? flat([own]) : [];
  const writes = can('products:write');
  return (
    <Stack>
      {category && (
        <Group justify="end">
          <Translate id={category.id} name={category.name} />
        </Group>
      )}
      <form onSubmit={form.onSubmit((draft) => save.mutate(draft))} noValidate>
        <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
          <Stack gap="lg">
            <TextInput label={w.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
            <Select
              label={w.parent}
              placeholder={w.top}
              clearable
              searchable
              data={all.filter((node) => !below.includes(node)).map((node) => ({ value: node.category.id, label: node.path }))}
              {...form.getInputProps('parent_id')}
            />
            <Textarea label={w.description} autosize minRows={3} maxLength={5000} {...form.getInputProps('description')} />
            <CustomFields resource="category" plain values={form.values.custom_fields} errors={form.errors} change={(next) => form.setFieldValue('custom_fields', next)} />
            <SearchEngines form={form as never} room="categories" name={form.values.name} html={form.values.description} />
            {writes && (
              <Ending go={everywhere.save} pending={save.isPending} close={close} />
            )}
          </Stack>
        </fieldset>
      </form>
    </Stack>
  );
}
