package customers

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// groupRows are the rows of a group by which it can be brought back.
var groupRows = postgres.Part{Table: "customer_groups", Of: "x.id = $1"}

// keepGroup reads what brings a group back: its row, and who is in it.
func keepGroup(ctx context.Context, tx *postgres.Tx, id string) (kept json.RawMessage, err error) {
	if kept, err = tx.Keep(ctx, id, groupRows); err != nil {
		return nil, err
	}
	err = tx.QueryRow(ctx, `select $2::jsonb || jsonb_build_object('members', (select coalesce(jsonb_agg(id order by id), '[]') from customers where group_ids @> array[$1]))`,
		id, string(kept)).Scan(&kept)
	if err != nil {
		return nil, fmt.Errorf("read who is in %s: %w", id, err)
	}
	return kept, nil
}

// RestoreGroup brings back a group that was deleted, with the customers who were in it and
// are there yet.
func (s *Service) RestoreGroup(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := tx.Restore(ctx, kept, groupRows); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `with locked as (select id from customers where id in (select jsonb_array_elements_text($2::jsonb->'members')) order by id for no key update)
		update customers c set group_ids = array_append(array_remove(group_ids, $1), $1), version = version + 1, updated_at = now() from locked where c.id = locked.id`, id, string(kept))
	if err != nil {
		return fmt.Errorf("fill group %s: %w", id, err)
	}
	var name string
	if err := tx.QueryRow(ctx, `select name from customer_groups where id = $1`, id).Scan(&name); err != nil {
		return fmt.Errorf("read group %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer_group.restore", ObjectID: id, After: map[string]string{"name": name}})
	return nil
}
