package settings_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func ptr[T any](v T) *T { return &v }

// in runs fn in a store and fails the test on an error.
func in(t *testing.T, db *postgres.DB, ctx context.Context, fn func(context.Context, *postgres.Tx) error) {
	t.Helper()
	if err := db.InStore(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func TestTheCatalogueFollowsTheSettings(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	ctx := p.Store(t)
	shop := shoptest.In(t, p.DB, ctx)
	cheap, dear := shop.Add(t, shoptest.Variant{Title: "Lampen", EUR: 100, USD: 900}), shop.Add(t, shoptest.Variant{Title: "Tische", EUR: 500, USD: 300})
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := search.Reindex(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into collections (id, handle, title, sort_order, rules) values ('col_1', 'all', 'All', 'price_ascending', '[{"field": "price", "operator": "greater_than", "value": "0", "currency": "EUR"}]')`)
		if err != nil {
			return err
		}
		return collections.RebuildAll(ctx, tx, "true")
	})
	state := func() string {
		t.Helper()
		return shoptest.Value[string](t, shop, `select (select string_agg(v.id, ' ' order by m.sort_key) from collection_products m join variants v on v.product_id = m.product_id)
			|| ' ' || (select count(*) from product_words where search @@ to_tsquery('german', 'Lampe'))`)
	}
	if got, want := state(), cheap+" "+dear+" 0"; got != want {
		t.Fatalf("before: %s, want %s", got, want)
	}
	shop.Exec(t, `update settings set locale = 'de', currency = 'USD'`)
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `select from settings for update`); err != nil {
			return err
		}
		return settings.Follow(ctx, tx, true, true, false)
	})
	if got, want := state(), dear+" "+cheap+" 1"; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
}

func euros(amount int64) []settings.ShippingPrice {
	return []settings.ShippingPrice{{Currency: "EUR", Amount: amount}}
}

func TestShippingAndTaxes(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	ctx := p.Store(t)
	var method settings.ShippingMethodID
	var rate settings.TaxRateID
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if method, err = settings.CreateShippingMethod(ctx, tx, settings.ShippingInput{Name: "Standard", Prices: euros(490), Active: true}); err != nil {
			return err
		}
		for i := range 3 {
			in := settings.ShippingInput{Name: fmt.Sprint("Other ", i), Prices: euros(1), Position: ptr(0)}
			if _, err := settings.CreateShippingMethod(ctx, tx, in); err != nil {
				return err
			}
		}
		rate, err = settings.CreateTaxRate(ctx, tx, settings.TaxInput{Name: "VAT", Country: "DE", Percentage: "19"})
		return err
	})
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := settings.CreateTaxRate(ctx, tx, settings.TaxInput{Name: "VAT", Country: "DE", Percentage: "7"})
		return err
	})
	if !problem.Is(err, "tax_rate_exists") {
		t.Errorf("two rates for a country: %v", err)
	}
	for _, wrong := range []settings.TaxInput{{Name: "VAT", Country: "DE", Percentage: "-1"}, {Country: "DE"}, {Name: "VAT", Country: "QQ"}} {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := settings.CreateTaxRate(ctx, tx, wrong)
			return err
		})
		if !problem.Is(err, "invalid_tax_rate") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	page, err := settings.ShippingMethods(ctx, p.DB, "", 2)
	if err != nil || page.Next == "" {
		t.Errorf("page: %s, %v", page.Data, err)
	}
	if page, err = settings.TaxRates(ctx, p.DB, "", 2); err != nil || page.Next != "" {
		t.Errorf("page: %s, %v", page.Data, err)
	}
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := settings.UpdateShippingMethod(ctx, tx, method, 1, settings.ShippingPatch{Name: ptr("Slow"), Position: ptr(1), TieredBy: ptr("price"), Active: ptr(false)}); err != nil {
			return err
		}
		if err := settings.UpdateTaxRate(ctx, tx, rate, 1, settings.TaxPatch{Percentage: ptr("16")}); err != nil {
			return err
		}
		o, err := settings.ShippingMethod(ctx, tx, method)
		if err != nil || o.Version != 2 {
			t.Errorf("method: %s %d, %v", o.Data, o.Version, err)
		}
		o, err = settings.TaxRate(ctx, tx, rate)
		if err != nil || o.Version != 2 {
			t.Errorf("rate: %s %d, %v", o.Data, o.Version, err)
		}
		if err := settings.DeleteShippingMethod(ctx, tx, method, 2); err != nil {
			return err
		}
		if err := settings.DeleteTaxRate(ctx, tx, rate, 2); err != nil {
			return err
		}
		if err := settings.DeleteTaxRate(ctx, tx, rate, 2); !problem.Is(err, "not_found") {
			t.Errorf("deleted twice: %v", err)
		}
		if _, err := settings.ShippingMethod(ctx, tx, method); !problem.Is(err, "not_found") {
			t.Errorf("deleted: %v", err)
		}
		return nil
	})
	// No more than a checkout can look at.
	err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for range 100 {
			if _, err := settings.CreateShippingMethod(ctx, tx, settings.ShippingInput{Name: "x", Prices: euros(1)}); err != nil {
				return err
			}
		}
		return nil
	})
	if !problem.Is(err, "shipping_method_limit") {
		t.Errorf("a hundred more: %v", err)
	}
}
