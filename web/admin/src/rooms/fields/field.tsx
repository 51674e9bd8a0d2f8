import { Button, Checkbox, Group, NumberInput, Select, SimpleGrid, Stack, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { problemOf, Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Sure } from '../../page/sure';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFieldWords } from './words';

type Type = Schemas['FieldType'];

const texts: Type[] = ['text', 'multiline_text', 'url'];
const numbers: Type[] = ['integer', 'decimal', 'weight', 'length'];
const filtered: Type[] = ['text', 'choice', 'integer', 'boolean', 'date', 'product_reference', 'variant_reference', 'collection_reference'];
const unshown: Schemas['FieldResource'][] = ['customer', 'order'];

/** A name for programs, of the name for people. */
const keyOf = (name: string) => name.normalize('NFKD').toLowerCase().replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^[_0-9]+|_+$/g, '').slice(0, 60);

/** A custom field, new or to be changed; what it is of, its key and its type never change. */
export function FieldForm({ definition, resource, close }: { definition?: Schemas['FieldDefinition']; resource: Schemas['FieldResource']; close: () => void }) {
  const w = useFieldWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const [asked, setAsked] = useState(false);
  const rules = definition?.validations;
  const form = useForm({
    of: definition?.id,
    initialValues: {
      resource: definition?.resource ?? resource,
      name: definition?.name ?? '',
      key: definition?.key ?? '',
      description: definition?.description ?? '',
      type: definition?.type ?? ('text' as Type),
      list: definition?.list ?? false,
      shown_in_shop: definition?.shown_in_shop ?? false,
      filterable: definition?.filterable ?? false,
      min: rules?.min ?? '',
      max: rules?.max ?? '',
      min_length: (rules?.min_length ?? '') as number | string,
      max_length: (rules?.max_length ?? '') as number | string,
      pattern: rules?.pattern ?? '',
      choices: rules?.choices ?? [],
    },
    validate: { choices: (choices, { type }) => (type === 'choice' && choices.length === 0 ? w.needChoices : null) },
  });
  const { type, resource: of } = form.values;
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    done: close,
    write: ({ resource, key: name, type, list, min, max, min_length, max_length, pattern, choices, shown_in_shop, filterable, ...rest }: typeof form.values) => {
      const validations = {
        ...(numbers.includes(type) && { ...(min && { min: String(min) }), ...(max && { max: String(max) }) }),
        ...(texts.includes(type) && { ...(min_length !== '' && { min_length: Number(min_length) }), ...(max_length !== '' && { max_length: Number(max_length) }), ...(pattern && { pattern }) }),
        ...(type === 'choice' && { choices }),
      };
      const description = rest.description.trim();
      const body = { name: rest.name.trim(), validations, shown_in_shop: shown_in_shop && !unshown.includes(resource), filterable: filterable && resource === 'product' && filtered.includes(type) };
      const pending = definition
        ? answered(api.PATCH('/v1/field-definitions/{field_definition_id}', { params: { path: { field_definition_id: definition.id }, header: { 'If-Match': '*' } }, body: { ...body, description: description || null } }))
        : answered(api.POST('/v1/field-definitions', { params: { header: { 'Idempotency-Key': key } }, body: { ...body, resource, type, list, key: name || keyOf(rest.name), ...(description && { description }) } }));
      return pending.catch((error) => {
        const problem = problemOf(error);
        throw problem.errors ? new Refused({ ...problem, errors: problem.errors.map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^\/validations(?=\/)/, '') })) }) : error;
      });
    },
  });
  const remove = useWrite({
    write: (id: string) => answered(api.DELETE('/v1/field-definitions/{field_definition_id}', { params: { path: { field_definition_id: id } } })),
    said: w.deleted,
    done: close,
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select label={w.columns.of} allowDeselect={false} disabled={definition !== undefined} data={Object.entries(w.resources).map(([value, label]) => ({ value, label }))} {...form.getInputProps('resource')} />
          <Select label={w.columns.type} allowDeselect={false} searchable disabled={definition !== undefined} data={Object.entries(w.types).map(([value, label]) => ({ value, label }))} {...form.getInputProps('type')} />
          <TextInput label={w.columns.name} placeholder={w.nameExample} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
          <TextInput label={w.columns.key} description={w.keyText} inputWrapperOrder={['label', 'input', 'description', 'error']} placeholder={keyOf(form.values.name)} maxLength={64} disabled={definition !== undefined} {...form.getInputProps('key')} />
        </SimpleGrid>
        <TextInput label={w.description} maxLength={1000} {...form.getInputProps('description')} />
        {type === 'choice' && <TagsInput label={w.choices} acceptValueOnBlur maxTags={250} {...form.getInputProps('choices')} />}
        {numbers.includes(type) && (
          <SimpleGrid cols={2}>
            <NumberInput label={w.min} hideControls {...form.getInputProps('min')} />
            <NumberInput label={w.max} hideControls {...form.getInputProps('max')} />
          </SimpleGrid>
        )}
        {texts.includes(type) && (
          <>
            <SimpleGrid cols={2}>
              <NumberInput label={w.minLength} hideControls min={0} allowDecimal={false} {...form.getInputProps('min_length')} />
              <NumberInput label={w.maxLength} hideControls min={0} allowDecimal={false} {...form.getInputProps('max_length')} />
            </SimpleGrid>
            <TextInput label={w.pattern} description={w.patternText} placeholder="^[A-Z]{2}$" maxLength={255} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} {...form.getInputProps('pattern')} />
          </>
        )}
        <Checkbox label={w.list} disabled={definition !== undefined} {...form.getInputProps('list', { type: 'checkbox' })} />
        {!unshown.includes(of) && <Checkbox label={w.showInShop} {...form.getInputProps('shown_in_shop', { type: 'checkbox' })} />}
        {of === 'product' && filtered.includes(type) && <Checkbox label={w.filterable} {...form.getInputProps('filterable', { type: 'checkbox' })} />}
        <Group justify="space-between">
          {definition ? (
            <Button variant="subtle" color="red" onClick={() => setAsked(true)}>
              {everywhere.delete}
            </Button>
          ) : (
            <span />
          )}
          <Group>
            <Button variant="default" onClick={close}>
              {everywhere.cancel}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {everywhere.save}
            </Button>
          </Group>
        </Group>
      </Stack>
      {definition && <Sure opened={asked} title={w.remove.title} text={w.remove.text} go={everywhere.delete} pending={remove.isPending} confirm={() => remove.mutate(definition.id)} close={() => setAsked(false)} />}
    </form>
  );
}
