package fields

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// definitionRows are the rows of a field by which it can be brought back.
var definitionRows = postgres.Part{Table: "field_definitions", Of: "x.id = $1"}

// keep reads what brings a field back: its row, and its values by the IDs of the things that
// have them. Those of customers and orders are among them: commerce/privacy sees to it that
// they can be erased.
func (d *Definition) keep(ctx context.Context, tx *postgres.Tx) (kept json.RawMessage, err error) {
	if kept, err = tx.Keep(ctx, string(d.ID), definitionRows); err != nil {
		return nil, err
	}
	err = tx.QueryRow(ctx, `select $2::jsonb || jsonb_build_object('values', (select coalesce(jsonb_object_agg(id, custom_fields->$1), '{}') from `+tables[d.Resource]+` where custom_fields ? $1))`,
		d.Key, string(kept)).Scan(&kept)
	if err != nil {
		return nil, fmt.Errorf("read the values of %s: %w", d.Key, err)
	}
	return kept, nil
}

// RestoreDefinition brings back a field that was deleted, with its values on the things that
// there are yet.
func RestoreDefinition(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, definitionRows); err != nil {
		return err
	}
	d, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from field_definitions where resource = $1`, string(d.Resource)).Scan(&count); err != nil {
		return fmt.Errorf("count definitions: %w", err)
	}
	if count > mostDefinitions {
		return fieldLimit()
	}
	table := tables[d.Resource]
	_, err = tx.Exec(ctx, `with had as (select key as id, value from jsonb_each($2::jsonb->'values')),
		locked as (select id from `+table+` where id in (select id from had) order by id for no key update)
		update `+table+` t set custom_fields = t.custom_fields || jsonb_build_object($1::text, had.value), version = t.version + 1, updated_at = $3
		from locked join had using (id) where t.id = locked.id`, d.Key, string(kept), clock.Now())
	if err != nil {
		return fmt.Errorf("give the values of %s back: %w", d.Key, err)
	}
	if err := d.follow(ctx, tx); err != nil {
		return err
	}
	d.tell(ctx, tx, "created")
	journal.Audit(ctx, tx, journal.Entry{Action: "field_definition.restore", ObjectID: id, After: d})
	return nil
}

func fieldLimit() error {
	return problem.New(problem.Unprocessable, "field_limit", "A resource has at most %d custom fields.", mostDefinitions)
}
