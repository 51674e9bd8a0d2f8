package members_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/members"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// house is one process's share of the platform.
type house struct {
	*testdb.Platform
	*members.Service
	accounts *accounts.Service
	stores   *stores.Service
}

// limit is the staff that every plan allows, unless it is nil.
func join(t testing.TB, client *redis.Client, limit *int) *house {
	t.Helper()
	p, quiet := testdb.Open(t), slog.New(slog.DiscardHandler)
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
	if err := bus.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := passwords.NewHasher(4)
	if err != nil {
		t.Fatal(err)
	}
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "test")
	if err != nil {
		t.Fatal(err)
	}
	site, _ := url.Parse("https://stoa.example")
	all := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet})
	people := accounts.New(accounts.Config{
		DB: p.DB, Stores: all, Sessions: sessions.New(client, sessions.Config{}), Guard: guard.New(client, guard.Usual(), quiet), Hasher: hasher,
		Bus: bus, Sealer: p.Ring, Pepper: pepper, Site: site, Log: quiet,
	})
	service := members.New(members.Config{
		DB: p.DB, Stores: all, Accounts: people, Access: enforcer, Limit: func(string) *int { return limit }, Site: site, Log: quiet,
	})
	return &house{p, service, people, all}
}

func open(t testing.TB) *house { return join(t, redistest.Client(t), nil) }

// person is an account that belongs to nobody yet.
func (h *house) person(t testing.TB) (id, email string) {
	t.Helper()
	id = ids.New("acc")
	email = strings.TrimPrefix(id, "acc_") + "@Example.com"
	h.control(t, `insert into accounts (id, email, name, password_hash, email_verified_at) values ($1, $2, 'Ada Example', '', now())`, id, email)
	return id, email
}

// hire puts somebody into the context's store, without asking, and gives the context in
// which they act.
func (h *house) hire(t testing.TB, ctx context.Context, as members.Assignment, grants ...string) (context.Context, string) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	id, email := h.person(t)
	h.control(t, `insert into members (store_id, account_id, role, role_id) values ($1, $2, $3, nullif($4, ''))`, ref.ID, id, as.Role, as.RoleID)
	return acting(ctx, principal.Principal{Kind: principal.Account, ID: id, Label: email, Role: as.Role, Grants: grants}), id
}

func acting(ctx context.Context, who principal.Principal) context.Context {
	ref, _ := postgres.StoreFrom(ctx)
	who.StoreID, who.Mode = ref.ID, ref.Mode
	return principal.With(ctx, who)
}

func (h *house) control(t testing.TB, statement string, args ...any) {
	t.Helper()
	h.do(t, t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
}

func (h *house) do(t testing.TB, ctx context.Context, fn func(context.Context, *postgres.Tx) error) {
	t.Helper()
	if err := h.DB.InControl(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

// Each of these is one of the service's steps in a transaction of its own.

func (h *house) invite(ctx context.Context, email string, as members.Assignment) (i members.Invitation, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		i, err = h.Invite(ctx, tx, email, as)
		return err
	})
	return i, err
}

func (h *house) update(ctx context.Context, id, role string) (m members.Member, err error) {
	return h.patch(ctx, id, members.Patch{Role: &role})
}

func (h *house) patch(ctx context.Context, id string, patch members.Patch) (m members.Member, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		m, err = h.Update(ctx, tx, id, patch)
		return err
	})
	return m, err
}

func (h *house) remove(ctx context.Context, id string) error {
	return h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.Remove(ctx, tx, id) })
}

func (h *house) createRole(ctx context.Context, name string, permissions ...string) (role members.Role, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		role, err = h.CreateRole(ctx, tx, members.RoleInput{Name: &name, Permissions: &permissions})
		return err
	})
	return role, err
}

func (h *house) staff(t testing.TB, ctx context.Context) (list []members.Member) {
	t.Helper()
	h.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		list, err = h.List(ctx, tx, "", 1000)
		return err
	})
	return list
}

// letter is the token in the latest mail to an address, and the mail's data.
func (h *house) letter(t testing.TB, to string) (token string, data map[string]any) {
	t.Helper()
	h.do(t, t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		var raw []byte
		err := tx.QueryRow(ctx, `select args->'data' from outbox where kind = 'mail' and args->>'to' = $1 order by id desc limit 1`, to).Scan(&raw)
		if err != nil {
			return fmt.Errorf("mail to %s: %w", to, err)
		}
		return json.Unmarshal(raw, &data)
	})
	link, err := url.Parse(data["url"].(string))
	if err != nil || link.Host != "stoa.example" || link.Path != "/accept-invitation" {
		t.Fatalf("the mail leads to %v, %v", link, err)
	}
	return link.Query().Get("token"), data
}

