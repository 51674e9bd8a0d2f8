package handlers_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/audit"
	"github.com/stoacommerce/stoa/tenants/members"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// staffAPI is the door to staff, roles and the audit.
func staffAPI(t *testing.T) *apitest.API {
	t.Helper()
	staff, roles, log := &handlers.Staff{}, &handlers.Roles{}, &handlers.Audit{}
	api := apitest.New(t, staff.Operations(), roles.Operations(), log.Operations())
	p, client, quiet := api.Platform, redistest.Client(t), slog.New(slog.DiscardHandler)
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
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
	plans, err := billing.Load()
	if err != nil {
		t.Fatal(err)
	}
	site, _ := url.Parse("https://stoa.example")
	allStores := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet})
	people := accounts.New(accounts.Config{
		DB: p.DB, Stores: allStores, Sessions: sessions.New(client, sessions.Config{}), Guard: guard.New(client, guard.Usual(), quiet), Hasher: hasher,
		Bus: bus, Sealer: p.Ring, Pepper: pepper, Site: site, Log: quiet,
	})
	service := members.New(members.Config{
		DB: p.DB, Stores: allStores, Accounts: people, Access: enforcer, Site: site, Log: quiet,
		Limit: func(plan string) *int { return plans.Get(plan).Staff },
	})
	*staff = handlers.Staff{DB: p.DB, Members: service, Accounts: people, Access: enforcer, Log: quiet}
	*roles = handlers.Roles{DB: p.DB, Members: service}
	*log = handlers.Audit{Log: &audit.Log{DB: p.DB}}
	return api
}

