package rates

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// serviceRows are the rows of a service by which it can be brought back. Its secret is among
// them, sealed as it was.
var serviceRows = postgres.Part{Table: "rate_services", Of: "x.id = $1"}

// Restore brings back a service that was deleted, with its secret.
func Restore(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := tx.Restore(ctx, kept, serviceRows); err != nil {
		return err
	}
	var have int
	if err := tx.QueryRow(ctx, `select (select count(*) from rate_services) from settings for no key update`).Scan(&have); err != nil {
		return fmt.Errorf("count rate services: %w", err)
	}
	if have > mostServices {
		return tooManyServices()
	}
	r, err := lock(ctx, tx, ServiceID(id), 0)
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, "rate_service.created", id, journal.Named{ID: id, Name: r.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "rate_service.restore", ObjectID: id, After: r})
	return nil
}

func tooManyServices() error {
	return problem.New(problem.Unprocessable, "rate_service_limit", "A store has at most %d rate services.", mostServices)
}

// sealed is a secret of a service, and where it is kept.
type sealed struct {
	Row    string // of a service, or of what brings one back
	ID     ServiceID
	Secret []byte
}

// places are where secrets are kept: how they are read and written.
var places = []struct{ list, update string }{
	{`select id, id, secret from rate_services order by id for no key update`, `update rate_services set secret = $2 where id = $1`},
	{
		`select entry_id, kept#>>'{rate_services,0,id}', (kept#>>'{rate_services,0,secret}')::bytea from audit_kept where kept ? 'rate_services' order by entry_id for no key update`,
		`update audit_kept set kept = jsonb_set(kept, '{rate_services,0,secret}', to_jsonb($2::bytea)) where entry_id = $1`,
	},
}

// Reseal seals the secrets of the context's store anew, and those of services that can be
// brought back: again is given each, and its binding.
func Reseal(ctx context.Context, tx *postgres.Tx, ref postgres.StoreRef, again func(sealed []byte, binding string) []byte) error {
	for _, place := range places {
		rows, err := tx.Query(ctx, place.list)
		if err != nil {
			return fmt.Errorf("read the secrets of rate services: %w", err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sealed])
		if err != nil {
			return fmt.Errorf("read the secrets of rate services: %w", err)
		}
		for _, s := range list {
			resealed := again(s.Secret, binding(ref, s.ID))
			if bytes.Equal(resealed, s.Secret) {
				continue
			}
			if _, err := tx.Exec(ctx, place.update, s.Row, resealed); err != nil {
				return fmt.Errorf("keep the secret of %s: %w", s.ID, err)
			}
		}
	}
	return nil
}
