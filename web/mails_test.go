package web_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/accounts"
)

// addresses are those in all mails of the platform to somebody, by the mail's kind.
func (h *house) addresses(t testing.TB, to string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select args->>'kind', args->'data' from outbox where kind = $1 and lower(args->>'to') = lower($2)`, mail.JobSend, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var raw []byte
			if err := rows.Scan(&kind, &raw); err != nil {
				return err
			}
			var data map[string]any
			if err := json.Unmarshal(raw, &data); err != nil {
				return err
			}
			for name, value := range data {
				if address, is := value.(string); is && strings.HasSuffix(name, "url") {
					found[kind] = append(found[kind], address)
				}
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// account is the ID of somebody's account.
func (h *house) account(t testing.TB, email string) (id string) {
	t.Helper()
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select id from accounts where lower(email) = lower($1)`, email).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestMailsLeadToPages has all mails about an account written, and follows what is in them.
func TestMailsLeadToPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	values := newcomer()
	email, password := values.Get("email"), values.Get("password")
	b := h.visitor(t, "")
	b.post("/sign-up", values).status(http.StatusCreated)
	again := newcomer()
	again.Set("email", email)
	h.visitor(t, "").post("/sign-up", again).status(http.StatusUnprocessableEntity)
	b.post("/forgot-password", url.Values{"email": {email}}).status(http.StatusOK)
	id := h.account(t, email)

	// Another address: the page that its mail leads to, and what happens there.
	changed := newcomer().Get("email")
	if err := h.people.RequestEmailChange(t.Context(), accounts.ChangeEmail{AccountID: id, Password: password, Email: changed}, nil); err != nil {
		t.Fatal(err)
	}
	page := h.visitor(t, "").get(h.mailed(t, mail.KindEmailChangeConfirm, changed)).says("Use your new e-mail address")
	b.post("/confirm-email", page.hidden()).status(http.StatusOK).says("You sign in with " + changed)
	h.visitor(t, "").post("/sign-in", url.Values{"email": {email}, "password": {password}}).status(http.StatusUnprocessableEntity)

	// An authenticator: signing in asks for its code, or for one that recovers.
	enrolment, err := h.people.StartTOTP(t.Context(), id, password)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(enrolment.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	codes, _, err := h.people.ConfirmTOTP(t.Context(), id, code, accounts.Visit{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stranger := h.visitor(t, "")
	asked := stranger.post("/sign-in", url.Values{"email": {changed}, "password": {password}}).status(http.StatusUnprocessableEntity).
		says("Please give the code", `autocomplete="one-time-code"`)
	form := asked.hidden()
	form.Set("code", "000000")
	stranger.post("/sign-in", form).status(http.StatusUnprocessableEntity).says(`id="code-fault"`)
	form.Set("code", codes[0])
	stranger.follow("/sign-in", form).says("Your stores", changed)
	h.visitor(t, "").post("/sign-in", form).status(http.StatusUnprocessableEntity).says(`id="code-fault"`) // it was used

	found := h.addresses(t, email)
	maps.Copy(found, h.addresses(t, changed))
	for _, kind := range []mail.Kind{
		mail.KindAccountVerifyEmail, mail.KindAccountKnownSignup, mail.KindPasswordReset, mail.KindEmailChangeConfirm, mail.KindEmailChangeRequest, mail.KindTOTPChanged,
	} {
		if len(found[string(kind)]) == 0 {
			t.Errorf("no mail of the kind %s with an address: %v", kind, slices.Collect(maps.Keys(found)))
		}
	}
	for kind, addresses := range found {
		for _, address := range addresses {
			u, err := url.Parse(address)
			if err != nil || u.Host != domain || u.Scheme != "https" {
				t.Errorf("%s leads to %s, %v", kind, address, err)
				continue
			}
			h.visitor(t, "").get(u.RequestURI()).status(http.StatusOK)
		}
	}
}
