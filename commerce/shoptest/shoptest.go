// Package shoptest fills a test's store with something to sell.
package shoptest

import (
	"context"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Shop is a store with a few things in it: tax of 19 % in Germany, contained in its
// prices, none elsewhere, and two shipping methods.
type Shop struct {
	DB  *postgres.DB
	Ctx context.Context // inside the store

	Standard string // 4.90 EUR or 5.90 USD, everywhere
	Express  string // 12.00 EUR, to Germany and Austria
}

// Variant is what can be put into a cart.
type Variant struct {
	Title     string // of its product
	EUR, USD  int64  // 0 for no price
	Stock     int64
	Oversell  bool
	Untracked bool
	Digital   bool
	Untaxed   bool
	Draft     bool
}

// New opens a shop in a store of its own.
func New(t testing.TB, platform *testdb.Platform) *Shop {
	t.Helper()
	return In(t, platform.DB, platform.Store(t))
}

// In opens a shop in the context's store.
func In(t testing.TB, db *postgres.DB, ctx context.Context) *Shop {
	t.Helper()
	s := &Shop{DB: db, Ctx: ctx, Standard: ids.New("shp"), Express: ids.New("shp")}
	s.Exec(t, `insert into tax_rates (id, country, name, rate) values ($1, 'DE', 'VAT', 190000)`, ids.New("tax"))
	zone := ids.New("shz")
	s.Exec(t, `insert into shipping_zones (id, name, territories) values ($1, 'Near', '[{"country": "DE"}, {"country": "AT"}]')`, zone)
	s.Exec(t, `insert into shipping_methods (id, name, description, zone_id, prices, position) values
		($1, 'Standard', '', null, '{"EUR": {"amount": 490}, "USD": {"amount": 590}}', 0), ($2, 'Express', 'Tomorrow', $3, '{"EUR": {"amount": 1200}}', 1)`,
		s.Standard, s.Express, zone)
	return s
}

// Exec runs a statement in the store.
func (s *Shop) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%v: %s", err, strings.TrimSpace(sql))
	}
}

// Value is what a statement of one value gives.
func Value[T any](t testing.TB, s *Shop, sql string, args ...any) T {
	t.Helper()
	var value T
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&value)
	})
	if err != nil {
		t.Fatalf("%v: %s", err, strings.TrimSpace(sql))
	}
	return value
}

// Add puts a product of one variant on the shelf and gives the variant's ID.
func (s *Shop) Add(t testing.TB, v Variant) string {
	t.Helper()
	product, variant := ids.New("prod"), ids.New("var")
	status := "active"
	if v.Draft {
		status = "draft"
	}
	if v.Title == "" {
		v.Title = "Linen shirt"
	}
	s.Exec(t, `insert into products (id, handle, title, status) values ($1, $2, $3, $4)`, product, strings.TrimPrefix(product, "prod_"), v.Title, status)
	s.Exec(t, `insert into variants (id, product_id, position, title, sku, track_stock, oversell, requires_shipping, taxable) values ($1, $2, 0, '', $3, $4, $5, $6, $7)`,
		variant, product, "SKU-"+variant[len(variant)-6:], !v.Untracked, v.Oversell, !v.Digital, !v.Untaxed)
	s.SetStock(t, variant, v.Stock)
	for currency, amount := range map[string]int64{"EUR": v.EUR, "USD": v.USD} {
		if amount > 0 {
			s.Exec(t, `insert into prices (variant_id, currency, amount) values ($1, $2, $3)`, variant, currency, amount)
		}
	}
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error { return search.Index(ctx, tx, product) })
	if err != nil {
		t.Fatal(err)
	}
	return variant
}

// SetStock puts so many of a variant into the warehouse, behind the ledger's back.
func (s *Shop) SetStock(t testing.TB, variant string, stock int64) {
	t.Helper()
	s.Exec(t, `with v as (update variants set stock = $2 where id = $1 returning id, bounded)
		insert into stock_levels (variant_id, location_id, on_hand, bounded) select v.id, o.id, $2, v.bounded from v, locations o
		on conflict (variant_id, location_id) do update set on_hand = excluded.on_hand`, variant, stock)
}

// Stock is how many of a variant are on hand.
func (s *Shop) Stock(t testing.TB, variant string) int64 {
	t.Helper()
	return Value[int64](t, s, `select stock from variants where id = $1`, variant)
}
