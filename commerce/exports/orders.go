package exports

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// order is what a table tells of an order, in the API's words.
type order struct {
	ID              string `json:"id"`
	Number          int64  `json:"number"`
	State           string `json:"state"`
	PaymentState    string `json:"payment_state"`
	FulfilmentState string `json:"fulfilment_state"`
	Email           string `json:"email"`
	CustomerID      string `json:"customer_id"`
	Currency        string `json:"currency"`
	Lines           []struct {
		Title        string      `json:"title"`
		VariantTitle string      `json:"variant_title"`
		SKU          string      `json:"sku"`
		Quantity     int         `json:"quantity"`
		UnitPrice    money.Money `json:"unit_price"`
		Discount     money.Money `json:"discount"`
		Tax          money.Money `json:"tax"`
		Total        money.Money `json:"total"`
		Fulfilled    int         `json:"fulfilled_quantity"`
		Refunded     int         `json:"refunded_quantity"`
	} `json:"lines"`
	Shipping *struct {
		Name string `json:"name"`
	} `json:"shipping"`
	Totals struct {
		Subtotal    money.Money `json:"subtotal"`
		Discount    money.Money `json:"discount"`
		Shipping    money.Money `json:"shipping"`
		Tax         money.Money `json:"tax"`
		Total       money.Money `json:"total"`
		Refunded    money.Money `json:"refunded"`
		Outstanding money.Money `json:"outstanding"`
	} `json:"totals"`
	Discounts []struct {
		Code string `json:"code"`
	} `json:"discounts"`
	Payments []struct {
		Provider string `json:"provider"`
	} `json:"payments"`
	ShippingAddress *address.Address `json:"shipping_address"`
	BillingAddress  *address.Address `json:"billing_address"`
	Note            string           `json:"note"`
	Tags            []string         `json:"tags"`
	CustomFields    fields.Values    `json:"custom_fields"`
	CreatedAt       string           `json:"created_at"`
	CancelledAt     string           `json:"cancelled_at"`
}

func (o order) id() string { return o.ID }

// The columns of Shopify's order CSV, as far as there is the like here: those of an order,
// which stand in its first row, of a line, and of the order again.
var (
	orderColumns = strings.Split("Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at", ",")
	lineColumns  = strings.Split("Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Lineitem tax,Lineitem total,Lineitem fulfilled,Lineitem refunded", ",")
	placeColumns = strings.Split("Name,Company,Address1,Address2,City,Zip,Province,Country,Phone,Tax ID", ",")
	orderMore    = strings.Split("Notes,State,Cancelled at,Payment Method,Refunded Amount,Outstanding Balance,Tags,Id,Customer ID", ",")
)

func orderHeader(b *book) []string {
	place := func(of string) (names []string) {
		for _, name := range placeColumns {
			names = append(names, of+" "+name)
		}
		return names
	}
	return joined([]string{"Name"}, orderColumns, lineColumns, place("Billing"), place("Shipping"), orderMore, b.columns(fields.Orders))
}

// orders are those of the book after one of them, with addresses of pictures as it has them.
func (b *book) orders(ctx context.Context, tx *postgres.Tx, after string, most int) (pgx.Rows, error) {
	return orders.Export(ctx, tx, b.Media, after, most, b.Since, b.Until)
}

func writeOrders(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (string, int, error) {
	return each(ctx, tx, after, most, b.orders, func(o order, _ []byte) error {
		own := len(b.columns(fields.Orders))
		for i := range max(len(o.Lines), 1) {
			first := i == 0
			row := joined([]string{"#" + strconv.FormatInt(o.Number, 10)},
				or(first, func() []string { return o.sums() }, len(orderColumns)),
				or(i < len(o.Lines), func() []string { return o.line(i) }, len(lineColumns)),
				or(first, func() []string { return place(o.BillingAddress) }, len(placeColumns)),
				or(first, func() []string { return place(o.ShippingAddress) }, len(placeColumns)),
				or(first, func() []string { return o.rest() }, len(orderMore)),
				or(first, func() []string { return b.values(fields.Orders, o.CustomFields) }, own),
			)
			if err := b.row(safe(row)); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeOrderLines(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (string, int, error) {
	return each(ctx, tx, after, most, b.orders, func(_ order, raw []byte) error {
		b.line(raw)
		return nil
	})
}

func (o order) sums() []string {
	t, shipping := o.Totals, ""
	if o.Shipping != nil {
		shipping = o.Shipping.Name
	}
	var codes []string
	for _, d := range o.Discounts {
		if d.Code != "" && !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
		}
	}
	return []string{
		o.Email, o.PaymentState, o.FulfilmentState, o.Currency, t.Subtotal.Decimal(), t.Shipping.Decimal(), t.Tax.Decimal(), t.Total.Decimal(),
		strings.Join(codes, ", "), t.Discount.Decimal(), shipping, o.CreatedAt,
	}
}

func (o order) line(i int) []string {
	l := o.Lines[i]
	name := l.Title
	if l.VariantTitle != "" && l.VariantTitle != "Default" {
		name += " - " + l.VariantTitle
	}
	return []string{
		strconv.Itoa(l.Quantity), name, l.UnitPrice.Decimal(), l.SKU, l.Discount.Decimal(), l.Tax.Decimal(), l.Total.Decimal(),
		strconv.Itoa(l.Fulfilled), strconv.Itoa(l.Refunded),
	}
}

func (o order) rest() []string {
	var providers []string
	for _, p := range o.Payments {
		if !slices.Contains(providers, p.Provider) {
			providers = append(providers, p.Provider)
		}
	}
	return []string{
		o.Note, o.State, o.CancelledAt, strings.Join(providers, ", "), o.Totals.Refunded.Decimal(), o.Totals.Outstanding.Decimal(),
		strings.Join(o.Tags, ", "), o.ID, o.CustomerID,
	}
}

// place is an address in the order of placeColumns.
func place(a *address.Address) []string {
	if a == nil {
		return make([]string, len(placeColumns))
	}
	return []string{a.Name, a.Company, a.Line1, a.Line2, a.City, a.PostalCode, a.Region, a.Country, a.Phone, a.TaxID}
}
