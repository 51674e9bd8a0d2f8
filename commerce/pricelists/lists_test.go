package pricelists_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

func ptr[T any](v T) *T { return &v }

type fixture struct {
	*shoptest.Shop
	t *testing.T
}

func open(t *testing.T) fixture { return fixture{shoptest.New(t, testdb.Open(t)), t} }

// do runs a change, and says whether shoppers see other prices by it.
func (f fixture) do(change func(context.Context, *postgres.Tx) error) (seen bool, err error) {
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		err := change(ctx, tx)
		seen = stores.Touched(tx)
		return err
	})
	return seen, err
}

// must runs a change that shoppers see.
func (f fixture) must(change func(context.Context, *postgres.Tx) error) {
	f.t.Helper()
	if seen, err := f.do(change); err != nil || !seen {
		f.t.Fatalf("seen %v, %v", seen, err)
	}
}

func (f fixture) create(in pricelists.Input) (id pricelists.ID) {
	f.t.Helper()
	f.must(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = pricelists.Create(ctx, tx, in)
		return err
	})
	return id
}

func (f fixture) set(id pricelists.ID, entries ...pricelists.Entry) {
	f.t.Helper()
	f.must(func(ctx context.Context, tx *postgres.Tx) error { return pricelists.SetPrices(ctx, tx, id, entries) })
}

func (f fixture) update(id pricelists.ID, patch pricelists.Patch) {
	f.t.Helper()
	f.must(func(ctx context.Context, tx *postgres.Tx) error { return pricelists.Update(ctx, tx, id, 0, patch) })
}

// timeline is what a variant has cost and will, as far as is known, without its times.
func (f fixture) timeline(variant string) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select coalesce(string_agg(coalesce(amount::text, '-') || case when reduced then '!' else '' end, ' ' order by starts_at), '')
		from price_history where variant_id = $1 and currency = 'EUR'`, variant)
}

func TestLists(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.Exec(t, `insert into customer_groups (id, name) values ('cgr_a', 'A')`)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, USD: 2500})
	soon := time.Now().Add(time.Hour)
	sale := f.create(pricelists.Input{Name: "Sale", Kind: pricelists.Sale, Active: true, StartsAt: &soon, EndsAt: ptr(soon.Add(time.Hour))})
	f.set(sale, pricelists.Entry{VariantID: shirt, Currency: "EUR", MinQuantity: 1, Amount: ptr(int64(1500))}, pricelists.Entry{VariantID: shirt, Currency: "EUR", MinQuantity: 3, Amount: ptr(int64(1000))})
	if got := f.timeline(shirt); got != "2000 1500! 2000" {
		t.Errorf("with a sale to come: %s", got)
	}
	f.update(sale, pricelists.Patch{EndsAt: &sql.Null[time.Time]{}})
	if got := f.timeline(shirt); got != "2000 1500!" {
		t.Errorf("with one that does not end: %s", got)
	}
	f.update(sale, pricelists.Patch{StartsAt: &sql.Null[time.Time]{}, Name: ptr("Now")})
	if got := f.timeline(shirt); got != "2000 1500!" {
		t.Errorf("from now on: %s", got)
	}
	f.update(sale, pricelists.Patch{Name: ptr("Renamed")})
	f.update(sale, pricelists.Patch{GroupIDs: []string{"cgr_a"}})
	if got := f.timeline(shirt); got != "2000 1500! 2000" {
		t.Errorf("for a group only: %s", got)
	}
	f.set(sale, pricelists.Entry{VariantID: shirt, Currency: "EUR", MinQuantity: 1, Amount: ptr(int64(1))})
	f.update(sale, pricelists.Patch{GroupIDs: []string{}, Active: ptr(false)})
	f.update(sale, pricelists.Patch{Active: ptr(true)})
	f.set(sale, pricelists.Entry{VariantID: shirt, Currency: "EUR", MinQuantity: 1})
	if got := f.timeline(shirt); got != "2000 1500! 2000 1! 2000" {
		t.Errorf("its price taken away: %s", got)
	}
	f.set(sale, pricelists.Entry{VariantID: shirt, Currency: "EUR", MinQuantity: 1, Amount: ptr(int64(1800))})
	f.Exec(t, `insert into collections (id, handle, title) values ('col_a', 'a', 'A')`)
	f.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) select 'col_a', product_id, '', true from variants where id = $1`, shirt)
	f.must(func(ctx context.Context, tx *postgres.Tx) error {
		return pricelists.Reduce(ctx, tx, sale, pricelists.Reduction{CollectionID: "col_a", Off: 333_300, Currencies: []string{"EUR"}})
	})
	f.must(func(ctx context.Context, tx *postgres.Tx) error { return pricelists.Delete(ctx, tx, sale, 0) })
	if got := f.timeline(shirt); got != "2000 1500! 2000 1! 2000 1800! 1333! 2000" {
		t.Errorf("deleted: %s", got)
	}
	page, err := pricelists.History(f.Ctx, f.DB, shirt, "EUR", "", 3)
	if err != nil || page.Next == "" || !strings.Contains(string(page.Data), `1800`) {
		t.Errorf("history: %s, %v", page.Data, err)
	}
	rest, err := pricelists.History(f.Ctx, f.DB, shirt, "EUR", page.Next, 100)
	if err != nil || rest.Next != "" || strings.Contains(string(rest.Data), `1800`) || strings.Count(string(rest.Data), `"reduced"`) != 5 {
		t.Errorf("the rest: %s, %v", rest.Data, err)
	}
}

