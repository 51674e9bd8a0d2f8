package stripe_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/principal"
)

// judge is Stripe's own specification, which looks at the form of requests.
type judge struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		t.Fatal(err)
	}
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{}
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told := httptest.NewRecorder()
		stub.HandleRequest(told, r)
		if told.Code >= 400 {
			t.Errorf("%s %s: %d %s", r.Method, r.URL, told.Code, told.Body)
		}
		j.mu.Lock()
		path := strings.Split(r.URL.Path, "/")
		for i, part := range path {
			if i > 2 && strings.Contains(part, "_1") {
				path[i] = "*"
			}
		}
		j.asked = append(j.asked, r.Method+" "+strings.Join(path, "/"))
		j.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(told.Code)
		_, _ = w.Write(told.Body.Bytes())
	}))
	t.Cleanup(j.Close)
	return j
}

// Every request that we make of Stripe has the form that its specification asks for.
func TestFormOfRequests(t *testing.T) {
	platform := testdb.Open(t)
	ctx := platform.Store(t)
	j := newJudge(t)
	p := stripe.New(stripe.Config{DB: platform.DB, Base: j.URL, Keys: map[principal.Mode]stripe.Keys{principal.Live: {Secret: "sk_test_123", Publishable: "pk_test_123"}}})
	for _, capture := range []payments.Capture{payments.Automatic, payments.Manual} {
		for _, flow := range []string{payments.FlowRedirect, payments.FlowConfirm} {
			for _, amount := range []money.Money{money.New(1999, "EUR"), money.New(500, "JPY"), money.New(1230, "KWD"), money.New(5, "ISK"), money.New(1200, "MGA")} {
				c := payments.Charge{
					Reference: ids.New("pay"), Account: "acct_123", Amount: amount, Capture: capture,
					Request: payments.Request{Flow: flow, ReturnURL: "https://shop.example.com/back", Email: "ada@example.com", Name: "Linen shirt + 2"},
				}
				if made, err := p.Charge(ctx, c); err != nil || made.Result == payments.Declined {
					t.Fatalf("%s of %s: %+v, %v", flow, amount, made, err)
				}
			}
		}
	}
	session := payments.Charge{Reference: ids.New("pay"), Theirs: "cs_123", Account: "acct_123"}
	intent := payments.Charge{Reference: ids.New("pay"), Theirs: "pi_123", Account: "acct_123"}
	back := payments.Refund{Reference: ids.New("ref"), Charge: intent, Amount: money.New(100, "EUR")}
	asked := back
	asked.Theirs = "re_123"
	for what, do := range map[string]func() error{
		"look up a session": func() error { _, err := p.Lookup(ctx, session); return err },
		"look up an intent": func() error { _, err := p.Lookup(ctx, intent); return err },
		"expire":            func() error { _, err := p.Void(ctx, session); return err },
		"cancel":            func() error { _, err := p.Void(ctx, intent); return err },
		"capture":           func() error { _, err := p.Capture(ctx, intent, money.New(100, "EUR")); return err },
		"refund":            func() error { _, err := p.Refund(ctx, back); return err },
		"look up a refund":  func() error { _, err := p.Refund(ctx, asked); return err },
		"books":             func() error { _, err := p.Books(ctx, intent); return err },
		"identify":          func() error { _, err := p.Identify(ctx, "sk_test_123"); return err },
		"connect again": func() error {
			_, _, err := p.Connect(ctx, payments.StripeAccount{ID: "acct_123"}, "https://admin.example.com")
			return err
		},
		"connect": func() error {
			_, _, err := p.Connect(ctx, payments.StripeAccount{}, "https://admin.example.com")
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	slices.Sort(j.asked)
	if asked := slices.Compact(j.asked); len(asked) != 15 {
		t.Errorf("%d kinds of requests were judged: %q", len(asked), asked)
	}
	for _, odd := range []money.Money{money.New(1231, "KWD"), money.New(1250, "MGA")} {
		if got, err := p.Charge(ctx, payments.Charge{Reference: ids.New("pay"), Account: "acct_123", Amount: odd}); err != nil || got.Failure != "amount_unsupported" {
			t.Errorf("%s: %+v, %v", odd, got, err)
		}
	}
}
