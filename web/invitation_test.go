package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/members"
)

// invite has the owner of a store invite somebody, and gives the page that the mail leads to.
func (h *house) invite(t testing.TB, address, email string) string {
	t.Helper()
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		var owner, store string
		err := tx.QueryRow(ctx, `select m.account_id, s.id from stores s join members m on m.store_id = s.id where s.address = $1 and m.role = 'owner'`, address).Scan(&owner, &store)
		if err != nil {
			return err
		}
		record, err := h.stores.ByID(ctx, store, principal.Live)
		if err != nil {
			return err
		}
		ctx = principal.With(postgres.WithStore(ctx, record.Ref), principal.Principal{
			Kind: principal.Account, ID: owner, Label: "Ada Example", StoreID: store, Mode: principal.Live, Role: access.Owner,
		})
		_, err = h.members.Invite(ctx, tx, email, members.Assignment{Role: access.Analyst})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.mailed(t, mail.KindStaffInvitation, email)
}

func TestSomebodyJoinsAStore(t *testing.T) {
	t.Parallel()
	h := open(t)
	store := newcomer()
	owner := h.visitor(t, "")
	owner.post("/sign-up", store).status(http.StatusCreated)
	address := store.Get("store_address")

	// Who has no account makes one, which the invitation has proven the address of.
	email := newcomer().Get("email")
	link := h.invite(t, address, email)
	b := h.visitor(t, "")
	for range 2 { // whatever follows links in mails accepts nothing by it
		b.get(link).status(http.StatusOK).says("Join Linen & Co", "as analyst", email, `type="password"`)
	}
	form := b.get(link).hidden()
	form.Set("password", "short")
	b.post("/accept-invitation", form).status(http.StatusUnprocessableEntity).says(`id="password-fault"`, "Join Linen & Co")
	form.Set("password", goodPassword)
	b.follow("/accept-invitation", form).says("You have joined the store.", "Linen & Co", "You are analyst here.").lacks("not confirmed yet")
	b.get(link).status(http.StatusUnprocessableEntity).says("cannot be accepted any more")
	b.post("/accept-invitation", form).status(http.StatusUnprocessableEntity).says("cannot be accepted any more")
	b.get("/accept-invitation").status(http.StatusNotFound)
	b.get("/accept-invitation?token=tok_guessed").status(http.StatusUnprocessableEntity).says("cannot be accepted any more")

	// Who has one signs in first, and is led back.
	known := newcomer()
	h.visitor(t, "").post("/sign-up", known).status(http.StatusCreated)
	link = h.invite(t, address, known.Get("email"))
	colleague := h.visitor(t, "")
	page := colleague.get(link).says("There is an account with this address.").lacks(`type="password"`)
	signIn := colleague.get(page.find(`href="(/sign-in\?next=[^"]+)"`)).hidden()
	signIn.Set("email", known.Get("email"))
	signIn.Set("password", known.Get("password"))
	back := colleague.post("/sign-in", signIn).status(http.StatusSeeOther).leadsTo()
	if back != link {
		t.Errorf("led to %s, want %s", back, link)
	}
	// The wrong one signs out first.
	wrong := b.get(link).says("You are signed in as "+email, "Sign out").lacks("Join the store").hidden()
	if to := b.post("/sign-out", wrong).status(http.StatusSeeOther).leadsTo(); to != link {
		t.Errorf("led to %s, want %s", to, link)
	}
	colleague.follow("/accept-invitation", colleague.get(back).says("Join the store").hidden()).says("You have joined the store.", "You are owner here.", "You are analyst here.")

	for _, next := range []string{"https://evil.example", "//evil.example", "/accept-invitation", "/accept-invitation?token=x&y#z\r\n", "/docs"} {
		to := h.visitor(t, "").post("/sign-in", url.Values{"email": {known.Get("email")}, "password": {known.Get("password")}, "next": {next}}).status(http.StatusSeeOther).leadsTo()
		if to != "/stores" && !strings.HasPrefix(to, "/accept-invitation?token=x%26y") {
			t.Errorf("%q leads to %s", next, to)
		}
	}
}
