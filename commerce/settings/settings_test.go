package settings_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/settings"
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

func TestSettings(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	ctx := p.Store(t)
	update := func(meant int, patch settings.Patch) (after settings.Settings, changed bool, err error) {
		err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			after, changed, err = settings.Update(ctx, tx, meant, patch)
			return err
		})
		return after, changed, err
	}
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `delete from settings`); err != nil {
			return err
		}
		if _, err := settings.Get(ctx, tx); err == nil {
			t.Error("a store without settings has some")
		}
		return settings.Create(ctx, tx, settings.Settings{
			Name: " Linen & Co ", ContactEmail: "hello@example.com", Country: "DE", Currency: "EUR", Currencies: []string{"USD", "EUR"}, PricesIncludeTax: true,
		})
	})
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		s, err := settings.Get(ctx, tx)
		if s.Name != "Linen & Co" || s.Locale != "en" || s.AccentColor != settings.DefaultAccent || fmt.Sprint(s.Currencies) != "[EUR USD]" || s.Version != 1 {
			t.Errorf("created: %+v", s)
		}
		return err
	})
	after, changed, err := update(1, settings.Patch{
		Currency: ptr("USD"), Currencies: []string{"EUR"}, AccentColor: ptr("#000000"), Locale: ptr("de-AT"), Description: ptr("Linen."),
		ContactEmail: ptr(""), PricesIncludeTax: ptr(false), Country: ptr("AT"), Name: ptr("Leinen"),
	})
	if err != nil || !changed || fmt.Sprint(after.Currencies) != "[USD EUR]" || after.Version != 2 || after.PricesIncludeTax {
		t.Errorf("updated: %+v, %v, %v", after, changed, err)
	}
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		s, err := settings.Get(ctx, tx)
		s.UpdatedAt = after.UpdatedAt
		if fmt.Sprint(s) != fmt.Sprint(after) {
			t.Errorf("read %+v, want %+v", s, after)
		}
		return err
	})
	if _, changed, err := update(0, settings.Patch{Name: ptr("Leinen ")}); err != nil || changed {
		t.Errorf("a change of nothing: %v, %v", changed, err)
	}
	if _, _, err := update(1, settings.Patch{Name: ptr("x")}); !problem.Is(err, "stale") {
		t.Errorf("another version: %v", err)
	}
	for name, patch := range map[string]settings.Patch{
		"no name": {Name: ptr(" ")}, "control characters": {Name: ptr("a\x01")}, "country": {Country: ptr("QQ")}, "currency": {Currency: ptr("QQQ")},
		"currencies": {Currencies: []string{"EUR", "QQQ"}}, "colour": {AccentColor: ptr("red")}, "long": {Name: ptr(string(make([]byte, 300)))},
	} {
		if _, _, err := update(0, patch); !problem.Is(err, "invalid_settings") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var entries int
	in(t, p.DB, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from audit_entries where action = 'store.update'`).Scan(&entries)
	})
	if entries != 1 {
		t.Errorf("%d audit entries", entries)
	}
	shop, err := settings.Shop(ctx, p.DB, nil, "live", "https://shop.example", false, true)
	if err != nil || shop.Version != 2 {
		t.Errorf("shop: %s, %v", shop.Data, err)
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
