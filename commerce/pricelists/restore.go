package pricelists

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// kept are the rows of a list by which it can be brought back.
var kept = []postgres.Part{
	{Table: "price_lists", Of: "x.id = $1"},
	{Table: "price_list_prices", Of: "x.price_list_id = $1", Back: "exists (select from variants v where v.id = r.variant_id)"},
}

// Restore brings back a list that was deleted, with its prices of the variants that there
// are yet.
func Restore(ctx context.Context, tx *postgres.Tx, id string, rows json.RawMessage) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return fmt.Errorf("lock the number of price lists: %w", err)
	}
	if err := alone(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, rows, kept...); err != nil {
		return err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from price_lists`).Scan(&count); err != nil {
		return fmt.Errorf("count price lists: %w", err)
	}
	if count > MaxLists {
		return problem.New(problem.Unprocessable, "price_list_limit", "A store has at most %d price lists.", MaxLists)
	}
	l, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	if err := knowGroups(ctx, tx, l.GroupIDs, nil); err != nil {
		return err
	}
	variants, err := l.variants(ctx, tx)
	if err != nil {
		return err
	}
	if err := Record(ctx, tx, variants...); err != nil {
		return err
	}
	l.tell(ctx, tx, "created", journal.Entry{Action: "price_list.restore", After: l})
	return nil
}
