package storefront

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// order is an order as its shopper sees it, in the contract's form; see commerce/orders.
type order struct {
	ID               string      `json:"id"`
	Number           int64       `json:"number"`
	State            string      `json:"state"`
	PaymentState     string      `json:"payment_state"`
	FulfilmentState  string      `json:"fulfilment_state"`
	Email            string      `json:"email"`
	Currency         string      `json:"currency"`
	PricesIncludeTax bool        `json:"prices_include_tax"`
	Lines            []orderLine `json:"lines"`
	Shipping         *struct {
		Name          string           `json:"name"`
		Price         money.Money      `json:"price"`
		PickupAddress *address.Address `json:"pickup_address"`
	} `json:"shipping"`
	Taxes     []pricing.TaxAmount  `json:"taxes"`
	Discounts []promotions.Applied `json:"discounts"`
	Totals    struct {
		Subtotal    money.Money `json:"subtotal"`
		Shipping    money.Money `json:"shipping"`
		Tax         money.Money `json:"tax"`
		Total       money.Money `json:"total"`
		Credit      money.Money `json:"credit"`
		Refunded    money.Money `json:"refunded"`
		Outstanding money.Money `json:"outstanding"`
	} `json:"totals"`
	ShippingAddress *address.Address `json:"shipping_address"`
	BillingAddress  *address.Address `json:"billing_address"`
	Note            string           `json:"note"`
	Fulfilments     []fulfilment     `json:"fulfilments"`
	Returns         []goodsBack      `json:"returns"`
	Instructions    string           `json:"payment_instructions"` // how to pay what is due
	CreatedAt       time.Time        `json:"created_at"`
}

// rest is what was, or is to be, paid by other means than gift cards and store credit.
func (o order) rest() money.Money {
	return money.New(o.Totals.Total.Amount-o.Totals.Credit.Amount, o.Currency)
}

type orderLine struct {
	ID           string      `json:"id"`
	Title        string      `json:"title"`
	VariantTitle string      `json:"variant_title"`
	ImageURL     string      `json:"image_url"`
	Quantity     int64       `json:"quantity"`
	UnitPrice    money.Money `json:"unit_price"`
	Fulfilled    int64       `json:"fulfilled_quantity"`
	Returned     int64       `json:"returned_quantity"`
}

// subtotal is what the line comes to before discounts, which the page tells of all together.
func (l orderLine) subtotal() money.Money {
	return money.New(l.UnitPrice.Amount*l.Quantity, l.UnitPrice.Currency)
}

type fulfilment struct {
	Tracking *struct {
		Carrier string `json:"carrier"`
		Number  string `json:"number"`
		URL     string `json:"url"`
	} `json:"tracking"`
	CreatedAt time.Time `json:"created_at"`
}

// sent says of a parcel when it was sent and by whom, before what follows of how to follow it.
func (v *view) sent(f fulfilment) string {
	text := v.T("Sent on %s", v.date(f.CreatedAt))
	if f.Tracking.Carrier != "" {
		text += ", " + f.Tracking.Carrier
	}
	if f.Tracking.URL+f.Tracking.Number != "" {
		text += ":"
	}
	return text
}

// goodsBack is a return, in the contract's form; see commerce/orders.
type goodsBack struct {
	State string `json:"state"`
	Lines []struct {
		LineID   string `json:"line_id"`
		Quantity int64  `json:"quantity"`
		Reason   string `json:"reason"`
	} `json:"lines"`
	Message   string    `json:"message"`
	CreatedAt time.Time `json:"created_at"`
}

// stands says how far a return has come.
func (v *view) stands(b goodsBack) string {
	day := v.date(b.CreatedAt)
	switch b.State {
	case "requested":
		return v.T("You asked on %s to return something.", day)
	case "approved":
		return v.T("You can send back what you asked to return on %s.", day)
	case "declined":
		return v.T("What you wanted to return on %s cannot be taken back.", day)
	case "closed":
		return v.T("Your return of %s is done.", day)
	case "cancelled":
		return v.T("Your return of %s was cancelled.", day)
	}
	return v.T("Your return of %s has arrived.", day)
}

