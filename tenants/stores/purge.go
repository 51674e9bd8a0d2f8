package stores

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

const (
	selectDue = selectRecord + `where s.status = 'deleted' and s.purge_after <= now() order by s.purge_after limit 20`

	// endStore leaves of a store that it was there, and when; who did what to it stays in
	// the audit. Its address is free again.
	endStore = `
update stores set status = 'purged', name = '', suspension_reason = '', purge_after = null, version = version + 1, updated_at = now()
where id = $1 and status = 'deleted' and purge_after <= now()`
)

// eraseStore is what the control database keeps of a store beside its record.
var eraseStore = []string{
	`delete from members where store_id = $1`,
	`delete from invitations where store_id = $1`,
	`delete from roles where store_id = $1`,
	`delete from api_keys where store_id = $1`,
	`delete from domains where store_id = $1`,
	`delete from certificate_orders where store_id = $1`,
	`delete from usage_requests where store_id = $1`,
	`delete from mailbox where store_id = $1`,
	`delete from store_restores where store_id = $1`,
}

// Purge makes an end of the stores whose grace period is over: schemas, roles, files,
// keys in Redis and what the control database has of them. Each step can be repeated, and
// a store counts as purged only after the last; what was cut short or failed is taken up
// again by the next call. It gives how many stores are gone.
func (s *Service) Purge(ctx context.Context) (int, error) {
	var due []Record
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectDue)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			rec, err := scan(rows)
			if err != nil {
				return err
			}
			due = append(due, rec)
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("find stores to purge: %w", err)
	}
	var purged int
	var failed []error
	for _, rec := range due {
		if err := s.purge(ctx, rec); err != nil {
			failed = append(failed, fmt.Errorf("purge store %s: %w", rec.ID, err))
			continue
		}
		purged++
	}
	return purged, errors.Join(failed...)
}

// beside are the schemas of what was restored of a store, beside the living ones.
func (s *Service) beside(ctx context.Context, rec Record) (refs []postgres.StoreRef, err error) {
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select cell, login, number from schemas where store_id = $1 and state = 'beside'`, rec.ID)
		if err != nil {
			return err
		}
		refs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref postgres.StoreRef, err error) {
			return ref, row.Scan(&ref.Cell, &ref.Login, &ref.Schema)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find what was restored: %w", err)
	}
	return refs, nil
}

func (s *Service) purge(ctx context.Context, rec Record) error {
	// Requests that still know the store stop finding its schema from here on.
	s.Forget(ctx, rec)
	if s.config.Files != nil {
		if err := s.config.Files.DeletePrefix(ctx, rec.ID+"/"); err != nil {
			return fmt.Errorf("files: %w", err)
		}
	}
	s.config.Reached("files gone")
	if s.config.Traces != nil {
		if err := s.config.Traces.Erase(ctx, rec.ID); err != nil {
			return fmt.Errorf("traces: %w", err)
		}
	}
	s.config.Reached("traces gone")
	beside, err := s.beside(ctx, rec)
	if err != nil {
		return err
	}
	for _, ref := range append(beside, rec.sandbox, rec.live) {
		if ref.Schema == 0 {
			continue
		}
		if err := s.config.Maker.Drop(ctx, ref); err != nil {
			return err
		}
		s.config.Reached("schema gone")
	}
	ctx = principal.With(ctx, principal.Principal{Kind: principal.System, Label: "purge"})
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, endStore, rec.ID)
		if err != nil || tag.RowsAffected() == 0 {
			return err // another keeper was quicker
		}
		for _, statement := range eraseStore {
			if _, err := tx.Exec(ctx, statement, rec.ID); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "store.purge", ObjectID: rec.ID, StoreID: rec.ID})
		s.forgetAfter(ctx, tx, rec)
		return nil
	})
}
