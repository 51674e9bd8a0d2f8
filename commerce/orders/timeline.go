package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// timelineSQL is all that happened to the order $3 and to what belongs to it. It is read of
// the audit, in which every change leaves an entry.
var timelineSQL = postgres.List{
	From: `audit_entries t where t.object_id in (select $3::text
		union all select id from payments where order_id = $3 union all select id from refunds where order_id = $3
		union all select id from fulfilments where order_id = $3 union all select id from returns where order_id = $3 union all select id from documents where order_id = $3)`,
	Each: `json_build_object('id', t.id, 'at', ` + postgres.UTC("t.at") + `, 'action', t.action, 'resource_id', t.object_id,
		'actor', json_build_object('kind', t.actor_kind, 'id', nullif(t.actor_id, ''), 'label', t.actor),
		'note', case when t.action = 'order.note' then t.after->>'note' end, 'reason', nullif(t.reason, ''))`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL()

// Timeline is a page of what happened to an order and who did it, the latest first, as the
// API shows it.
func (s *Service) Timeline(ctx context.Context, id, after string, limit int) (postgres.Page, error) {
	found, err := s.DB.Page(ctx, timelineSQL, limit, after, id)
	if err != nil {
		return found, fmt.Errorf("read the timeline of order %s: %w", id, err)
	}
	if string(found.Data) == "[]" { // an order that there is was at least placed
		return found, problem.Missing("order")
	}
	return found, nil
}

// Annotate adds a note of the staff's to an order's timeline, where it stays.
func (s *Service) Annotate(ctx context.Context, tx *postgres.Tx, id, note string) error {
	if err := own(ctx, tx, id, 0); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "order.note", ObjectID: id, After: map[string]any{"note": note}})
	return nil
}

// own locks a placed order that has the version meant; zero is any.
func own(ctx context.Context, tx *postgres.Tx, id string, meant int) error {
	var version int
	err := tx.QueryRow(ctx, `select version from orders where id = $1 and state <> 'pending' for no key update`, id).Scan(&version)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return problem.Missing("order")
	case err != nil:
		return fmt.Errorf("lock order %s: %w", id, err)
	}
	return problem.Outdated(version, meant)
}
