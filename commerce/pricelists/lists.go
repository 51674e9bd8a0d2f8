package pricelists

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// The bounds of lists.
const (
	MaxLists  = 500
	MaxPrices = 20_000 // of one list
	maxName   = 255
	maxGroups = 250
)

// ID names a list of prices.
type ID string

// Kind is what a list does to a variant's own price.
type Kind string

// The kinds of lists.
const (
	Sale     Kind = "sale"     // lowers it, and announces it as reduced
	Override Kind = "override" // takes its place
)

// Input is a list to be made.
type Input struct {
	Name     string
	Kind     Kind
	Active   bool
	StartsAt *time.Time // since ever when nil
	EndsAt   *time.Time
	GroupIDs []string // of customers; for everybody when empty
}

// Patch changes a list; what is nil stays.
type Patch struct {
	Name     *string
	Active   *bool
	StartsAt *sql.Null[time.Time]
	EndsAt   *sql.Null[time.Time]
	GroupIDs []string
}

// list is a row of price_lists, and what the audit keeps of one.
type list struct {
	bun.BaseModel `bun:"table:price_lists,alias:l" json:"-"`

	ID        ID         `bun:"id,pk" json:"id"`
	Name      string     `bun:"name" json:"name"`
	Kind      Kind       `bun:"kind" json:"kind"`
	Active    bool       `bun:"active" json:"active"`
	StartsAt  *time.Time `bun:"starts_at" json:"starts_at"`
	EndsAt    *time.Time `bun:"ends_at" json:"ends_at"`
	GroupIDs  []string   `bun:"group_ids,array" json:"customer_group_ids"`
	Version   int        `bun:"version" json:"version"`
	CreatedAt time.Time  `bun:"created_at" json:"-"`
	UpdatedAt time.Time  `bun:"updated_at" json:"-"`
}

func (l *list) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_price_list", "The price list cannot be kept as it is.")
	l.Name = strings.TrimSpace(l.Name)
	if n := utf8.RuneCountInString(l.Name); n < 1 || n > maxName || strings.ContainsFunc(l.Name, unicode.IsControl) {
		wrong.At("/name", "out_of_range", "It is one line of 1 to %d characters.", maxName)
	}
	if l.Kind != Sale && l.Kind != Override {
		wrong.At("/kind", "enum", "There is no such kind.")
	}
	if l.StartsAt != nil && l.EndsAt != nil && !l.EndsAt.After(*l.StartsAt) {
		wrong.At("/ends_at", "order", "It ends before it starts.")
	}
	if l.GroupIDs = slices.Compact(slices.Sorted(slices.Values(l.GroupIDs))); l.GroupIDs == nil {
		l.GroupIDs = []string{}
	}
	if len(l.GroupIDs) > maxGroups {
		wrong.At("/customer_group_ids", "maxItems", "There may be %d.", maxGroups)
	}
	return wrong.OrNil()
}

// public says whether the list may count for everybody.
func (l *list) public() bool { return l.Active && len(l.GroupIDs) == 0 }

// named is what an event tells of a list.
type named struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// tell notes that shoppers see other prices now, and writes down why.
func (l *list) tell(ctx context.Context, tx *postgres.Tx, event string, entry journal.Entry) {
	stores.Touch(tx)
	entry.ObjectID = string(l.ID)
	journal.Event(ctx, tx, "price_list."+event, string(l.ID), named{l.ID, l.Name, l.Kind})
	journal.Audit(ctx, tx, entry)
}

// Create makes a list without prices.
func Create(ctx context.Context, tx *postgres.Tx, in Input) (ID, error) {
	now := clock.Now()
	l := &list{
		ID: ID(ids.New("plist")), Name: in.Name, Kind: in.Kind, Active: in.Active, StartsAt: in.StartsAt, EndsAt: in.EndsAt, GroupIDs: in.GroupIDs,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := knowGroups(ctx, tx, in.GroupIDs, nil); err != nil {
		return "", err
	}
	if err := l.check(); err != nil {
		return "", err
	}
	// The settings' row stands for the number of lists.
	var others int
	if err := stores.Alone(ctx, tx); err != nil {
		return "", fmt.Errorf("lock the number of price lists: %w", err)
	}
	if err := tx.QueryRow(ctx, `select count(*) from price_lists`).Scan(&others); err != nil {
		return "", fmt.Errorf("count price lists: %w", err)
	}
	if others >= MaxLists {
		return "", problem.New(problem.Unprocessable, "price_list_limit", "A store has at most %d price lists.", MaxLists)
	}
	if _, err := tx.Bun.NewInsert().Model(l).Exec(ctx); err != nil {
		return "", fmt.Errorf("insert price list: %w", err)
	}
	l.tell(ctx, tx, "created", journal.Entry{Action: "price_list.create", After: l})
	return l.ID, nil
}

func lock(ctx context.Context, tx *postgres.Tx, id ID, meant int) (*list, error) {
	l := &list{}
	if err := tx.Hold(ctx, l, id, "price list", postgres.ForUpdate); err != nil {
		return nil, err
	}
	return l, problem.Outdated(l.Version, meant)
}

func (l *list) save(ctx context.Context, tx *postgres.Tx) error {
	l.Version, l.UpdatedAt = l.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(l).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update price list %s: %w", l.ID, err)
	}
	return nil
}

