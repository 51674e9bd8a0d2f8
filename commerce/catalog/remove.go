package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// part is a table whose rows go with a product or a variant, and come back with it: rows
// whole, as they are, whatever their columns are. That there is no other table with such
// rows is held by a test.
type part struct {
	table string
	of    string // which rows x are a product's p or, in variantParts, a variant's v
	as    string // what is added to a row
	keep  string // which rows r are brought back
}

// Nothing is promised of what comes back, as what is promised is not deleted. The contents
// of collections by rule are found anew, and what prices are to come.
const (
	unpromised = ` || '{"reserved": 0}'`
	atLocation = `exists (select from locations o where o.id = r.location_id)`
	ofList     = `exists (select from price_lists l where l.id = r.price_list_id)`
	past       = `r.starts_at < now()`
)

var productParts = []part{
	{"products", `x.id = p.id`, ``, `false`},
	{"variants", `x.product_id = p.id`, unpromised, `true`},
	{"stock_levels", `x.variant_id in (select id from variants where product_id = p.id)`, unpromised, atLocation},
	{"prices", `x.variant_id in (select id from variants where product_id = p.id)`, ``, `true`},
	{"price_list_prices", `x.variant_id in (select id from variants where product_id = p.id)`, ``, ofList},
	{"price_history", `x.variant_id in (select id from variants where product_id = p.id)`, ``, past},
	{"images", `x.product_id = p.id`, ``, `true`},
	{"collection_products", `x.product_id = p.id`, ``, `exists (select from collections c where c.id = r.collection_id and c.rules is null)`},
}

var variantParts = []part{
	{"variants", `x.id = v.id`, unpromised, `true`},
	{"stock_levels", `x.variant_id = v.id`, unpromised, atLocation},
	{"prices", `x.variant_id = v.id`, ``, `true`},
	{"price_list_prices", `x.variant_id = v.id`, ``, ofList},
	{"price_history", `x.variant_id = v.id`, ``, past},
}

// held says whether an order under way holds some of the variants that a condition finds.
func held(where string) string {
	return `exists (select from reservations r join variants h on h.id = r.variant_id where ` + where + ` and (r.paying or r.expires_at > now()))`
}

// rowsJSON are the rows of parts, by their tables.
func rowsJSON(parts []part) string {
	list := ""
	for _, p := range parts {
		list += `, '` + p.table + `', (select coalesce(jsonb_agg(to_jsonb(x)` + p.as + `), '[]') from ` + p.table + ` x where ` + p.of + `)`
	}
	return list
}

// promised refuses to delete what an order under way holds: once it was undone, nobody
// could tell how many are promised.
func promised() error {
	return problem.New(problem.Conflict, "stock_reserved", "An order under way holds some of it. Try again when that is done.")
}

var removedProductsSQL = `select p.id, ` + held(`h.product_id = p.id`) + `,
	jsonb_build_object('id', p.id` + rowsJSON(productParts) + `) from products p where p.id = any($1)`

// RemoveProducts deletes several products, as DeleteProduct does one, but keeps the files of
// their images: what undoes it names them, and whoever forgets that deletes them.
func (s *Service) RemoveProducts(ctx context.Context, tx *postgres.Tx, ids []ProductID) ([]Done, error) {
	if err := stores.Alone(ctx, tx); err != nil {
		return nil, err
	}
	var products []*product
	if err := tx.Bun.NewSelect().Model(&products).Where("p.id in (?)", bun.List(ids)).Order("p.id").For("update").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	if _, err := tx.Exec(ctx, `select from variants where product_id = any($1) order by id for update`, ids); err != nil {
		return nil, fmt.Errorf("lock variants: %w", err)
	}
	removed, err := remove(ctx, tx, removedProductsSQL, `delete from products where id = any($1)`, ids)
	if err != nil {
		return nil, err
	}
	count := 0
	for _, p := range products {
		if removed[p.ID].undo == nil {
			continue
		}
		count++
		journal.Event(ctx, tx, "product.deleted", string(p.ID), gone{string(p.ID)})
		journal.Audit(ctx, tx, journal.Entry{Action: "product.delete", ObjectID: string(p.ID), Before: p})
	}
	if count > 0 {
		if _, err := tx.Exec(ctx, `update settings set product_count = product_count - $1 where id = 1`, count); err != nil {
			return nil, fmt.Errorf("count products: %w", err)
		}
		journal.Usage(tx, "products", -int64(count))
	}
	return outcomes(ids, removed, "product"), nil
}

