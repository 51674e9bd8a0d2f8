import type { Schemas } from '../../api/client';
import { type FieldValues, fieldChanges } from '../../page/fields';

export type DraftVariant = {
  id: string | null;
  option_values: string[];
  sku: string;
  barcode: string;
  prices: Schemas['Price'][];
  cost: number | null;
  taxable: boolean;
  track_inventory: boolean;
  allow_backorder: boolean;
  requires_shipping: boolean;
  weight_grams: number | null;
  length_mm: number | null;
  width_mm: number | null;
  height_mm: number | null;
  net_content: Schemas['NetContent'] | null;
  tax_class: string;
  custom_fields: FieldValues;
  image_id: string | null;
  /** How many there are at each location; what is not known, or not counted, is left out. */
  stock: Record<string, number | null>;
};

/** A product as it stands in the form. */
export type Draft = {
  title: string;
  handle: string;
  description_html: string;
  status: Schemas['ProductStatus'];
  vendor: string;
  product_type: string;
  tags: string[];
  category_id: string | null;
  seo_title: string;
  seo_description: string;
  publish_at: string | null;
  unpublish_at: string | null;
  custom_fields: FieldValues;
  options: Schemas['ProductOption'][];
  /** What the stock-keeping numbers of variants are made of that are not there yet. */
  sku_pattern: string;
  variants: DraftVariant[];
};

/** The place of a new product's stock, which the store's first location gets. */
export const first = '';

export function newVariant(option_values: string[] = []): DraftVariant {
  return {
    id: null,
    option_values,
    sku: '',
    barcode: '',
    prices: [],
    cost: null,
    taxable: true,
    track_inventory: true,
    allow_backorder: false,
    requires_shipping: true,
    weight_grams: null,
    length_mm: null,
    width_mm: null,
    height_mm: null,
    net_content: null,
    tax_class: '',
    custom_fields: {},
    image_id: null,
    stock: { [first]: null },
  };
}

export function newDraft(): Draft {
  return {
    title: '',
    handle: '',
    description_html: '',
    status: 'active',
    vendor: '',
    product_type: '',
    tags: [],
    category_id: null,
    seo_title: '',
    seo_description: '',
    publish_at: null,
    unpublish_at: null,
    custom_fields: {},
    options: [],
    sku_pattern: '',
    variants: [newVariant()],
  };
}

/** A product that there is, with its stock, as a draft. */
export function draftOf(product: Schemas['Product'], levels: Schemas['InventoryLevel'][], locations: Schemas['Location'][]): Draft {
  return {
    title: product.title,
    handle: product.handle,
    description_html: product.description_html,
    status: product.status,
    vendor: product.vendor ?? '',
    product_type: product.product_type ?? '',
    tags: product.tags,
    category_id: product.category_id,
    seo_title: product.seo_title ?? '',
    seo_description: product.seo_description ?? '',
    publish_at: product.publish_at,
    unpublish_at: product.unpublish_at,
    custom_fields: product.custom_fields,
    options: product.options,
    sku_pattern: '',
    variants: product.variants.map((variant) => ({
      id: variant.id,
      option_values: variant.option_values,
      sku: variant.sku ?? '',
      barcode: variant.barcode ?? '',
      prices: variant.prices.map(({ amount, currency, compare_at_amount }) => ({ amount, currency, compare_at_amount: compare_at_amount ?? null })),
      cost: variant.cost?.amount ?? null,
      taxable: variant.taxable,
      track_inventory: variant.track_inventory,
      allow_backorder: variant.allow_backorder,
      requires_shipping: variant.requires_shipping,
      weight_grams: variant.weight_grams,
      length_mm: variant.length_mm,
      width_mm: variant.width_mm,
      height_mm: variant.height_mm,
      net_content: variant.net_content,
      tax_class: variant.tax_class ?? '',
      custom_fields: variant.custom_fields,
      image_id: variant.image_id,
      stock: Object.fromEntries(locations.map(({ id }) => [id, levels.find((level) => level.variant_id === variant.id && level.location_id === id)?.on_hand ?? 0])),
    })),
  };
}

export function priceIn(variant: DraftVariant, currency: string): Schemas['Price'] | undefined {
  return variant.prices.find((price) => price.currency === currency);
}

/** A variant's prices with another one in a currency, or with none. */
export function withPrice(variant: DraftVariant, currency: string, change: { amount?: number | null; compare_at_amount?: number | null }): Schemas['Price'][] {
  const others = variant.prices.filter((price) => price.currency !== currency);
  const next = { compare_at_amount: null, ...priceIn(variant, currency), ...change, currency };
  return next.amount === null || next.amount === undefined ? others : [...others, { ...next, amount: next.amount }];
}

/** Every combination of the options' choices, in their order. */
export function combinations(options: Schemas['ProductOption'][]): string[][] {
  return options.filter((option) => option.values.length > 0).reduce<string[][]>((made, option) => made.flatMap((choices) => option.values.map((value) => [...choices, value])), [[]]);
}

