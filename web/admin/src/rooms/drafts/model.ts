import type { Schemas } from '../../api/client';
import { type Written, addressOf, writtenAddress } from '../../page/address';

/** A discount that is agreed; neither a percentage nor an amount is none. */
export type Off = { by: 'percentage' | 'amount'; percentage: string; amount: number | null; reason: string };

export type DraftLine = {
  key: string;
  variant_id: string | null;
  title: string;
  variant_title: string;
  image_url: string | null;
  quantity: number;
  /** Null is the present price of the variant. */
  price: number | null;
  off: Off;
  /** What else is given of it, which stays as it is. */
  more: Partial<Schemas['DraftOrderLineInput']>;
};

export type DraftValues = {
  currency: Schemas['Currency'];
  customer_id: string | null;
  email: string;
  lines: DraftLine[];
  off: Off;
  /** How it is sent: left open, by a method's ID, or as it was agreed. */
  shipping: { by: string; name: string; price: number | null };
  shipping_address: Written;
  billed: boolean;
  billing_address: Written;
  note: string;
  tags: string[];
  tax_exempt_reason: string;
  reserved_until: string | null;
  expires_at: string | null;
};

export const noOff: Off = { by: 'percentage', percentage: '', amount: null, reason: '' };
export const openShipping = 'open';
export const agreedShipping = 'agreed';

type Settings = Pick<Schemas['Store'], 'currency' | 'country'>;

export function newDraft(settings: Settings): DraftValues {
  return {
    currency: settings.currency,
    customer_id: null,
    email: '',
    lines: [],
    off: noOff,
    shipping: { by: openShipping, name: '', price: null },
    shipping_address: writtenAddress(null, settings.country),
    billed: false,
    billing_address: writtenAddress(null, settings.country),
    note: '',
    tags: [],
    tax_exempt_reason: '',
    reserved_until: null,
    expires_at: null,
  };
}

const writtenOff = (off: Schemas['AgreedDiscount'] | null): Off =>
  off ? { by: off.amount ? 'amount' : 'percentage', percentage: off.percentage ?? '', amount: off.amount?.amount ?? null, reason: off.reason ?? '' } : noOff;

/** What is known of what is in no catalogue. */
const goods = ({ sku, requires_shipping, taxable, tax_class, weight_grams }: Schemas['DraftOrderLine']) => ({
  requires_shipping,
  taxable,
  ...(sku && { sku }),
  ...(tax_class && { tax_class }),
  ...(weight_grams && { weight_grams }),
});

export function writtenDraft(draft: Schemas['DraftOrder'], settings: Settings): DraftValues {
  const method = draft.shipping_method;
  return {
    currency: draft.currency,
    customer_id: draft.customer_id,
    email: draft.email ?? '',
    lines: draft.lines.map((line) => ({
      key: line.id,
      variant_id: line.variant_id,
      title: line.title,
      variant_title: line.variant_title,
      image_url: line.image_url,
      quantity: line.quantity,
      price: line.agreed_price.amount,
      off: writtenOff(line.agreed_discount),
      more: { attributes: line.attributes, ...(!line.variant_id && goods(line)) },
    })),
    off: writtenOff(draft.discount),
    shipping: { by: method ? (method.id ?? agreedShipping) : openShipping, name: method && !method.id ? method.name : '', price: method && !method.id ? method.price.amount : null },
    shipping_address: writtenAddress(draft.shipping_address, settings.country),
    billed: draft.billing_address !== null,
    billing_address: writtenAddress(draft.billing_address, settings.country),
    note: draft.note ?? '',
    tags: draft.tags,
    tax_exempt_reason: draft.tax_exempt_reason ?? '',
    reserved_until: draft.reserved_until,
    expires_at: draft.expires_at,
  };
}

function offOf({ by, percentage, amount, reason }: Off, currency: Schemas['Currency']): Schemas['AgreedDiscountInput'] | undefined {
  const given = by === 'percentage' ? Number(percentage) > 0 && { percentage } : Boolean(amount) && { amount: { amount: amount ?? 0, currency } };
  return given ? { ...given, ...(reason.trim() && { reason: reason.trim() }) } : undefined;
}

function lineOf(line: DraftLine, currency: Schemas['Currency']): Schemas['DraftOrderLineInput'] {
  const discount = offOf(line.off, currency);
  return {
    ...line.more,
    ...(line.variant_id ? { variant_id: line.variant_id } : { title: line.title.trim() }),
    quantity: line.quantity,
    ...(line.price !== null && { unit_price: { amount: line.price, currency } }),
    ...(discount && { discount }),
  } as Schemas['DraftOrderLineInput'];
}

/** What is agreed, as the API takes it; what is left open is undefined. */
function parts(values: DraftValues) {
  const { currency, shipping } = values;
  return {
    customer_id: values.customer_id ?? undefined,
    email: values.email.trim() || undefined,
    lines: values.lines.map((line) => lineOf(line, currency)),
    discount: offOf(values.off, currency),
    shipping_method_id: shipping.by !== openShipping && shipping.by !== agreedShipping ? shipping.by : undefined,
    shipping: shipping.by === agreedShipping ? { name: shipping.name.trim(), price: { amount: shipping.price ?? 0, currency } } : undefined,
    shipping_address: addressOf(values.shipping_address),
    billing_address: values.billed ? addressOf(values.billing_address) : undefined,
    note: values.note.trim() || undefined,
    tags: values.tags,
    tax_exempt_reason: values.tax_exempt_reason.trim() || undefined,
    reserved_until: values.reserved_until ?? undefined,
    expires_at: values.expires_at ?? undefined,
  };
}

export function draftCreate(values: DraftValues): Schemas['DraftOrderCreate'] {
  return { currency: values.currency, ...parts(values) };
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What has changed, and nothing where that is nothing. */
export function draftUpdate(values: DraftValues, base: DraftValues): Schemas['DraftOrderUpdate'] {
  const now = parts(values);
  const before = parts(base);
  const changed = Object.entries(now).filter(([name, value]) => !same(value, before[name as keyof typeof before]));
  return Object.fromEntries(changed.filter(([name]) => name !== 'expires_at' || values.expires_at !== null).map(([name, value]) => [name, value ?? null]));
}
