import { answered, type Schemas } from '../../api/client';
import type { StoreSide } from '../../session/store';

export type Value = number | string | Schemas['Money'] | null;
export type Row = Record<string, Value>;
type Period = { from: string; to: string; totals: Row | null; data: Row[] };
export type Report = { currency: string | null; time_zone: string; rebuilding: boolean; period: Period; comparison: Period | null };

/** Figures of a report: the first of them are told at its top, and all of them in its table. */
type Kind = { path: `/v1/analytics/${string}`; figures: readonly string[]; top: number };

/** Reports by days, weeks or months, which a chart shows. */
const byTime = {
  sales: { path: '/v1/analytics/sales', top: 4, figures: ['total_sales', 'orders', 'average_order_value', 'units_sold', 'gross_sales', 'discounts', 'returns', 'net_sales', 'shipping', 'taxes', 'fees', 'units_returned'] },
  conversion: { path: '/v1/analytics/conversion', top: 4, figures: ['visits', 'conversion_rate', 'added_to_cart_rate', 'reached_checkout_rate', 'product_views', 'added_to_cart', 'reached_checkout', 'completed'] },
  customers: { path: '/v1/analytics/customers', top: 4, figures: ['new_customers', 'returning_orders', 'returning_share', 'returning_net_sales', 'new_net_sales'] },
  refunds: { path: '/v1/analytics/refunds', top: 4, figures: ['amount', 'refunds', 'to_payments', 'to_store_credit', 'set_off', 'of_balance', 'fees'] },
} as const satisfies Record<string, Kind>;

/** Reports of the most of something, and one of what lies in stock by now. */
const ranked = {
  products: { path: '/v1/analytics/products', top: 4, figures: ['net_sales', 'units_sold', 'orders', 'returns', 'gross_sales', 'discounts', 'units_returned'] },
  collections: { path: '/v1/analytics/collections', top: 0, figures: ['net_sales', 'units_sold', 'orders', 'returns', 'gross_sales', 'discounts', 'units_returned'] },
  discounts: { path: '/v1/analytics/discounts', top: 2, figures: ['amount', 'orders'] },
  taxes: { path: '/v1/analytics/taxes', top: 2, figures: ['amount', 'taxable'] },
  stock: { path: '/v1/analytics/stock', top: 4, figures: ['retail_value', 'cost_value', 'units', 'units_without_cost', 'units_without_price'] },
} as const satisfies Record<string, Kind>;

export const kinds = { ...byTime, ...ranked };
export type Name = keyof typeof kinds;
export type Figure = (typeof kinds)[Name]['figures'][number];

export const isByTime = (name: Name) => name in byTime;

/** What products and collections are ranked by. */
export const sorts = ['net_sales', 'gross_sales', 'units_sold', 'orders', 'returns'] as const;

type Asked = { from: string; to: string; interval: string; compare: string; currency: string; sort: string };

/** What a report takes of all that can be asked. */
function taken(name: Name, { from, to, interval, compare, currency, sort }: Asked) {
  return {
    ...(name !== 'stock' && { from, to, ...(compare && { compare }) }),
    ...(isByTime(name) && { interval }),
    ...(name !== 'conversion' && { currency }),
    ...((name === 'products' || name === 'collections') && { sort }),
  };
}

/** Asks for a report. All of them are alike enough to be asked as one. */
export async function ask(api: StoreSide['api'], name: Name, asked: Asked): Promise<Report> {
  const { data } = await answered(api.GET(kinds[name].path as '/v1/analytics/sales', { params: { query: taken(name, asked) as never } }));
  return data as unknown as Report;
}

/** The same as a table for programs that calculate. */
export function table(api: StoreSide['api'], name: Name, asked: Asked) {
  return api.GET(kinds[name].path as '/v1/analytics/sales', { params: { query: { ...taken(name, asked), format: 'csv' } as never }, parseAs: 'blob' });
}
