import { Input, Skeleton, TextInput } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Section } from '../../page/section';
import type { ProductForm } from './editor';
import { useProductWords } from './words';

const RichText = lazy(() => import('../../page/richtext'));

/** What the product is called and what is told of it. */
export function Details({ form }: { form: ProductForm }) {
  const w = useProductWords();
  return (
    <Section>
      <TextInput label={w.details.title} placeholder={w.details.titleExample} required maxLength={255} {...form.getInputProps('title')} />
      <Input.Wrapper label={w.details.description} error={form.errors.description_html} labelElement="div">
        <Suspense fallback={<Skeleton height={180} />}>
          <RichText label={w.details.description} value={form.values.description_html} onChange={(html) => form.setFieldValue('description_html', html)} />
        </Suspense>
      </Input.Wrapper>
    </Section>
  );
}
