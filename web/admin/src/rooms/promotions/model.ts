import type { Schemas } from '../../api/client';

type Promotion = Schemas['Promotion'];
export type Selection = { all: boolean; product_ids: string[]; variant_ids: string[]; collection_ids: string[]; tags: string[] };
type Amounts = Record<string, number | null>;

export type PromotionValues = {
  title: string;
  kind: Promotion['kind'];
  class: Promotion['class'];
  automatic: boolean;
  code: string;
  percentage: string;
  amounts: Amounts;
  each: boolean;
  items: Selection;
  buys: Selection;
  buy_quantity: number;
  get_quantity: number;
  max_uses_per_order: number | '';
  least: 'none' | 'amount' | 'quantity';
  minimum_amounts: Amounts;
  minimum_quantity: number;
  first_order: boolean;
  customer_group_ids: string[];
  combines_with: Promotion['combines_with'];
  active: boolean;
  starts_at: string;
  ends_at: string | null;
  usage_limit: number | '';
  customer_limit: number | '';
};

const everything: Selection = { all: true, product_ids: [], variant_ids: [], collection_ids: [], tags: [] };

export function newPromotion(kind: Promotion['kind']): PromotionValues {
  return {
    title: '',
    kind,
    class: 'order',
    automatic: false,
    code: '',
    percentage: kind === 'buy_x_get_y' ? '100' : '10',
    amounts: {},
    each: false,
    items: everything,
    buys: everything,
    buy_quantity: 2,
    get_quantity: 1,
    max_uses_per_order: '',
    least: 'none',
    minimum_amounts: {},
    minimum_quantity: 1,
    first_order: false,
    customer_group_ids: [],
    combines_with: [],
    active: true,
    starts_at: new Date().toISOString(),
    ends_at: null,
    usage_limit: '',
    customer_limit: '',
  };
}

const amountsBy = (list: Schemas['Money'][]): Amounts => Object.fromEntries(list.map(({ currency, amount }) => [currency, amount]));

function selected({ product_ids = [], variant_ids = [], collection_ids = [], tags = [] }: Schemas['PromotionSelection']): Selection {
  return { all: [product_ids, variant_ids, collection_ids, tags].every((each) => each.length === 0), product_ids, variant_ids, collection_ids, tags };
}

export function writtenPromotion(promotion: Promotion): PromotionValues {
  return {
    title: promotion.title,
    kind: promotion.kind,
    class: promotion.class,
    automatic: promotion.automatic,
    code: '',
    percentage: promotion.percentage ?? '',
    amounts: amountsBy(promotion.amounts),
    each: promotion.each,
    items: selected(promotion.items),
    buys: selected(promotion.buys),
    buy_quantity: promotion.buy_quantity,
    get_quantity: promotion.get_quantity,
    max_uses_per_order: promotion.max_uses_per_order || '',
    least: promotion.minimum_amounts.length > 0 ? 'amount' : promotion.minimum_quantity > 0 ? 'quantity' : 'none',
    minimum_amounts: amountsBy(promotion.minimum_amounts),
    minimum_quantity: promotion.minimum_quantity || 1,
    first_order: promotion.first_order,
    customer_group_ids: promotion.customer_group_ids,
    combines_with: promotion.combines_with,
    active: promotion.active,
    starts_at: promotion.starts_at,
    ends_at: promotion.ends_at,
    usage_limit: promotion.usage_limit ?? '',
    customer_limit: promotion.customer_limit ?? '',
  };
}

const money = (amounts: Amounts): Schemas['Money'][] =>
  Object.entries(amounts).flatMap(([currency, amount]) => (amount ? [{ currency: currency as Schemas['Currency'], amount }] : []));

const selectionOf = ({ all, ...chosen }: Selection): Schemas['PromotionSelection'] => (all ? {} : Object.fromEntries(Object.entries(chosen).filter(([, each]) => each.length > 0)));

/** What of it can be changed later on as well. */
function changeable(values: PromotionValues) {
  const { kind } = values;
  const gets = kind === 'buy_x_get_y';
  return {
    title: values.title.trim(),
    ...((kind === 'percentage' || gets) && { percentage: values.percentage }),
    ...(kind === 'fixed_amount' && { amounts: money(values.amounts), each: values.class === 'products' && values.each }),
    ...((gets || values.class === 'products') && { items: selectionOf(values.items) }),
    ...(gets && { buys: selectionOf(values.buys), buy_quantity: values.buy_quantity, get_quantity: values.get_quantity, max_uses_per_order: values.max_uses_per_order || 0 }),
    minimum_amounts: values.least === 'amount' ? money(values.minimum_amounts) : [],
    minimum_quantity: values.least === 'quantity' ? values.minimum_quantity : 0,
    first_order: values.first_order,
    customer_group_ids: values.customer_group_ids,
    combines_with: values.combines_with,
    active: values.active,
    starts_at: values.starts_at,
  };
}

export function promotionCreate(values: PromotionValues): Schemas['PromotionCreate'] {
  const { kind, automatic } = values;
  return {
    ...changeable(values),
    kind,
    ...((kind === 'percentage' || kind === 'fixed_amount') && { class: values.class }),
    automatic,
    ...(!automatic && values.code.trim() && { codes: [values.code.trim()] }),
    ...(values.ends_at && { ends_at: values.ends_at }),
    ...(values.usage_limit && { usage_limit: values.usage_limit }),
    ...(values.customer_limit && { customer_limit: values.customer_limit }),
  };
}

export function promotionUpdate(values: PromotionValues, base: PromotionValues): Schemas['PromotionUpdate'] {
  const whole = (each: PromotionValues) => ({
    ...changeable(each),
    ends_at: each.ends_at,
    usage_limit: each.usage_limit || null,
    customer_limit: each.customer_limit || null,
  });
  const before: Record<string, unknown> = whole(base);
  return Object.fromEntries(Object.entries(whole(values)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
}
