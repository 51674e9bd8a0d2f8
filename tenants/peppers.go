package tenants

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Peppers keeps the platform's peppers in the control database, as secrets.Ring wants it.
type Peppers struct{ DB *postgres.DB }

const (
	insertSecret = `insert into platform_secrets (name, sealed) values ($1, $2) on conflict (name) do nothing returning sealed`
	selectSecret = `select sealed from platform_secrets where name = $1`
)

// LoadOrInsert implements secrets.PepperStore.
func (p Peppers) LoadOrInsert(ctx context.Context, name string, sealed []byte) (kept []byte, err error) {
	err = p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.QueryRow(ctx, insertSecret, name, sealed).Scan(&kept)
		if errors.Is(err, postgres.ErrNoRows) {
			err = tx.QueryRow(ctx, selectSecret, name).Scan(&kept)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep platform secret %s: %w", name, err)
	}
	return kept, nil
}
