package cart_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// stub is a merchant's service that keeps what it was asked and answers as it is told.
type stub struct {
	*httptest.Server
	secret string
	mu     sync.Mutex
	asked  []rates.Sale
	answer func(w http.ResponseWriter, sale rates.Sale)
}

func (s *stub) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// says sets what is answered from now on.
func (s *stub) says(answer func(w http.ResponseWriter, sale rates.Sale)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *stub) saysText(text string) {
	s.says(func(w http.ResponseWriter, _ rates.Sale) { _, _ = io.WriteString(w, text) })
}

// asking lets the fixture's carts ask services at private addresses.
func (f *fixture) asking(options egress.Options) {
	f.t.Helper()
	key, err := secrets.NewKey("test")
	if err != nil {
		f.t.Fatal(err)
	}
	ring, err := secrets.ParseRing(key.Reveal())
	if err != nil {
		f.t.Fatal(err)
	}
	f.carts.Rates = rates.New(f.DB, ring, options, slog.New(slog.DiscardHandler))
}

var private = egress.Options{AllowPlainHTTP: true, AllowPrivate: true}

// service makes a rate service with a server behind it.
func (f *fixture) service(kind rates.Kind) (*stub, rates.ServiceID) {
	f.t.Helper()
	s := &stub{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sale rates.Sale
		signer, err := standardwebhooks.NewWebhook(s.secret)
		if err == nil {
			err = signer.Verify(body, r.Header)
		}
		if err == nil {
			err = json.Unmarshal(body, &sale)
		}
		if err != nil {
			f.t.Errorf("a question: %v: %s", err, body)
		}
		s.mu.Lock()
		s.asked = append(s.asked, sale)
		answer := s.answer
		s.mu.Unlock()
		answer(w, sale)
	}))
	f.t.Cleanup(s.Close)
	var id rates.ServiceID
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, s.secret, err = f.carts.Rates.Create(ctx, tx, rates.Input{Kind: kind, Name: "Stub", URL: s.URL, Active: true})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return s, id
}

// carrier makes a carrier that Express goes by.
func (f *fixture) carrier() (*stub, rates.ServiceID) {
	f.t.Helper()
	s, id := f.service(rates.CarrierKind)
	f.Exec(f.t, `update shipping_methods set carrier_service_id = $1, carrier_rate = 'fast' where id = $2`, id, f.Express)
	s.saysText(`{"rates": [{"code": "slow", "price": {"amount": 300, "currency": "EUR"}}, {"code": "fast", "price": {"amount": 990, "currency": "EUR"}, "delivery_estimate": "Tomorrow"}]}`)
	return s, id
}

// addressed is a cart of a shirt that goes to Berlin by Express.
func (f *fixture) addressed(shirt string) cart.Ref {
	f.t.Helper()
	_, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: []cart.Item{{VariantID: shirt, Quantity: 1}}})
	to := &berlin
	if _, err := f.update(ref, cart.Change{ShippingAddress: &to, MethodID: &f.Express}, 0); err != nil {
		f.t.Fatal(err)
	}
	return ref
}

// age makes what services said of a cart as old as that.
func (f *fixture) age(ref cart.Ref, old time.Duration) {
	f.t.Helper()
	f.Exec(f.t, `update carts set quotes = (select jsonb_object_agg(key, value || jsonb_build_object('at', now() - $2::interval)) from jsonb_each(quotes)) where id = $1`, ref.ID, old)
}

