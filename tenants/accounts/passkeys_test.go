package accounts_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/accounts/passkeytest"
)

// asked is what a browser is asked in a ceremony, as it reads it.
func asked(t testing.TB, c accounts.Ceremony, err error) (token string, options json.RawMessage) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c.Options)
	if err != nil {
		t.Fatal(err)
	}
	return c.Token, raw
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	in, out := h.signUp(t)
	id, device := out.Account.ID, passkeytest.New(t, "https://stoa.example")
	refused := func(code string, err error) {
		t.Helper()
		if !problem.Is(err, code) {
			t.Errorf("refused with %v, want %s", err, code)
		}
	}
	ctx := as(t, out.Account)
	begin := func() (string, json.RawMessage) {
		t.Helper()
		c, err := h.StartPasskey(ctx, id, in.Password)
		return asked(t, c, err)
	}
	add := func(token, name string, credential json.RawMessage) (accounts.Passkey, error) {
		return h.AddPasskey(ctx, accounts.AddPasskey{AccountID: id, Token: token, Name: name, Credential: credential})
	}
	_, err := h.StartPasskey(ctx, id, "not the password")
	refused("invalid_credentials", err)
	token, options := begin()
	_, err = add(token, " ", device.Create(options))
	refused("invalid_request", err)
	made := device.Create(options)
	key, err := add(token, "Telephone", made)
	if err != nil || key.Name != "Telephone" {
		t.Fatalf("added %+v, %v", key, err)
	}
	_, err = add(token, "Again", made)
	refused("invalid_session", err) // each challenge is answered once
	token, _ = begin()
	_, err = add(token, "Again", made)
	refused("passkey_invalid", err) // and no answer to another one counts
	token, options = begin()
	_, err = add(token, "Elsewhere", passkeytest.New(t, "https://evil.example").Create(options))
	refused("passkey_invalid", err)
	token, options = begin()
	locked := passkeytest.New(t, "https://stoa.example")
	locked.Locked = true
	_, err = add(token, "Locked", locked.Create(options))
	refused("passkey_invalid", err)
	token, _ = begin()
	_, err = add(token, "Nonsense", json.RawMessage(`{"id": 1}`))
	refused("passkey_invalid", err)

	// It signs in by itself, also where a password would need a code.
	sign := func(by *passkeytest.Authenticator) (accounts.SignedIn, error) {
		t.Helper()
		c, err := h.StartPasskeySignIn(from(t))
		token, options := asked(t, c, err)
		return h.SignInByPasskey(from(t), token, by.Get(options), accounts.Visit{UserAgent: "test"})
	}
	signed, err := sign(device)
	if err != nil || signed.Account.ID != id || !h.alive(t, signed.Token) {
		t.Fatalf("signed in as %+v, %v", signed.Account, err)
	}
	device.Locked = true
	_, err = sign(device)
	refused("invalid_credentials", err)
	device.Locked, device.Origin = false, "https://evil.example"
	_, err = sign(device)
	refused("invalid_credentials", err)
	device.Origin = "https://stoa.example"
	device.Copy()
	device.Copy()
	_, err = sign(device)
	refused("invalid_credentials", err) // it counts backwards
	_, err = h.SignInByPasskey(from(t), "long ago", made, accounts.Visit{})
	refused("invalid_session", err)
	c, err := h.StartPasskeySignIn(from(t))
	token, _ = asked(t, c, err)
	_, err = h.SignInByPasskey(from(t), token, json.RawMessage(`{}`), accounts.Visit{})
	refused("invalid_credentials", err)

	// It gets another name, and goes. Nobody else's account sees it.
	_, stranger := h.signUp(t)
	change := func(fn func(context.Context, *postgres.Tx) error) error { return h.DB.InControl(ctx, fn) }
	rename := func(account, name string) error {
		return change(func(ctx context.Context, tx *postgres.Tx) error {
			renamed, err := h.RenamePasskey(ctx, tx, account, key.ID, name)
			if err == nil && (renamed.Name != name || renamed.LastUsedAt == nil) {
				err = errors.New("it is not as it should be")
			}
			return err
		})
	}
	if err := rename(id, "Laptop"); err != nil {
		t.Error(err)
	}
	refused("not_found", rename(stranger.Account.ID, "Mine"))
	refused("invalid_request", rename(id, " "))
	remove := func(account string) error {
		return change(func(ctx context.Context, tx *postgres.Tx) error { return h.RemovePasskey(ctx, tx, account, key.ID) })
	}
	refused("not_found", remove(stranger.Account.ID))
	if err := remove(id); err != nil {
		t.Error(err)
	}
	if _, err = sign(device); !problem.Is(err, "invalid_credentials") {
		t.Errorf("a passkey that was removed signs in: %v", err)
	}
	if n := h.mailed(t, in.Email, mail.KindPasskeyChanged); n != 2 {
		t.Errorf("the owner was mailed %d times", n)
	}
	if n := h.count(t, `select count(*) from audit_entries where actor_id = $1 and action in ('account.add_passkey', 'account.rename_passkey', 'account.remove_passkey')`, id); n != 3 {
		t.Errorf("the audit has %d entries", n)
	}
}
