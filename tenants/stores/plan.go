package stores

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// SetPlan puts a store on a plan, which is one that there is: the plan decides its limits
// from now on. What the store has already beyond them stays.
func (s *Service) SetPlan(ctx context.Context, tx *postgres.Tx, id, plan, reason string) (Record, error) {
	before, err := lock(ctx, tx, id)
	if err != nil || before.Plan == plan {
		return before, err
	}
	_, err = tx.Exec(ctx, `update stores set plan = $2, version = version + 1, revision = revision + 1, updated_at = now() where id = $1`, id, plan)
	if err != nil {
		return Record{}, fmt.Errorf("plan of %s: %w", id, err)
	}
	after, err := s.GetTx(ctx, tx, id)
	if err != nil {
		return Record{}, err
	}
	journal.Audit(ctx, tx, journal.Entry{
		Action: "store.set_plan", ObjectID: id, StoreID: id, Reason: reason,
		Before: map[string]any{"plan": before.Plan}, After: map[string]any{"plan": plan},
	})
	s.forgetAfter(ctx, tx, after)
	return after, nil
}
