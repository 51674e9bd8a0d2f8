package members_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/members"
)

const goodPassword = "lantern orbit velvet marsh"

// signedIn is a context in which a person acts who is in no store.
func signedIn(t testing.TB, id string) context.Context {
	return principal.With(t.Context(), principal.Principal{Kind: principal.Account, ID: id})
}

func TestWhoMayAccept(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	invitedID, email := h.person(t)
	otherID, _ := h.person(t)
	if _, err := h.invite(owner, email, as(access.Analyst)); err != nil {
		t.Fatal(err)
	}
	token, _ := h.letter(t, email)
	accept := func(ctx context.Context, in members.Acceptance) (members.Joined, error) {
		if in.Token == "" {
			in.Token = token
		}
		return h.Accept(ctx, in, nil)
	}
	offer := func(token string) (o members.Offer, err error) {
		err = h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			o, err = h.Offer(ctx, tx, token)
			return err
		})
		return o, err
	}
	if o, err := offer(token); err != nil || o != (members.Offer{StoreName: "Test Store", Role: access.Analyst, Email: email, Known: true}) {
		t.Fatalf("%+v, %v", o, err)
	}
	_, err := offer("tok_unknown")
	refused(t, err, problem.Unprocessable, "token_invalid")
	_, err = accept(t.Context(), members.Acceptance{Token: "tok_unknown"})
	refused(t, err, problem.Unprocessable, "token_invalid")
	_, err = accept(t.Context(), members.Acceptance{}) // the address has an account
	refused(t, err, problem.Unauthenticated, "missing_credential")
	_, err = accept(t.Context(), members.Acceptance{Password: goodPassword})
	refused(t, err, problem.Unauthenticated, "missing_credential")
	_, err = accept(signedIn(t, otherID), members.Acceptance{})
	refused(t, err, problem.Unauthenticated, "missing_credential")
	_, err = accept(signedIn(t, invitedID), members.Acceptance{Password: goodPassword})
	refused(t, err, problem.Unprocessable, "already_signed_in")
	joined, err := accept(signedIn(t, invitedID), members.Acceptance{})
	if err != nil || joined.New || joined.Account.ID != invitedID || joined.Store.Role != access.Analyst || joined.Store.StoreName != "Test Store" {
		t.Fatalf("%+v, %v", joined, err)
	}
	_, err = h.invite(owner, email, as(access.Admin))
	refused(t, err, problem.Conflict, "already_a_member")

	// Without an account a password is needed, and a good one.
	stranger := address()
	if _, err := h.invite(owner, stranger, as(access.Support)); err != nil {
		t.Fatal(err)
	}
	token, _ = h.letter(t, stranger)
	if o, err := offer(token); err != nil || o.Known {
		t.Fatalf("%+v, %v", o, err)
	}
	_, err = accept(t.Context(), members.Acceptance{})
	refused(t, err, problem.Invalid, "invalid_request")
	_, err = accept(t.Context(), members.Acceptance{Password: "passwordpassword"})
	refused(t, err, problem.Unprocessable, "password_too_common")
	if _, err := accept(t.Context(), members.Acceptance{Password: goodPassword}); err != nil {
		t.Fatal(err)
	}
	// Somebody who joined in another way in the meantime.
	memberID, memberEmail := h.person(t)
	if _, err := h.invite(owner, memberEmail, as(access.Support)); err != nil {
		t.Fatal(err)
	}
	ref, _ := postgres.StoreFrom(ctx)
	h.control(t, `insert into members (store_id, account_id, role) values ($1, $2, 'admin')`, ref.ID, memberID)
	token, _ = h.letter(t, memberEmail)
	_, err = accept(signedIn(t, memberID), members.Acceptance{})
	refused(t, err, problem.Conflict, "already_a_member")
	_, err = accept(signedIn(t, ids.New("acc")), members.Acceptance{})
	refused(t, err, problem.NotFound, "not_found")
}

