package keys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/stores"
)

const version = "2026-11-22"

// replica is one process's share of the platform.
type replica struct {
	*testdb.Platform
	keys   *keys.Service
	stores *stores.Service
}

func join(t testing.TB, client *redis.Client) *replica {
	t.Helper()
	p := testdb.Open(t)
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
	if err := bus.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, keys.PepperName)
	if err != nil {
		t.Fatal(err)
	}
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	all := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: log})
	return &replica{p, keys.New(keys.Config{DB: p.DB, Stores: all, Access: enforcer, Bus: bus, Pepper: pepper, APIVersion: version, Site: &url.URL{Scheme: "https", Host: "stoa.example.com"}, Log: log}), all}
}

func alone(t testing.TB) *replica { return join(t, redistest.Client(t)) }

// issue makes a key in the context's store.
func (r *replica) issue(t testing.TB, ctx context.Context, in keys.Issue) (k keys.Key, secret string) {
	t.Helper()
	if in.Name == "" {
		in.Name = "test"
	}
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		k, secret, err = r.keys.Create(ctx, tx, in)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, secret
}

// as is the context in which p acts.
func as(ctx context.Context, p principal.Principal) context.Context {
	ref, _ := postgres.StoreFrom(ctx)
	p.StoreID, p.Mode = ref.ID, ref.Mode
	if p.ID == "" {
		p.ID, p.Label = ids.New("acc"), p.Role+"@example.com"
	}
	return principal.With(ctx, p)
}

func refused(t testing.TB, err error, kind problem.Kind, code string) *problem.Problem {
	t.Helper()
	p := problem.As(err)
	if p == nil || p.Kind != kind || p.Code != code {
		t.Fatalf("%v, want %s", err, code)
	}
	return p
}

