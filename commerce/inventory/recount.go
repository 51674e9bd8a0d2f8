package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Recount counts anew what there is of the variants that a query finds, whose levels were
// put back as they were: meanwhile a location may have opened, closed or gone.
func Recount(ctx context.Context, tx *postgres.Tx, query string, args ...any) error {
	_, err := tx.Exec(ctx, `update variants v set stock = coalesce((select sum(l.on_hand) from stock_levels l join locations o on o.id = l.location_id
			where l.variant_id = v.id and o.active), 0) where v.id in (`+query+`)`, args...)
	if err != nil {
		return fmt.Errorf("count what there is of variants anew: %w", err)
	}
	return nil
}