// told does the jobs that tell a store of its staff, twice, and gives the types of its
// events.
func (h *house) told(t testing.TB, ctx context.Context) (types []string) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	var list []stores.News
	h.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select args from outbox where kind = $1 and args->>'store_id' = $2 order by id`, stores.JobTell, ref.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var raw []byte
			var a stores.News
			if err := rows.Scan(&raw); err != nil {
				return err
			}
			if err := json.Unmarshal(raw, &a); err != nil {
				return err
			}
			list = append(list, a)
		}
		return rows.Err()
	})
	for range 2 {
		for _, a := range list {
			if err := h.stores.TellNews(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select type from events order by id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			types = append(types, name)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func refused(t testing.TB, err error, kind problem.Kind, code string) {
	t.Helper()
	if p := problem.As(err); p == nil || p.Kind != kind || p.Code != code {
		t.Fatalf("%v, want %s", err, code)
	}
}

// as is a built-in role.
func as(role string) members.Assignment { return members.Assignment{Role: role} }

func address() string { return strings.TrimPrefix(ids.New("x"), "x_") + "@example.com" }

func TestFromInvitationToFarewell(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, ownerID := h.hire(t, ctx, as(access.Owner))
	email := address()
	i, err := h.invite(owner, " "+email+" ", as(access.Support))
	if err != nil || i.Email != email || i.State != members.Pending || i.InvitedBy.ID != ownerID || time.Until(i.ExpiresAt) < 6*24*time.Hour {
		t.Fatalf("%+v, %v", i, err)
	}
	token, data := h.letter(t, email)
	if data["inviter"] != i.InvitedBy.Label || data["role"] != access.Support || data["valid_for"] != 7.0 {
		t.Errorf("the mail tells %v", data)
	}
	guest := principal.With(t.Context(), principal.Principal{Kind: principal.Anonymous})
	var recorded members.Joined
	joined, err := h.Accept(guest, members.Acceptance{Token: token, Password: "lantern orbit velvet marsh", Name: "Grace"}, func(_ context.Context, _ *postgres.Tx, out members.Joined) error {
		recorded = out
		return nil
	})
	if err != nil || !joined.New || joined.Account.Email != email || !joined.Account.Verified || joined.Store.Role != access.Support || recorded.Account.ID != joined.Account.ID {
		t.Fatalf("%+v, %v", joined, err)
	}
	_, err = h.Accept(guest, members.Acceptance{Token: token, Password: "lantern orbit velvet marsh"}, nil)
	refused(t, err, problem.Conflict, "invitation_not_pending")
	if list := h.staff(t, ctx); len(list) != 2 || !slices.ContainsFunc(list, func(m members.Member) bool { return m.AccountID == joined.Account.ID && m.Name == "Grace" }) {
		t.Errorf("the staff is %+v", list)
	}
	m, err := h.update(owner, joined.Account.ID, access.Orders)
	if err != nil || m.Role != access.Orders {
		t.Fatalf("%+v, %v", m, err)
	}
	if m, err := h.update(owner, joined.Account.ID, access.Orders); err != nil || m.Role != access.Orders {
		t.Errorf("again: %+v, %v", m, err)
	}
	if err := h.remove(owner, joined.Account.ID); err != nil {
		t.Fatal(err)
	}
	refused(t, h.remove(owner, joined.Account.ID), problem.NotFound, "not_found")
	if types := h.told(t, ctx); !slices.Equal(types, []string{"staff.invited", "staff.joined", "staff.updated", "staff.removed"}) {
		t.Errorf("the store is told %v", types)
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var data string
		if err := tx.QueryRow(ctx, `select data::text from events where type = 'staff.joined' and object_id = $1`, joined.Account.ID).Scan(&data); err != nil {
			return err
		}
		if !strings.Contains(data, email) || !strings.Contains(data, `"role": "support"`) || !strings.Contains(data, `"role_id": null`) {
			t.Errorf("joined: %s", data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestToldToListeners holds that an event becomes a job for webhooks where an endpoint
// listens, and that a store that is gone is told nothing.
func TestToldToListeners(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	deliveries := func() (n int) {
		err := h.DB.InCell(ctx, h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select count(*) from cell.outbox where kind = $1 and store = $2`, journal.JobEvent, postgres.RoleName(ref.Cell, ref.Schema)).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	owner, _ := h.hire(t, ctx, as(access.Owner))
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into webhook_endpoints (id, url, events, secrets) values ('whe_1', 'https://example.com', '{*}', '[]')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.invite(owner, address(), as(access.Support)); err != nil {
		t.Fatal(err)
	}
	if types := h.told(t, ctx); len(types) != 1 || deliveries() != 1 {
		t.Errorf("%v, %d deliveries", types, deliveries())
	}
	if err := h.stores.TellNews(t.Context(), stores.News{StoreID: ids.New("sto")}); err != nil {
		t.Errorf("a store that is gone: %v", err)
	}
}