func TestListsRefuse(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000})
	refused := func(code string, change func(context.Context, *postgres.Tx) error) {
		t.Helper()
		if _, err := f.do(change); !problem.Is(err, code) {
			t.Errorf("%v, not %s", err, code)
		}
	}
	now := time.Now()
	for _, in := range []pricelists.Input{
		{Name: "", Kind: pricelists.Sale}, {Name: "a\nb", Kind: pricelists.Sale}, {Name: strings.Repeat("x", 256), Kind: pricelists.Sale}, {Name: "x", Kind: "cheap"},
		{Name: "x", Kind: pricelists.Sale, StartsAt: &now, EndsAt: &now},
	} {
		refused("invalid_price_list", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := pricelists.Create(ctx, tx, in)
			return err
		})
	}
	refused("unknown_reference", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := pricelists.Create(ctx, tx, pricelists.Input{Name: "x", Kind: pricelists.Sale, GroupIDs: []string{"cgr_no"}})
		return err
	})
	id := f.create(pricelists.Input{Name: "x", Kind: pricelists.Override, Active: true})
	for code, entries := range map[string][]pricelists.Entry{
		"invalid_price_list": {
			{VariantID: shirt, Currency: "EUR", MinQuantity: 0, Amount: ptr(int64(-1))}, {VariantID: shirt, Currency: "XXX", MinQuantity: 10_000}, {VariantID: shirt, Currency: "EUR"},
		},
		"unknown_reference": {{VariantID: ids.New("var"), Currency: "EUR", MinQuantity: 1, Amount: ptr(int64(1))}},
	} {
		refused(code, func(ctx context.Context, tx *postgres.Tx) error { return pricelists.SetPrices(ctx, tx, id, entries) })
	}
	refused("invalid_price_list", func(ctx context.Context, tx *postgres.Tx) error {
		return pricelists.SetPrices(ctx, tx, id, make([]pricelists.Entry, pricelists.MaxBatch+1))
	})
	refused("invalid_price_list", func(ctx context.Context, tx *postgres.Tx) error {
		return pricelists.Update(ctx, tx, id, 0, pricelists.Patch{Name: ptr("")})
	})
	for code, by := range map[string]pricelists.Reduction{
		"invalid_price_list": {CollectionID: "col_no", Off: 1_000_001, Currencies: []string{"XXX"}}, "unknown_reference": {CollectionID: "col_no", Off: 1_000_000},
	} {
		refused(code, func(ctx context.Context, tx *postgres.Tx) error { return pricelists.Reduce(ctx, tx, id, by) })
	}
	refused("stale", func(ctx context.Context, tx *postgres.Tx) error {
		return pricelists.Update(ctx, tx, id, 9, pricelists.Patch{Name: ptr("y")})
	})
	for _, change := range []func(context.Context, *postgres.Tx) error{
		func(ctx context.Context, tx *postgres.Tx) error { return pricelists.Delete(ctx, tx, "plist_no", 0) },
		func(ctx context.Context, tx *postgres.Tx) error {
			return pricelists.SetPrices(ctx, tx, "plist_no", nil)
		},
		func(ctx context.Context, tx *postgres.Tx) error {
			_, err := pricelists.Get(ctx, tx, "plist_no")
			return err
		},
		func(ctx context.Context, _ *postgres.Tx) error {
			_, err := pricelists.Prices(ctx, f.DB, "plist_no", "", "", 1)
			return err
		},
		func(ctx context.Context, _ *postgres.Tx) error {
			_, err := pricelists.History(ctx, f.DB, "var_no", "", "", 1)
			return err
		},
	} {
		refused("not_found", change)
	}
	if page, err := pricelists.List(f.Ctx, f.DB, "", 10); err != nil || !strings.Contains(string(page.Data), string(id)) {
		t.Errorf("lists: %s, %v", page.Data, err)
	}
	// What changes nothing leaves nothing behind.
	for _, change := range []func(context.Context, *postgres.Tx) error{
		func(ctx context.Context, tx *postgres.Tx) error {
			return pricelists.Update(ctx, tx, id, 1, pricelists.Patch{Name: ptr("x"), Active: ptr(true)})
		},
		func(ctx context.Context, tx *postgres.Tx) error {
			return pricelists.SetPrices(ctx, tx, id, []pricelists.Entry{{VariantID: shirt, Currency: "EUR", MinQuantity: 1}})
		},
	} {
		if seen, err := f.do(change); seen || err != nil {
			t.Errorf("seen %v, %v", seen, err)
		}
	}
}