func TestCarrier(t *testing.T) {
	f := open(t)
	f.asking(private)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100})
	f.Exec(t, `update variants set weight_grams = 250`)
	carrier, _ := f.carrier()

	_, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: []cart.Item{{VariantID: shirt, Quantity: 2}}})
	if got := f.options(ref); got != "Standard 490, Express 1200" || carrier.count() != 0 {
		t.Errorf("without an address: %s, asked %d times", got, carrier.count())
	}
	to := &berlin
	c, err := f.update(ref, cart.Change{ShippingAddress: &to, MethodID: &f.Express}, 0)
	if err != nil || codes(c) != "quote_missing" || !c.Estimated() || c.Totals.Shipping.Total.Amount != 1200 || carrier.count() != 0 {
		t.Fatalf("a change asks nobody: %s %+v, %v", codes(c), c.Totals, err)
	}
	c = f.read(ref)
	if codes(c) != "" || c.Estimated() || c.Totals.Shipping.Total.Amount != 990 || c.Method.Estimate != "Tomorrow" || c.Totals.Total.Amount != 2380+990 {
		t.Fatalf("read: %s %+v", codes(c), c.Totals)
	}
	sale := carrier.asked[0]
	if l := sale.Lines[0]; sale.Type != rates.CarrierKind || sale.Origin != "DE" || sale.Destination.PostalCode != "10115" || !sale.PricesIncludeTax ||
		l.Quantity != 2 || l.WeightGrams != 250 || l.UnitPrice.Amount != 1190 || !l.RequiresShipping {
		t.Errorf("asked %+v", sale)
	}
	version := c.Version
	if got := f.options(ref); got != "Standard 490, Express 990" || carrier.count() != 1 || f.read(ref).Version != version {
		t.Errorf("what is known is not asked again: %s, %d times", got, carrier.count())
	}
	// Another quantity is another question; and the first one's answer does not count for it.
	if c, err = f.add(ref, shirt, 1); err != nil || codes(c) != "quote_missing" {
		t.Errorf("one more: %s, %v", codes(c), err)
	}
	if c = f.read(ref); carrier.count() != 2 || codes(c) != "" {
		t.Errorf("read anew: %s, asked %d times", codes(c), carrier.count())
	}
	// What a carrier does not offer is not to be had, whatever the table says.
	carrier.saysText(`{"rates": []}`)
	f.age(ref, 16*time.Minute)
	if got := f.options(ref); got != "Standard 490" || codes(f.read(ref)) != "shipping_unavailable" {
		t.Errorf("not offered: %s, %s", got, codes(f.read(ref)))
	}
	// An inactive one is not asked: the prices count.
	f.Exec(t, `update rate_services set active = false`)
	if got := f.options(ref); got != "Standard 490, Express 1200" {
		t.Errorf("inactive: %s", got)
	}
}

// An answer counts for half an hour, and is asked for anew after a quarter.
func TestQuotesGrowOld(t *testing.T) {
	f := open(t)
	f.asking(private)
	carrier, _ := f.carrier()
	ref := f.addressed(f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100}))
	f.read(ref)
	bought := func() *cart.Cart {
		c, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) { return f.carts.ReadIn(ctx, tx, ref) })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, step := range []struct {
		old   time.Duration
		codes string // when it is bought
		asked int    // by the reading after
	}{{14 * time.Minute, "", 0}, {20 * time.Minute, "", 1}, {31 * time.Minute, "quote_missing", 1}} {
		f.age(ref, step.old)
		before := carrier.count()
		if c := bought(); codes(c) != step.codes || carrier.count() != before {
			t.Errorf("bought after %v: %q", step.old, codes(c))
		}
		if c := f.read(ref); codes(c) != "" || carrier.count()-before != step.asked {
			t.Errorf("read after %v: %q, asked %d times", step.old, codes(c), carrier.count()-before)
		}
	}
}

// Whatever a service does: the tables count, it is asked once and left alone for a while,
// and its merchant is told why.
func TestServicesFail(t *testing.T) {
	f := open(t)
	f.asking(private)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100})
	carrier, id := f.carrier()
	rate := func(rate string) func(http.ResponseWriter, rates.Sale) {
		return func(w http.ResponseWriter, _ rates.Sale) { fmt.Fprintf(w, `{"rates": [%s]}`, rate) }
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, rates.Sale)
		reason string
	}{
		"an error": {func(w http.ResponseWriter, _ rates.Sale) { w.WriteHeader(500) }, "answered 500"},
		"a redirect": {func(w http.ResponseWriter, _ rates.Sale) {
			w.Header().Set("Location", carrier.URL)
			w.WriteHeader(302)
		}, "answered 302"},
		"no JSON":        {func(w http.ResponseWriter, _ rates.Sale) { fmt.Fprint(w, "<html>") }, "not JSON"},
		"huge":           {func(w http.ResponseWriter, _ rates.Sale) { fmt.Fprint(w, strings.Repeat(" ", 300<<10), "{}") }, "larger than"},
		"broken off":     {func(http.ResponseWriter, rates.Sale) { panic(http.ErrAbortHandler) }, "broke"},
		"too slow":       {func(http.ResponseWriter, rates.Sale) { time.Sleep(4 * time.Second) }, "time allowed"},
		"dollars":        {rate(`{"code": "fast", "price": {"amount": 1, "currency": "USD"}}`), "/rates/0/price is not in EUR"},
		"less than 0":    {rate(`{"code": "fast", "price": {"amount": -1, "currency": "EUR"}}`), "out of range"},
		"more than all":  {rate(`{"code": "fast", "price": {"amount": 9223372036854775807, "currency": "EUR"}}`), "out of range"},
		"something else": {func(w http.ResponseWriter, _ rates.Sale) { fmt.Fprint(w, `{"rate": []}`) }, "not JSON of the form"},
		"two answers":    {func(w http.ResponseWriter, _ rates.Sale) { fmt.Fprint(w, `{"rates": []} {"rates": []}`) }, "not JSON of the form"},
		"half a cent":    {rate(`{"code": "fast", "price": {"amount": 0.5, "currency": "EUR"}}`), "not JSON of the form"},
	} {
		f.Exec(t, `update rate_services set failed_at = null, failure = ''`)
		ref := f.addressed(shirt)
		carrier.says(c.answer)
		before := carrier.count()
		if got := f.read(ref); codes(got) != "" || got.Totals.Shipping.Total.Amount != 1200 || got.Estimated() {
			t.Errorf("%s: %s, %+v", name, codes(got), got.Totals)
		}
		f.read(ref)
		f.read(f.addressed(shirt)) // another cart does not wait for it either
		if n := carrier.count() - before; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
		why := shoptest.Value[string](t, f.Shop, `select failure from rate_services where id = $1 and failed_at > now() - interval '1 minute'`, id)
		if !strings.Contains(why, c.reason) || strings.Contains(why, "127.0.0.1") {
			t.Errorf("%s: the merchant reads %q", name, why)
		}
	}
	// A method without prices of its own cannot be used then.
	f.Exec(t, `update shipping_methods set prices = '{}' where id = $1`, f.Express)
	ref := f.addressed(shirt)
	if got := f.read(ref); codes(got) != "shipping_unavailable" || f.options(ref) != "Standard 490" {
		t.Errorf("without prices: %s, %s", codes(got), f.options(ref))
	}
	// Once the pause is over it is asked again.
	f.Exec(t, `update rate_services set failed_at = now() - interval '31 seconds'`)
	f.age(ref, 31*time.Second)
	carrier.says(rate(`{"code": "fast", "price": {"amount": 700, "currency": "EUR"}}`))
	if got := f.read(ref); codes(got) != "" || got.Totals.Shipping.Total.Amount != 700 {
		t.Errorf("again: %s, %+v", codes(got), got.Totals)
	}
}

