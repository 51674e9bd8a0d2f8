package accounts_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/accounts"
)

const otherPassword = "copper thistle window raft"

// twice signs in from two places.
func (h *house) twice(t testing.TB, email, password string) (here, elsewhere accounts.SignedIn) {
	t.Helper()
	here, err := h.signIn(t, email, password, "")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err = h.signIn(t, email, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return here, elsewhere
}

// as is a context in which an account acts.
func as(t testing.TB, a accounts.Account) context.Context {
	ctx := from(t)
	who := principal.From(ctx)
	who.Kind, who.ID, who.Label = principal.Account, a.ID, a.Email
	return principal.With(ctx, who)
}

// renewed fails the test unless a change ended all sessions, and gave the one that asked
// another token.
func (h *house) renewed(t testing.TB, here, elsewhere accounts.SignedIn, now *accounts.SignedIn) {
	t.Helper()
	if h.alive(t, here.Token) || h.alive(t, elsewhere.Token) {
		t.Error("a session outlives the change")
	}
	if now == nil || !h.alive(t, now.Token) {
		t.Fatal("the session that asked does not go on")
	}
	list, err := h.sessions.List(t.Context(), here.Account.ID)
	if err != nil || len(list) != 1 || list[0].ID != now.Session.ID {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

func TestChangePassword(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	here, elsewhere := h.twice(t, in.Email, in.Password)
	ask := func(current, password string) (*accounts.SignedIn, error) {
		return h.ChangePassword(as(t, out.Account), accounts.ChangePassword{AccountID: out.Account.ID, Current: current, New: password, Visit: accounts.Visit{Token: here.Token}}, nil)
	}
	_, err := ask("not the password", otherPassword)
	wantProblem(t, err, "invalid_credentials")
	_, err = ask(in.Password, "too short")
	wantProblem(t, err, "password_invalid")
	if !h.alive(t, here.Token) {
		t.Fatal("a refusal ends the session")
	}
	now, err := ask(in.Password, otherPassword)
	if err != nil {
		t.Fatal(err)
	}
	h.renewed(t, here, elsewhere, now)
	_, err = h.signIn(t, in.Email, in.Password, "")
	wantProblem(t, err, "invalid_credentials")
	if _, err := h.signIn(t, in.Email, otherPassword, ""); err != nil {
		t.Error(err)
	}
	if n := h.mailed(t, in.Email, mail.KindPasswordChanged); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// TestSessionsEndWithoutRedis has a change end the sessions although Redis is not told.
func TestSessionsEndWithoutRedis(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	_, elsewhere := h.twice(t, in.Email, in.Password)
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		h.Changed(ctx, tx, out.Account.ID)
		_, err := tx.Exec(ctx, `update accounts set epoch = epoch + 1 where id = $1`, out.Account.ID)
		return err
	})
	if h.alive(t, elsewhere.Token) {
		t.Error("a session of an earlier epoch is honoured")
	}
}

func TestResetPassword(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	here, _ := h.twice(t, in.Email, in.Password)
	request := func(email string) {
		h.control(t, func(ctx context.Context, tx *postgres.Tx) error { return h.RequestReset(ctx, tx, email) })
	}
	request("nobody@example.com")
	for range 7 {
		request(strings.ToUpper(in.Email))
	}
	if n := h.mailed(t, in.Email, mail.KindPasswordReset); n != 5 {
		t.Errorf("%d mails within an hour", n)
	}
	secret := h.token(t, in.Email, mail.KindPasswordReset)
	if n := h.count(t, `select count(*) from account_tokens where encode(hash, 'escape') like '%' || $1 || '%'`, secret); n != 0 {
		t.Error("the token itself is kept")
	}
	err := h.ResetPassword(from(t), accounts.ResetPassword{Token: secret + "x", Password: otherPassword}, nil)
	wantProblem(t, err, "token_invalid")
	err = h.ResetPassword(from(t), accounts.ResetPassword{Token: h.token(t, in.Email, mail.KindAccountVerifyEmail), Password: otherPassword}, nil)
	wantProblem(t, err, "token_invalid") // made for another purpose
	err = h.ResetPassword(from(t), accounts.ResetPassword{Token: secret, Password: "passwordpassword"}, nil)
	wantProblem(t, err, "password_too_common") // and the token still holds
	if err := h.ResetPassword(from(t), accounts.ResetPassword{Token: secret, Password: otherPassword}, nil); err != nil {
		t.Fatal(err)
	}
	err = h.ResetPassword(from(t), accounts.ResetPassword{Token: secret, Password: goodPassword}, nil)
	wantProblem(t, err, "token_invalid")
	if h.alive(t, here.Token) {
		t.Error("a session outlives the reset")
	}
	if _, err := h.signIn(t, in.Email, otherPassword, ""); err != nil {
		t.Error(err)
	}
	if a, err := h.Get(t.Context(), out.Account.ID); err != nil || !a.Verified {
		t.Errorf("a token from a mail proves the address: %+v, %v", a, err)
	}
	if verified, err := h.stores.OwnerVerified(t.Context(), out.Store.ID); err != nil || !verified {
		t.Errorf("the store does not know: %v, %v", verified, err)
	}
	if n := h.mailed(t, in.Email, mail.KindPasswordChanged); n != 1 {
		t.Errorf("%d mails", n)
	}
	if n := h.count(t, `select count(*) from account_tokens where account_id = $1`, out.Account.ID); n != 0 {
		t.Errorf("%d tokens are left", n)
	}
}

func TestVerifyEmail(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	if verified, err := h.stores.OwnerVerified(t.Context(), out.Store.ID); err != nil || verified {
		t.Fatalf("verified from the start: %v", err)
	}
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.RequestVerification(ctx, tx, out.Account.ID)
	})
	secret := h.token(t, in.Email, mail.KindAccountVerifyEmail)
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		a, err := h.VerifyEmail(ctx, tx, secret)
		if !a.Verified {
			t.Errorf("verified: %+v", a)
		}
		return err
	})
	if verified, err := h.stores.OwnerVerified(t.Context(), out.Store.ID); err != nil || !verified {
		t.Errorf("the store does not know: %v, %v", verified, err)
	}
	err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.VerifyEmail(ctx, tx, secret)
		return err
	})
	wantProblem(t, err, "token_invalid")
	before := len(h.mails(t, in.Email))
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.RequestVerification(ctx, tx, out.Account.ID)
	})
	if after := len(h.mails(t, in.Email)); after != before {
		t.Error("a proven address is mailed again")
	}
}