/** The variants of a new product with these options: those that there are keep what was typed. */
export function matrix(options: Schemas['ProductOption'][], variants: DraftVariant[]): DraftVariant[] {
  const pattern = variants[0] ?? newVariant();
  return combinations(options).map((choices) => {
    const there = variants.find((variant) => variant.option_values.join('\n') === choices.join('\n'));
    return there ?? { ...pattern, option_values: choices, sku: '', barcode: '', stock: { [first]: null } };
  });
}

/** What is known of how large a new variant is, and how it is taxed. */
export function measures({ weight_grams, length_mm, width_mm, height_mm, net_content, tax_class }: DraftVariant) {
  return {
    ...(weight_grams !== null && { weight_grams }),
    ...(length_mm !== null && { length_mm }),
    ...(width_mm !== null && { width_mm }),
    ...(height_mm !== null && { height_mm }),
    ...(net_content && { net_content }),
    ...(tax_class.trim() && { tax_class: tax_class.trim() }),
  };
}

/** A variant in the contract's words, for one that is new. */
export function variantCreate(variant: DraftVariant, currency: string): Schemas['VariantCreate'] {
  const stock = variant.stock[first];
  return {
    option_values: variant.option_values,
    prices: variant.prices,
    taxable: variant.taxable,
    track_inventory: variant.track_inventory,
    allow_backorder: variant.allow_backorder,
    requires_shipping: variant.requires_shipping,
    ...(variant.sku && { sku: variant.sku }),
    ...(variant.barcode && { barcode: variant.barcode }),
    ...(variant.cost !== null && { cost: { amount: variant.cost, currency } }),
    ...measures(variant),
    custom_fields: variant.custom_fields,
    ...(variant.track_inventory && stock !== null && { stock_quantity: stock }),
  };
}

/** A new product in the contract's words. */
export function productCreate(draft: Draft, currency: string): Schemas['ProductCreate'] {
  const texts = { handle: draft.handle, description_html: draft.description_html, vendor: draft.vendor, product_type: draft.product_type, seo_title: draft.seo_title, seo_description: draft.seo_description };
  return {
    title: draft.title.trim(),
    status: draft.status,
    tags: draft.tags,
    options: draft.options,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    ...(draft.category_id && { category_id: draft.category_id }),
    ...(draft.publish_at && { publish_at: draft.publish_at }),
    ...(draft.unpublish_at && { unpublish_at: draft.unpublish_at }),
    custom_fields: draft.custom_fields,
    variants: draft.variants.map((variant) => variantCreate(variant, currency)),
  };
}

/** What of a product has changed, in the contract's words; undefined where nothing has. */
export function productUpdate(now: Draft, before: Draft): Schemas['ProductUpdate'] | undefined {
  const fields = fieldChanges(now.custom_fields, before.custom_fields);
  const changed = changes<Schemas['ProductUpdate']>(
    {
      title: now.title.trim(),
      handle: now.handle,
      description_html: now.description_html,
      status: now.status,
      vendor: now.vendor || null,
      product_type: now.product_type || null,
      tags: now.tags,
      category_id: now.category_id,
      seo_title: now.seo_title || null,
      seo_description: now.seo_description || null,
      publish_at: now.publish_at,
      unpublish_at: now.unpublish_at,
      options: now.options,
    },
    { ...before, vendor: before.vendor || null, product_type: before.product_type || null, seo_title: before.seo_title || null, seo_description: before.seo_description || null },
  );
  return fields ? { ...changed, custom_fields: fields } : changed;
}

/** What of a variant has changed; its stock is not among it. */
export function variantUpdate(now: DraftVariant, before: DraftVariant, currency: string): Schemas['VariantUpdate'] | undefined {
  const told = (variant: DraftVariant) => ({
    sku: variant.sku || null,
    barcode: variant.barcode || null,
    prices: variant.prices,
    cost: variant.cost === null ? null : { amount: variant.cost, currency },
    taxable: variant.taxable,
    track_inventory: variant.track_inventory,
    allow_backorder: variant.allow_backorder,
    requires_shipping: variant.requires_shipping,
    weight_grams: variant.weight_grams,
    length_mm: variant.length_mm,
    width_mm: variant.width_mm,
    height_mm: variant.height_mm,
    net_content: variant.net_content,
    tax_class: variant.tax_class.trim() || null,
    image_id: variant.image_id,
  });
  const changed = changes<Schemas['VariantUpdate']>(told(now), told(before));
  const fields = fieldChanges(now.custom_fields, before.custom_fields);
  return fields ? { ...changed, custom_fields: fields } : changed;
}

/** The stock that was typed over, as lines of an adjustment. */
export function stockLines(now: DraftVariant[], before: DraftVariant[]): Schemas['InventoryAdjustmentLine'][] {
  return now.flatMap(({ id, stock }) => {
    const former = before.find((variant) => variant.id === id)?.stock ?? {};
    return id === null ? [] : Object.entries(stock).flatMap(([location_id, on_hand]) => (on_hand === null || on_hand === former[location_id] ? [] : [{ variant_id: id, location_id, on_hand }]));
  });
}

function changes<T extends object>(now: Record<string, unknown>, before: Record<string, unknown>): T | undefined {
  const changed = Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]));
  return changed.length > 0 ? (Object.fromEntries(changed) as T) : undefined;
}
