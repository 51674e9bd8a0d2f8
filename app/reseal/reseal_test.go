package reseal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/reseal"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/domains"
	"github.com/stoacommerce/stoa/webhooks"
)

// vault is a platform of its own whose ring changes.
type vault struct {
	*testdb.Platform
	t  *testing.T
	db *postgres.DB // with the ring of the moment
}

// under opens the platform with a ring.
func (v *vault) under(ring *secrets.Ring) {
	v.t.Helper()
	config := v.Config
	config.Sealer = ring
	db, err := postgres.Open(config)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = db.Close() })
	v.db = db
}

// ring reads keys, the newest first.
func (v *vault) ring(keys ...string) *secrets.Ring {
	v.t.Helper()
	ring, err := secrets.ParseRing(strings.Join(keys, ","))
	if err != nil {
		v.t.Fatal(err)
	}
	return ring
}

func (v *vault) key(id string) string {
	v.t.Helper()
	key, err := secrets.NewKey(id)
	if err != nil {
		v.t.Fatal(err)
	}
	return key.Reveal()
}

// run reseals and gives the counts by place.
func (v *vault) run(ring *secrets.Ring) (map[string]reseal.Count, error) {
	counts := map[string]reseal.Count{}
	err := reseal.Run(v.t.Context(), v.db, ring, func(c reseal.Count) { counts[c.Place] = c })
	return counts, err
}

