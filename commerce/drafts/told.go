package drafts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Told is what the audit tells of a draft order, in the words of the contract's update, with
// what it came to.
type Told struct {
	CustomerID string `json:"customer_id,omitempty"`
	cart.Details
	Lines           []toldLine    `json:"lines"`
	Discount        *toldDiscount `json:"discount,omitempty"`
	Shipping        *toldShipping `json:"shipping,omitempty"`
	Tags            []string      `json:"tags,omitempty"`
	TaxExemptReason string        `json:"tax_exempt_reason,omitempty"`
	ExpiresAt       time.Time     `json:"expires_at"`
	ReservedUntil   *time.Time    `json:"reserved_until,omitempty"`
	CreatedAt       time.Time     `json:"created_at"`
	SentAt          *time.Time    `json:"sent_at,omitempty"`
	OrderID         string        `json:"order_id,omitempty"`
	Total           money.Money   `json:"total"`
}

type toldLine struct {
	VariantID  string            `json:"variant_id,omitempty"`
	Quantity   int64             `json:"quantity"`
	UnitPrice  money.Money       `json:"unit_price"`
	Discount   *toldDiscount     `json:"discount,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	*toldGoods
}

// toldGoods are what is in no catalogue.
type toldGoods struct {
	Title            string `json:"title"`
	SKU              string `json:"sku,omitempty"`
	RequiresShipping bool   `json:"requires_shipping"`
	Taxable          bool   `json:"taxable"`
	TaxClass         string `json:"tax_class,omitempty"`
	Grams            int64  `json:"weight_grams,omitempty"`
}

type toldDiscount struct {
	Reason     string       `json:"reason,omitempty"`
	Amount     *money.Money `json:"amount,omitempty"`
	Percentage string       `json:"percentage,omitempty"`
}

type toldShipping struct {
	Name  string      `json:"name"`
	Price money.Money `json:"price"`
}

// Tell tells of a draft order as it is.
func Tell(c *cart.Cart) Told {
	t := Told{
		CustomerID: c.CustomerID, Details: c.Details(), Lines: make([]toldLine, len(c.Lines)), Discount: told(c.Draft.Discount, c.Currency), Tags: c.Draft.Tags,
		TaxExemptReason: c.TaxExemptReason, ExpiresAt: c.ExpiresAt.UTC(), ReservedUntil: c.ReservedUntil, CreatedAt: c.CreatedAt.UTC(), SentAt: c.Draft.SentAt, OrderID: c.OrderID, Total: c.Totals.Total,
	}
	if s := c.Draft.Shipping; s != nil {
		t.Shipping = &toldShipping{s.Name, money.New(s.Amount, c.Currency)}
	}
	for i, l := range c.Lines {
		t.Lines[i] = toldLine{VariantID: l.VariantID, Quantity: l.Quantity, UnitPrice: l.Shown, Discount: told(l.Agreed.Discount, c.Currency), Attributes: l.Attributes}
		if a := l.Agreed; l.VariantID == "" {
			t.Lines[i].toldGoods = &toldGoods{a.Title, a.SKU, a.RequiresShipping, a.Taxable, a.TaxClass, a.Grams}
		}
	}
	return t
}

func told(d *cart.Discount, currency string) *toldDiscount {
	if d == nil {
		return nil
	}
	if d.Rate > 0 {
		return &toldDiscount{Reason: d.Reason, Percentage: d.Rate.Percent()}
	}
	amount := money.New(d.Amount, currency)
	return &toldDiscount{Reason: d.Reason, Amount: &amount}
}

// rows are the rows of a draft order by which it can be brought back; commerce/privacy sees to
// it that who was to buy it can be erased from them. Of what is sold no more nothing comes back.
var rows = []postgres.Part{
	{Table: "carts", Of: "x.id = $1"},
	{Table: "cart_lines", Of: "x.cart_id = $1", Back: "r.variant_id is null or exists (select from variants v where v.id = r.variant_id)"},
}

// Restore brings back a draft order that was deleted. Its goods are not kept for it any more,
// and its link opens it again.
func (s *Service) Restore(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := tx.Restore(ctx, kept, rows...); err != nil {
		return fmt.Errorf("restore draft order %s: %w", id, err)
	}
	c, err := s.Carts.HoldDraft(ctx, tx, id)
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, "draft_order.created", id, named(c))
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.restore", ObjectID: id, After: Tell(c)})
	return nil
}
