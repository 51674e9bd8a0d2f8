package webhooks

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Reseal has again give each sealed signing secret of the store the form that is to be
// kept, or the same where nothing is to be changed. Nothing else of an endpoint changes:
// the secrets stay what they are.
func Reseal(ctx context.Context, tx *postgres.Tx, again func(sealed []byte, binding string) []byte) error {
	rows, err := tx.Query(ctx, `select `+endpointColumns+` from webhook_endpoints order by id for no key update`)
	if err != nil {
		return fmt.Errorf("read webhook endpoints: %w", err)
	}
	endpoints, err := pgx.CollectRows(rows, scanEndpoint)
	if err != nil {
		return fmt.Errorf("read webhook endpoints: %w", err)
	}
	for _, e := range endpoints {
		changed := false
		for i := range e.secrets {
			sealed := again(e.secrets[i].Sealed, binding(tx, e.ID))
			changed = changed || !bytes.Equal(sealed, e.secrets[i].Sealed)
			e.secrets[i].Sealed = sealed
		}
		if !changed {
			continue
		}
		if _, err := tx.Exec(ctx, `update webhook_endpoints set secrets = $2 where id = $1`, e.ID, e.secrets); err != nil {
			return fmt.Errorf("keep the secrets of %s: %w", e.ID, err)
		}
	}
	return nil
}
