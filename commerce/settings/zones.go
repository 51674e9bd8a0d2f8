package settings

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// ShippingZoneID names a part of the world that is sent to in the same ways.
type ShippingZoneID string

// The bounds of zones: all are looked at in a checkout.
const (
	mostZones       = 100
	mostTerritories = 300
)

// ZoneInput is a zone to be made. Without territories it is everywhere that no other is.
type ZoneInput struct {
	Name        string
	Territories []territory.Territory
}

// ZonePatch changes a zone; what is nil stays.
type ZonePatch struct {
	Name        *string
	Territories []territory.Territory
}

// zone is a row of shipping_zones, and what the audit keeps of one.
type zone struct {
	bun.BaseModel `bun:"table:shipping_zones,alias:z" json:"-"`

	ID          ShippingZoneID        `bun:"id,pk" json:"id"`
	Name        string                `bun:"name" json:"name"`
	Territories []territory.Territory `bun:"territories,type:jsonb" json:"territories"`
	Version     int                   `bun:"version" json:"version"`
	CreatedAt   time.Time             `bun:"created_at" json:"-"`
	UpdatedAt   time.Time             `bun:"updated_at" json:"-"`
}

func (z *zone) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_shipping_zone", "The shipping zone cannot be kept as it is.")
	line(wrong, &z.Name, "/name", 1, 255)
	if z.Territories == nil {
		z.Territories = []territory.Territory{}
	}
	if len(z.Territories) > mostTerritories {
		wrong.At("/territories", "maxItems", "There may be %d.", mostTerritories)
	}
	for i := range z.Territories {
		z.Territories[i].Tidy()
		z.Territories[i].Check(wrong, fmt.Sprintf("/territories/%d", i))
	}
	return wrong.OrNil()
}

// CreateShippingZone makes a zone.
func CreateShippingZone(ctx context.Context, tx *postgres.Tx, in ZoneInput) (ShippingZoneID, error) {
	now := clock.Now()
	z := &zone{ID: ShippingZoneID(ids.New("shz")), Name: in.Name, Territories: in.Territories, Version: 1, CreatedAt: now, UpdatedAt: now}
	if err := z.check(); err != nil {
		return "", err
	}
	others, err := counted(ctx, tx, `select count(*) from shipping_zones`)
	if err != nil {
		return "", fmt.Errorf("count shipping zones: %w", err)
	}
	if others >= mostZones {
		return "", problem.New(problem.Unprocessable, "shipping_zone_limit", "A store has at most %d shipping zones.", mostZones)
	}
	if _, err := tx.Bun.NewInsert().Model(z).Exec(ctx); err != nil {
		return "", fmt.Errorf("insert shipping zone: %w", err)
	}
	journal.Event(ctx, tx, "shipping_zone.created", string(z.ID), journal.Named{ID: string(z.ID), Name: z.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_zone.create", ObjectID: string(z.ID), After: z})
	return z.ID, nil
}

// counted is how many there are of a list that has a bound. The settings' row stands for
// the list, so that others who add to it wait.
func counted(ctx context.Context, tx *postgres.Tx, count string) (n int, err error) {
	if err := stores.Alone(ctx, tx); err != nil {
		return 0, err
	}
	return n, tx.QueryRow(ctx, count).Scan(&n)
}

func lockZone(ctx context.Context, tx *postgres.Tx, id ShippingZoneID, meant int) (*zone, error) {
	z := &zone{}
	if err := tx.Hold(ctx, z, id, "shipping zone", postgres.ForUpdate); err != nil {
		return nil, err
	}
	return z, problem.Outdated(z.Version, meant)
}

// UpdateShippingZone changes a zone that has the version meant; zero is any.
func UpdateShippingZone(ctx context.Context, tx *postgres.Tx, id ShippingZoneID, meant int, patch ZonePatch) error {
	z, err := lockZone(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *z
	merge.Set(&z.Name, patch.Name)
	if patch.Territories != nil {
		z.Territories = patch.Territories
	}
	if err := z.check(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *z) {
		return nil
	}
	z.Version, z.UpdatedAt = z.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(z).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update shipping zone %s: %w", id, err)
	}
	journal.Event(ctx, tx, "shipping_zone.updated", string(z.ID), journal.Named{ID: string(z.ID), Name: z.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_zone.update", ObjectID: string(id), Before: before, After: z})
	return nil
}

// DeleteShippingZone deletes a zone without methods that has the version meant; zero is any.
func DeleteShippingZone(ctx context.Context, tx *postgres.Tx, id ShippingZoneID, meant int) error {
	z, err := lockZone(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, string(id), zoneRows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `delete from shipping_zones where id = $1`, id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23503" {
		return problem.New(problem.Conflict, "shipping_zone_in_use", "There are shipping methods in this zone.")
	}
	if err != nil {
		return fmt.Errorf("delete shipping zone %s: %w", id, err)
	}
	journal.Event(ctx, tx, "shipping_zone.deleted", string(z.ID), journal.Gone{ID: string(z.ID)})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_zone.delete", ObjectID: string(id), Before: z, Kept: kept})
	return nil
}
