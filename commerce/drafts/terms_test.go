package drafts_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestWhatCannotBeAgreed(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 3})
	priceless := f.Add(t, shoptest.Variant{USD: 100, Stock: 3})
	work := func(change func(*drafts.Line)) *[]drafts.Line {
		l := drafts.Line{Title: "Work", UnitPrice: eur(1000), Quantity: 1}
		change(&l)
		return &[]drafts.Line{l}
	}
	one := work(func(*drafts.Line) {})
	long := strings.Repeat("x", 256)
	for pointer, terms := range map[string]drafts.Patch{
		"/lines":                          {},
		"/lines/0/quantity":               {Lines: work(func(l *drafts.Line) { l.Quantity = -1 })},
		"/lines/0/unit_price/amount":      {Lines: work(func(l *drafts.Line) { l.UnitPrice = eur(math.MaxInt64) })},
		"/lines/0/unit_price/currency":    {Lines: work(func(l *drafts.Line) { l.UnitPrice.Currency = "USD" })},
		"/lines/0/unit_price":             {Lines: work(func(l *drafts.Line) { l.UnitPrice = nil })},
		"/lines/0/title":                  {Lines: work(func(l *drafts.Line) { l.Title = " " })},
		"/lines/0/sku":                    {Lines: work(func(l *drafts.Line) { l.SKU = "a\nb" })},
		"/lines/0/tax_class":              {Lines: work(func(l *drafts.Line) { l.TaxClass = &long })},
		"/lines/0/weight_grams":           {Lines: work(func(l *drafts.Line) { l.Grams = ptr(int64(-1)) })},
		"/lines/0":                        {Lines: work(func(l *drafts.Line) { l.VariantID = shirt })},
		"/lines/0/variant_id":             {Lines: ptr([]drafts.Line{{VariantID: priceless, Quantity: 1}})},
		"/lines/0/attributes":             {Lines: work(func(l *drafts.Line) { l.Attributes = map[string]string{"": "x"} })},
		"/lines/0/discount":               {Lines: work(func(l *drafts.Line) { l.Discount = &drafts.Discount{} })},
		"/lines/0/discount/amount/amount": {Lines: work(func(l *drafts.Line) { l.Discount = &drafts.Discount{Amount: eur(0)} })},
		"/lines/0/discount/amount":        {Lines: work(func(l *drafts.Line) { l.Discount = &drafts.Discount{Amount: eur(1001)} })},
		"/lines/0/discount/percentage":    {Lines: work(func(l *drafts.Line) { l.Discount = &drafts.Discount{Percentage: "100.5"} })},
		"/discount/amount":                {Lines: one, Discount: ptr(&drafts.Discount{Amount: eur(1001)})},
		"/discount/amount/currency":       {Lines: one, Discount: ptr(&drafts.Discount{Amount: ptr(money.New(1, "USD"))})},
		"/discount/reason":                {Lines: one, Discount: ptr(&drafts.Discount{Amount: eur(1), Reason: long})},
		"/email":                          {Lines: one, Email: ptr("ada")},
		"/customer_id":                    {Lines: one, CustomerID: ptr(ids.New("cus"))},
		"/note":                           {Lines: one, Note: ptr(strings.Repeat("x", 2001))},
		"/tags/0":                         {Lines: one, Tags: ptr([]string{" "})},
		"/tax_exempt_reason":              {Lines: one, TaxExemptReason: &long},
		"/shipping_method_id":             {Lines: one, MethodID: ptr(ids.New("shp"))},
		"/shipping/name":                  {Lines: one, Shipping: ptr(&drafts.Shipping{Price: *eur(1)})},
		"/shipping/price/amount":          {Lines: one, Shipping: ptr(&drafts.Shipping{Name: "Van", Price: *eur(-1)})},
		"/shipping":                       {Lines: one, Shipping: ptr(&drafts.Shipping{Name: "Van", Price: *eur(1)}), MethodID: &f.Standard},
		"/shipping_address/country":       {Lines: one, ShippingAddress: ptr(&address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "XX"})},
		"/expires_at":                     {Lines: one, ExpiresAt: ptr(time.Now().Add(-time.Hour))},
		"/reserved_until":                 {Lines: one, ReservedUntil: ptr(ptr(time.Now().Add(2 * drafts.Lifetime)))},
	} {
		_, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.drafts.Create(ctx, tx, "", terms)
		})
		p := problem.As(err)
		if p == nil || p.Kind != problem.Unprocessable {
			t.Errorf("%s: %v", pointer, err)
			continue
		}
		found := false
		for _, fault := range p.Faults {
			found = found || fault.Pointer == pointer
		}
		if !found {
			t.Errorf("%s is not at fault: %+v", pointer, p.Faults)
		}
	}
	digital := work(func(l *drafts.Line) { l.RequiresShipping = ptr(false) })
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Create(ctx, tx, "", drafts.Patch{Lines: digital, Shipping: ptr(&drafts.Shipping{Name: "Van", Price: *eur(1)})})
	}); problem.As(err) == nil {
		t.Errorf("sending what is not to be sent: %v", err)
	}
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Create(ctx, tx, "GBP", drafts.Patch{Lines: one})
	}); !problem.Is(err, "currency_not_sold") {
		t.Errorf("in a currency that the shop does not sell in: %v", err)
	}
	dear := make([]drafts.Line, cart.MaxLines)
	for i := range dear {
		dear[i] = drafts.Line{Title: "Gold", UnitPrice: eur(999_999_999_999), Quantity: 9999}
	}
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Create(ctx, tx, "", drafts.Patch{Lines: &dear, Discount: ptr(&drafts.Discount{Percentage: "99.9999"})})
	}); !problem.Is(err, "total_too_large") {
		t.Errorf("more than can be sold at once: %v", err)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from carts`); n != 0 || f.events() != "" {
		t.Errorf("%d draft orders are left of what was refused, and %s", n, f.events())
	}
}

// What was agreed on and was deleted since is told, and not left out in silence.
func TestWhatWasAgreedIsMissed(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 3})
	c := f.create(drafts.Patch{Email: ptr("ada@example.com"), ShippingAddress: &berlin, MethodID: &f.Standard, Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 1}, {Title: "Work", UnitPrice: eur(1), Quantity: 1}})})
	f.Exec(t, `delete from variants where id = $1`, shirt)
	ref, c, err := f.drafts.Ref(f.Ctx, c.ID)
	if err != nil || len(c.Problems) != 1 || c.Problems[0].Code != cart.Unavailable {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := f.checkout.Complete(f.Ctx, f.input(ref, c.Totals.Total, payments.ManualName), nil); !problem.Is(err, "cart_incomplete") {
		t.Errorf("sold without what was agreed on: %v", err)
	}
}

type box []mail.Letter

func (b *box) Send(_ context.Context, letter mail.Letter) error {
	*b = append(*b, letter)
	return nil
}

type noLinks struct{}

func (noLinks) PayDraft(_ context.Context, id string) (string, error) {
	if id == "" {
		return "", errors.New("no draft order")
	}
	return "https://shop.example.com/pay/" + id + "?key=k", nil
}

func TestTheMailBringsTheLink(t *testing.T) {
	t.Parallel()
	f := open(t)
	var sent box
	mailer := &drafts.Mailer{Carts: f.carts, Post: &sent, Links: noLinks{}}
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 3})
	c := f.create(drafts.Patch{Email: ptr("ada@example.com"), Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 2, UnitPrice: eur(2000)}})})
	args := drafts.MailArgs{MailID: "mail_1", ID: c.ID, Message: "Here it is."}
	if err := mailer.Send(f.Ctx, args); err != nil || len(sent) != 0 {
		t.Errorf("written before it was sent: %v, %v", sent, err)
	}
	if _, err := f.send(c.ID, drafts.Sending{Mail: true, Message: "Here it is."}); err != nil {
		t.Fatal(err)
	}
	if err := mailer.Send(f.Ctx, args); err != nil || len(sent) != 1 {
		t.Fatalf("%v, %v", sent, err)
	}
	data, err := mail.Decode(sent[0].Kind, sent[0].Data)
	got, ok := data.(mail.DraftOrder)
	if err != nil || !ok || sent[0].To != "ada@example.com" || got.URL != "https://shop.example.com/pay/"+c.ID+"?key=k" || got.Message != "Here it is." || !got.Open || got.Total != *eur(4000) || got.Lines[0].Quantity != 2 {
		t.Errorf("got %+v, %v", data, err)
	}
	f.Exec(t, `delete from carts`)
	if err := mailer.Send(f.Ctx, args); err != nil || len(sent) != 1 {
		t.Errorf("written of what was deleted: %v", err)
	}
}
