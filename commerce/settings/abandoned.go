package settings

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// AbandonedCarts says from when on a cart counts as abandoned, and who is written to.
type AbandonedCarts struct {
	Minutes int    `json:"delay_minutes"`
	Mail    string `json:"mail"` // off, consenting or everyone
}

// AbandonedCartsPatch changes it; what is nil stays.
type AbandonedCartsPatch struct {
	Minutes *int
	Mail    *string
}

const abandonedSQL = `select s.version || E'\n' || json_build_object('delay_minutes', s.abandoned_cart_minutes, 'mail', s.abandoned_cart_mail) from settings s where s.id = 1`

// Abandoned is what is set about abandoned carts, as the API shows it.
func Abandoned(ctx context.Context, from postgres.Source) (postgres.Object, error) {
	o, err := from.Object(ctx, abandonedSQL)
	return postgres.Found(o, err, "settings")
}

// SetAbandoned changes what is set about abandoned carts.
func SetAbandoned(ctx context.Context, tx *postgres.Tx, patch AbandonedCartsPatch) error {
	var before, after AbandonedCarts
	err := tx.QueryRow(ctx, `select abandoned_cart_minutes, abandoned_cart_mail from settings where id = 1 for no key update`).Scan(&before.Minutes, &before.Mail)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	after = before
	merge.Set(&after.Minutes, patch.Minutes)
	merge.Set(&after.Mail, patch.Mail)
	if after == before {
		return nil
	}
	if _, err := tx.Exec(ctx, `update settings set abandoned_cart_minutes = $1, abandoned_cart_mail = $2, updated_at = now() where id = 1`, after.Minutes, after.Mail); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	journal.SettingsUpdated(ctx, tx, "abandoned_carts")
	journal.Audit(ctx, tx, journal.Entry{Action: "abandoned_cart_settings.update", ObjectID: tx.Store.ID, Before: before, After: after})
	return nil
}
