package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// mostLocations is how many locations a store can have: they are all looked at for an order.
const mostLocations = 100

// mostPriority is the last place in the order of serving. Those of the same place serve by
// their age.
const mostPriority = 1_000_000

// LocationInput is a place where goods lie, to be made.
type LocationInput struct {
	Name     string
	Address  *address.Address
	Active   bool
	Priority *int // after all others when nil
}

// LocationPatch changes a location; what is nil stays.
type LocationPatch struct {
	Name     *string
	Address  **address.Address // to nil removes it
	Active   *bool
	Priority *int
}

// location is a row of locations, and what the audit keeps of one.
type location struct {
	ID       LocationID       `json:"id"`
	Name     string           `json:"name"`
	Address  *address.Address `json:"address"`
	Active   bool             `json:"active"`
	Priority int              `json:"priority"`
	Version  int              `json:"version"`
}

func (l *location) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_location", "The location cannot be kept as it is.")
	l.Name = strings.TrimSpace(l.Name)
	switch {
	case l.Name == "":
		wrong.At("/name", "required", "It is empty.")
	case utf8.RuneCountInString(l.Name) > 255:
		wrong.At("/name", "maxLength", "It has at most 255 characters.")
	case !utf8.ValidString(l.Name) || strings.ContainsFunc(l.Name, unicode.IsControl):
		wrong.At("/name", "characters", "It is one line of text.")
	}
	if l.Address != nil {
		trimmed := l.Address.Trim()
		l.Address = &trimmed
		l.Address.Check(wrong, "/address")
	}
	return wrong.OrNil()
}

// told is the data of a location's events, in the contract's shape.
func (l *location) told() any {
	return map[string]any{"id": l.ID, "name": l.Name, "active": l.Active, "priority": l.Priority}
}

// CreateLocation makes a place where goods lie.
func CreateLocation(ctx context.Context, tx *postgres.Tx, in LocationInput) (LocationID, error) {
	l := &location{ID: LocationID(ids.New("loc")), Name: in.Name, Address: in.Address, Active: in.Active, Version: 1}
	if err := l.check(); err != nil {
		return "", err
	}
	others, err := lockLocations(ctx, tx)
	if err != nil {
		return "", err
	}
	if len(others) >= mostLocations {
		return "", tooManyLocations()
	}
	if in.Priority != nil {
		l.Priority = *in.Priority
	} else {
		for _, o := range others {
			l.Priority = max(l.Priority, min(o.Priority+1, mostPriority))
		}
	}
	if err := l.save(ctx, tx, `insert into locations (id, name, address, active, priority, version) values ($1, $2, $3::jsonb, $4, $5, $6)`); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "location.created", string(l.ID), l.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "location.create", ObjectID: string(l.ID), After: l})
	return l.ID, nil
}

func (l *location) save(ctx context.Context, tx *postgres.Tx, statement string) error {
	var raw any
	if l.Address != nil {
		text, err := json.Marshal(l.Address)
		if err != nil {
			return fmt.Errorf("write location %s: %w", l.ID, err)
		}
		raw = string(text)
	}
	if _, err := tx.Exec(ctx, statement, l.ID, l.Name, raw, l.Active, l.Priority, l.Version); err != nil {
		return fmt.Errorf("write location %s: %w", l.ID, err)
	}
	return nil
}

// lockLocations reads all locations, and keeps others from changing them until the
// transaction ends.
func lockLocations(ctx context.Context, tx *postgres.Tx) ([]*location, error) {
	// The settings' row stands for the list, so that new ones wait as well.
	if err := stores.Alone(ctx, tx); err != nil {
		return nil, fmt.Errorf("lock locations: %w", err)
	}
	var raw []byte
	err := tx.QueryRow(ctx, `select coalesce(json_agg(json_build_object('id', id, 'name', name, 'address', address, 'active', active,
		'priority', priority, 'version', version) order by priority, id), '[]')::text from locations`).Scan(&raw)
	if err != nil {
		return nil, fmt.Errorf("read locations: %w", err)
	}
	var list []*location
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read locations: %w", err)
	}
	return list, nil
}

// chosen finds a location of the version meant among all, and says whether it is the last
// active one.
func chosen(list []*location, id LocationID, meant int) (found *location, last bool, err error) {
	last = true
	for _, l := range list {
		if l.ID == id {
			found = l
		} else if l.Active {
			last = false
		}
	}
	if found == nil {
		return nil, false, problem.Missing("location")
	}
	if err := problem.Outdated(found.Version, meant); err != nil {
		return nil, false, err
	}
	return found, last && found.Active, nil
}

func tooManyLocations() error {
	return problem.New(problem.Unprocessable, "too_many", "A store has at most %d locations.", mostLocations)
}

func lastLocation() error {
	return problem.New(problem.Conflict, "last_location", "A store keeps at least one active location.")
}

