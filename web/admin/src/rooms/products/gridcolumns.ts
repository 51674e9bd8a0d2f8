import type { Schemas } from '../../api/client';
import { digits, plainOf } from '../../words/format';

type Product = Schemas['Product'];
type Variant = Schemas['Variant'];

/** What stands in a cell: text as it is typed, and yes and no as true and false. */
export type Cell = string;

type Of = { product: Product; variant?: Variant };

export type Column = {
  key: string;
  of: 'product' | 'variant';
  kind: 'text' | 'status' | 'category' | 'number' | 'money' | 'yes';
  width: number;
  currency?: string;
  read: (of: Of, locale: string) => Cell;
  /** Whether something must stand in it. */
  needed?: boolean;
};

const text = (key: 'vendor' | 'product_type' | 'seo_title' | 'seo_description', width: number): Column => ({ key, of: 'product', kind: 'text', width, read: ({ product }) => product[key] ?? '' });
const yes = (key: 'track_inventory' | 'allow_backorder' | 'taxable' | 'requires_shipping'): Column => ({ key, of: 'variant', kind: 'yes', width: 120, read: ({ variant }) => String(variant?.[key] ?? false) });

const priceOf = (variant: Variant | undefined, currency: string) => variant?.prices.find((price) => price.currency === currency);

/** All columns that the grid may have, with prices in each currency. */
export function columnsFor(currencies: string[]): Column[] {
  return [
    { key: 'title', of: 'product', kind: 'text', width: 240, needed: true, read: ({ product }) => product.title },
    { key: 'status', of: 'product', kind: 'status', width: 120, read: ({ product }) => product.status },
    ...currencies.flatMap((currency): Column[] => [
      { key: `price.${currency}`, of: 'variant', kind: 'money', width: 120, currency, read: ({ variant }, locale) => amountText(priceOf(variant, currency)?.amount, currency, locale) },
      { key: `compare.${currency}`, of: 'variant', kind: 'money', width: 130, currency, read: ({ variant }, locale) => amountText(priceOf(variant, currency)?.compare_at_amount, currency, locale) },
    ]),
    { key: 'sku', of: 'variant', kind: 'text', width: 150, read: ({ variant }) => variant?.sku ?? '' },
    { key: 'barcode', of: 'variant', kind: 'text', width: 150, read: ({ variant }) => variant?.barcode ?? '' },
    { key: 'cost', of: 'variant', kind: 'money', width: 110, currency: currencies[0], read: ({ variant }, locale) => amountText(variant?.cost?.amount, variant?.cost?.currency ?? currencies[0] ?? '', locale) },
    text('vendor', 160),
    text('product_type', 150),
    { key: 'category_id', of: 'product', kind: 'category', width: 200, read: ({ product }) => product.category_id ?? '' },
    { key: 'tags', of: 'product', kind: 'text', width: 220, read: ({ product }) => product.tags.join(', ') },
    { key: 'weight_grams', of: 'variant', kind: 'number', width: 100, read: ({ variant }) => (variant?.weight_grams === null || variant === undefined ? '' : String(variant.weight_grams)) },
    yes('track_inventory'),
    yes('allow_backorder'),
    yes('taxable'),
    yes('requires_shipping'),
    text('seo_title', 220),
    text('seo_description', 280),
  ];
}

/** The columns that it begins with. */
export const firstColumns = (currency: string) => ['status', `price.${currency}`, `compare.${currency}`, 'sku', 'category_id', 'tags'];

/** An amount without its sign, as one writes it. */
function amountText(amount: number | null | undefined, currency: string, locale: string): string {
  if (amount === null || amount === undefined) return '';
  return plainOf(locale, currency).format(amount / 10 ** digits(currency));
}

/** An amount that was typed, in the currency's smallest unit: with a point or a comma; undefined where it is none. */
export function amountOf(typed: string, currency: string): number | null | undefined {
  const plain = typed.replaceAll(/[^\d.,-]/g, '');
  if (typed.trim() === '') return null;
  const n = digits(currency);
  // The last sign between digits is the decimal one, if no more digits follow than there are.
  const at = Math.max(plain.lastIndexOf('.'), plain.lastIndexOf(','));
  const decimal = at >= 0 && plain.length - at - 1 <= n;
  const whole = (decimal ? plain.slice(0, at) : plain).replaceAll(/[.,]/g, '');
  const part = decimal ? plain.slice(at + 1) : '';
  if (!/^\d*$/.test(whole) || !/^\d*$/.test(part) || whole + part === '') return undefined;
  const amount = Number(whole + part.padEnd(n, '0'));
  return amount <= 999_999_999_999 ? amount : undefined;
}

/** Whether what is in a cell can be meant. */
export function isWrong(column: Column, cell: Cell): boolean {
  if (column.needed && cell.trim() === '') return true;
  if (column.kind === 'money') return amountOf(cell, column.currency ?? '') === undefined;
  return column.kind === 'number' && !/^\d{0,8}$/.test(cell.trim());
}

export type Edits = Record<string, Record<string, Cell>>;

/** What was typed over products, in the contract's words. */
export function productItems(products: Product[], edits: Edits): Schemas['BulkProduct'][] {
  return products.flatMap((product) => {
    const own = edits[product.id];
    if (!own) return [];
    const changes: Schemas['BulkProductUpdate'] = {};
    for (const [key, cell] of Object.entries(own)) {
      const typed = cell.trim();
      if (key === 'tags') changes.tags = [...new Set(typed.split(',').map((tag) => tag.trim()).filter(Boolean))];
      else if (key === 'status') changes.status = typed as Product['status'];
      else if (key === 'title') changes.title = typed;
      else changes[key as 'vendor'] = typed || null;
    }
    return [{ product_id: product.id, changes }];
  });
}

/** What was typed over variants, in the contract's words. */
export function variantItems(products: Product[], edits: Edits, currency: string): Schemas['BulkVariant'][] {
  return products
    .flatMap((product) => product.variants)
    .flatMap((variant) => {
      const own = edits[variant.id];
      if (!own) return [];
      const changes: Schemas['BulkVariantUpdate'] = {};
      const priced = new Set(Object.keys(own).flatMap((key) => (/^(price|compare)\./.test(key) ? [key.slice(-3)] : [])));
      for (const each of priced) {
        const there = priceOf(variant, each);
        const typed = (key: string, or: number | null) => (own[key] === undefined ? or : (amountOf(own[key], each) ?? null));
        const amount = typed(`price.${each}`, there?.amount ?? null);
        const compare_at_amount = typed(`compare.${each}`, there?.compare_at_amount ?? null);
        if (amount === null) changes.remove_prices = [...(changes.remove_prices ?? []), each];
        else changes.set_prices = [...(changes.set_prices ?? []), { currency: each, amount, compare_at_amount }];
      }
      for (const [key, cell] of Object.entries(own)) {
        const typed = cell.trim();
        if (key === 'sku' || key === 'barcode') changes[key] = typed || null;
        else if (key === 'weight_grams') changes.weight_grams = typed === '' ? null : Number(typed);
        else if (key === 'cost') {
          const amount = amountOf(typed, currency);
          changes.cost = typeof amount === 'number' ? { amount, currency } : null;
        } else if (!/^(price|compare)\./.test(key)) changes[key as 'taxable'] = typed === 'true';
      }
      return [{ variant_id: variant.id, changes }];
    });
}