// removal is a thing that was deleted with what brings it back, or one that could not be.
type removal struct {
	held bool
	undo json.RawMessage
}

// remove deletes what is there of things, which are locked, but for those that are held.
func remove[ID ~string](ctx context.Context, tx *postgres.Tx, look, deletion string, ids []ID) (map[ID]removal, error) {
	rows, err := tx.Query(ctx, look, ids)
	if err != nil {
		return nil, fmt.Errorf("read what is to be deleted: %w", err)
	}
	found, free := map[ID]removal{}, []ID{}
	var id ID
	var r removal
	_, err = pgx.ForEachRow(rows, []any{&id, &r.held, &r.undo}, func() error {
		if r.held {
			r.undo = nil
		} else {
			free = append(free, id)
		}
		found[id] = r
		r = removal{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be deleted: %w", err)
	}
	if _, err := tx.Exec(ctx, deletion, free); err != nil {
		return nil, fmt.Errorf("delete: %w", err)
	}
	return found, nil
}

// outcomes are what became of things that were to be deleted.
func outcomes[ID ~string](ids []ID, removed map[ID]removal, what string) []Done {
	done := make([]Done, len(ids))
	for i, id := range ids {
		switch r, there := removed[id]; {
		case !there:
			done[i].Err = problem.Missing(what)
		case r.held:
			done[i].Err = promised()
		default:
			done[i].Changed, done[i].Undo = true, r.undo
		}
	}
	return done
}

var removedVariantsSQL = `select v.id, ` + held(`h.id = v.id`) + `, jsonb_build_object('product_id', v.product_id` + rowsJSON(variantParts) + `)
	from variants v where v.id = any($1)`

// RemoveVariants deletes several variants, but never a product's last. The others keep
// their places.
func (s *Service) RemoveVariants(ctx context.Context, tx *postgres.Tx, ids []VariantID) ([]Done, error) {
	all, err := lockSeveral(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	left, err := countVariants(ctx, tx, all.products)
	if err != nil {
		return nil, err
	}
	last, going := map[VariantID]bool{}, []VariantID{}
	for _, id := range ids {
		switch v := all.variants[id]; {
		case v == nil:
		case left[v.ProductID] == 1:
			last[id] = true
		default:
			left[v.ProductID]--
			going = append(going, id)
		}
	}
	removed, err := remove(ctx, tx, removedVariantsSQL, `delete from variants where id = any($1)`, going)
	if err != nil {
		return nil, err
	}
	touched := map[ProductID]*product{}
	for _, id := range going {
		if v := all.variants[id]; removed[id].undo != nil {
			touched[v.ProductID] = all.products[v.ProductID]
			journal.Audit(ctx, tx, journal.Entry{Action: "variant.delete", ObjectID: string(id), Before: v.told()})
		}
	}
	done := outcomes(ids, removed, "variant")
	for i, id := range ids {
		if last[id] {
			done[i].Err = problem.New(problem.Conflict, "last_variant", "A product keeps at least one variant.")
		}
	}
	return done, touchProducts(ctx, tx, byID(touched))
}

// countVariants is how many variants products have.
func countVariants(ctx context.Context, tx *postgres.Tx, products map[ProductID]*product) (map[ProductID]int, error) {
	list := make([]string, 0, len(products))
	for id := range products {
		list = append(list, string(id))
	}
	rows, err := tx.Query(ctx, `select product_id, count(*) from variants where product_id = any($1) group by product_id`, list)
	if err != nil {
		return nil, fmt.Errorf("count variants: %w", err)
	}
	counts := map[ProductID]int{}
	var id ProductID
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		counts[id] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count variants: %w", err)
	}
	return counts, nil
}
