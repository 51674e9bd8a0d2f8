package promotions

import (
	"context"
	"encoding/json"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// kept are the rows of a promotion by which it can be brought back. Who used it is not among
// them, so that one that was used cannot be: its limits would not hold.
var kept = []postgres.Part{{Table: "promotions", Of: "x.id = $1"}, {Table: "promotion_codes", Of: "x.promotion_id = $1"}}

// keep reads what brings a promotion back, or nothing.
func (p *promotion) keep(ctx context.Context, tx *postgres.Tx) (json.RawMessage, error) {
	if p.Used > 0 {
		return nil, nil
	}
	return tx.Keep(ctx, string(p.ID), kept...)
}

// Restore brings back a promotion that was deleted, with its codes.
func Restore(ctx context.Context, tx *postgres.Tx, id string, rows json.RawMessage) error {
	if err := tx.Restore(ctx, rows, kept...); err != nil {
		return err
	}
	p, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	if p.Active {
		if err := roomLeft(ctx, tx, MaxActive+1); err != nil { // it is among them already
			return err
		}
	}
	if err := know(ctx, tx, &p.Rule, &Rule{}); err != nil {
		return err
	}
	journal.Event(ctx, tx, "promotion.created", id, named{p.ID, p.Title})
	journal.Audit(ctx, tx, journal.Entry{Action: "promotion.restore", ObjectID: id, After: p.told()})
	return nil
}