// Whoever changes prices at once, by lists and by hand, while variants come and go: nobody
// waits for each other in a circle, and what the histories say last is what things cost.
func TestHistoriesOfPricesUnderWay(t *testing.T) {
	t.Parallel()
	f := open(t)
	var variants []string
	for range 6 {
		variants = append(variants, f.Add(t, shoptest.Variant{EUR: 2000}))
	}
	var lists []pricelists.ID
	for _, kind := range []pricelists.Kind{pricelists.Sale, pricelists.Override} {
		lists = append(lists, f.create(pricelists.Input{Name: "x", Kind: kind, Active: true}))
	}
	var wg sync.WaitGroup
	for i := range 6 {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for range 12 {
				_, err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
					switch list := lists[random.IntN(len(lists))]; random.IntN(4) {
					case 0:
						return pricelists.Update(ctx, tx, list, 0, pricelists.Patch{Active: ptr(random.IntN(3) > 0)})
					case 1:
						var entries []pricelists.Entry
						for _, n := range random.Perm(len(variants))[:3] {
							entries = append(entries, pricelists.Entry{VariantID: variants[n], Currency: "EUR", MinQuantity: 1, Amount: ptr(random.Int64N(3000))})
						}
						return pricelists.SetPrices(ctx, tx, list, entries)
					default: // as the catalogue does it
						variant := variants[random.IntN(len(variants))]
						if _, err := tx.Exec(ctx, `select from variants where id = $1 for no key update`, variant); err != nil {
							return err
						}
						if err := pricelists.Beside(ctx, tx); err != nil {
							return err
						}
						if _, err := tx.Exec(ctx, `update prices set amount = $2 where variant_id = $1`, variant, random.Int64N(3000)); err != nil {
							return err
						}
						return pricelists.Record(ctx, tx, variant)
					}
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	gone := f.Add(t, shoptest.Variant{EUR: 2000})
	f.set(lists[0], pricelists.Entry{VariantID: gone, Currency: "EUR", MinQuantity: 1, Amount: ptr(int64(1))})
	wg.Go(func() { f.Exec(t, `delete from variants where id = $1`, gone) })
	wg.Wait()
	wrong := shoptest.Value[string](t, f.Shop, fmt.Sprintf(`select coalesce(string_agg(v.id, ' '), '') from variants v left join lateral %s p on true
		where (select h.amount from price_history h where h.variant_id = v.id and h.currency = 'EUR' and h.starts_at <= now() order by h.starts_at desc limit 1) is distinct from p.amount`,
		pricelists.Price("v.id", "'EUR'", pricelists.Now(pricelists.Everybody))))
	if wrong != "" {
		t.Errorf("the histories of %s say something else than what they cost", wrong)
	}
}