// UpdateLocation changes a location that has the version meant; zero is any.
func UpdateLocation(ctx context.Context, tx *postgres.Tx, id LocationID, meant int, patch LocationPatch) error {
	list, err := lockLocations(ctx, tx)
	if err != nil {
		return err
	}
	l, last, err := chosen(list, id, meant)
	if err != nil {
		return err
	}
	before := *l
	if patch.Name != nil {
		l.Name = *patch.Name
	}
	if patch.Address != nil {
		l.Address = *patch.Address
	}
	if patch.Priority != nil {
		l.Priority = *patch.Priority
	}
	if patch.Active != nil {
		l.Active = *patch.Active
	}
	if err := l.check(); err != nil {
		return err
	}
	if last && !l.Active {
		return lastLocation()
	}
	if before.Active != l.Active {
		if err := count(ctx, tx, id, l.Active); err != nil {
			return err
		}
	}
	l.Version++
	if err := l.save(ctx, tx, `update locations set name = $2, address = $3::jsonb, active = $4, priority = $5, version = $6, updated_at = now() where id = $1`); err != nil {
		return err
	}
	journal.Event(ctx, tx, "location.updated", string(id), l.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "location.update", ObjectID: string(id), Before: before, After: l})
	return nil
}

// still keeps everybody from changing stock until the transaction ends. A change of stock
// that is under way has come to its end by then, and one that begins later sees what was
// done. Variants come first, as everywhere.
const still = `lock table variants, stock_levels in exclusive mode`

// countSQL counts what is at a location in, or out when $2 is -1.
const countSQL = `
with there as (
	select variant_id, $2::bigint * on_hand as on_hand, $2::bigint * reserved as reserved from stock_levels
	where location_id = $1 and (on_hand <> 0 or reserved <> 0)
)
update variants v set stock = v.stock + t.on_hand, reserved = v.reserved + t.reserved, updated_at = now()
from there t where v.id = t.variant_id
returning v.id, v.product_id, v.sku, v.track_stock, v.low_stock_threshold, v.stock - t.on_hand, v.stock, ` + byStock

// count counts what is at a location as for sale, or as not for sale any more.
func count(ctx context.Context, tx *postgres.Tx, id LocationID, in bool) error {
	if _, err := tx.Exec(ctx, still); err != nil {
		return fmt.Errorf("hold the stock still: %w", err)
	}
	sign := int64(1)
	if !in {
		sign = -1
	}
	rows, err := tx.Query(ctx, countSQL, id, sign)
	if err == nil {
		defer rows.Close()
		scarce := false
		for rows.Next() {
			var w watched
			var t total
			var counted, collected bool
			if err := rows.Scan(&w.VariantID, &w.ProductID, &w.SKU, &counted, &t.threshold, &t.stock, &t.stockAfter, &collected); err != nil {
				return fmt.Errorf("count what is at %s: %w", id, err)
			}
			search.Later(tx, collected, w.ProductID)
			if event := t.event(); event != "" && counted {
				w.OnHand, w.Threshold = t.stockAfter, t.threshold
				journal.Event(ctx, tx, event, string(w.VariantID), w)
				if event == back {
					tellBack(tx, w.VariantID)
				} else {
					scarce = true
				}
			}
		}
		if scarce {
			tellStaff(tx)
		}
		err = rows.Err()
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23514" {
		return problem.New(problem.Conflict, "location_in_use", "Without this location more would be owed of a variant than may be oversold.")
	}
	if err != nil {
		return fmt.Errorf("count what is at %s: %w", id, err)
	}
	return nil
}

// DeleteLocation deletes a location of the version meant where nothing is; zero is any.
func DeleteLocation(ctx context.Context, tx *postgres.Tx, id LocationID, meant int) error {
	list, err := lockLocations(ctx, tx)
	if err != nil {
		return err
	}
	l, last, err := chosen(list, id, meant)
	if err != nil {
		return err
	}
	if last {
		return lastLocation()
	}
	if _, err := tx.Exec(ctx, still); err != nil {
		return fmt.Errorf("hold the stock still: %w", err)
	}
	var used bool
	err = tx.QueryRow(ctx, `select exists (select from stock_levels where location_id = $1 and (on_hand <> 0 or reserved <> 0))`, id).Scan(&used)
	if err != nil {
		return fmt.Errorf("look what is at %s: %w", id, err)
	}
	if used {
		return problem.New(problem.Conflict, "location_in_use", "There are goods at this location: transfer them first.")
	}
	kept, err := tx.Keep(ctx, string(id), locationRows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from stock_levels where location_id = $1`, id); err != nil {
		return fmt.Errorf("delete the levels at %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `delete from locations where id = $1`, id); err != nil {
		return fmt.Errorf("delete location %s: %w", id, err)
	}
	journal.Event(ctx, tx, "location.deleted", string(id), map[string]any{"id": id})
	journal.Audit(ctx, tx, journal.Entry{Action: "location.delete", ObjectID: string(id), Before: l, Kept: kept})
	return nil
}

// locationRows are the rows of a location by which it can be brought back. There are no goods
// at one that is deleted.
var locationRows = postgres.Part{Table: "locations", Of: "x.id = $1"}

// RestoreLocation brings back a location that was deleted.
func RestoreLocation(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	list, err := lockLocations(ctx, tx)
	if err != nil {
		return err
	}
	if len(list) >= mostLocations {
		return tooManyLocations()
	}
	if err := tx.Restore(ctx, kept, locationRows); err != nil {
		return err
	}
	if list, err = lockLocations(ctx, tx); err != nil {
		return err
	}
	l, _, err := chosen(list, LocationID(id), 0)
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, "location.created", id, l.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "location.restore", ObjectID: id, After: l})
	return nil
}
