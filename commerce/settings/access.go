package settings

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Who may come into the hosted shop.
const (
	ShopOpen        = "open"
	ShopPassword    = "password"    // who knows the password: before it opens
	ShopMaintenance = "maintenance" // nobody
)

// ShopAccess says who may come into the hosted shop. Whatever it says, who was let in by a link
// comes in.
type ShopAccess struct {
	State    string `json:"state"`
	Message  string `json:"message"`  // to who stays outside
	Password string `json:"password"` // as a code that is no way back to it; empty for none
	Seed     string `json:"seed"`     // what links and browsers that are let in are of; another ends them
}

// ShopAccessPatch changes it; what is nil stays.
type ShopAccessPatch struct {
	State, Message *string
	Password       *string // as its code; none when empty
}

// Closed says whether not everybody comes in.
func (a ShopAccess) Closed() bool { return a.State != ShopOpen }

// told is what the audit keeps of it, in the words of the contract.
func (a ShopAccess) told() any {
	return struct {
		State   string `json:"state"`
		Message string `json:"message"`
		Set     bool   `json:"password_set"`
	}{a.State, a.Message, a.Password != ""}
}

// Access is who may come into the hosted shop.
func Access(ctx context.Context, from postgres.Source) (a ShopAccess, err error) {
	o, err := from.Object(ctx, `select version || E'\n' || shop_access from settings where id = 1`)
	if o, err = postgres.Found(o, err, "settings"); err != nil {
		return a, err
	}
	if err := json.Unmarshal(o.Data, &a); err != nil {
		return a, fmt.Errorf("read who may come into the shop: %w", err)
	}
	return a, nil
}

// SetAccess changes who may come into the hosted shop. Whoever was let in before the password
// or the state changed is not any more.
func SetAccess(ctx context.Context, tx *postgres.Tx, patch ShopAccessPatch) error {
	var before ShopAccess
	if err := tx.QueryRow(ctx, `select shop_access from settings where id = 1 for no key update`).Scan(&before); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	after := before
	merge.Set(&after.State, patch.State)
	merge.Set(&after.Message, patch.Message)
	merge.Set(&after.Password, patch.Password)
	wrong := problem.New(problem.Unprocessable, "invalid_shop_access", "Who may come into the shop cannot be said so.")
	line(wrong, &after.Message, "/message", 0, 500)
	if after.State == ShopPassword && after.Password == "" {
		wrong.At("/password", "required", "There is no password that one could know.")
	}
	if err := wrong.OrNil(); err != nil || after == before {
		return err
	}
	if after.State != before.State || after.Password != before.Password {
		after.Seed = rand.Text()
	}
	if _, err := tx.Exec(ctx, `update settings set shop_access = $1, updated_at = now() where id = 1`, after); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	stores.Touch(tx)
	journal.SettingsUpdated(ctx, tx, "shop_access")
	journal.Audit(ctx, tx, journal.Entry{Action: "shop_access.update", ObjectID: tx.Store.ID, Before: before.told(), After: after.told()})
	return nil
}
