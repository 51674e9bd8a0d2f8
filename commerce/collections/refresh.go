package collections

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Those who change a product take turns from here on until they commit, so that the last
// sees what all of them did: the refreshing statement begins after the lock is had. Rules
// change when nobody is under way. Rows are locked before, never after.
const (
	turnSQL = `
with store as materialized (select pg_advisory_xact_lock_shared(hashtextextended(current_schema(), 1)))
select pg_advisory_xact_lock(hashtextextended(id, 1)) from store, (select id from unnest($1::text[]) id order by id offset 0) in_order`
	aloneSQL = `select pg_advisory_xact_lock(hashtextextended(current_schema(), 1))`
)

// Turn has the transaction be the only one that changes what is made of these products, until
// it ends. It locks no rows afterwards that others wait for.
func Turn(ctx context.Context, tx *postgres.Tx, products ...string) error {
	if len(products) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, turnSQL, products); err != nil {
		return fmt.Errorf("wait for a turn: %w", err)
	}
	return nil
}

// Refresh puts products into the collections that they now belong to. It is called when
// the transaction has changed them and has Turn for them, or is Alone.
func Refresh(ctx context.Context, tx *postgres.Tx, products ...string) error {
	if len(products) == 0 {
		return nil
	}
	return refresh(ctx, tx, products, nil)
}

// Alone has the transaction be the only one that changes memberships, until it ends.
func Alone(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, aloneSQL); err != nil {
		return fmt.Errorf("wait until nobody changes collections: %w", err)
	}
	return nil
}

// Which collections are to be rebuilt, as conditions of collections c.
const (
	ByCategory    = `c.rules @? '$[*] ? (@.field == "category")'`
	ByCustomField = `c.rules @? '$[*] ? (@.field == "custom_field")'`
	ByPrice       = `c.sort_order in ('price_ascending', 'price_descending')`
)

// RebuildAll rebuilds all collections of a kind, as one of the conditions above says, if
// there are any. The caller holds the settings' row, as for Rebuild.
func RebuildAll(ctx context.Context, tx *postgres.Tx, which string) error {
	if err := Alone(ctx, tx); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select c.id from collections c where `+which+` order by c.id`)
	if err != nil {
		return fmt.Errorf("find collections: %w", err)
	}
	collections, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find collections: %w", err)
	}
	return Rebuild(ctx, tx, collections...)
}

// Rebuild finds out anew which products collections hold and in which order. The caller is
// Alone, and holds the settings' row, so that no product is deleted meanwhile.
func Rebuild(ctx context.Context, tx *postgres.Tx, collections ...string) error {
	if len(collections) == 0 {
		return nil
	}
	return refresh(ctx, tx, nil, collections)
}

func refresh(ctx context.Context, tx *postgres.Tx, products, collections []string) error {
	var changes int64
	if err := tx.QueryRow(ctx, refreshSQL, products, collections).Scan(&changes); err != nil {
		return fmt.Errorf("refresh collections: %w", err)
	}
	if changes > 0 {
		stores.Touch(tx)
	}
	return nil
}
