package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// endpointRows are the rows of an endpoint by which it can be brought back. Its secrets are
// among them, sealed as they were.
var endpointRows = postgres.Part{Table: "webhook_endpoints", Of: "x.id = $1"}

// Restore brings back an endpoint that was deleted, with its secrets. What happened meanwhile
// was not sent to it, and can be recovered.
func (s *Service) Restore(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := roomLeft(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, endpointRows); err != nil {
		return err
	}
	e, err := s.find(ctx, tx, id, "")
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, "webhook_endpoint.created", id, e.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.restore", ObjectID: id, After: e.audited()})
	return nil
}

// sealed are the secrets of an endpoint, and where they are kept.
type sealed struct {
	Row     string // of an endpoint, or of what brings one back
	ID      EndpointID
	Secrets []secret
}

// places are where secrets are kept: how they are read and written.
var places = []struct{ list, update string }{
	{`select id, id, secrets from webhook_endpoints order by id for no key update`, `update webhook_endpoints set secrets = $2 where id = $1`},
	{
		`select entry_id, kept#>>'{webhook_endpoints,0,id}', kept#>'{webhook_endpoints,0,secrets}' from audit_kept where kept ? 'webhook_endpoints' order by entry_id for no key update`,
		`update audit_kept set kept = jsonb_set(kept, '{webhook_endpoints,0,secrets}', $2::jsonb) where entry_id = $1`,
	},
}

// Reseal has again give each sealed signing secret of the store the form that is to be
// kept, or the same where nothing is to be changed, also those of endpoints that can be
// brought back. Nothing else of an endpoint changes: the secrets stay what they are.
func Reseal(ctx context.Context, tx *postgres.Tx, again func(sealed []byte, binding string) []byte) error {
	for _, place := range places {
		rows, err := tx.Query(ctx, place.list)
		if err != nil {
			return fmt.Errorf("read the secrets of webhook endpoints: %w", err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sealed])
		if err != nil {
			return fmt.Errorf("read the secrets of webhook endpoints: %w", err)
		}
		for _, of := range all {
			changed := false
			for i, s := range of.Secrets {
				of.Secrets[i].Sealed = again(s.Sealed, binding(tx, of.ID))
				changed = changed || !bytes.Equal(of.Secrets[i].Sealed, s.Sealed)
			}
			if !changed {
				continue
			}
			if _, err := tx.Exec(ctx, place.update, of.Row, of.Secrets); err != nil {
				return fmt.Errorf("keep the secrets of %s: %w", of.ID, err)
			}
		}
	}
	return nil
}