func TestChangeEmail(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	other, _ := h.signUp(t)
	here, elsewhere := h.twice(t, in.Email, in.Password)
	next := "new-" + in.Email
	ask := func(email, password string) error {
		return h.RequestEmailChange(as(t, out.Account), accounts.ChangeEmail{AccountID: out.Account.ID, Email: email, Password: password}, nil)
	}
	wantProblem(t, ask(next, "not the password"), "invalid_credentials")
	wantProblem(t, ask("nonsense", in.Password), "invalid_request")
	if err := ask(other.Email, in.Password); err != nil {
		t.Errorf("an address of somebody else is told to be known: %v", err)
	}
	if h.mailed(t, other.Email, mail.KindEmailChangeConfirm) != 0 || h.mailed(t, other.Email, mail.KindAccountKnownSignup) != 1 {
		t.Error("the owner of that address is not told what happened")
	}
	if err := ask(next, in.Password); err != nil {
		t.Fatal(err)
	}
	if a, err := h.Get(t.Context(), out.Account.ID); err != nil || a.PendingEmail != next || a.Email != in.Email {
		t.Errorf("pending: %+v, %v", a, err)
	}
	if h.mailed(t, in.Email, mail.KindEmailChangeRequest) != 1 {
		t.Error("the old address is not told")
	}
	secret := h.token(t, next, mail.KindEmailChangeConfirm)
	verify := h.token(t, in.Email, mail.KindAccountVerifyEmail)
	a, now, err := h.ConfirmEmailChange(as(t, out.Account), secret, accounts.Visit{Token: here.Token}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Email != next || !a.Verified || a.PendingEmail != "" {
		t.Errorf("changed to %+v", a)
	}
	h.renewed(t, here, elsewhere, now)
	if h.mailed(t, in.Email, mail.KindEmailChanged) != 1 {
		t.Error("the old address is not told")
	}
	_, _, err = h.ConfirmEmailChange(from(t), secret, accounts.Visit{}, nil)
	wantProblem(t, err, "token_invalid")
	err = h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.VerifyEmail(ctx, tx, verify)
		return err
	})
	wantProblem(t, err, "token_invalid") // it was for the old address
	_, err = h.signIn(t, in.Email, in.Password, "")
	wantProblem(t, err, "invalid_credentials")
	if _, err := h.signIn(t, next, in.Password, ""); err != nil {
		t.Error(err)
	}

	// Confirmed in somebody else's browser, that one's session is left alone; and an address
	// that was taken in the meantime is not taken twice.
	if err := h.RequestEmailChange(as(t, a), accounts.ChangeEmail{AccountID: a.ID, Email: "third-" + in.Email, Password: in.Password}, nil); err != nil {
		t.Fatal(err)
	}
	stranger, err := h.signIn(t, other.Email, other.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	third := newcomer()
	third.Email = "third-" + in.Email
	taken, err := h.SignUp(from(t), third, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret = h.token(t, third.Email, mail.KindEmailChangeConfirm)
	_, _, err = h.ConfirmEmailChange(as(t, stranger.Account), secret, accounts.Visit{Token: stranger.Token}, nil)
	wantProblem(t, err, "email_in_use")
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update accounts set email = 'gone-' || email where id = $1`, taken.Account.ID)
		return err
	})
	_, now, err = h.ConfirmEmailChange(as(t, stranger.Account), secret, accounts.Visit{Token: stranger.Token}, nil)
	if err != nil || now != nil || !h.alive(t, stranger.Token) {
		t.Errorf("confirmed elsewhere: %+v, %v", now, err)
	}
}

// enrol gives an account an authenticator, whose code of one step ago was used.
func (h *house) enrol(t testing.TB, a accounts.Account, password string, visit accounts.Visit) (secret string, codes []string, now *accounts.SignedIn) {
	t.Helper()
	calm()
	e, err := h.StartTOTP(as(t, a), a.ID, password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(e.URI, "otpauth://totp/Stoa:") || !strings.Contains(e.URI, e.Secret) {
		t.Errorf("enrolment %+v", e)
	}
	_, _, err = h.ConfirmTOTP(as(t, a), a.ID, "000000", visit, nil)
	wantProblem(t, err, "invalid_code")
	codes, now, err = h.ConfirmTOTP(as(t, a), a.ID, codeAt(t, e.Secret, -1), visit, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.Secret, codes, now
}

func TestTOTP(t *testing.T) {
	h := open(t)
	in, out := h.signUp(t)
	id := out.Account.ID
	here, elsewhere := h.twice(t, in.Email, in.Password)
	_, _, err := h.ConfirmTOTP(as(t, out.Account), id, "123456", accounts.Visit{}, nil)
	wantProblem(t, err, "totp_not_started")
	_, err = h.StartTOTP(as(t, out.Account), id, "not the password")
	wantProblem(t, err, "invalid_credentials")
	_, _, err = h.RenewCodes(as(t, out.Account), id, in.Password, accounts.Visit{}, nil)
	wantProblem(t, err, "totp_not_enabled")
	if _, err := h.signIn(t, in.Email, in.Password, ""); err != nil {
		t.Fatal("an authenticator that is not confirmed is asked for")
	}

	secret, codes, now := h.enrol(t, out.Account, in.Password, accounts.Visit{Token: here.Token})
	h.renewed(t, here, elsewhere, now)
	if len(codes) != 10 || len(codes[0]) != 11 {
		t.Errorf("recovery codes %v", codes)
	}
	if n := h.count(t, `select count(*) from accounts where id = $1 and position(convert_to($2, 'UTF8') in totp_sealed) > 0`, id, secret); n != 0 {
		t.Error("the secret lies open")
	}
	_, err = h.StartTOTP(as(t, out.Account), id, in.Password)
	wantProblem(t, err, "totp_already_enabled")
	_, _, err = h.ConfirmTOTP(as(t, out.Account), id, codeAt(t, secret, 0), accounts.Visit{}, nil)
	wantProblem(t, err, "totp_already_enabled")

	_, err = h.signIn(t, in.Email, in.Password, "")
	wantProblem(t, err, "totp_required")
	_, err = h.signIn(t, in.Email, "not the password", "")
	wantProblem(t, err, "invalid_credentials")
	_, err = h.signIn(t, in.Email, "not the password", codeAt(t, secret, 0))
	wantProblem(t, err, "invalid_credentials")
	_, err = h.signIn(t, in.Email, in.Password, codeAt(t, secret, -1))
	wantProblem(t, err, "invalid_code") // its step was used
	if _, err := h.signIn(t, in.Email, in.Password, codeAt(t, secret, 0)); err != nil {
		t.Fatal(err)
	}
	_, err = h.signIn(t, in.Email, in.Password, codeAt(t, secret, 0))
	wantProblem(t, err, "invalid_code")

	// A recovery code stands in once, however it is typed.
	typed := strings.ToUpper(strings.ReplaceAll(codes[3], "-", " "))
	if _, err := h.signIn(t, in.Email, in.Password, typed); err != nil {
		t.Fatal(err)
	}
	_, err = h.signIn(t, in.Email, in.Password, codes[3])
	wantProblem(t, err, "invalid_code")

	// Eight characters suffice now, and the password alone resets nothing.
	if _, err := h.ChangePassword(as(t, out.Account), accounts.ChangePassword{AccountID: id, Current: in.Password, New: "vq8 lamp"}, nil); err != nil {
		t.Fatalf("eight characters: %v", err)
	}
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error { return h.RequestReset(ctx, tx, in.Email) })
	reset := accounts.ResetPassword{Token: h.token(t, in.Email, mail.KindPasswordReset), Password: "raft 9zu"}
	wantProblem(t, h.ResetPassword(from(t), reset, nil), "totp_required")
	reset.Code = "aaaaa-aaaaa"
	wantProblem(t, h.ResetPassword(from(t), reset, nil), "invalid_code")
	reset.Code = codes[4]
	if err := h.ResetPassword(from(t), reset, nil); err != nil {
		t.Fatal(err)
	}

	fresh, _, err := h.RenewCodes(as(t, out.Account), id, "raft 9zu", accounts.Visit{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.signIn(t, in.Email, "raft 9zu", codes[5])
	wantProblem(t, err, "invalid_code")

	// A password of eight characters cannot stand alone.
	remove := accounts.RemoveTOTP{AccountID: id, Password: "raft 9zu", Code: fresh[0]}
	_, err = h.RemoveTOTP(as(t, out.Account), remove, nil)
	wantProblem(t, err, "password_invalid")
	if _, err := h.ChangePassword(as(t, out.Account), accounts.ChangePassword{AccountID: id, Current: "raft 9zu", New: otherPassword}, nil); err != nil {
		t.Fatal(err)
	}
	here, err = h.signIn(t, in.Email, otherPassword, fresh[1])
	if err != nil {
		t.Fatal(err)
	}
	remove = accounts.RemoveTOTP{AccountID: id, Password: otherPassword, Code: "bbbbb-bbbbb", Visit: accounts.Visit{Token: here.Token}}
	_, err = h.RemoveTOTP(as(t, out.Account), remove, nil)
	wantProblem(t, err, "invalid_code")
	remove.Code = fresh[0]
	now, err = h.RemoveTOTP(as(t, out.Account), remove, nil)
	if err != nil || now == nil || h.alive(t, here.Token) || !h.alive(t, now.Token) {
		t.Fatalf("removed: %v", err)
	}
	_, err = h.RemoveTOTP(as(t, out.Account), remove, nil)
	wantProblem(t, err, "totp_not_enabled")
	if _, err := h.signIn(t, in.Email, otherPassword, ""); err != nil {
		t.Error(err)
	}
	if n := h.count(t, `select count(*) from recovery_codes where account_id = $1`, id); n != 0 {
		t.Errorf("%d recovery codes are left", n)
	}
	if n := h.mailed(t, in.Email, mail.KindTOTPChanged); n != 3+4 {
		t.Errorf("%d mails of changes and of recovery codes used", n)
	}
}

func TestRoleChanged(t *testing.T) {
	h := open(t)
	_, out := h.signUp(t)
	standing := func() accounts.Membership {
		s, err := h.Standing(t.Context(), out.Account.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s.Memberships[out.Store.ID]
	}
	set := func(permission string) {
		h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `insert into roles (id, store_id, name, permissions) values ('role_'||$1, $1, 'x', array[$2]) on conflict (id) do update set permissions = excluded.permissions`, out.Store.ID, permission)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `update members set role = 'custom', role_id = 'role_'||$1 where store_id = $1`, out.Store.ID); err != nil {
				return err
			}
			return h.RoleChanged(ctx, tx, "role_"+out.Store.ID)
		})
	}
	if standing().Role != "owner" {
		t.Fatal("not the owner")
	}
	for _, permission := range []string{"orders:read", "products:write"} {
		set(permission)
		if m := standing(); m.Role != "custom" || len(m.Grants) != 1 || m.Grants[0] != permission {
			t.Errorf("membership %+v", m)
		}
	}
}
