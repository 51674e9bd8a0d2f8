package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// order is what documents need to know of an order and its store. All that is read of other
// rooms' tables is read here.
type order struct {
	Number          string           `json:"number"`
	State           string           `json:"state"`
	PaymentState    string           `json:"payment_state"`
	PlacedAt        time.Time        `json:"placed_at"`
	Currency        string           `json:"currency"`
	Email           string           `json:"email"`
	ShippingAddress *address.Address `json:"shipping_address"`
	BillingAddress  *address.Address `json:"billing_address"`
	Note            string           `json:"note"`
	Method          method           `json:"method"`
	TaxIncluded     bool             `json:"tax_included"`
	Subtotal        int64            `json:"subtotal"`
	Discount        int64            `json:"discount"`
	Shipping        int64            `json:"shipping"` // before its discount
	Tax             int64            `json:"tax"`
	Total           int64            `json:"total"`
	Refunded        int64            `json:"refunded"`
	Lines           []orderLine      `json:"lines"`

	Locale    string    `json:"locale"`
	Name      string    `json:"name"` // the store's
	Contact   string    `json:"contact"`
	Invoicing Invoicing `json:"invoicing"`
}

// method is how an order is sent; its amounts are those of the shipping.
type method struct {
	Name     string      `json:"name"`
	Discount money.Money `json:"discount"`
	Taxes    []Tax       `json:"taxes"`
}

type orderLine struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Variant  string `json:"variant"`
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Unit     int64  `json:"unit"`
	Total    int64  `json:"total"` // after its discount
	Taxes    []Tax  `json:"taxes"`
	Ships    bool   `json:"ships"`
	Unsent   int64  `json:"unsent"`
}

const orderSQL = `
select json_build_object('number', s.order_prefix || o.number, 'state', o.state, 'payment_state', o.payment_state, 'placed_at', o.placed_at,
	'currency', o.currency, 'email', o.email, 'shipping_address', o.shipping_address, 'billing_address', o.billing_address, 'note', o.note,
	'method', o.shipping_method, 'tax_included', o.prices_include_tax, 'subtotal', o.subtotal_amount, 'discount', o.discount_amount,
	'shipping', o.shipping_amount, 'tax', o.tax_amount, 'total', o.total_amount, 'refunded', o.refunded_amount,
	'lines', (select json_agg(json_build_object('id', l.id, 'title', l.title, 'variant', l.variant_title, 'sku', l.sku, 'quantity', l.quantity,
		'unit', l.unit_amount, 'total', l.total_amount, 'taxes', l.taxes, 'ships', l.requires_shipping,
		'unsent', greatest(l.quantity - l.fulfilled_quantity - l.refunded_quantity + coalesce((
			select sum((x->>'quantity')::bigint) from refunds r cross join jsonb_array_elements(r.lines) x
			where r.order_id = o.id and r.return_id is not null and r.state = 'succeeded' and x->>'line_id' = l.id), 0), 0)) order by l.position)
		from order_lines l where l.order_id = o.id),
	'locale', s.locale, 'name', s.name, 'contact', s.contact_email, 'invoicing', s.invoicing)::text
from orders o cross join settings s where o.id = $1 and o.state <> 'pending'`

// read reads a placed order.
func read(ctx context.Context, tx *postgres.Tx, id string) (*order, error) {
	var raw []byte
	err := tx.QueryRow(ctx, orderSQL, id).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, problem.Missing("order")
	}
	o := &order{}
	if err == nil {
		err = json.Unmarshal(raw, o)
	}
	if err != nil {
		return nil, fmt.Errorf("read order %s for a document: %w", id, err)
	}
	o.Invoicing = o.Invoicing.whole()
	return o, nil
}

func (o *order) money(n int64) money.Money { return money.New(n, o.Currency) }

// content is what all documents of an order say alike.
func (o *order) content(kind Kind) Content {
	c := Content{
		Kind: kind, Locale: o.Locale, Seller: o.Invoicing.Seller, Buyer: o.BillingAddress, ShipTo: o.ShippingAddress, Email: o.Email,
		OrderNumber: o.Number, OrderedAt: o.PlacedAt, TaxIncluded: o.TaxIncluded,
		Footer:   o.Invoicing.Footer,
		Discount: o.money(0), Shipping: o.money(0), Subtotal: o.money(0), Tax: o.money(0), Total: o.money(0), Taxes: []Tax{}, Lines: []Line{},
	}
	if c.Buyer == nil {
		c.Buyer = o.ShippingAddress
	}
	if c.Buyer != nil {
		c.BuyerID = c.Buyer.TaxID
	}
	if c.Seller.Email == "" {
		c.Seller.Email = o.Contact
	}
	if c.Seller.Address == nil {
		c.Seller.Address = &address.Address{Name: o.Name}
	}
	return c
}

// invoice is what the order's invoice says.
func (o *order) invoice() Content {
	c := o.content(Invoice)
	taxes := [][]Tax{}
	for _, l := range o.Lines {
		c.Lines = append(c.Lines, Line{Title: l.Title, Variant: l.Variant, SKU: l.SKU, Quantity: l.Quantity, Unit: o.money(l.Unit), Total: o.money(l.Unit * l.Quantity), Taxes: l.Taxes})
		taxes = append(taxes, l.Taxes)
	}
	c.Method = o.Method.Name
	c.Subtotal, c.Discount, c.Shipping = o.money(o.Subtotal), o.money(o.Discount), o.money(o.Shipping)
	c.Taxes = addUp(append(taxes, o.Method.Taxes)...)
	c.Tax, c.Total = o.money(o.Tax), o.money(o.Total)
	c.Paid = o.PaymentState == "paid" || o.PaymentState == "partially_refunded" || o.PaymentState == "refunded"
	return c
}