// An address that became a private one since it was written down is not reached.
func TestPrivateServiceIsNotReached(t *testing.T) {
	f := open(t)
	f.asking(private)
	carrier, _ := f.carrier()
	strict := *f.carts.Rates
	f.carts.Rates = rates.New(f.DB, strict.Sealer, egress.Options{AllowPlainHTTP: true}, strict.Log)
	ref := f.addressed(f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100}))
	if got := f.read(ref); carrier.count() != 0 || got.Totals.Shipping.Total.Amount != 1200 {
		t.Errorf("reached %d times: %+v", carrier.count(), got.Totals)
	}
	for _, address := range []string{"http://rates.example.com", "https://127.0.0.1", "https://user:pass@rates.example.com", "nothing"} {
		f.carts.Rates = rates.New(f.DB, strict.Sealer, egress.Options{}, strict.Log)
		err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := f.carts.Rates.Create(ctx, tx, rates.Input{Kind: rates.TaxKind, Name: "Stub", URL: address, Active: true})
			return err
		})
		if !problem.Is(err, "invalid_rate_service") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// taxes answers with the same taxes for every line and for shipping.
func taxes(list string) func(http.ResponseWriter, rates.Sale) {
	return func(w http.ResponseWriter, sale rates.Sale) {
		var lines []string
		for _, l := range sale.Lines {
			lines = append(lines, fmt.Sprintf(`{"id": %q, "taxes": [%s]}`, l.ID, list))
		}
		fmt.Fprintf(w, `{"lines": [%s], "shipping": [%s]}`, strings.Join(lines, ","), list)
	}
}

