package pricelists

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Reduction fills a list with the own prices of a collection's variants, less a percentage
// and rounded to the currency's minor unit.
type Reduction struct {
	CollectionID string
	Off          money.Rate // more than nothing, and at most all
	Currencies   []string   // those whose prices are reduced; all when empty
}

const most = money.Rate(1_000_000) // all there is

// ofCollection are the variants v of what is in the collection $1.
const ofCollection = `variants v where v.product_id in (select product_id from collection_products where collection_id = $1)`

const reduceSQL = `insert into price_list_prices as x (price_list_id, variant_id, currency, min_quantity, amount)
	select $1, r.variant_id, r.currency, 1, round(r.amount * (1000000 - $3::numeric) / 1000000)
	from prices r where r.variant_id = any($2) and (cardinality($4::text[]) = 0 or r.currency = any($4))
	on conflict (variant_id, currency, price_list_id, min_quantity) do update set amount = excluded.amount where x.amount <> excluded.amount`

// Reduce sets a list's prices of one each to what a reduction makes of the variants' own
// prices of now. What is in the collection later, or costs something else, is not followed.
func Reduce(ctx context.Context, tx *postgres.Tx, id ID, by Reduction) error {
	wrong := problem.New(problem.Unprocessable, "invalid_price_list", "The prices cannot be kept as they are.")
	if by.Off <= 0 || by.Off > most {
		wrong.At("/percentage", "out_of_range", "It is more than 0, and at most 100.")
	}
	for i, currency := range by.Currencies {
		if !money.Known(currency) {
			wrong.At(fmt.Sprintf("/currencies/%d", i), "currency", "There is no currency %q.", currency)
		}
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	before, after := &told{}, &struct {
		told
		CollectionID string   `json:"collection_id"`
		Percentage   string   `json:"percentage"`
		Currencies   []string `json:"currencies"`
	}{CollectionID: by.CollectionID, Percentage: by.Off.Percent(), Currencies: by.Currencies}
	return setPrices(ctx, tx, id, func(l *list) ([]string, int64, error) {
		err := tx.QueryRow(ctx, `select id from collections where id = $1 for key share`, by.CollectionID).Scan(new(string))
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, 0, problem.New(problem.Unprocessable, "unknown_reference", "There is no such collection.").
				At("/collection_id", "unknown_reference", "There is no such collection.")
		}
		if err != nil {
			return nil, 0, fmt.Errorf("look for collection %s: %w", by.CollectionID, err)
		}
		rows, err := tx.Query(ctx, `select v.id from `+ofCollection+` order by v.id for key share of v`, by.CollectionID)
		if err != nil {
			return nil, 0, fmt.Errorf("read the variants of %s: %w", by.CollectionID, err)
		}
		variants, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, 0, fmt.Errorf("read the variants of %s: %w", by.CollectionID, err)
		}
		was, err := l.reduced(ctx, tx, variants, by.Currencies)
		if err != nil {
			return nil, 0, err
		}
		tag, err := tx.Exec(ctx, reduceSQL, l.ID, variants, int64(by.Off), append([]string{}, by.Currencies...))
		if err != nil {
			return nil, 0, fmt.Errorf("reduce the prices of %s: %w", by.CollectionID, err)
		}
		if before.Prices = was; len(was) <= MaxBatch {
			after.Prices, err = Present(ctx, tx, l.ID, was)
		}
		return variants, tag.RowsAffected(), err
	}, journal.Entry{Action: "price_list.reduce", Before: before, After: after})
}

// reduced are the list's prices in the places that a reduction fills, as they are.
func (l *list) reduced(ctx context.Context, tx *postgres.Tx, variants, currencies []string) ([]Entry, error) {
	rows, err := tx.Query(ctx, `select r.variant_id, r.currency, 1, x.amount from prices r
		left join price_list_prices x on x.price_list_id = $1 and x.variant_id = r.variant_id and x.currency = r.currency and x.min_quantity = 1
		where r.variant_id = any($2) and (cardinality($3::text[]) = 0 or r.currency = any($3)) order by r.variant_id, r.currency`, l.ID, variants, append([]string{}, currencies...))
	if err != nil {
		return nil, fmt.Errorf("read the prices of %s: %w", l.ID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}