func (v *vault) control(statement string, args ...any) {
	v.t.Helper()
	err := v.db.InControl(v.t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// endpoint makes an endpoint whose secret is rotated, so that it has two, and a rate
// service.
func (v *vault) endpoint(ctx context.Context, ring *secrets.Ring) (id string) {
	v.t.Helper()
	options := egress.Options{AllowPlainHTTP: true, AllowPrivate: true}
	service, asked := webhooks.New(ring, options), rates.New(v.db, ring, options, slog.New(slog.DiscardHandler))
	url := "http://127.0.0.1/hook"
	err := v.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		e, _, err := service.Create(ctx, tx, webhooks.Input{URL: &url, Events: []string{"*"}})
		if err != nil {
			return err
		}
		id = e.ID
		if _, _, err := asked.Create(ctx, tx, rates.Input{Kind: rates.TaxKind, Name: "Taxes", URL: url, Active: true}); err != nil {
			return err
		}
		// Others were deleted, and can be brought back.
		gone, _, err := asked.Create(ctx, tx, rates.Input{Kind: rates.CarrierKind, Name: "Parcels", URL: url, Active: true})
		if err == nil {
			err = asked.Delete(ctx, tx, gone, 0)
		}
		if err != nil {
			return err
		}
		old, _, err := service.Create(ctx, tx, webhooks.Input{URL: &url, Events: []string{"*"}})
		if err == nil {
			err = service.Delete(ctx, tx, old.ID, 0)
		}
		if err != nil {
			return err
		}
		_, _, err = service.Rotate(ctx, tx, e.ID, time.Hour)
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return id
}

// stripe gives a store a key and a webhook's secret of its own with Stripe.
func (v *vault) stripe(ctx context.Context, ring *secrets.Ring) {
	v.t.Helper()
	err := v.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		ref, _ := postgres.StoreFrom(ctx)
		key, err := ring.Seal([]byte("sk_test_1"), payments.KeyBinding(ref))
		if err != nil {
			return err
		}
		hook, err := ring.Seal([]byte("whsec_1"), payments.WebhookBinding(ref))
		if err != nil {
			return err
		}
		_, err = payments.SetStripe(ctx, tx, 0, func(a *payments.StripeAccount) { a.ID, a.Key, a.WebhookSecret = "acct_1", key, hook })
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// signs says whether the endpoint's secrets can be opened with a ring.
func (v *vault) signs(ctx context.Context, ring *secrets.Ring, id string) error {
	return v.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		n := 0
		err := webhooks.Reseal(ctx, tx, func(sealed []byte, binding string) []byte {
			if !strings.HasSuffix(binding, id) {
				return sealed
			}
			if _, err := ring.Open(sealed, binding); err == nil && !ring.NeedsRotation(sealed) {
				n++
			}
			return sealed
		})
		if err == nil && n != 2 {
			err = fmt.Errorf("%d of 2 secrets can be opened", n)
		}
		return err
	})
}

func TestEverythingIsSealedAnew(t *testing.T) {
	p := testdb.New(t, "seal"+ids.New("x")[20:], 1)
	t.Cleanup(func() { _ = p.DB.Close() })
	v := &vault{Platform: p, t: t}
	oldKey, newKey := p.Keys.Reveal(), v.key("newer")
	oldRing, both, newRing := v.ring(oldKey), v.ring(newKey, oldKey), v.ring(newKey)

	v.under(oldRing)
	live := p.Store(t)
	test := p.Sandbox(t, live)
	inLive, inTest := v.endpoint(live, oldRing), v.endpoint(test, oldRing)
	v.stripe(live, oldRing)
	v.stripe(test, oldRing)
	pepper, err := oldRing.Pepper(t.Context(), tenants.Peppers{DB: v.db}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	sealTOTP := func(ring *secrets.Ring, id string) []byte {
		sealed, err := ring.Seal([]byte("JBSWY3DPEHPK3PXP"), secrets.Bind("platform", "accounts.totp_sealed", id))
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	const accounts = 450 // more than are held at a time
	for i := range accounts {
		id := fmt.Sprintf("acc_%04d", i)
		v.control(`insert into accounts (id, email, password_hash, totp_sealed) values ($1, $1, '', $2)`, id, sealTOTP(oldRing, id))
	}
	v.control(`insert into accounts (id, email, password_hash) values ('acc_none', 'none', '')`)
	key, err := oldRing.Seal([]byte("a key in PEM"), domains.KeyBinding("dom_1"))
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := postgres.StoreFrom(live)
	v.control(`insert into domains (id, store_id, name, check_at) values ('dom_1', $1, 'shop.example.com', now())`, ref.ID)
	v.control(`insert into certificates (domain_id, serial, chain, key_sealed, expires_at) values ('dom_1', '', '', $1, now())`, key)

	v.under(both)
	// As if a run had been broken off.
	v.control(`update accounts set totp_sealed = $1 where id = 'acc_0007'`, sealTOTP(both, "acc_0007"))
	counts, err := v.run(both)
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]reseal.Count{
		"cell_logins.password_sealed": {Resealed: 2}, "platform_secrets.sealed": {Resealed: 1},
		"accounts.totp_sealed": {Resealed: accounts - 1, Current: 1}, "webhook_endpoints.secrets": {Resealed: 6}, "settings.payments": {Resealed: 4},
		"rate_services.secret": {Resealed: 4}, "certificates.key_sealed": {Resealed: 1},
	} {
		want.Place = place
		if counts[place] != want {
			t.Errorf("%+v, want %+v", counts[place], want)
		}
	}
	again, err := v.run(both)
	if err != nil {
		t.Fatal(err)
	}
	for place, count := range again {
		if count.Resealed != 0 || count.Failed != 0 || count.Current != counts[place].Resealed+counts[place].Current {
			t.Errorf("once more: %+v", count)
		}
	}

	// The old key can be taken away: logins sign in, peppers are the same, secrets open.
	v.under(newRing)
	for side, id := range map[context.Context]string{live: inLive, test: inTest} {
		if err := v.signs(side, newRing, id); err != nil {
			t.Error(err)
		}
	}
	same, err := newRing.Pepper(t.Context(), tenants.Peppers{DB: v.db}, "platform")
	if err != nil || !same.Check("key", pepper.HMAC("key")) {
		t.Errorf("the pepper is another, %v", err)
	}
	err = v.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		var sealed []byte
		if err := tx.QueryRow(ctx, `select totp_sealed from accounts where id = 'acc_0449'`).Scan(&sealed); err != nil {
			return err
		}
		plain, err := newRing.Open(sealed, secrets.Bind("platform", "accounts.totp_sealed", "acc_0449"))
		if string(plain) != "JBSWY3DPEHPK3PXP" {
			t.Errorf("the authenticator's secret is %q", plain)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeOpenedIsToldOf(t *testing.T) {
	p := testdb.New(t, "sealx"+ids.New("x")[20:], 2)
	t.Cleanup(func() { _ = p.DB.Close() })
	v := &vault{Platform: p, t: t}
	newKey := v.key("newer")
	both := v.ring(newKey, p.Keys.Reveal())
	v.under(v.Ring)
	live := p.Store(t)
	v.endpoint(live, v.ring(v.key("lost")))
	v.control(`insert into accounts (id, email, password_hash, totp_sealed) values ('acc_bad', 'bad', '', 'damaged')`)
	v.control(`insert into schemas (cell, login, state, store_id, mode) values ($1, 1, 'taken', 'sto_away', 'live')`, p.Cell+"2")
	v.Config.Cells[p.Cell+"2"] = "postgres://nobody@127.0.0.1:1/none"
	v.under(both)
	counts, err := v.run(both)
	if !errors.Is(err, secrets.ErrUnknownKey) || !errors.Is(err, secrets.ErrNotSealed) || !strings.Contains(err.Error(), "sto_away") {
		t.Errorf("told: %v", err)
	}
	if counts["accounts.totp_sealed"].Failed != 1 || counts["webhook_endpoints.secrets"].Failed != 3 || counts["cell_logins.password_sealed"].Resealed != 4 {
		t.Errorf("counts %+v", counts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := reseal.Run(ctx, v.db, both, func(reseal.Count) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
}