func TestTaxService(t *testing.T) {
	f := open(t)
	f.asking(private)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100})
	service, _ := f.service(rates.TaxKind)
	service.says(taxes(`{"name": "State", "jurisdiction": "US-NY", "percentage": "4"}, {"name": "City", "jurisdiction": "US-NY-NYC", "percentage": "4.875"}`))
	ref := f.addressed(shirt)
	c, err := f.update(ref, cart.Change{MethodID: &f.Standard}, 0)
	if err != nil || codes(c) != "quote_missing" || taxesOf(c) != "VAT DE 19 taxed;" {
		t.Fatalf("not asked yet: %s, %s, %v", codes(c), taxesOf(c), err)
	}
	c = f.read(ref)
	if codes(c) != "" || taxesOf(c) != "State US-NY 4 tax_service;City US-NY-NYC 4.875 tax_service;" || len(c.Totals.Shipping.Taxes) != 2 || c.Totals.Total.Amount != 1680 ||
		c.Totals.Tax.Amount != 97+40 {
		t.Fatalf("read: %s, %s, %+v", codes(c), taxesOf(c), c.Totals)
	}
	if sale := service.asked[0]; sale.Type != rates.TaxKind || !sale.Lines[0].Taxable || sale.Destination.Country != "DE" {
		t.Errorf("asked %+v", sale)
	}
	// Who pays no tax pays none, whatever a service says; what contains it is had without.
	if _, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Exempt(ctx, tx, ref.ID, "Certificate 12-345", 0)
	}); err != nil {
		t.Fatal(err)
	}
	if c = f.read(ref); c.Totals.Tax.Amount != 0 || c.PricesIncludeTax || !strings.Contains(taxesOf(c), "State US-NY 0 customer_exempt") || c.Totals.Subtotal.Amount != 1093 || service.count() != 1 {
		t.Errorf("exempt: %s, %+v, asked %d times", taxesOf(c), c.Totals, service.count())
	}
	// That there is no tax is said too, and is not what the tables say.
	service.says(taxes(""))
	if c = f.read(f.addressed(shirt)); c.Totals.Tax.Amount != 0 || taxesOf(c) != " DE 0 tax_service;" {
		t.Errorf("none: %s, %+v", taxesOf(c), c.Totals)
	}
	for name, answer := range map[string]string{
		"a line that was not asked for": `{"lines": [{"id": "cln_1", "taxes": []}]}`, "no lines": `{}`,
		"more than all": `{"lines": [{"id": "LINE", "taxes": [{"name": "A", "jurisdiction": "B", "percentage": "100.5"}]}]}`,
		"a number":      `{"lines": [{"id": "LINE", "taxes": [{"name": "A", "jurisdiction": "B", "percentage": 7}]}]}`,
		"twice":         `{"lines": [{"id": "LINE", "taxes": []}, {"id": "LINE", "taxes": []}]}`,
		"no name":       `{"lines": [{"id": "LINE", "taxes": []}], "shipping": [{"name": "", "jurisdiction": "B", "percentage": "7"}]}`,
	} {
		f.Exec(t, `update rate_services set failed_at = null`)
		service.says(func(w http.ResponseWriter, sale rates.Sale) {
			_, _ = io.WriteString(w, strings.ReplaceAll(answer, "LINE", sale.Lines[0].ID))
		})
		if c = f.read(f.addressed(shirt)); codes(c) != "" || taxesOf(c) != "VAT DE 19 taxed;" {
			t.Errorf("%s: %s, %s", name, codes(c), taxesOf(c))
		}
	}
}

// An answer to a question that the cart has left behind is not kept; and several who read a
// cart at once do not get into each other's way.
func TestQuotesRace(t *testing.T) {
	f := open(t)
	f.asking(private)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 100})
	carrier, id := f.carrier()
	tax, _ := f.service(rates.TaxKind)
	tax.says(taxes(`{"name": "State", "jurisdiction": "US-NY", "percentage": "4"}`))
	ref := f.addressed(shirt)
	carrier.says(func(w http.ResponseWriter, _ rates.Sale) {
		if _, err := f.add(ref, shirt, 1); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `{"rates": [{"code": "fast", "price": {"amount": 1, "currency": "EUR"}}]}`)
	})
	f.read(ref)
	if kept := shoptest.Value[string](t, f.Shop, `select quotes::text from carts where id = $1`, ref.ID); kept != "{}" {
		t.Errorf("kept %s", kept)
	}
	carrier.saysText(`{"rates": [{"code": "fast", "price": {"amount": 800, "currency": "EUR"}}]}`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if c, err := f.carts.Read(f.Ctx, ref); err != nil || codes(c) != "" || c.Totals.Shipping.Total.Amount != 800 {
				t.Errorf("read: %v", err)
			}
		})
	}
	all.Wait()
	before, taxed := carrier.count(), tax.count()
	ctx, count := postgres.Counting(f.Ctx)
	if c, err := f.carts.Read(ctx, ref); err != nil || c.Totals.Tax.Amount == 0 || count.Statements.Load() != 1 || carrier.count() != before || tax.count() != taxed {
		t.Errorf("known: %d statements, %v", count.Statements.Load(), err)
	}
	f.age(ref, time.Hour)
	ctx, count = postgres.Counting(f.Ctx)
	if _, err := f.carts.Read(ctx, ref); err != nil || count.Statements.Load() > 3 || carrier.count() != before+1 || tax.count() != taxed+1 {
		t.Errorf("asked both: %d statements, %v", count.Statements.Load(), err)
	}
	if shoptest.Value[int](t, f.Shop, `select count(*) from carts where quotes ? $1`, string(id)) != 1 {
		t.Error("the answer was not kept")
	}
}
