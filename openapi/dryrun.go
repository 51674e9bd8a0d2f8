package openapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// changedRows counts what the transaction has done so far to each table of its schema, as
// Postgres itself counts it, in the words of a header: "products;inserted=1;updated=2".
const changedRows = `
select coalesce(string_agg(concat(name, ';inserted=' || nullif(inserted, 0), ';updated=' || nullif(updated, 0), ';deleted=' || nullif(deleted, 0)), ', ' order by name), '')
from (
	select relname as name, pg_stat_get_xact_tuples_inserted(oid) as inserted, pg_stat_get_xact_tuples_updated(oid) as updated,
		pg_stat_get_xact_tuples_deleted(oid) as deleted
	from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'
) t
where inserted + updated + deleted > 0`

// undo has the transaction rolled back when everything is done, and the answer tell what
// would have come of it: which rows and which events.
func undo(tx *postgres.Tx, res *Response) {
	res.With("Dry-Run", "true")
	tx.Discard()
	tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error {
		var rows string
		if err := tx.QueryRow(ctx, changedRows).Scan(&rows); err != nil {
			return fmt.Errorf("count what a dry run changed: %w", err)
		}
		if rows != "" {
			res.With("Dry-Run-Rows", rows)
		}
		if events := eventTypes(journal.Events(tx)); events != "" {
			res.With("Dry-Run-Events", events)
		}
		return nil
	})
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