// orderView is an order's page.
type orderView struct {
	*view
	order
	Fresh     bool // it was placed a moment ago
	Documents []document
	Notice    string // why the rest was not paid
	Attempt   string // names an attempt to pay it
}

// document is an invoice or a credit note, in the contract's form; see commerce/documents.
type document struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// called is what a document is called.
func (v *view) called(d document) string {
	if d.Kind == "credit_note" {
		return v.T("Credit note %s", d.Number)
	}
	return v.T("Invoice %s", d.Number)
}

// orderPage shows an order to who bought it signed in, and to whoever holds its key: in a
// cookie, or in the address that a mail led to, from where it goes into the cookie and out
// of the address.
func (v *visit) orderPage() error {
	id := v.r.PathValue("order")
	ref, _ := postgres.StoreFrom(v.r.Context())
	if !ids.Valid("ord", id) {
		return problem.Missing("order")
	}
	if key := v.r.URL.Query().Get("key"); key != "" && v.config().Links.opens(ref, id, key) {
		v.keepOrder(id)
		v.see("/orders/" + id)
		return nil
	}
	raw, err := v.readOrder(id)
	if err != nil {
		return err
	}
	o, err := decode[order](raw, "order")
	if err != nil {
		return err
	}
	// Whoever may see the order may see what was issued of it.
	raw, err = v.config().Documents.OfOrder(v.r.Context(), id, documents.Reader{Staff: true})
	if err != nil {
		return err
	}
	issued, err := decode[[]document](raw, "documents")
	if err != nil {
		return err
	}
	p := &orderView{Documents: issued, view: v.view("", ""), order: o, Attempt: rand.Text(), Fresh: time.Since(o.CreatedAt) < time.Hour && o.State == "open" && len(o.Fulfilments) == 0}
	p.Alone, p.Title = true, p.T("Order %d", o.Number)
	if notice := checkoutNotice(v.r.URL.Query().Get("problem")); notice != "" {
		p.Notice = p.T(notice)
	}
	p.view.Currency = v.settings.Currency
	return page.Personal(v.w, v.r, http.StatusOK, orderPage(p))
}

// orderDocument gives an invoice or a credit note to whoever sees its order.
func (v *visit) orderDocument() error {
	id, document := v.r.PathValue("order"), v.r.PathValue("document")
	if !ids.Valid("ord", id) || !ids.Valid("doc", document) {
		return problem.Missing("document")
	}
	if _, err := v.readOrder(id); err != nil {
		return err
	}
	file, err := v.config().Documents.PDF(v.r.Context(), document, id, documents.Reader{Staff: true})
	if err != nil {
		return err
	}
	page.File(v.w, v.r, file.Name, "application/pdf", file.Data)
	return nil
}

// readOrder reads an order for who holds its key, or bought it signed in.
func (v *visit) readOrder(id string) (raw []byte, err error) {
	if !v.mayOpen(id) {
		c, err := v.shopper()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, problem.Missing("order")
		}
		return v.config().Orders.ShopGet(v.r.Context(), "", id, "", c.ID)
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		raw, err = v.config().Orders.ShopAnswer(ctx, tx, "", id)
		return err
	})
	return postgres.Must(raw, err, "order")
}

// date is a day as the page's readers write it.
func (v *view) date(t time.Time) string {
	if v.english() {
		return t.Format("2 January 2006")
	}
	return t.Format("02.01.2006")
}

// Paid says whether nothing is owed.
func (o *order) Paid() bool {
	return o.PaymentState != "pending" && o.PaymentState != "voided" && o.PaymentState != "partially_paid"
}

// progress is how far an order has come: 1 paid, 2 partly sent, 3 sent.
func (o *order) progress() int {
	switch o.FulfilmentState {
	case "fulfilled":
		return 3
	case "partially_fulfilled":
		return 2
	}
	return 1
}