func TestInvitationsThatEnd(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	ref, _ := postgres.StoreFrom(ctx)
	invite := func() (members.Invitation, string) {
		t.Helper()
		i, err := h.invite(owner, address(), as(access.Support))
		if err != nil {
			t.Fatal(err)
		}
		token, _ := h.letter(t, i.Email)
		return i, token
	}
	accept := func(token string) error {
		_, err := h.Accept(t.Context(), members.Acceptance{Token: token, Password: goodPassword}, nil)
		return err
	}
	revoke := func(ctx context.Context, id string) error {
		return h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.Revoke(ctx, tx, id) })
	}

	revoked, token := invite()
	if err := revoke(owner, revoked.ID); err != nil {
		t.Fatal(err)
	}
	refused(t, accept(token), problem.Conflict, "invitation_not_pending")
	refused(t, revoke(owner, revoked.ID), problem.Conflict, "invitation_not_pending")
	refused(t, revoke(owner, ids.New("inv")), problem.NotFound, "not_found")
	elsewhere, _ := h.hire(t, h.Store(t), as(access.Owner))
	pending, pendingToken := invite()
	refused(t, revoke(elsewhere, pending.ID), problem.NotFound, "not_found")

	expired, token := invite()
	h.control(t, `update invitations set expires_at = now() where id = $1`, expired.ID)
	refused(t, accept(token), problem.Conflict, "invitation_not_pending")

	replaced, former := invite()
	if _, err := h.invite(owner, replaced.Email, as(access.Analyst)); err != nil {
		t.Fatal(err)
	}
	refused(t, accept(former), problem.Conflict, "invitation_not_pending")
	token, _ = h.letter(t, replaced.Email)
	if err := accept(token); err != nil {
		t.Fatal(err)
	}

	list := func(state members.State) (ids []string) {
		h.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error {
			for after := ""; ; {
				page, err := h.Invitations(ctx, tx, state, after, 2)
				if err != nil {
					return err
				}
				for _, i := range page {
					if state != "" && i.State != state {
						t.Errorf("%s is listed as %s", i.State, state)
					}
					ids = append(ids, i.ID)
				}
				if len(page) < 2 {
					return nil
				}
				after = page[1].ID
			}
		})
		return ids
	}
	if got := list(members.Pending); !slices.Equal(got, []string{pending.ID}) {
		t.Errorf("pending: %v", got)
	}
	if got := list(members.Revoked); !slices.Equal(got, []string{replaced.ID, revoked.ID}) {
		t.Errorf("revoked: %v", got)
	}
	if got := list(members.Expired); !slices.Equal(got, []string{expired.ID}) {
		t.Errorf("expired: %v", got)
	}
	if all := list(""); len(all) != 5 || !slices.IsSortedFunc(all, func(a, b string) int { return -compare(a, b) }) {
		t.Errorf("all: %v", all)
	}

	// A store that is suspended takes nobody in, and one that is deleted is not there.
	h.control(t, `update stores set status = 'suspended' where id = $1`, ref.ID)
	refused(t, accept(pendingToken), problem.Forbidden, "store_suspended")
	h.control(t, `update stores set status = 'deleted' where id = $1`, ref.ID)
	refused(t, accept(pendingToken), problem.NotFound, "not_found")
	_, err := h.invite(owner, "nobody", as(access.Support))
	refused(t, err, problem.Invalid, "invalid_request")
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// TestOneInvitationOneMember accepts one invitation many times at once.
func TestOneInvitationOneMember(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	email := address()
	if _, err := h.invite(owner, email, as(access.Support)); err != nil {
		t.Fatal(err)
	}
	token, _ := h.letter(t, email)
	var joined atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			_, err := h.Accept(context.Background(), members.Acceptance{Token: token, Password: goodPassword}, nil)
			if err == nil {
				joined.Add(1)
			} else if !problem.Is(err, "invitation_not_pending") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if joined.Load() != 1 || len(h.staff(t, ctx)) != 2 {
		t.Errorf("%d joined, %d belong to the store", joined.Load(), len(h.staff(t, ctx)))
	}
}

// TestOutEverywhere holds that who is removed, or has another role, is so on the other
// replica within a second, whatever Redis does meanwhile.
func TestOutEverywhere(t *testing.T) {
	server := redistest.Start(t)
	for _, c := range []struct {
		name       string
		begin, end func()
	}{
		{"up", func() {}, func() {}},
		{"frozen", server.Freeze, server.Thaw},
		{"down", server.Kill, server.Restart},
	} {
		t.Run("redis "+c.name, func(t *testing.T) {
			prefix := redistest.Prefix()
			a := join(t, redistest.OpenWith(t, redis.Config{URL: server.URL(), Prefix: prefix}), nil)
			b := join(t, redistest.OpenWith(t, redis.Config{URL: server.URL(), Prefix: prefix}), nil)
			ctx := a.Store(t)
			ref, _ := postgres.StoreFrom(ctx)
			owner, _ := a.hire(t, ctx, as(access.Owner))
			role, err := a.createRole(owner, "Desk", "orders:read")
			if err != nil {
				t.Fatal(err)
			}
			_, id := a.hire(t, ctx, members.Assignment{Role: access.Custom, RoleID: role.ID})
			grants := func(h *house) []string {
				standing, err := h.accounts.Standing(context.Background(), id)
				if err != nil {
					t.Error(err)
					return nil
				}
				return standing.Memberships[ref.ID].Grants
			}
			for _, h := range []*house{a, b} {
				if !slices.Equal(grants(h), []string{"orders:read"}) {
					t.Fatalf("it begins with %v", grants(h))
				}
			}
			within := func(what string, holds func() bool) {
				t.Helper()
				started := time.Now()
				redistest.Eventually(t, 10*time.Second, what, holds)
				if took := time.Since(started); took > time.Second {
					t.Errorf("%s: only after %v", what, took)
				}
			}
			c.begin()
			defer c.end()
			permissions := []string{"orders:write"}
			a.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error {
				_, err := a.UpdateRole(ctx, tx, role.ID, 0, members.RoleInput{Permissions: &permissions})
				return err
			})
			if !slices.Equal(grants(a), permissions) {
				t.Error("the role is not changed where it was")
			}
			within("another role", func() bool { return slices.Equal(grants(b), permissions) })
			if err := a.remove(owner, id); err != nil {
				t.Fatal(err)
			}
			if grants(a) != nil {
				t.Error("still in where they were removed")
			}
			within("out", func() bool { return grants(b) == nil })
		})
	}
}

// TestANewOwnerCounts holds that what is known of a store follows its owners.
func TestANewOwnerCounts(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	owner, ownerID := h.hire(t, ctx, as(access.Owner))
	h.control(t, `update accounts set email_verified_at = null where id = $1`, ownerID)
	verified := func() bool {
		t.Helper()
		ok, err := h.stores.OwnerVerified(t.Context(), ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if verified() {
		t.Fatal("nobody has proven anything")
	}
	_, id := h.hire(t, ctx, as(access.Admin))
	if _, err := h.update(owner, id, access.Owner); err != nil {
		t.Fatal(err)
	}
	if !verified() {
		t.Error("the new owner does not count")
	}
	if err := h.remove(owner, id); err != nil {
		t.Fatal(err)
	}
	if verified() {
		t.Error("the former owner still counts")
	}
}
