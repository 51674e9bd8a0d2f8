package openapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// changes are how many rows of a table were changed.
type changes struct{ Inserted, Updated, Deleted int64 }

// countRows counts what was done to each table of the schema, as Postgres itself counts it.
// Until a connection rests, that includes what its last transactions did.
const countRows = `
select relname, pg_stat_get_xact_tuples_inserted(oid), pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_deleted(oid)
from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'`

func countedRows(ctx context.Context, tx *postgres.Tx) (map[string]changes, error) {
	counted := map[string]changes{}
	rows, err := tx.Query(ctx, countRows)
	if err == nil {
		var table string
		var n changes
		_, err = pgx.ForEachRow(rows, []any{&table, &n.Inserted, &n.Updated, &n.Deleted}, func() error {
			counted[table] = n
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("count what a dry run changed: %w", err)
	}
	return counted, nil
}

// try runs a write and has it rolled back when everything is done. Its answer tells what
// would have come of it: which rows and which events. Shoppers are not told those, as they
// would tell whether an address is known.
func (r *Request) try(ctx context.Context, tx *postgres.Tx, fn func(context.Context, *postgres.Tx) (*Response, error)) (*Response, error) {
	tx.Discard()
	before, err := countedRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	res, err := fn(ctx, tx)
	if err != nil {
		return nil, err
	}
	res.With("Dry-Run", "true")
	if res.Redacted != nil { // a secret that there will never be
		res.Body = res.Redacted
		res.With("Idempotent-Secrets", "removed")
	}
	if r.Operation.InShop() {
		return res, nil
	}
	tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error {
		after, err := countedRows(ctx, tx)
		if err != nil {
			return err
		}
		if rows := changedRows(before, after); rows != "" {
			res.With("Dry-Run-Rows", rows)
		}
		if events := eventTypes(journal.Events(tx)); events != "" {
			res.With("Dry-Run-Events", events)
		}
		return nil
	})
	return res, nil
}

// changedRows tells, in the words of a header, what was done to each table:
// "products;inserted=1, variants;inserted=2;updated=1".
func changedRows(before, after map[string]changes) string {
	var tables []string
	for _, table := range slices.Sorted(maps.Keys(after)) {
		was, is := before[table], after[table]
		text := table
		for _, n := range []struct {
			what string
			many int64
		}{{"inserted", is.Inserted - was.Inserted}, {"updated", is.Updated - was.Updated}, {"deleted", is.Deleted - was.Deleted}} {
			if n.many > 0 {
				text += fmt.Sprintf(";%s=%d", n.what, n.many)
			}
		}
		if text != table {
			tables = append(tables, text)
		}
	}
	return strings.Join(tables, ", ")
}

// eventTypes lists the types of events in the order in which they happened, each with how
// many there are: "product.created;n=1, product.updated;n=2".
func eventTypes(events []journal.Recorded) string {
	count := map[string]int{}
	var order []string
	for _, event := range events {
		if count[event.Type]++; count[event.Type] == 1 {
			order = append(order, event.Type)
		}
	}
	for i, name := range order {
		order[i] = fmt.Sprintf("%s;n=%d", name, count[name])
	}
	return strings.Join(order, ", ")
}