// invitationToken is the token in the latest mail to an address.
func invitationToken(t *testing.T, api *apitest.API, to string) string {
	t.Helper()
	var link string
	err := api.Platform.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select args->'data'->>'url' from outbox where kind = 'mail' and args->>'to' = $1 order by id desc limit 1`, to).Scan(&link)
	})
	if err != nil {
		t.Fatalf("mail to %s: %v", to, err)
	}
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query().Get("token")
}

func guest() string { return strings.TrimPrefix(ids.New("x"), "x_") + "@example.com" }

func TestStaffFromInvitationToFarewell(t *testing.T) {
	api := staffAPI(t)
	ctx := api.Platform.Store(t)
	owner, email := api.Owner(ctx), guest()
	tried := api.Do(t, owner, "POST", "/v1/staff?dry_run=true", object{"email": email, "role": "support"}).Want(201)
	if tried.Header.Get("Dry-Run") != "true" {
		t.Error("the dry run does not say so")
	}
	invited := api.Do(t, owner, "POST", "/v1/staff", object{"email": email, "role": "support"}, "Idempotency-Key: a").Want(201)
	again := api.Do(t, owner, "POST", "/v1/staff", object{"email": email, "role": "support"}, "Idempotency-Key: a").Want(201)
	if invited.String("state") != "pending" || invited.Get("role_id") != nil || invited.String("invited_by.label") != "owner@example.com" || again.String("id") != invited.String("id") {
		t.Errorf("%s %s", invited.Body, again.Body)
	}
	list := api.Do(t, owner, "GET", "/v1/invitations?state=pending", nil).Want(200)
	if list.String("data.0.id") != invited.String("id") || list.Get("data.1") != nil {
		t.Errorf("pending: %s", list.Body)
	}

	body := object{"token": invitationToken(t, api, email), "password": "lantern orbit velvet marsh", "account_name": "Grace Example"}
	api.Do(t, "", "POST", "/v1/invitations/accept", object{"token": body["token"]}).WantProblem(400, "invalid_request")
	api.Do(t, "", "POST", "/v1/invitations/accept", object{"token": "x", "password": body["password"]}, "Idempotency-Key: b").WantProblem(422, "token_invalid")
	joined := api.Do(t, "", "POST", "/v1/invitations/accept", body, "Idempotency-Key: b").Want(201)
	if joined.String("account.email") != email || joined.Get("account.email_verified") != true || joined.String("store.role") != "support" || joined.Get("store.permissions.0") == nil {
		t.Errorf("joined: %s", joined.Body)
	}
	if !strings.Contains(joined.Header.Get("Set-Cookie"), sessions.CookieName) {
		t.Error("nobody is signed in")
	}
	replayed := api.Do(t, "", "POST", "/v1/invitations/accept", body, "Idempotency-Key: b").Want(201)
	if replayed.Header.Get("Set-Cookie") != "" || replayed.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("a replay signs in")
	}
	api.Do(t, "", "POST", "/v1/invitations/accept", body).WantProblem(409, "invitation_not_pending")
	id := joined.String("account.id")

	changed := api.Do(t, owner, "PATCH", "/v1/staff/"+id, object{"role": "orders"}).Want(200)
	if changed.String("role") != "orders" || changed.String("name") != "Grace Example" {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, owner, "PATCH", "/v1/staff/"+id, object{"role": "custom"}).WantProblem(422, "role_invalid")
	api.Do(t, owner, "DELETE", "/v1/staff/"+id+"?dry_run=true", nil).Want(204)
	if staff := api.Do(t, owner, "GET", "/v1/staff", nil).Want(200); staff.String("data.0.account_id") != id {
		t.Errorf("staff: %s", staff.Body)
	}
	api.Do(t, owner, "POST", "/v1/staff", object{"email": strings.ToUpper(email), "role": "support"}).WantProblem(409, "already_a_member")
	api.Do(t, owner, "DELETE", "/v1/staff/"+id, nil).Want(204)
	api.Do(t, owner, "DELETE", "/v1/staff/"+id, nil).WantProblem(404, "not_found")

	// One that is signed in accepts with the token alone, and stays signed in.
	api.Do(t, owner, "POST", "/v1/staff", object{"email": email, "role": "analyst"}).Want(201)
	token := invitationToken(t, api, email)
	api.Do(t, "", "POST", "/v1/invitations/accept", object{"token": token}).WantProblem(401, "missing_credential")
	session := api.Key("session_", t.Context(), principal.Principal{Kind: principal.Account, ID: id, Label: email})
	back := api.Do(t, session, "POST", "/v1/invitations/accept", object{"token": token}).Want(201)
	if back.String("store.role") != "analyst" || back.Header.Get("Set-Cookie") != "" {
		t.Errorf("back: %s", back.Body)
	}

	second := api.Do(t, owner, "POST", "/v1/staff", object{"email": guest(), "role": "admin"}).Want(201).String("id")
	api.Do(t, owner, "DELETE", "/v1/invitations/"+second+"?dry_run=true", nil).Want(204)
	api.Do(t, owner, "DELETE", "/v1/invitations/"+second, nil).Want(204)
	api.Do(t, owner, "DELETE", "/v1/invitations/"+second, nil).WantProblem(409, "invitation_not_pending")
	page := api.Do(t, owner, "GET", "/v1/invitations?limit=2", nil).Want(200)
	rest := api.Do(t, owner, "GET", "/v1/invitations?limit=2&cursor="+page.String("next_cursor"), nil).Want(200)
	if page.String("data.0.state") != "revoked" || rest.String("data.0.id") != invited.String("id") || rest.Get("has_more") != false {
		t.Errorf("invitations: %s %s", page.Body, rest.Body)
	}
}

func TestRolesOverTheAPI(t *testing.T) {
	api := staffAPI(t)
	ctx := api.Platform.Store(t)
	owner := api.Owner(ctx)
	made := api.Do(t, owner, "POST", "/v1/roles", object{"name": "Warehouse", "description": "Packs.", "permissions": []string{"orders:read", "inventory:write"}}).Want(201)
	id := made.String("id")
	if made.Get("built_in") != false || made.Header.Get("Location") != "/v1/roles/"+id || made.Header.Get("ETag") != `"1"` {
		t.Errorf("made: %s %v", made.Body, made.Header)
	}
	api.Do(t, owner, "POST", "/v1/roles", object{"name": "warehouse", "permissions": []string{}}).WantProblem(409, "name_taken")
	api.Do(t, owner, "POST", "/v1/roles", object{"name": "x", "permissions": []string{"store:delete"}}).WantProblem(400, "invalid_request")
	changed := api.Do(t, owner, "PATCH", "/v1/roles/"+id, object{"description": nil, "permissions": []string{}}, `If-Match: "1"`).Want(200)
	if changed.Get("description") != nil || changed.Get("permissions.0") != nil || changed.String("name") != "Warehouse" || changed.Header.Get("ETag") != `"2"` {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, owner, "PATCH", "/v1/roles/"+id, object{"name": "x"}).WantProblem(428, "if_match_required")
	api.Do(t, owner, "PATCH", "/v1/roles/"+id, object{"name": "x"}, `If-Match: "1"`).WantProblem(412, "stale")
	api.Do(t, owner, "GET", "/v1/roles/"+id, nil, `If-None-Match: "2"`).Want(304)
	api.Do(t, owner, "GET", "/v1/roles/owner", nil).WantProblem(404, "not_found")
	list := api.Do(t, owner, "GET", "/v1/roles?limit=6", nil).Want(200)
	rest := api.Do(t, owner, "GET", "/v1/roles?limit=6&cursor="+list.String("next_cursor"), nil).Want(200)
	if list.String("data.0.id") != "owner" || list.Get("data.0.created_at") != nil || list.Get("data.0.permissions.0") == nil || rest.String("data.0.id") != id {
		t.Errorf("listed: %s %s", list.Body, rest.Body)
	}
	email := guest()
	api.Do(t, owner, "POST", "/v1/staff", object{"email": email, "role": "custom", "role_id": id}).Want(201)
	api.Do(t, owner, "DELETE", "/v1/roles/"+id, nil).WantProblem(409, "role_in_use")
	api.Do(t, "", "POST", "/v1/invitations/accept", object{"token": invitationToken(t, api, email), "password": "lantern orbit velvet marsh"}).Want(201)
	staff := api.Do(t, owner, "GET", "/v1/staff", nil).Want(200)
	api.Do(t, owner, "PATCH", "/v1/staff/"+staff.String("data.0.account_id"), object{"role": "admin"}).Want(200)
	api.Do(t, owner, "DELETE", "/v1/roles/"+id, nil, `If-Match: "2"`).Want(204)

	permissions := api.Do(t, owner, "GET", "/v1/permissions?limit=30", nil).Want(200)
	more := api.Do(t, owner, "GET", "/v1/permissions?limit=30&cursor="+permissions.String("next_cursor"), nil).Want(200)
	if n := len(permissions.Get("data").([]any)) + len(more.Get("data").([]any)); n != len(access.Scopes()) || permissions.String("data.0.description") == "" {
		t.Errorf("%d permissions: %s", n, permissions.Body)
	}
}

func TestStaffIsGuarded(t *testing.T) {
	api := staffAPI(t)
	ctx, elsewhere := api.Platform.Store(t), api.Platform.Store(t)
	owner := api.Owner(ctx)
	role := api.Do(t, owner, "POST", "/v1/roles", object{"name": "Desk", "permissions": []string{"staff:write"}}).Want(201).String("id")
	invited := api.Do(t, owner, "POST", "/v1/staff", object{"email": guest(), "role": "admin"}).Want(201).String("id")
	email := guest()
	api.Do(t, owner, "POST", "/v1/staff", object{"email": email, "role": "support"}).Want(201)
	member := api.Do(t, "", "POST", "/v1/invitations/accept", object{"token": invitationToken(t, api, email), "password": "lantern orbit velvet marsh"}).Want(201).String("account.id")
	for _, c := range []struct {
		method, path string
		body         any
		mine         string
	}{
		{"GET", "/v1/staff", nil, ""},
		{"POST", "/v1/staff", object{"email": guest(), "role": "support"}, ""},
		{"PATCH", "/v1/staff/" + member, object{"role": "analyst"}, member},
		{"DELETE", "/v1/staff/" + member, nil, member},
		{"GET", "/v1/invitations", nil, ""},
		{"DELETE", "/v1/invitations/" + invited, nil, invited},
		{"GET", "/v1/roles", nil, ""},
		{"POST", "/v1/roles", object{"name": "x", "permissions": []string{}}, ""},
		{"GET", "/v1/roles/" + role, nil, role},
		{"PATCH", "/v1/roles/" + role, object{"name": "x"}, role},
		{"DELETE", "/v1/roles/" + role, nil, role},
		{"GET", "/v1/permissions", nil, ""},
		{"GET", "/v1/audit", nil, ""},
	} {
		api.Do(t, "", c.method, c.path, c.body, "If-Match: *").WantProblem(401, "missing_credential")
		api.Do(t, api.Scoped(ctx, "products:write"), c.method, c.path, c.body, "If-Match: *").WantProblem(403, "missing_permission")
		api.Do(t, api.Publishable(ctx), c.method, c.path, c.body, "If-Match: *").WantProblem(403, "wrong_credential")
		if c.method != "GET" {
			api.Do(t, api.Scoped(ctx, "staff:read"), c.method, c.path, c.body, "If-Match: *").WantProblem(403, "missing_permission")
			api.Do(t, api.Staff(api.Platform.Sandbox(t, ctx)), c.method, c.path, c.body, "If-Match: *").WantProblem(403, "live_key_required")
		}
		if c.mine != "" {
			prefix, _, _ := strings.Cut(c.mine, "_")
			api.Do(t, api.Owner(elsewhere), c.method, c.path, c.body, "If-Match: *").WantProblem(404, "not_found")
			api.Do(t, owner, c.method, strings.Replace(c.path, c.mine, ids.New(prefix), 1), c.body, "If-Match: *").WantProblem(404, "not_found")
			api.Do(t, owner, c.method, strings.Replace(c.path, c.mine, "prod_1", 1), c.body, "If-Match: *").WantProblem(404, "not_found")
		}
	}
	api.Do(t, api.Session(ctx, "admin"), "POST", "/v1/staff", object{"email": guest(), "role": "owner"}).WantProblem(403, "owner_required")
	api.Do(t, api.Scoped(ctx, "staff:write"), "POST", "/v1/staff", object{"email": guest(), "role": "support"}).WantProblem(403, "grant_exceeded")
	api.Do(t, owner, "POST", "/v1/staff", object{"email": "a@b@c", "role": "support"}).WantProblem(400, "invalid_request")
	api.Do(t, owner, "POST", "/v1/staff", object{"email": guest(), "role": "king"}).WantProblem(400, "invalid_request")
	// The free plan has room for two: the one who joined, and the one who is invited.
	ref, _ := postgres.StoreFrom(ctx)
	err := api.Platform.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update stores set plan = 'free' where id = $1`, ref.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	api.Do(t, owner, "POST", "/v1/staff", object{"email": guest(), "role": "support"}).WantProblem(422, "plan_limit")
}

