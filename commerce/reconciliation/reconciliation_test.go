package reconciliation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// shop is a store with what is compared in it.
type shop struct {
	*shoptest.Shop
	t        *testing.T
	platform *testdb.Platform
	service  *reconciliation.Service
}

func open(t *testing.T) *shop {
	t.Helper()
	platform := testdb.Open(t)
	s := &shop{Shop: shoptest.New(t, platform), t: t, platform: platform}
	s.service = &reconciliation.Service{DB: platform.DB, Providers: payments.Providers{payments.TestName: &payments.Test{DB: platform.DB}, "mute": mute{}}}
	return s
}

// mute is a provider that does not answer.
type mute struct{ payments.ByHand }

func (mute) Lookup(context.Context, payments.Charge) (payments.Outcome, error) {
	return payments.Outcome{}, errors.New("no answer")
}

// paid is a paid order, and the payment that it was paid by.
func (s *shop) paid() (order, payment string) {
	s.t.Helper()
	order, payment = ids.New("ord"), ids.New("pay")
	cart := ids.New("cart")
	s.Exec(s.t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax,
		subtotal_amount, shipping_amount, tax_amount, total_amount) values ($1, nextval('order_numbers'), $2, '\x00', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 1000, 0, 0, 1000)`, order, cart)
	s.Exec(s.t, `insert into payments (id, cart_id, order_id, provider, state, currency, amount) values ($1, $2, $3, 'test', 'captured', 'EUR', 1000)`, payment, cart, order)
	charge := payments.Charge{Reference: payment, Amount: money.New(1000, "EUR"), Request: payments.Request{Token: payments.TokenSucceeds}}
	if _, err := s.service.Providers[payments.TestName].Charge(s.Ctx, charge); err != nil {
		s.t.Fatal(err)
	}
	return order, payment
}

// byCard has the order paid by a gift card, to which 100 went back.
func (s *shop) byCard(order, payment string) {
	s.t.Helper()
	s.Exec(s.t, `delete from test_charges`)
	s.Exec(s.t, `insert into credit_accounts (id, kind, currency, balance, code_digest) values ('gc_x', 'gift_card', 'EUR', 100, '\x00')`)
	s.Exec(s.t, `insert into credit_entries (id, account_id, kind, amount, balance, payment_id, refund_id) values
		('cre_1', 'gc_x', 'issue', 1000, 1000, null, null), ('cre_2', 'gc_x', 'spend', -1000, 0, $1, null), ('cre_3', 'gc_x', 'refund', 100, 100, null, 'ref_x')`, payment)
	s.Exec(s.t, `update payments set provider = 'gift_card', reference = 'gc_x', refunded_amount = 100`)
	s.Exec(s.t, `update orders set refunded_amount = 100, payment_state = 'partially_refunded'`)
	s.Exec(s.t, `insert into refunds (id, order_id, state, currency, amount, parts) values ('ref_x', $1, 'succeeded', 'EUR', 100,
		jsonb_build_array(jsonb_build_object('id', 'ref_x', 'payment_id', $2::text, 'amount', 100, 'state', 'succeeded', 'credit', 'gc_x')))`, order, payment)
}

func (s *shop) run() []reconciliation.Difference {
	s.t.Helper()
	found, err := s.service.Run(s.Ctx, time.Now().Add(-time.Hour))
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// Each way in which books can differ is found, and nothing else is.
func TestWhatDiffersIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s *shop, order, payment, variant string)
		want  string
	}{
		"nothing":                    {func(*shop, string, string, string) {}, ""},
		"an order's state":           {func(s *shop, order, _, _ string) { s.Exec(s.t, `update orders set payment_state = 'pending'`) }, "payment_state"},
		"an order's total":           {func(s *shop, _, _, _ string) { s.Exec(s.t, `update payments set amount = 999`) }, "payment_state provider_books"},
		"an order without a payment": {func(s *shop, _, _, _ string) { s.Exec(s.t, `update payments set state = 'failed'`) }, "payment_state provider_books"},
		"a payment without an order": {func(s *shop, _, _, _ string) { s.Exec(s.t, `update orders set state = 'pending'`) }, "order_missing"},
		"an order's refunds":         {func(s *shop, _, _, _ string) { s.Exec(s.t, `update orders set refunded_amount = 1`) }, "payment_state refund_sums"},
		"a payment's refunds":        {func(s *shop, _, _, _ string) { s.Exec(s.t, `update payments set refunded_amount = 1`) }, "payment_state refund_sums provider_books"},
		"a refund that nobody made": {func(s *shop, _, payment, _ string) {
			s.Exec(s.t, `update test_charges set refunds = '{"ref_x": 400}'`)
		}, "provider_books"},
		"a charge that is gone":      {func(s *shop, _, _, _ string) { s.Exec(s.t, `delete from test_charges`) }, "provider_books"},
		"a charge of another amount": {func(s *shop, _, _, _ string) { s.Exec(s.t, `update test_charges set amount = 900`) }, "provider_books"},
		"a charge that was given back": {func(s *shop, order, payment, _ string) {
			s.Exec(s.t, `update payments set state = 'failed'`)
			s.Exec(s.t, `delete from orders`)
			s.Exec(s.t, `update test_charges set refunds = '{"ref_x": 1000}'`)
		}, ""},
		"an attempt without an end": {func(s *shop, _, _, _ string) {
			s.Exec(s.t, `insert into payments (id, cart_id, order_id, provider, state, currency, amount, updated_at) values ('pay_x', 'cart_x', 'ord_x', 'test', 'pending', 'EUR', 1, now() - interval '3 hours')`)
		}, "unended"},
		"a refund without an end": {func(s *shop, order, payment, _ string) {
			s.Exec(s.t, `insert into refunds (id, order_id, parts, state, currency, amount, created_at)
				values ('ref_x', $1, jsonb_build_array(jsonb_build_object('id', 'ref_x', 'payment_id', $2::text, 'amount', 1, 'state', 'pending')), 'pending', 'EUR', 1, now() - interval '3 hours')`, order, payment)
		}, "unended"},
		"a provider that is silent": {func(s *shop, _, _, _ string) { s.Exec(s.t, `update payments set provider = 'mute'`) }, "provider_no_books"},
		"a provider that is gone":   {func(s *shop, _, _, _ string) { s.Exec(s.t, `update payments set provider = 'gone'`) }, "provider_no_books"},
		"a gift card":               {func(s *shop, order, payment, _ string) { s.byCard(order, payment) }, ""},
		"what is on a gift card": {func(s *shop, order, payment, _ string) {
			s.byCard(order, payment)
			s.Exec(s.t, `update credit_accounts set balance = 1`)
		}, "credit"},
		"what a gift card paid": {func(s *shop, order, payment, _ string) {
			s.byCard(order, payment)
			s.Exec(s.t, `update credit_accounts set balance = 1000`)
			s.Exec(s.t, `delete from credit_entries where kind = 'spend'`)
		}, "credit"},
		"what went back to a gift card": {func(s *shop, order, payment, _ string) {
			s.byCard(order, payment)
			s.Exec(s.t, `delete from credit_entries where kind = 'refund'`)
			s.Exec(s.t, `update credit_accounts set balance = 0`)
		}, "credit"},
		"an order that is not counted": {func(s *shop, order, _, _ string) {
			s.Exec(s.t, `update orders set updated_at = now() - interval '3 hours'`)
		}, "figures"},
		"figures of what was not sold": {func(s *shop, order, _, _ string) {
			s.Exec(s.t, `insert into analytics_figures values (0, 'sales', 'EUR', 'day', '2026-01-01', 'new', 1, 1, 0, 1000, 1000, 0, 0, 0, 0, 0)`)
		}, "figures"},
		"stock": {func(s *shop, _, _, variant string) {
			s.Exec(s.t, `update variants set stock = 9 where id = $1`, variant)
		}, "stock"},
		"what is promised to nobody": {func(s *shop, _, _, variant string) {
			s.Exec(s.t, `insert into reservations (cart_id, variant_id, location_id, quantity, paying, expires_at) select 'cart_x', variant_id, location_id, 1, true, now() from stock_levels where variant_id = $1`, variant)
		}, "reserved"},
		"what is reserved": {func(s *shop, _, _, variant string) {
			s.Exec(s.t, `update variants set reserved = 1 where id = $1`, variant)
		}, "reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			variant := s.Add(t, shoptest.Variant{EUR: 1000, Stock: 10})
			s.Exec(t, `insert into stock_movements (id, variant_id, location_id, type, quantity, stock, reason, actor_kind) select 'mov_x', variant_id, location_id, 'receipt', on_hand, on_hand, 'initial', 'system' from stock_levels`)
			order, payment := s.paid()
			c.spoil(s, order, payment, variant)
			var kinds []string
			for _, d := range s.run() {
				kinds = append(kinds, string(d.Kind))
			}
			if got := strings.Join(slices.Compact(kinds), " "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// What is found is kept for operators, told as a figure, and forgotten when it is no more;
// a store has its turn once a day.
func TestTurns(t *testing.T) {
	s := open(t)
	measured := map[string]int{}
	r := &reconciliation.Reconciler{DB: s.DB, Books: s.service, Log: slog.New(slog.DiscardHandler), Measured: func(kind string, n int) { measured[kind] = n }}
	ref, _ := postgres.StoreFrom(s.Ctx)
	_, payment := s.paid()
	s.Exec(t, `delete from test_charges`)
	list := func() string {
		t.Helper()
		var text []string
		err := s.DB.InControl(context.Background(), func(ctx context.Context, tx *postgres.Tx) error {
			kept, err := reconciliation.List(ctx, tx, reconciliation.Filter{StoreID: ref.ID, Limit: 10})
			for _, k := range kept {
				text = append(text, fmt.Sprint(k.Mode, " ", k.Kind, " ", k.ObjectID))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(text, ", ")
	}
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := "live provider_books " + payment
	if got := list(); got != want {
		t.Fatalf("kept: %q, want %q", got, want)
	}
	if measured["provider_books"] < 1 || len(measured) != len(reconciliation.Kinds) {
		t.Errorf("measured: %v", measured)
	}
	s.Exec(t, `delete from payments`)
	s.Exec(t, `delete from orders`)
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != want {
		t.Fatalf("it was compared again at once: %q", got)
	}
	if found, err := r.One(context.Background(), ref); err != nil || len(found) != 0 {
		t.Fatalf("on demand: %v, %v", found, err)
	}
	if got := list(); got != "" {
		t.Fatalf("still kept: %q", got)
	}
}
