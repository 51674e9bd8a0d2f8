package stores

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// The steps of a life. Each is written only from the state that the record was read in;
// the record's lock makes that one step.
const (
	suspendStore = `
update stores set status = 'suspended', suspended_at = now(), suspension_reason = $2, version = version + 1, revision = revision + 1, updated_at = now()
where id = $1 and status = 'active'`

	resumeStore = `
update stores set status = 'active', suspended_at = null, suspension_reason = '', version = version + 1, revision = revision + 1, updated_at = now()
where id = $1 and status = 'suspended'`

	deleteStore = `
update stores set status = 'deleted', deleted_at = now(), purge_after = now() + $2::interval, version = version + 1, revision = revision + 1, updated_at = now()
where id = $1 and status in ('active', 'suspended')`

	// restoreStore puts a store back into the state that it was deleted in.
	restoreStore = `
update stores set status = case when suspended_at is null then 'active' else 'suspended' end,
	deleted_at = null, purge_after = null, version = version + 1, revision = revision + 1, updated_at = now()
where id = $1 and status = 'deleted' and purge_after > now()`
)

// The steps as the audit calls them.
const (
	actionSuspend = "store.suspend"
	actionResume  = "store.resume"
	actionDelete  = "store.delete"
	actionRestore = "store.restore"
)

// Suspend closes a store's shop and keeps anything in it from being written. Its owner
// can see the reason.
func (s *Service) Suspend(ctx context.Context, tx *postgres.Tx, id, reason string) (Record, error) {
	return s.step(ctx, tx, id, actionSuspend, reason, suspendStore, id, reason)
}

// Resume ends a suspension.
func (s *Service) Resume(ctx context.Context, tx *postgres.Tx, id, reason string) (Record, error) {
	return s.step(ctx, tx, id, actionResume, reason, resumeStore, id)
}

// Delete takes a store away from everyone outside. Its owner, or an operator, can restore
// it until its grace period ends; then Purge takes it.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id, reason string) (Record, error) {
	return s.step(ctx, tx, id, actionDelete, reason, deleteStore, id, s.config.Grace)
}

// Restore brings a deleted store back as it was.
func (s *Service) Restore(ctx context.Context, tx *postgres.Tx, id, reason string) (Record, error) {
	return s.step(ctx, tx, id, actionRestore, reason, restoreStore, id)
}

// step is one change of a store's state, within tx on the control database.
func (s *Service) step(ctx context.Context, tx *postgres.Tx, id, action, reason, statement string, args ...any) (Record, error) {
	before, err := lock(ctx, tx, id)
	if err != nil {
		return Record{}, err
	}
	tag, err := tx.Exec(ctx, statement, args...)
	if err != nil {
		return Record{}, fmt.Errorf("%s %s: %w", action, id, err)
	}
	if tag.RowsAffected() == 0 {
		return Record{}, outOfStep(action, before)
	}
	after, err := s.GetTx(ctx, tx, id)
	if err != nil {
		return Record{}, err
	}
	journal.Audit(ctx, tx, journal.Entry{
		Action: action, ObjectID: id, StoreID: id, Reason: reason,
		Before: map[string]any{"status": before.Status}, After: map[string]any{"status": after.Status},
	})
	announce(ctx, tx, action, reason, before, after)
	s.forgetAfter(ctx, tx, after)
	return after, nil
}

// outOfStep is the problem that a store's state does not allow what was asked for.
func outOfStep(action string, rec Record) error {
	switch {
	case action == actionRestore && rec.Status == tenants.Deleted:
		return problem.New(problem.Conflict, "grace_period_over", "The time to restore the store is over.")
	case action == actionRestore:
		return problem.New(problem.Conflict, "store_not_deleted", "The store is not deleted.")
	case rec.Status == tenants.Deleted:
		return problem.New(problem.Conflict, "store_deleted", "The store is deleted.")
	case action == actionSuspend:
		return problem.New(problem.Conflict, "store_already_suspended", "The store is suspended already.")
	default:
		return problem.New(problem.Conflict, "store_not_suspended", "The store is not suspended.")
	}
}
