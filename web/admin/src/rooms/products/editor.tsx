import { Grid, Stack } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { type ReactNode, useDeferredValue } from 'react';
import type { Schemas } from '../../api/client';
import { CustomFields } from '../../page/fields';
import { SaveBar } from '../../page/form';
import { SearchEngines } from '../../page/seo';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { Details } from './details';
import { type Draft, priceIn } from './draft';
import { Organisation } from './organisation';
import { wrongPattern } from './skus';
import { VariantFields } from './variantfields';
import { Variants } from './variants';
import { useProductWords } from './words';

export type ProductForm = UseFormReturnType<Draft>;

/** The form of a product, with what must be in it. */
export function useProductForm(initialValues: Draft, of?: string): ProductForm {
  const w = useProductWords();
  const { settings } = useStore();
  return useForm<Draft>({
    of,
    initialValues,
    validate: {
      title: (title) => (title.trim() ? null : w.needTitle),
      variants: (variants) => (variants.every((variant) => priceIn(variant, settings.currency)) ? null : w.needPrice),
      sku_pattern: (pattern, { options }) => (wrongPattern(pattern, options.length) ? w.variants.wrongPattern : null),
      options: { name: (name) => (name.trim() ? null : w.needOption), values: (values) => (values.length > 0 ? null : w.needOption) },
    },
  });
}

type Editor = {
  form: ProductForm;
  media: ReactNode;
  /** The photos that the store has, of which a variant may have one of its own. */
  images?: Schemas['Image'][];
  locations: { id: string; name: string }[];
  isNew: boolean;
  more: number;
  saving: boolean;
  save: (draft: Draft) => void;
};

/** All that is said of a product, on one screen. */
export function Editor({ form, media, images = [], locations, isNew, more, saving, save }: Editor) {
  const { can } = useStore();
  const single = form.values.options.length === 0;
  // What lies below the screen's end comes when the browser has shown what is above it.
  const below = useDeferredValue(true, false);
  return (
    <form onSubmit={form.onSubmit(save)} noValidate>
      <fieldset disabled={!can('products:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="lg">
              <Details form={form} />
              {media}
              {single && form.values.variants[0] && (
                <VariantFields
                  cards
                  variant={form.values.variants[0]}
                  locations={locations}
                  error={form.errors.variants}
                  change={(changed) => form.setFieldValue('variants.0', { ...form.getValues().variants[0], ...changed } as Draft['variants'][0])}
                />
              )}
              {below && (
                <>
                  <Variants form={form} images={images} locations={locations} isNew={isNew} more={more} />
                  <SearchEngines form={form as never} room="products" name={form.values.title} html={form.values.description_html} />
                  <CustomFields resource="product" values={form.values.custom_fields} errors={form.errors} change={(next) => form.setFieldValue('custom_fields', next)} />
                </>
              )}
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Organisation form={form} />
          </Grid.Col>
        </Grid>
      </fieldset>
      <SaveBar dirty={form.isDirty()} saving={saving} discard={form.reset} />
    </form>
  );
}
