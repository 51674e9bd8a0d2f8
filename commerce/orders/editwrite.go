package orders

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// editSQL writes the order's lines ($2), sums ($3) and the edit itself ($4).
const editSQL = `
with x as (
	select * from jsonb_to_recordset($2::jsonb) as x(id text, position int, variant_id text, product_id text, title text, variant_title text, sku text, image_key text,
		quantity int, unit bigint, discount bigint, discounts jsonb, total bigint, tax bigint, taxes jsonb, requires_shipping boolean, tracks_stock boolean,
		attributes jsonb, allocations jsonb, price_list json)
), gone as (
	delete from order_lines l using x where l.id = x.id and l.order_id = $1 and x.quantity = 0
), resized as (
	update order_lines l set quantity = x.quantity, unit_amount = x.unit, discount_amount = x.discount, discounts = x.discounts, total_amount = x.total,
		tax_amount = x.tax, taxes = x.taxes, allocations = x.allocations
	from x where l.id = x.id and l.order_id = $1 and x.quantity > 0
), added as (
	insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, sku, image_key, quantity,
		unit_amount, discount_amount, discounts, total_amount, tax_amount, taxes, requires_shipping, tracks_stock, attributes, allocations, price_list)
	select x.id, $1, x.position, x.variant_id, x.product_id, x.title, x.variant_title, x.sku, x.image_key, x.quantity,
		x.unit, x.discount, x.discounts, x.total, x.tax, x.taxes, x.requires_shipping, x.tracks_stock, x.attributes, x.allocations, x.price_list
	from x where x.product_id <> ''
), e as (
	insert into order_edits (id, order_id, reason, lines, discounts, total_before, total_after, invoiced, return_id, created_at)
	select $4, $1, $5, $6::jsonb, o.discounts, o.total_amount, y.total, $7, nullif($8, ''), clock_timestamp() from orders o, jsonb_to_record($3::jsonb) as y(total bigint) where o.id = $1
)
update orders o set subtotal_amount = y.subtotal, discount_amount = y.discount, shipping_amount = y.shipping, tax_amount = y.tax, total_amount = y.total, taxes = y.taxes, discounts = y.discounts,
	shipping_method = case when o.shipping_method is not null then o.shipping_method || y.method end
from jsonb_to_record($3::jsonb) as y(subtotal bigint, discount bigint, shipping bigint, tax bigint, total bigint, taxes jsonb, discounts jsonb, method jsonb)
where o.id = $1`

// write writes the edit down, with the order as it is by it.
func (e *edited) write(ctx context.Context, tx *postgres.Tx, o *order, id string, in Edit) error {
	changed := []*content{}
	for _, l := range e.lines {
		if l.ID == "" {
			l.ID = ids.New("orl")
		}
		if l.changed() {
			changed = append(changed, l)
		}
	}
	t, currency := e.totals, o.Total.Currency
	lines, err := marshalled(changed)
	if err != nil {
		return fmt.Errorf("edit order %s: %w", o.ID, err)
	}
	sums, err := marshalled(map[string]any{
		"subtotal": t.Subtotal.Amount, "discount": t.Discount.Amount, "shipping": e.shipping.Unit * e.shipping.Quantity, "tax": t.Tax.Amount, "total": t.Total.Amount,
		"taxes": t.Taxes, "discounts": e.discounts(),
		"method": map[string]any{"discount": money.New(e.shipping.Discount, currency), "tax": money.New(e.shipping.Tax, currency), "taxes": e.shipping.Taxes},
	})
	if err != nil {
		return fmt.Errorf("edit order %s: %w", o.ID, err)
	}
	differences, err := marshalled(e.differences(currency))
	if err == nil {
		_, err = tx.Exec(ctx, editSQL, o.ID, lines, sums, id, in.Reason, differences, e.invoiced, in.exchanged)
	}
	if err != nil {
		return fmt.Errorf("edit order %s: %w", o.ID, err)
	}
	return nil
}

// difference is what an edit changes of a line, or of the shipping, as it is kept for documents
// and shown.
type difference struct {
	LineID    *string             `json:"line_id"`
	VariantID *string             `json:"variant_id"`
	ProductID string              `json:"product_id"`
	Title     string              `json:"title"`
	Variant   string              `json:"variant"`
	SKU       string              `json:"sku"`
	Quantity  int64               `json:"quantity"`
	Unit      money.Money         `json:"unit"`
	Total     money.Money         `json:"total"`
	Taxes     []pricing.TaxAmount `json:"taxes"`
}

// differences are what is different by the edit, line by line.
func (e *edited) differences(currency string) []difference {
	list := []difference{}
	for _, l := range append(slices.Clone(e.lines), &e.shipping) {
		if !l.changed() {
			continue
		}
		d := difference{
			ProductID: cmp.Or(l.ProductID, l.Product), Title: l.Title, Variant: l.VariantTitle, SKU: l.SKU, Quantity: l.Quantity - l.was.Quantity, Unit: money.New(l.Unit, currency),
			Total: money.New(l.Total-l.was.Total, currency), Taxes: taxDifference(l.was.Taxes, l.Taxes),
		}
		if l == &e.shipping {
			d.Title, d.Quantity = e.method, 0
		} else {
			d.LineID = &l.ID
		}
		if l.VariantID != "" {
			d.VariantID = &l.VariantID
		}
		list = append(list, d)
	}
	return list
}

// taxDifference is what taxes came to more, or less.
func taxDifference(was, now []pricing.TaxAmount) []pricing.TaxAmount {
	list := slices.Clone(now)
	if list == nil {
		list = []pricing.TaxAmount{}
	}
	for _, w := range was {
		at := slices.IndexFunc(list, func(t pricing.TaxAmount) bool {
			return t.Name == w.Name && t.Jurisdiction == w.Jurisdiction && t.Percentage == w.Percentage && t.Reason == w.Reason
		})
		if at < 0 {
			at, list = len(list), append(list, pricing.TaxAmount{Name: w.Name, Jurisdiction: w.Jurisdiction, Percentage: w.Percentage, Reason: w.Reason,
				Taxable: money.Zero(w.Taxable.Currency), Amount: money.Zero(w.Amount.Currency)})
		}
		list[at].Taxable.Amount -= w.Taxable.Amount
		list[at].Amount.Amount -= w.Amount.Amount
	}
	return list
}

// audited are the edit's changes in short.
func (e *edited) audited() []LineQuantity {
	list := []LineQuantity{}
	for _, l := range e.lines {
		if l.changed() {
			list = append(list, LineQuantity{l.ID, l.Quantity})
		}
	}
	return list
}
