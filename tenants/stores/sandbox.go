package stores

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants"
)

const (
	// selectFurniture reads what a sandbox begins with: what its store is set up with now.
	selectFurniture = `
select jsonb_build_object(
	'settings', (select jsonb_agg(to_jsonb(t) || '{"product_count": 0, "analytics": {}}') from settings t),
	'shipping_zones', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from shipping_zones t),
	'shipping_methods', (select coalesce(jsonb_agg(to_jsonb(t) - '{carrier_service_id,carrier_rate}'::text[]), '[]') from shipping_methods t),
	'locations', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from locations t),
	'mail_templates', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from mail_templates t),
	'tax_rates', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from tax_rates t))::text`

	// insertFurniture leaves alone what another request for the same sandbox has written.
	insertFurniture = `
with d as (select $1::jsonb as d),
a as (insert into settings select t.* from d, jsonb_populate_recordset(null::settings, d->'settings') t on conflict do nothing),
z as (insert into shipping_zones select t.* from d, jsonb_populate_recordset(null::shipping_zones, d->'shipping_zones') t on conflict do nothing),
b as (insert into shipping_methods select t.* from d, jsonb_populate_recordset(null::shipping_methods, d->'shipping_methods') t on conflict do nothing),
m as (insert into mail_templates select t.* from d, jsonb_populate_recordset(null::mail_templates, d->'mail_templates') t on conflict do nothing),
c as (insert into locations select t.* from d, jsonb_populate_recordset(null::locations, d->'locations') t on conflict do nothing)
insert into tax_rates select t.* from d, jsonb_populate_recordset(null::tax_rates, d->'tax_rates') t on conflict do nothing`

	setSandbox = `update stores set test_schema = $2, updated_at = now() where id = $1 and test_schema is null`
)

// sandbox gives birth to a store's sandbox, in the same cell, and can be asked by several
// requests at once: they take the same schema, and the first to come to the end makes it
// count.
func (s *Service) sandbox(ctx context.Context, rec *Record) (tenants.Store, error) {
	ref, err := s.take(ctx, rec.Cell, rec.ID, principal.Test)
	if errors.Is(err, migrations.ErrFull) {
		return tenants.Store{}, noRoom(err)
	}
	if err != nil {
		return tenants.Store{}, fmt.Errorf("sandbox of store %s: %w", rec.ID, err)
	}
	s.config.Reached("sandbox taken")
	var furniture string
	err = s.db.InStore(postgres.WithStore(ctx, rec.live), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, selectFurniture).Scan(&furniture)
	})
	if err != nil {
		return tenants.Store{}, fmt.Errorf("sandbox of store %s: read its settings: %w", rec.ID, err)
	}
	err = s.db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, insertFurniture, json.RawMessage(furniture))
		return err
	})
	if err != nil {
		return tenants.Store{}, fmt.Errorf("sandbox of store %s: furnish it: %w", rec.ID, err)
	}
	s.config.Reached("sandbox furnished")
	var born Record
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var held int
		if err := tx.QueryRow(ctx, holdTaken, ref.Schema, rec.ID).Scan(&held); err != nil {
			return fmt.Errorf("its schema was taken away: %w", err)
		}
		tag, err := tx.Exec(ctx, setSandbox, rec.ID, ref.Schema)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			journal.Audit(ctx, tx, journal.Entry{Action: "store.open_sandbox", ObjectID: rec.ID, StoreID: rec.ID})
		}
		born, err = s.GetTx(ctx, tx, rec.ID)
		s.forgetAfter(ctx, tx, *rec)
		return err
	})
	if err != nil {
		return tenants.Store{}, fmt.Errorf("sandbox of store %s: %w", rec.ID, err)
	}
	return born.Side(principal.Test), nil
}