// variants are those that the list has prices of, kept from being deleted. The transaction
// is alone.
func (l *list) variants(ctx context.Context, tx *postgres.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `select v.id from variants v where exists (select from price_list_prices x where x.price_list_id = $1 and x.variant_id = v.id)
		order by v.id for key share`, l.ID)
	if err == nil {
		var variants []string
		if variants, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return variants, nil
		}
	}
	return nil, fmt.Errorf("read the variants of price list %s: %w", l.ID, err)
}

// Update changes a list that has the version meant; zero is any.
func Update(ctx context.Context, tx *postgres.Tx, id ID, meant int, patch Patch) error {
	l, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *l
	merge.Set(&l.Name, patch.Name)
	merge.Set(&l.Active, patch.Active)
	setNull(&l.StartsAt, patch.StartsAt)
	setNull(&l.EndsAt, patch.EndsAt)
	if patch.GroupIDs != nil {
		l.GroupIDs = patch.GroupIDs
		if err := knowGroups(ctx, tx, l.GroupIDs, before.GroupIDs); err != nil {
			return err
		}
	}
	if err := l.check(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *l) {
		return nil
	}
	renamed := before
	renamed.Name = l.Name
	if reflect.DeepEqual(renamed, *l) || !before.public() && !l.public() {
		if err := l.save(ctx, tx); err != nil {
			return err
		}
	} else if err := l.replaced(ctx, tx, l.save); err != nil {
		return err
	}
	l.tell(ctx, tx, "updated", journal.Entry{Action: "price_list.update", Before: before, After: l})
	return nil
}

// setNull sets what may be missing, unless the patch leaves it alone.
func setNull[T any](field **T, value *sql.Null[T]) {
	if value == nil {
		return
	}
	*field = nil
	if value.Valid {
		*field = &value.V
	}
}

// replaced has a change of the list recorded for all variants that it has prices of.
func (l *list) replaced(ctx context.Context, tx *postgres.Tx, change func(context.Context, *postgres.Tx) error) error {
	if err := alone(ctx, tx); err != nil {
		return err
	}
	variants, err := l.variants(ctx, tx)
	if err != nil {
		return err
	}
	if err := change(ctx, tx); err != nil {
		return err
	}
	return rerecord(ctx, tx, variants)
}

// Delete deletes a list with its prices. Orders keep what they were priced by, and the
// history what things cost.
func Delete(ctx context.Context, tx *postgres.Tx, id ID, meant int) error {
	l, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	rows, err := tx.Keep(ctx, string(id), kept...)
	if err != nil {
		return err
	}
	err = l.replaced(ctx, tx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `delete from price_lists where id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete price list %s: %w", id, err)
	}
	l.tell(ctx, tx, "deleted", journal.Entry{Action: "price_list.delete", Before: l, Kept: rows})
	return nil
}

// unknownGroupsSQL gives where those of the groups $1 stand that there are not. The others
// are kept from being deleted until the transaction ends.
const unknownGroupsSQL = `
with known as (select id from customer_groups where id = any($1) order by id for key share)
select at - 1 from unnest($1::text[]) with ordinality as a(id, at) where id not in (select id from known) order by at`

// knowGroups refuses groups that there are not, but for those of before.
func knowGroups(ctx context.Context, tx *postgres.Tx, groups, before []string) error {
	if !slices.ContainsFunc(groups, func(id string) bool { return !slices.Contains(before, id) }) {
		return nil
	}
	rows, err := tx.Query(ctx, unknownGroupsSQL, groups)
	if err != nil {
		return fmt.Errorf("look for groups: %w", err)
	}
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return fmt.Errorf("look for groups: %w", err)
	}
	wrong := problem.New(problem.Unprocessable, "unknown_reference", "There is no such group of customers.")
	for _, at := range unknown {
		wrong.At(fmt.Sprintf("/customer_group_ids/%d", at), "unknown_reference", "There is no such group.")
	}
	return wrong.OrNil()
}