func TestAKeySpeaksForItsStore(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	for _, kind := range []keys.Kind{keys.Secret, keys.Restricted, keys.Publishable} {
		in := keys.Issue{Kind: kind, Name: " Robot "}
		if kind == keys.Restricted {
			in.Scopes = []string{"products:read", "orders:write", "products:read"}
		}
		k, secret := r.issue(t, ctx, in)
		if k.Name != "Robot" || !strings.HasPrefix(secret, k.Prefix) || !strings.HasSuffix(secret, k.Last4) || k.APIVersion != version || k.State() != keys.Active {
			t.Errorf("made %+v", k)
		}
		caller, err := r.keys.Authenticate(t.Context(), secret, tenants.Origin{IP: "192.0.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		who := caller.Principal
		if who.ID != k.ID || who.Label != "Robot" || who.StoreID != ref.ID || who.Mode != principal.Live || who.Plan != "scale" || caller.Store.Ref != ref || caller.APIVersion != version {
			t.Errorf("%s speaks for %+v in %+v", kind, who, caller.Store)
		}
		wantKind, wantGrants := principal.Key, access.Scopes()
		switch kind {
		case keys.Restricted:
			wantGrants = []string{"products:read", "orders:write"}
		case keys.Publishable:
			wantKind, wantGrants = principal.Publishable, nil
		}
		if who.Kind != wantKind || !slices.Equal(who.Grants, wantGrants) {
			t.Errorf("%s: %s with %v", kind, who.Kind, who.Grants)
		}
	}
}

func TestNothingOfTheSecretIsKept(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	k, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var row, audit []byte
		if err := tx.QueryRow(ctx, `select to_jsonb(k) from api_keys k where id = $1`, k.ID).Scan(&row); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select to_jsonb(a) from audit_entries a where object_id = $1`, k.ID).Scan(&audit); err != nil {
			return err
		}
		body := secret[len(k.Prefix) : len(secret)-4]
		if bytes.Contains(row, []byte(body)) || bytes.Contains(audit, []byte(body)) {
			t.Errorf("the secret lies open: %s %s", row, audit)
		}
		var entry struct{ Action, Mode string }
		if err := json.Unmarshal(audit, &entry); err != nil || entry.Action != "key.create" || entry.Mode != "live" {
			t.Errorf("audit %s, %v", audit, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNoKey(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	_, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	typo := secret[:len(secret)-1] + string(secret[len(secret)-1]^1)
	counted, count := postgres.Counting(t.Context())
	for _, wrong := range []string{"", "stoa_sk_live_", typo, strings.Replace(secret, "sk", "rk", 1), strings.Replace(secret, "live", "test", 1)} {
		_, err := r.keys.Authenticate(counted, wrong, tenants.Origin{})
		refused(t, err, problem.Unauthenticated, "invalid_key")
	}
	if n := count.Statements.Load(); n != 0 {
		t.Errorf("what can be no key was looked up %d times", n)
	}
	for range 3 {
		_, err := r.keys.Authenticate(counted, keys.Generate("stoa_sk_live_"), tenants.Origin{})
		refused(t, err, problem.Unauthenticated, "invalid_key")
	}
	if n := count.Statements.Load(); n != 3 {
		t.Errorf("3 unknown keys cost %d statements", n)
	}
}

// TestAKeyInUseCostsNoStatement holds that a warm request asks no database who it is.
func TestAKeyInUseCostsNoStatement(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	_, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	ask := func() int64 {
		counted, count := postgres.Counting(t.Context())
		if _, err := r.keys.Authenticate(counted, secret, tenants.Origin{}); err != nil {
			t.Fatal(err)
		}
		return count.Statements.Load()
	}
	if n := ask(); n != 2 {
		t.Errorf("the first use costs %d statements, not one for the key and one for its store", n)
	}
	if n := ask(); n != 0 {
		t.Errorf("the second costs %d", n)
	}
}

func TestPlaces(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	_, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret, AllowedIPs: []string{"203.0.113.0/24", "2001:db8::7"}})
	for ip, allowed := range map[string]bool{
		"203.0.113.200": true, "::ffff:203.0.113.9": true, "2001:db8::7": true, "2001:db8::8": false, "203.0.114.1": false, "": false, "nonsense": false,
	} {
		_, err := r.keys.Authenticate(t.Context(), secret, tenants.Origin{IP: ip})
		if allowed && err != nil {
			t.Errorf("%q: %v", ip, err)
		} else if !allowed {
			refused(t, err, problem.Forbidden, "ip_not_allowed")
		}
	}
	_, secret = r.issue(t, ctx, keys.Issue{Kind: keys.Publishable, AllowedOrigins: []string{"https://Shop.example.com:443"}})
	for origin, allowed := range map[string]bool{
		"https://shop.example.com": true, "https://SHOP.example.com": true, "": true, "null": false, "http://shop.example.com": false,
		"https://shop.example.com:8443": false, "https://shop.example.com.evil.example": false,
	} {
		_, err := r.keys.Authenticate(t.Context(), secret, tenants.Origin{IP: "192.0.2.1", Origin: origin})
		if allowed && err != nil {
			t.Errorf("%q: %v", origin, err)
		} else if !allowed {
			refused(t, err, problem.Forbidden, "origin_not_allowed")
		}
	}
}

func TestTestKeysOpenTheSandbox(t *testing.T) {
	r := alone(t)
	live := r.Store(t)
	sandbox := r.Sandbox(t, live)
	want, _ := postgres.StoreFrom(sandbox)
	k, secret := r.issue(t, sandbox, keys.Issue{Kind: keys.Secret})
	if !strings.HasPrefix(secret, "stoa_sk_test_") {
		t.Errorf("a key of the sandbox begins with %s", k.Prefix)
	}
	caller, err := r.keys.Authenticate(t.Context(), secret, tenants.Origin{})
	if err != nil || caller.Store.Ref != want || caller.Principal.Mode != principal.Test {
		t.Errorf("%+v, %v", caller, err)
	}
	// The sides do not see each other's keys.
	err = r.DB.InControl(live, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.keys.Get(ctx, tx, k.ID)
		refused(t, err, problem.NotFound, "not_found")
		refused(t, r.keys.Revoke(ctx, tx, k.ID), problem.NotFound, "not_found")
		list, err := r.keys.List(ctx, tx, "", 10)
		if len(list) != 0 {
			t.Errorf("the live side lists %+v", list)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheSandboxIsBornByItsFirstKey begins with a store that has none yet.
func TestTheSandboxIsBornByItsFirstKey(t *testing.T) {
	r := alone(t)
	owner := ids.New("acc")
	err := r.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into accounts (id, email, password_hash) values ($1, $1 || '@example.com', '')`, owner)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	letters := strings.NewReplacer("0", "", "1", "", "i", "", "l", "", "m", "", "w", "", "n", "", "v", "", "_", "").Replace(ids.New("x"))
	prepared, err := r.stores.Prepare(t.Context(), stores.Birth{Name: "New", Address: "x" + letters[len(letters)-12:], Country: "DE", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	var first tenants.FirstKeys
	err = r.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := r.stores.Enter(ctx, tx, prepared, owner); err != nil {
			return err
		}
		first, err = r.keys.IssueFirst(ctx, tx, prepared.ID, owner)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]principal.Principal{
		first.LiveSecret:      {Kind: principal.Key, Mode: principal.Live},
		first.LivePublishable: {Kind: principal.Publishable, Mode: principal.Live},
		first.TestSecret:      {Kind: principal.Key, Mode: principal.Test},
		first.TestPublishable: {Kind: principal.Publishable, Mode: principal.Test},
	} {
		caller, err := r.keys.Authenticate(t.Context(), secret, tenants.Origin{})
		if err != nil || caller.Principal.Kind != want.Kind || caller.Principal.Mode != want.Mode || caller.Store.Ref.Mode != want.Mode || caller.Store.Ref.Schema == 0 {
			t.Errorf("%s: %+v, %v", secret[:prefixLength], caller, err)
		}
	}
	err = r.DB.InControl(postgres.WithStore(t.Context(), prepared.Ref()), func(ctx context.Context, tx *postgres.Tx) error {
		list, err := r.keys.List(ctx, tx, "", 10)
		if len(list) != 2 || list[0].CreatedBy != (tenants.Actor{Kind: principal.Account, ID: owner}) {
			t.Errorf("the store begins with %+v", list)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const prefixLength = len("stoa_sk_live_")

func TestAStoresStateReachesItsKeys(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	_, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	_, publishable := r.issue(t, ctx, keys.Issue{Kind: keys.Publishable})
	step := func(do func(context.Context, *postgres.Tx, string, string) (stores.Record, error)) {
		t.Helper()
		err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := do(ctx, tx, ref.ID, "test")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	step(r.stores.Suspend)
	for _, key := range []string{secret, publishable} {
		if caller, err := r.keys.Authenticate(t.Context(), key, tenants.Origin{}); err != nil || caller.Store.Status != tenants.Suspended {
			t.Errorf("suspended: %+v, %v", caller.Store, err)
		}
	}
	step(r.stores.Delete)
	// The front door answers what comes with it that there is no such store.
	for _, key := range []string{secret, publishable} {
		if caller, err := r.keys.Authenticate(t.Context(), key, tenants.Origin{}); err != nil || caller.Store.Status != tenants.Deleted {
			t.Errorf("deleted: %+v, %v", caller.Store, err)
		}
	}
	// When nothing is left of the store, nor of its keys, a replica may still remember them.
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update stores set status = 'purged' where id = $1`, ref.ID)
		tx.AfterCommit(func() {
			rec := stores.Record{ID: ref.ID}
			r.stores.Forget(ctx, rec)
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.keys.Authenticate(t.Context(), secret, tenants.Origin{})
	refused(t, err, problem.Unauthenticated, "invalid_key")
}

func TestNobodyGivesWhatTheyLack(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	create := func(who principal.Principal, in keys.Issue) error {
		in.Name = "x"
		return r.DB.InControl(as(ctx, who), func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := r.keys.Create(ctx, tx, in)
			return err
		})
	}
	owner := principal.Principal{Kind: principal.Account, Role: access.Owner}
	admin := principal.Principal{Kind: principal.Account, Role: access.Admin}
	robot := principal.Principal{Kind: principal.Key, Grants: []string{"keys:write", "orders:write"}}
	for _, c := range []struct {
		who     principal.Principal
		in      keys.Issue
		allowed bool
	}{
		{owner, keys.Issue{Kind: keys.Secret}, true},
		{owner, keys.Issue{Kind: keys.Restricted, Scopes: []string{access.StoreExport}}, true},
		{admin, keys.Issue{Kind: keys.Secret}, false}, // a secret key may export
		{admin, keys.Issue{Kind: keys.Restricted, Scopes: []string{"products:write", "keys:write"}}, true},
		{admin, keys.Issue{Kind: keys.Restricted, Scopes: []string{access.StoreExport}}, false},
		{robot, keys.Issue{Kind: keys.Secret}, false},
		{robot, keys.Issue{Kind: keys.Restricted, Scopes: []string{"orders:read"}}, true},
		{robot, keys.Issue{Kind: keys.Restricted, Scopes: []string{"orders:read", "products:read"}}, false},
		{robot, keys.Issue{Kind: keys.Restricted}, true},
		{robot, keys.Issue{Kind: keys.Publishable}, true},
	} {
		err := create(c.who, c.in)
		if c.allowed && err != nil {
			t.Errorf("%s %s: %v", c.who.Kind, c.in.Kind, err)
		} else if !c.allowed {
			refused(t, err, problem.Forbidden, "grant_exceeded")
		}
	}
	// A key mightier than the one who acts cannot be had by rotating it either.
	k, _ := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	err := r.DB.InControl(as(ctx, robot), func(ctx context.Context, tx *postgres.Tx) error {
		_, _, err := r.keys.Rotate(ctx, tx, k.ID, 0)
		return err
	})
	refused(t, err, problem.Forbidden, "grant_exceeded")
}

func TestAllFaultsAtOnce(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	past := time.Now().Add(-time.Minute)
	create := func(in keys.Issue) error {
		return r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := r.keys.Create(ctx, tx, in)
			return err
		})
	}
	p := refused(t, create(keys.Issue{
		Kind: keys.Secret, Name: "  ", Scopes: []string{"products:read"}, AllowedIPs: []string{"192.0.2.1", "x"},
		AllowedOrigins: []string{"https://a.example"}, ExpiresAt: &past,
	}), problem.Invalid, "invalid_request")
	var places []string
	for _, f := range p.Faults {
		places = append(places, f.Pointer+" "+f.Code)
	}
	if strings.Join(places, ", ") != "/name invalid_request, /scopes scopes_invalid, /allowed_ips/1 cidr_invalid, /allowed_origins scopes_invalid, /expires_at invalid_request" {
		t.Errorf("faults %q", places)
	}
	refused(t, create(keys.Issue{Kind: keys.Restricted, Name: "x", Scopes: []string{"store:delete"}}), problem.Unprocessable, "scopes_invalid")
	refused(t, create(keys.Issue{Kind: keys.Publishable, Name: "x", AllowedOrigins: []string{"https://a.example/b"}}), problem.Unprocessable, "origin_invalid")
	refused(t, create(keys.Issue{Kind: keys.Secret, Name: strings.Repeat("ä", 256)}), problem.Invalid, "invalid_request")
	var addresses, origins []string
	for i := range 51 {
		addresses = append(addresses, fmt.Sprintf("198.51.100.%d", i))
		origins = append(origins, fmt.Sprintf("https://shop-%d.example", i))
	}
	refused(t, create(keys.Issue{Kind: keys.Secret, Name: "x", AllowedIPs: addresses}), problem.Invalid, "invalid_request")
	refused(t, create(keys.Issue{Kind: keys.Publishable, Name: "x", AllowedOrigins: origins}), problem.Invalid, "invalid_request")
	if err := create(keys.Issue{Kind: "magic", Name: "x"}); err == nil || problem.As(err) != nil {
		t.Errorf("a kind that does not exist: %v", err)
	}
	if _, _, err := r.keys.Create(t.Context(), nil, keys.Issue{}); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
}

// Whoever made a key is written to once, a week before it expires; of one that was never
// meant to live longer, was rotated or revoked, nobody is.
func TestKeysThatWillExpireAreTold(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	owner := ids.New("acc")
	do := func(statement string, args ...any) (n int64) {
		err := r.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			tag, err := tx.Exec(ctx, statement, args...)
			n = tag.RowsAffected()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	do(`insert into accounts (id, email, password_hash) values ($1, $1 || '@example.com', '')`, owner)
	do(`insert into members (store_id, account_id, role) values ($1, $2, 'owner')`, ref.ID, owner)
	soon, later := time.Now().Add(6*24*time.Hour), time.Now().Add(8*24*time.Hour)
	issue := func(name string, expires time.Time) keys.Key {
		k, _ := r.issue(t, as(ctx, principal.Principal{Kind: principal.Account, ID: owner, Role: "owner"}), keys.Issue{
			StoreID: ref.ID, Kind: keys.Secret, Mode: principal.Live, Name: name, ExpiresAt: &expires,
		})
		return k
	}
	issue("short", soon)
	old, far, revoked := issue("old "+owner, soon), issue("far", later), issue("revoked", soon)
	do(`update api_keys set created_at = now() - interval '1 year' where id = any($1)`, []string{old.ID, far.ID, revoked.ID})
	do(`update api_keys set revoked_at = now() where id = $1`, revoked.ID)
	for range 2 {
		if err := r.keys.TellExpiry(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := do(`update outbox set run_at = run_at where kind = 'mail' and args->>'to' = $1 and args->>'kind' = 'key_expiring' and args->'data'->>'key_name' = $2`, owner+"@example.com", "old "+owner); n != 1 {
		t.Errorf("it was told %d times", n)
	}
	if n := do(`update outbox set run_at = run_at where kind = 'mail' and args->>'to' = $1`, owner+"@example.com"); n != 1 {
		t.Errorf("%d mails were sent", n)
	}
}
