package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// Record is what the control database knows of a store.
type Record struct {
	ID               string
	Name             string
	Address          string
	Status           tenants.Status
	Demo             bool
	Plan             string
	Country          string
	Currency         string
	Cell             string
	Domain           string // of its own, that its shop is at; empty where it is at its address
	HasSandbox       bool
	OwnerEmail       string // of the first owner
	OwnerVerified    bool   // an owner has proven their address
	Revision         int64
	Version          int
	CreatedAt        time.Time
	UpdatedAt        time.Time
	SuspendedAt      *time.Time
	SuspensionReason string
	DeletedAt        *time.Time
	PurgeAfter       *time.Time

	live, sandbox postgres.StoreRef // sandbox.Schema is zero while there is none
}

// Roles are the names that the store acts under in its cell, of both of its sides.
func (rec *Record) Roles() []string {
	roles := []string{postgres.RoleName(rec.live.Cell, rec.live.Schema)}
	if rec.HasSandbox {
		roles = append(roles, postgres.RoleName(rec.sandbox.Cell, rec.sandbox.Schema))
	}
	return roles
}

// selectRecord gives the columns that scan reads. Of several owners the first counts.
const selectRecord = `
select s.id, s.name, s.address, s.status, s.demo, s.plan, s.country, s.currency, s.cell,
	coalesce((select name from domains d where d.store_id = s.id and d.canonical), ''),
	coalesce(o.email, ''), coalesce(o.verified, false), s.revision, s.version, s.created_at, s.updated_at,
	s.suspended_at, s.suspension_reason, s.deleted_at, s.purge_after,
	l.cell, l.login, l.number, coalesce(t.cell, ''), coalesce(t.login, 0), coalesce(t.number, 0)
from stores s
join schemas l on l.number = s.live_schema
left join schemas t on t.number = s.test_schema
left join lateral (
	select (array_agg(a.email order by m.created_at, a.id))[1] as email, bool_or(a.email_verified_at is not null) as verified
	from members m join accounts a on a.id = m.account_id
	where m.store_id = s.id and m.role = 'owner'
) o on true
`

const (
	selectByID      = selectRecord + `where s.id = $1`
	selectByAddress = selectRecord + `where s.address = $1 and s.status <> 'purged'`
	lockRecord      = selectByID + ` for update of s`
)

// row is what a record is read from.
type row interface{ Scan(dest ...any) error }

func scan(r row) (Record, error) {
	var rec Record
	err := r.Scan(&rec.ID, &rec.Name, &rec.Address, &rec.Status, &rec.Demo, &rec.Plan, &rec.Country, &rec.Currency, &rec.Cell, &rec.Domain,
		&rec.OwnerEmail, &rec.OwnerVerified, &rec.Revision, &rec.Version, &rec.CreatedAt, &rec.UpdatedAt,
		&rec.SuspendedAt, &rec.SuspensionReason, &rec.DeletedAt, &rec.PurgeAfter,
		&rec.live.Cell, &rec.live.Login, &rec.live.Schema, &rec.sandbox.Cell, &rec.sandbox.Login, &rec.sandbox.Schema)
	if err != nil {
		return Record{}, err
	}
	rec.live.ID, rec.live.Mode = rec.ID, principal.Live
	rec.sandbox.ID, rec.sandbox.Mode = rec.ID, principal.Test
	rec.HasSandbox = rec.sandbox.Schema > 0
	rec.CreatedAt, rec.UpdatedAt = rec.CreatedAt.UTC(), rec.UpdatedAt.UTC()
	for _, at := range []*time.Time{rec.SuspendedAt, rec.DeletedAt, rec.PurgeAfter} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return rec, nil
}

// Side is a side of the store as requests need it.
func (rec *Record) Side(mode principal.Mode) tenants.Store {
	ref, domain := rec.live, rec.Domain
	if mode == principal.Test {
		ref, domain = rec.sandbox, ""
	}
	return tenants.Store{
		ID: rec.ID, Name: rec.Name, Address: rec.Address, Domain: domain, Status: rec.Status, Plan: rec.Plan, Demo: rec.Demo,
		Country: rec.Country, Currency: rec.Currency, Revision: rec.Revision, Ref: ref, OwnerVerified: rec.OwnerVerified,
	}
}

// Get is what is known of a store, read anew; a purged one is known no more.
func (s *Service) Get(ctx context.Context, id string) (Record, error) {
	var rec Record
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		rec, err = s.GetTx(ctx, tx, id)
		return err
	})
	return rec, err
}

// GetTx is Get within a transaction on the control database.
func (s *Service) GetTx(ctx context.Context, tx *postgres.Tx, id string) (Record, error) {
	return found(scan(tx.QueryRow(ctx, selectByID, id)))
}

// lock reads a store's record and keeps others from changing it until tx ends.
func lock(ctx context.Context, tx *postgres.Tx, id string) (Record, error) {
	return found(scan(tx.QueryRow(ctx, lockRecord, id)))
}

func found(rec Record, err error) (Record, error) {
	switch {
	case errors.Is(err, postgres.ErrNoRows), err == nil && rec.Status == tenants.Purged:
		return Record{}, problem.Missing("store")
	case err != nil:
		return Record{}, fmt.Errorf("read store: %w", err)
	}
	return rec, nil
}

// Filter chooses among stores; its zero value chooses all.
type Filter struct {
	Query  string // contained in the name, the address or an owner's e-mail address
	Status tenants.Status
	Cell   string
	After  string // the ID of the last store of the page before
	Limit  int
}

// listRecords lists the latest first: IDs sort by the time they were made.
const listRecords = selectRecord + `
where s.status <> 'purged'
	and ($1 = '' or s.name ilike $2 or s.address ilike $2 or exists (
		select 1 from members m join accounts a on a.id = m.account_id
		where m.store_id = s.id and m.role = 'owner' and a.email ilike $2))
	and ($3 = '' or s.status = $3)
	and ($4 = '' or s.cell = $4)
	and ($5 = '' or s.id < $5)
order by s.id desc limit $6`

// ListTx lists stores, the latest first, and gives the position of the next page, empty
// at the end.
func (s *Service) ListTx(ctx context.Context, tx *postgres.Tx, f Filter) (page []Record, next string, err error) {
	rows, err := tx.Query(ctx, listRecords, f.Query, "%"+likeText.Replace(f.Query)+"%", string(f.Status), f.Cell, f.After, f.Limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list stores: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scan(rows)
		if err != nil {
			return nil, "", fmt.Errorf("list stores: %w", err)
		}
		page = append(page, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("list stores: %w", err)
	}
	if len(page) > f.Limit {
		page = page[:f.Limit]
		next = page[f.Limit-1].ID
	}
	return page, next, nil
}