func TestAStoreKeepsAnOwner(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	first, firstID := h.hire(t, ctx, as(access.Owner))
	refused(t, h.remove(first, firstID), problem.Conflict, "last_owner")
	_, err := h.update(first, firstID, access.Admin)
	refused(t, err, problem.Conflict, "last_owner")
	// Two owners who remove each other at the same moment: one of them stays.
	second, secondID := h.hire(t, ctx, as(access.Owner))
	var gone atomic.Int64
	var wg sync.WaitGroup
	for _, step := range []func() error{
		func() error { return h.remove(first, secondID) },
		func() error { _, err := h.update(second, firstID, access.Analyst); return err },
	} {
		wg.Go(func() {
			if err := step(); err == nil {
				gone.Add(1)
			} else if !problem.Is(err, "last_owner") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	owners := slices.DeleteFunc(h.staff(t, ctx), func(m members.Member) bool { return m.Role != access.Owner })
	if gone.Load() != 1 || len(owners) != 1 {
		t.Errorf("%d are gone, and %d are left", gone.Load(), len(owners))
	}
}

func TestNobodyGivesWhatTheyLack(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, ownerID := h.hire(t, ctx, as(access.Owner))
	admin, adminID := h.hire(t, ctx, as(access.Admin))
	exporter, err := h.createRole(owner, "Exporter", access.StoreExport)
	if err != nil {
		t.Fatal(err)
	}
	desk, err := h.createRole(owner, "Desk", "staff:write", "orders:read")
	if err != nil {
		t.Fatal(err)
	}
	clerk, clerkID := h.hire(t, ctx, members.Assignment{Role: access.Custom, RoleID: desk.ID}, desk.Permissions...)
	everything := acting(ctx, principal.Principal{Kind: principal.Key, ID: ids.New("key"), Grants: access.Scopes()})
	for _, c := range []struct {
		name string
		who  context.Context
		as   members.Assignment
		code string
	}{
		{"the owner an owner", owner, as(access.Owner), ""},
		{"the owner a role that exports", owner, members.Assignment{Role: access.Custom, RoleID: exporter.ID}, ""},
		{"an admin an admin", admin, as(access.Admin), ""},
		{"an admin an owner", admin, as(access.Owner), "owner_required"},
		{"an admin a role that exports", admin, members.Assignment{Role: access.Custom, RoleID: exporter.ID}, "grant_exceeded"},
		{"a clerk an admin", clerk, as(access.Admin), "grant_exceeded"},
		{"a clerk an analyst", clerk, as(access.Analyst), "grant_exceeded"},
		{"a clerk a clerk", clerk, members.Assignment{Role: access.Custom, RoleID: desk.ID}, ""},
		{"a key of all scopes an admin", everything, as(access.Admin), ""},
		{"a key of all scopes an owner", everything, as(access.Owner), "owner_required"},
	} {
		_, err := h.invite(c.who, address(), c.as)
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if c.code != "" {
			refused(t, err, problem.Forbidden, c.code)
		}
	}
	_, err = h.update(clerk, clerkID, access.Admin)
	refused(t, err, problem.Forbidden, "grant_exceeded")
	_, err = h.update(admin, adminID, access.Owner)
	refused(t, err, problem.Forbidden, "owner_required")
	_, err = h.update(admin, ownerID, access.Admin)
	refused(t, err, problem.Forbidden, "owner_required")
	refused(t, h.remove(everything, ownerID), problem.Forbidden, "owner_required")
	_, err = h.createRole(clerk, "More", "orders:read", "orders:write")
	refused(t, err, problem.Forbidden, "grant_exceeded")
	// The platform itself may: commands and seeds.
	if _, err := h.invite(acting(ctx, principal.Principal{Kind: principal.System}), address(), as(access.Owner)); err != nil {
		t.Error(err)
	}
}

// TestATestKeyLetsNobodyIn holds that a key of the sandbox, which is handed about freely,
// does not open the live side.
func TestATestKeyLetsNobodyIn(t *testing.T) {
	h := open(t)
	live := h.Store(t)
	_, ownerID := h.hire(t, live, as(access.Owner))
	sandbox := h.Sandbox(t, live)
	key := acting(sandbox, principal.Principal{Kind: principal.Key, ID: ids.New("key"), Grants: access.Scopes()})
	_, err := h.invite(key, address(), as(access.Admin))
	refused(t, err, problem.Forbidden, "live_key_required")
	_, err = h.update(key, ownerID, access.Analyst)
	refused(t, err, problem.Forbidden, "live_key_required")
	refused(t, h.remove(key, ownerID), problem.Forbidden, "live_key_required")
	_, err = h.createRole(key, "x", "orders:read")
	refused(t, err, problem.Forbidden, "live_key_required")
	if len(h.staff(t, key)) != 1 {
		t.Error("it cannot read the staff")
	}
	person := acting(sandbox, principal.Principal{Kind: principal.Account, ID: ownerID, Role: access.Owner})
	if _, err := h.invite(person, address(), as(access.Admin)); err != nil {
		t.Errorf("a person who looks at the sandbox: %v", err)
	}
}

// TestThePlansLimit holds the limit when many are invited at once.
func TestThePlansLimit(t *testing.T) {
	limit := 5
	h := join(t, redistest.Client(t), &limit)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	var invited atomic.Int64
	var tokens sync.Map
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			email := address()
			_, err := h.invite(owner, email, as(access.Support))
			if err == nil {
				invited.Add(1)
				tokens.Store(email, true)
			} else if !problem.Is(err, "plan_limit") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := invited.Load(); n != 4 {
		t.Fatalf("%d are invited beside the owner, where 5 may belong", n)
	}
	// Who accepts takes the place of the invitation; who is invited again takes their own.
	var first string
	tokens.Range(func(email, _ any) bool { first = email.(string); return false })
	if _, err := h.invite(owner, strings.ToUpper(first), as(access.Support)); err != nil {
		t.Fatal(err)
	}
	token, _ := h.letter(t, strings.ToUpper(first))
	if _, err := h.Accept(t.Context(), members.Acceptance{Token: token, Password: "lantern orbit velvet marsh"}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := h.invite(owner, address(), as(access.Support))
	refused(t, err, problem.Unprocessable, "plan_limit")
	// An invitation that ran out takes no place any more.
	ref, _ := postgres.StoreFrom(ctx)
	h.control(t, `update invitations set expires_at = now() - interval '1 second' where store_id = $1 and accepted_at is null`, ref.ID)
	if _, err := h.invite(owner, address(), as(access.Support)); err != nil {
		t.Error(err)
	}
	// The plan becomes smaller.
	limit = 2
	email := address()
	limitless := join(t, redistest.Client(t), nil)
	if _, err := limitless.invite(owner, email, as(access.Support)); err != nil {
		t.Fatal(err)
	}
	token, _ = h.letter(t, email)
	_, err = h.Accept(t.Context(), members.Acceptance{Token: token, Password: "lantern orbit velvet marsh"}, nil)
	refused(t, err, problem.Unprocessable, "plan_limit")
}

// TestADaysInvitations holds that a store cannot have the platform write to the world.
func TestADaysInvitations(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	ref, _ := postgres.StoreFrom(ctx)
	h.control(t, `insert into invitations (id, store_id, email, role, token_hash, invited_by, expires_at, revoked_at)
		select 'inv_' || n || $1, $1, n || '@example.com', 'support', sha256((n || $1)::bytea), '{}', now(), now() from generate_series(1, 100) n`, ref.ID)
	_, err := h.invite(owner, address(), as(access.Support))
	refused(t, err, problem.Limited, "rate_limited")
	h.control(t, `update invitations set created_at = now() - interval '25 hours' where store_id = $1`, ref.ID)
	if _, err := h.invite(owner, address(), as(access.Support)); err != nil {
		t.Error(err)
	}
}
