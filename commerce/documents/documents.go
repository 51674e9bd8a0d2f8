// Package documents owns what is printed of orders: invoices and credit notes, which are
// numbered without gaps and never change once they are issued, and packing slips, which are
// written anew whenever they are asked for.
//
// A document keeps a copy of all that it says. It is issued by a job that the payment or
// refund leaves, or earlier by whoever asks for it; a store that has not said who sells issues
// none, for an invoice without a seller is none. See docs/decisions/documents.md.
package documents

import (
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/typeset"
)

// Service issues documents of the context's store and prints them.
type Service struct {
	DB    *postgres.DB
	Fonts *typeset.Fonts
}

// Kind is what sort of document it is.
type Kind string

// The kinds. A packing slip has no number and is not kept.
const (
	Invoice     Kind = "invoice"
	CreditNote  Kind = "credit_note"
	PackingSlip Kind = "packing_slip"
)

// Tax is what a tax comes to, or why there is none.
type Tax = pricing.TaxAmount

// Line is something that was sold, or whose price is given back.
type Line struct {
	Title    string      `json:"title"`
	Variant  string      `json:"variant,omitempty"`
	SKU      string      `json:"sku,omitempty"`
	Quantity int64       `json:"quantity"`
	Unit     money.Money `json:"unit"`
	Total    money.Money `json:"total"` // with tax where prices contain it; of an invoice before discounts
	Taxes    []Tax       `json:"taxes"`
	Fee      bool        `json:"fee,omitempty"` // what is kept of a credit; it has no title
}

// Reference is the document that another one corrects.
type Reference struct {
	Number   string    `json:"number"`
	IssuedAt time.Time `json:"issued_at"`
}

// Tracking is how a parcel is followed.
type Tracking struct {
	Carrier string `json:"carrier"`
	Number  string `json:"number"`
}

// Content is all that a document says. It is kept as it is, and printed from alone.
type Content struct {
	Kind     Kind      `json:"kind"`
	Number   string    `json:"number,omitempty"`
	IssuedAt time.Time `json:"issued_at"`
	Locale   string    `json:"locale"`

	Seller  Seller           `json:"seller"`
	Buyer   *address.Address `json:"buyer"`
	Email   string           `json:"email"`
	BuyerID string           `json:"buyer_tax_id,omitempty"`
	ShipTo  *address.Address `json:"ship_to"`

	OrderNumber string     `json:"order_number"`
	OrderedAt   time.Time  `json:"ordered_at"`
	Corrects    *Reference `json:"corrects,omitempty"` // the invoice, on a credit note
	Reason      string     `json:"reason,omitempty"`

	TaxIncluded bool        `json:"prices_include_tax"`
	Lines       []Line      `json:"lines"`
	Method      string      `json:"shipping_method,omitempty"`
	Subtotal    money.Money `json:"subtotal"`
	Discount    money.Money `json:"discount"`
	Shipping    money.Money `json:"shipping"`
	Taxes       []Tax       `json:"taxes"` // in all, those of one kind in one
	Tax         money.Money `json:"tax"`
	Total       money.Money `json:"total"`
	Paid        bool        `json:"paid,omitempty"`

	Tracking *Tracking `json:"tracking,omitempty"`
	Note     string    `json:"note,omitempty"` // the shopper's, on a packing slip
	Footer   string    `json:"footer,omitempty"`
}

// alike says whether two taxes are of one kind, and so are shown as one.
func alike(a, b Tax) bool {
	return a.Name == b.Name && a.Jurisdiction == b.Jurisdiction && a.Percentage == b.Percentage && a.Reason == b.Reason
}

// addUp are the taxes of lines, those of one kind in one. Reasons why there is none are not
// among them.
func addUp(lists ...[]Tax) []Tax {
	all := []Tax{}
	for _, list := range lists {
	next:
		for _, tax := range list {
			if tax.Name == "" || tax.Taxable.IsZero() && tax.Amount.IsZero() {
				continue
			}
			for i := range all {
				if alike(all[i], tax) {
					all[i].Taxable.Amount += tax.Taxable.Amount
					all[i].Amount.Amount += tax.Amount.Amount
					continue next
				}
			}
			all = append(all, tax)
		}
	}
	return all
}

// sum is what taxes come to.
func sum(taxes []Tax, currency string) money.Money {
	total := money.Zero(currency)
	for _, tax := range taxes {
		total.Amount += tax.Amount.Amount
	}
	return total
}