func TestAuditOverTheAPI(t *testing.T) {
	api := staffAPI(t)
	ctx := api.Platform.Store(t)
	owner := api.Owner(ctx)
	made := api.Do(t, owner, "POST", "/v1/roles", object{"name": "Desk", "permissions": []string{"orders:read"}}).Want(201)
	api.Do(t, owner, "PATCH", "/v1/roles/"+made.String("id"), object{"name": "Front desk"}, "If-Match: *").Want(200)
	list := api.Do(t, owner, "GET", "/v1/audit?limit=1", nil).Want(200)
	if list.String("data.0.action") != "role.update" || list.String("data.0.before.name") != "Desk" || list.String("data.0.after.name") != "Front desk" ||
		list.String("data.0.actor.label") != "owner@example.com" || list.String("data.0.resource_kind") != "role" || list.String("data.0.mode") != "live" || list.String("data.0.ip") != "192.0.2.1" {
		t.Errorf("audit: %s", list.Body)
	}
	rest := api.Do(t, owner, "GET", "/v1/audit?limit=1&cursor="+list.String("next_cursor"), nil).Want(200)
	if rest.String("data.0.action") != "role.create" || rest.Get("data.0.before") != nil {
		t.Errorf("audit: %s", rest.Body)
	}
	for query, n := range map[string]int{
		"actor_id=" + api.Caller(owner).Principal.ID: 2, "actor_id=acc_nobody": 0, "action=role.create": 1, "resource_id=" + made.String("id"): 2,
		"since=2020-01-01T00:00:00Z": 2, "until=2020-01-01T00:00:00Z": 0,
	} {
		answer := api.Do(t, owner, "GET", "/v1/audit?"+query, nil).Want(200)
		if got := len(answer.Get("data").([]any)); got != n {
			t.Errorf("%s: %d entries", query, got)
		}
	}
	api.Do(t, owner, "GET", "/v1/audit?since=yesterday", nil).WantProblem(400, "invalid_request")
	api.Do(t, owner, "GET", "/v1/audit?cursor="+list.String("next_cursor")+"&action=x", nil).WantProblem(400, "invalid_cursor")
	// What somebody wrote as something other than an object is shown within one.
	err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into audit_entries (id, actor_kind, action, before, after) values ($1, 'system', 'tidy', $2, 'null')`, ids.New("aud"), json.RawMessage(`[1]`))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	odd := api.Do(t, owner, "GET", "/v1/audit?action=tidy", nil).Want(200)
	if odd.Get("data.0.before.value.0") != 1.0 || odd.Get("data.0.after") != nil || odd.Get("data.0.resource_id") != nil {
		t.Errorf("odd: %s", odd.Body)
	}
}
