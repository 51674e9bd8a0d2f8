package stores

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Alone has changes of the whole of a store (how many there are of something, its trees and
// orders) take turns until the transaction ends: the settings' row stands for it. It comes
// before any lock of a thing, so that two changes never wait for each other.
func Alone(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, `select from settings where id = 1 for no key update`); err != nil {
		return fmt.Errorf("lock settings: %w", err)
	}
	return nil
}
