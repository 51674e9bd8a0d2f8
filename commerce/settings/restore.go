package settings

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What comes back when a deletion is undone.
var (
	taxRateRows = postgres.Part{Table: "tax_rates", Of: "x.id = $1"}
	zoneRows    = postgres.Part{Table: "shipping_zones", Of: "x.id = $1"}
	methodRows  = postgres.Part{Table: "shipping_methods", Of: "x.id = $1"}
)

// RestoreTaxRate brings back a rate of tax that was deleted.
func RestoreTaxRate(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := bounded(ctx, tx, `select count(*) from tax_rates`, mostTaxRates, "tax_rate_limit"); err != nil {
		return err
	}
	t := &taxRate{ID: TaxRateID(id)}
	if err := tx.Restore(ctx, kept, taxRateRows); err != nil {
		return t.clash(err)
	}
	t, err := lockTaxRate(ctx, tx, t.ID, 0)
	if err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.restore", ObjectID: id, After: t.told()})
	return nil
}

// bounded refuses one more of a list that is full.
func bounded(ctx context.Context, tx *postgres.Tx, count string, most int, code string) error {
	n, err := counted(ctx, tx, count)
	if err != nil {
		return fmt.Errorf("count what there is: %w", err)
	}
	if n >= most {
		return problem.New(problem.Unprocessable, code, "A store has at most %d.", most)
	}
	return nil
}

// RestoreShippingZone brings back a zone that was deleted.
func RestoreShippingZone(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := bounded(ctx, tx, `select count(*) from shipping_zones`, mostZones, "shipping_zone_limit"); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, zoneRows); err != nil {
		return err
	}
	z, err := lockZone(ctx, tx, ShippingZoneID(id), 0)
	if err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_zone.restore", ObjectID: id, After: z})
	return nil
}

// RestoreShippingMethod brings back a way to send orders that was deleted, in its place.
func RestoreShippingMethod(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := bounded(ctx, tx, `select count(*) from shipping_methods`, mostMethods, "shipping_method_limit"); err != nil {
		return err
	}
	// Those from its place on make room for it.
	_, err := tx.Exec(ctx, `update shipping_methods set position = position + 1 where position >= ($1::jsonb->'shipping_methods'->0->>'position')::int`, string(kept))
	if err != nil {
		return fmt.Errorf("make room for %s: %w", id, err)
	}
	if err := tx.Restore(ctx, kept, methodRows); err != nil {
		return err
	}
	list, err := lockMethods(ctx, tx)
	if err != nil {
		return err
	}
	if err := placeMethods(ctx, tx, list); err != nil {
		return err
	}
	at, err := findMethod(list, ShippingMethodID(id), 0)
	if err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_method.restore", ObjectID: id, After: list[at].told()})
	return nil
}
