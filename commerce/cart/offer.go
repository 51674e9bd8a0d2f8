package cart

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Offered is what a placed order could have besides, at the prices of the moment and with the
// taxes that hold where the order goes.
type Offered struct {
	Line
	Priced           bool          // it has a price in the order's currency
	Taxes            []pricing.Tax // that it falls under
	PricesIncludeTax bool          // its unit price does
}

// offerSQL is a cart that nobody has, of the lines $2, for whoever placed the order $1. It is
// a completed one, as no promotion is for it.
var offerSQL = `
with c as (
	select x.* from orders o cross join lateral jsonb_populate_record(null::carts, jsonb_build_object('id', 'offer', 'state', 'completed', 'version', 1,
		'currency', o.currency, 'customer_id', o.customer_id, 'email', o.email, 'shipping_address', o.shipping_address, 'billing_address', o.billing_address,
		'shipping_method_id', o.shipping_method->>'id', 'tax_exempt_reason', o.tax_exempt_reason, 'note', '', 'country', '', 'quotes', '{}'::jsonb, 'codes', '[]'::jsonb)) x
	where o.id = $1
), held as (select expires_at from reservations where false),
changed as (select * from cart_lines where false),
l as (select x.* from jsonb_populate_recordset(null::cart_lines, $2::jsonb) x join variants v on v.id = x.variant_id)` + selectDocument

// Offer prices what is to be added to a placed order. Items that there are not are refused.
func (s *Service) Offer(ctx context.Context, tx *postgres.Tx, orderID string, items []Item) ([]Offered, error) {
	if err := validate(items, "", ""); err != nil {
		return nil, err
	}
	type row struct {
		ID         string            `json:"id"`
		VariantID  string            `json:"variant_id"`
		Quantity   int64             `json:"quantity"`
		Attributes map[string]string `json:"attributes"`
		Unit       int64             `json:"unit_amount"`
	}
	rows := make([]row, len(items))
	for i, item := range items {
		rows[i] = row{fmt.Sprintf("%06d", i), item.VariantID, item.Quantity, item.Attributes, 0}
		if item.Attributes == nil {
			rows[i].Attributes = map[string]string{}
		}
	}
	lines, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("price what order %s is to have: %w", orderID, err)
	}
	var raw []byte
	if err := tx.QueryRow(ctx, offerSQL, orderID, string(lines)).Scan(&raw); err != nil {
		return nil, fmt.Errorf("price what order %s is to have: %w", orderID, err)
	}
	c, err := parse(raw, nil)
	if err != nil {
		return nil, fmt.Errorf("price what order %s is to have: %w", orderID, err)
	}
	offered, unknown := make([]Offered, len(items)), problem.New(problem.Unprocessable, "unknown_reference", "There is no such variant.")
	at := 0
	for i, item := range items {
		if at >= len(c.Lines) || c.Lines[at].ID != rows[i].ID {
			unknown.At(item.At+"/variant_id", "unknown_reference", "There is no such variant.")
			continue
		}
		line := c.Lines[at]
		at++
		o := Offered{Line: line, Priced: line.amounts, Taxes: c.goodsTaxes(line), PricesIncludeTax: c.PricesIncludeTax}
		if c.tax.relief() != "" {
			none := pricing.Line{Taxes: o.Taxes}
			if err := relieve(&none, false); err != nil {
				return nil, fmt.Errorf("price what order %s is to have: %w", orderID, err)
			}
		}
		offered[i] = o
	}
	return offered, unknown.OrNil()
}
