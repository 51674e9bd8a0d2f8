package domains_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/domains"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// world is a platform with what lies outside of it: the domain name system and a certificate
// authority.
type world struct {
	*testdb.Platform
	*domains.Service
	stores    *stores.Service
	names     *catest.Names
	authority *catest.Authority
	client    *redis.Client
	config    domains.Config
}

// here is where domains are to lead, and there is elsewhere.
const here, there = "127.0.0.1", "127.0.0.2"

func open(t testing.TB, change func(*domains.Config)) *world {
	t.Helper()
	w := &world{Platform: testdb.Open(t), names: catest.StartNames(t), client: redistest.Client(t)}
	site := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		answer, err := w.Answer(strings.TrimPrefix(r.URL.Path, "/.well-known/acme-challenge/"))
		if err != nil {
			t.Error(err)
		}
		_, _ = out.Write([]byte(answer))
	}))
	t.Cleanup(site.Close)
	w.authority = catest.Start(t, w.names, site.Listener.Addr().(*net.TCPAddr).Port)
	account, err := certificates.Open(w.authority.Directory, "", []byte("an account's key has 32 bytes..."), w.authority.Client)
	if err != nil {
		t.Fatal(err)
	}
	pepper, err := w.Ring.Pepper(t.Context(), tenants.Peppers{DB: w.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	w.config = domains.Config{
		DB: w.DB, Sealer: w.Ring, Pepper: pepper.Derive("domains"), Log: slog.New(slog.DiscardHandler), BaseDomain: "stoa.net", Target: "shops.stoa.net",
		Addresses: []netip.Addr{netip.MustParseAddr(here), netip.MustParseAddr("2001:db8::7")},
		Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, w.names.Addr)
		}},
		Authority: account, PerHour: 1000, Limit: func(string) *int { return nil }, Site: &url.URL{Scheme: "https", Host: "stoa.net"},
	}
	if change != nil {
		change(&w.config)
	}
	w.Service, w.stores = w.replica(t)
	return w
}

// replica is the service in another process.
func (w *world) replica(t testing.TB) (*domains.Service, *stores.Service) {
	t.Helper()
	config := w.config
	config.Bus = redis.OpenBus(w.client)
	t.Cleanup(config.Bus.Close)
	if err := config.Bus.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	config.Stores = stores.New(stores.Config{DB: w.DB, Maker: w.Runner, Bus: config.Bus, Log: config.Log})
	return domains.New(config), config.Stores
}

// do is a step within a transaction of its own, which has to go well.
func do[T any](t testing.TB, w *world, ctx context.Context, step func(context.Context, *postgres.Tx) (T, error)) T {
	t.Helper()
	result, err := try(w, ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func try[T any](w *world, ctx context.Context, step func(context.Context, *postgres.Tx) (T, error)) (result T, err error) {
	err = w.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		result, err = step(ctx, tx)
		return err
	})
	return result, err
}

func (w *world) create(t testing.TB, ctx context.Context, name string) domains.Domain {
	t.Helper()
	return do(t, w, ctx, func(ctx context.Context, tx *postgres.Tx) (domains.Domain, error) { return w.Create(ctx, tx, name) })
}

func (w *world) verify(ctx context.Context, d domains.Domain) (domains.Domain, error) {
	seen := w.Look(ctx, d.Name)
	return try(w, ctx, func(ctx context.Context, tx *postgres.Tx) (domains.Domain, error) {
		return w.Verify(ctx, tx, d.ID, seen)
	})
}

func (w *world) verified(t testing.TB, ctx context.Context, d domains.Domain, want domains.State) domains.Domain {
	t.Helper()
	d, err := w.verify(ctx, d)
	if err != nil || d.State != want {
		t.Fatalf("%s is %s, want %s: %v (%v)", d.Name, d.State, want, err, w.Advice(&d))
	}
	return d
}

func (w *world) get(t testing.TB, ctx context.Context, id string) domains.Domain {
	t.Helper()
	return do(t, w, ctx, func(ctx context.Context, tx *postgres.Tx) (domains.Domain, error) { return w.Get(ctx, tx, id) })
}

// prove sets the records of a domain as they have to be.
func (w *world) prove(t testing.TB, d domains.Domain) {
	t.Helper()
	for _, r := range w.Records(&d) {
		switch value := r.Value; r.Type {
		case "TXT":
			w.names.Set(t, r.Name, "TXT", `"`+value+`"`)
		case "CNAME":
			w.names.Set(t, r.Name, r.Type, value)
			w.names.Set(t, value, "A", here)
		case "A":
			w.names.Set(t, r.Name, r.Type, value)
		}
	}
}

// served has a store be served at a new domain, with its certificate.
func (w *world) served(t testing.TB, ctx context.Context, name string) domains.Domain {
	t.Helper()
	d := w.create(t, ctx, name)
	w.prove(t, d)
	d = w.verified(t, ctx, d, domains.Active)
	w.work(t, d)
	return w.get(t, ctx, d.ID)
}

// work does the jobs that there are about a domain's certificate.
func (w *world) work(t testing.TB, d domains.Domain) {
	t.Helper()
	if n := len(asked(t, w, domains.JobCertify, "id", d.ID)); n == 0 {
		t.Fatalf("no certificate is asked for, for %s", d.Name)
	}
	if err := w.Certify(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
}

// asked are the arguments of the jobs of a kind about something that were asked for and not
// yet looked at.
func asked(t testing.TB, w *world, kind, key, value string) (list []map[string]any) {
	t.Helper()
	return do(t, w, t.Context(), func(ctx context.Context, tx *postgres.Tx) ([]map[string]any, error) {
		rows, err := tx.Query(ctx, `with gone as (delete from outbox where kind = $1 and args->>$2 = $3 returning id, args) select args from gone order by id`, kind, key, value)
		if err != nil {
			return nil, err
		}
		var raw []byte
		_, err = pgx.ForEachRow(rows, []any{&raw}, func() error {
			var args map[string]any
			list = append(list, args)
			return json.Unmarshal(raw, &list[len(list)-1])
		})
		return list, err
	})
}

// events are the types of the events that a store is told.
func (w *world) events(t testing.TB, ctx context.Context) (types []string) {
	t.Helper()
	for _, args := range asked(t, w, stores.JobTell, "store_id", storeOf(ctx)) {
		types = append(types, args["event"].(map[string]any)["type"].(string))
	}
	return types
}

// exec changes the control database behind the service's back.
func (w *world) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	do(t, w, t.Context(), func(ctx context.Context, tx *postgres.Tx) (struct{}, error) {
		_, err := tx.Exec(ctx, statement, args...)
		return struct{}{}, err
	})
}

func storeOf(ctx context.Context) string {
	ref, _ := postgres.StoreFrom(ctx)
	return ref.ID
}

// owned gives a store an owner, who can be written to.
func (w *world) owned(t testing.TB, ctx context.Context) (email string) {
	t.Helper()
	id := ids.New("acc")
	email = strings.TrimPrefix(id, "acc_") + "@example.com"
	w.exec(t, `insert into accounts (id, email, password_hash) values ($1, $2, '')`, id, email)
	w.exec(t, `insert into members (store_id, account_id, role) values ($1, $2, 'owner')`, storeOf(ctx), id)
	return email
}

// unique is a registered domain that no other test has.
func unique() string {
	id := ids.New("x")
	return "d" + id[len(id)-10:] + ".com"
}

func TestADomainIsProvenServedAndCertified(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	other, ofOther := w.replica(t)
	ctx, name := w.Store(t), "shop."+unique()
	d := w.create(t, ctx, " "+strings.ToUpper(name)+". ")
	if d.Name != name || d.State != domains.Pending {
		t.Fatalf("made %+v", d)
	}
	records := w.Records(&d)
	if len(records) != 2 || records[0].Host != "_stoa.shop" || records[1].Host != "shop" || records[1].Type != "CNAME" || records[1].Value != "shops.stoa.net" || records[0].State != domains.Unchecked {
		t.Fatalf("to be set are %+v", records)
	}
	for _, at := range []*domains.Service{w.Service, other} {
		if _, err := at.ByHost(ctx, name); !problem.Is(err, "not_found") {
			t.Errorf("served before it is proven: %v", err)
		}
	}

	// Nothing, the proof alone, and the proof with an address that is elsewhere do not do.
	d = w.verified(t, ctx, d, domains.Pending)
	if advice := strings.Join(w.Advice(&d), "\n"); !strings.Contains(advice, "TXT") || w.Records(&d)[0].State != domains.Missing {
		t.Errorf("advised %s", advice)
	}
	w.names.Set(t, records[0].Name, "TXT", `"v=spf1 -all"`, `"`+records[0].Value+`"`)
	d = w.verified(t, ctx, d, domains.Pending)
	if advice := strings.Join(w.Advice(&d), "\n"); strings.Contains(advice, "TXT") || w.Records(&d)[0].State != domains.Found {
		t.Errorf("advised %s", advice)
	}
	w.names.Set(t, name, "A", here, there)
	d = w.verified(t, ctx, d, domains.Pending)
	if conflicts := w.Conflicts(&d); len(conflicts) != 1 || conflicts[0].Value != there || !strings.Contains(strings.Join(w.Advice(&d), ""), there) {
		t.Errorf("in the way are %+v", conflicts)
	}
	w.names.Set(t, name, "A")
	w.prove(t, d)
	d = w.verified(t, ctx, d, domains.Active)
	if !d.Main || len(w.Advice(&d)) != 0 || w.Certificate(&d) != domains.Waiting {
		t.Errorf("verified as %+v, %s, %v", d, w.Certificate(&d), w.Advice(&d))
	}
	store, err := w.ByHost(ctx, name)
	if err != nil || store.ID != storeOf(ctx) || store.Domain != "" {
		t.Errorf("served is %+v, %v; its links name it only once it has its certificate", store, err)
	}

	dir := t.TempDir()
	folder, err := certificates.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	laying, stop := context.WithCancel(t.Context())
	defer stop()
	go other.LayDown(laying, folder)
	w.work(t, d)
	d = w.get(t, ctx, d.ID)
	if w.Certificate(&d) != domains.Issued || !d.CertifyAt.After(time.Now().Add(24*time.Hour)) {
		t.Errorf("certified as %+v", d)
	}
	within(t, func() bool {
		store, err := ofOther.ByID(ctx, storeOf(ctx), principal.Live)
		return err == nil && store.Domain == name && laid(dir, name)
	})
	if events := w.events(t, ctx); !slices.Equal(events, []string{"domain.created", "domain.verified"}) {
		t.Errorf("told %v", events)
	}

	// It is given up, and served by none of the replicas soon after.
	if err := try1(w, ctx, func(ctx context.Context, tx *postgres.Tx) error { return w.Delete(ctx, tx, d.ID, 0) }); err != nil {
		t.Fatal(err)
	}
	within(t, func() bool {
		_, err := other.ByHost(ctx, name)
		store, failed := ofOther.ByID(ctx, storeOf(ctx), principal.Live)
		return problem.Is(err, "not_found") && failed == nil && store.Domain == "" && !laid(dir, name)
	})
}

func try1(w *world, ctx context.Context, step func(context.Context, *postgres.Tx) error) error {
	_, err := try(w, ctx, func(ctx context.Context, tx *postgres.Tx) (struct{}, error) { return struct{}{}, step(ctx, tx) })
	return err
}

func TestADomainThatLeadsElsewhereIsServedNoMore(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	ctx, name := w.Store(t), unique()
	owner := w.owned(t, ctx)
	d := w.served(t, ctx, name)
	if records := w.Records(&d); len(records) != 3 || records[0].Host != "_stoa" || records[1].Host != "@" || records[1].Type != "A" || records[2].State != domains.Optional {
		t.Errorf("a registered domain is set by %+v", records)
	}
	main := func() string {
		t.Helper()
		store, err := w.stores.ByID(ctx, storeOf(ctx), principal.Live)
		if err != nil {
			t.Fatal(err)
		}
		return store.Domain
	}
	check := func(want domains.State) domains.Domain {
		t.Helper()
		if err := w.Check(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		now := w.get(t, ctx, d.ID)
		if now.State != want {
			t.Fatalf("is %s, want %s", now.State, want)
		}
		return now
	}
	w.events(t, ctx)

	// That the domain name system does not answer says nothing; neither is the proof asked for again.
	w.names.Break(true)
	if now := check(domains.Active); len(w.Advice(&now)) != 1 {
		t.Errorf("advised %v", w.Advice(&now))
	}
	w.names.Break(false)
	w.names.Set(t, "_stoa."+name, "TXT")
	check(domains.Active)

	w.names.Set(t, name, "A", there)
	check(domains.Failing)
	if _, err := w.ByHost(ctx, name); err != nil || main() != "" {
		t.Errorf("while it fails it is served (%v), and not what links name (%q)", err, main())
	}
	if mails := asked(t, w, mail.JobSend, "to", owner); len(mails) != 1 || mails[0]["data"].(map[string]any)["lost"] != false {
		t.Errorf("the owner is written to by %v", mails)
	}
	w.names.Set(t, name, "A", here)
	check(domains.Active)
	if main() != name {
		t.Error("links do not name it again")
	}

	w.names.Set(t, name, "A")
	check(domains.Failing)
	w.exec(t, `update domains set failing_since = now() - interval '1 day', certify_at = now() where id = $1`, d.ID)
	if err := w.Certify(t.Context(), d.ID); err != nil || w.get(t, ctx, d.ID).CertificateFault != "" {
		t.Errorf("a certificate is asked for where nobody would be found: %v", err)
	}
	lost := check(domains.Lost)
	if _, err := w.ByHost(ctx, name); !problem.Is(err, "not_found") || lost.CertifiedUntil != nil || w.Certificate(&lost) != domains.None {
		t.Errorf("it is served still: %v, %+v", err, lost)
	}
	if mails := asked(t, w, mail.JobSend, "to", owner); len(mails) != 2 {
		t.Errorf("the owner is written to by %v", mails)
	}

	// Whose it is must be proven anew: it may have been sold.
	w.names.Set(t, name, "A", here)
	check(domains.Lost)
	w.prove(t, d)
	check(domains.Active)
	w.work(t, d)
	if now := w.get(t, ctx, d.ID); w.Certificate(&now) != domains.Issued || main() != name {
		t.Errorf("it is not served again: %+v, %q", now, main())
	}
	if events := w.events(t, ctx); !slices.Equal(events, []string{"domain.failed", "domain.verified", "domain.failed", "domain.failed", "domain.verified"}) {
		t.Errorf("told %v", events)
	}
}

func TestADomainIsWhoseItsRecordsSay(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	first, second, name := w.Store(t), w.Store(t), unique()
	theirs := w.served(t, first, name)

	// Who has claimed it alone is in nobody's way, and who cannot prove it has nothing.
	ours := w.create(t, second, name)
	w.verified(t, second, ours, domains.Pending)
	if _, err := try(w, second, func(ctx context.Context, tx *postgres.Tx) (domains.Domain, error) { return w.Get(ctx, tx, theirs.ID) }); !problem.Is(err, "not_found") {
		t.Errorf("another store's domain is read: %v", err)
	}
	a, b := w.Records(&theirs)[0], w.Records(&ours)[0]
	if a.Value == b.Value {
		t.Fatal("two stores prove a domain alike")
	}
	w.names.Set(t, a.Name, "TXT", `"`+a.Value+`"`, `"`+b.Value+`"`)
	kept := func() {
		t.Helper()
		now := w.get(t, second, ours.ID)
		if !now.Taken() || now.CheckedAt == nil || !strings.Contains(strings.Join(w.Advice(&now), " "), "Another store") {
			t.Errorf("that it is another store's is not kept: %+v, %v", now, w.Advice(&now))
		}
	}
	if d := w.verified(t, second, ours, domains.Pending); !d.Taken() {
		t.Errorf("of two that prove it the later has it: %+v", d)
	}
	kept()
	if err := w.Check(t.Context(), ours.ID); err != nil {
		t.Error(err)
	}
	kept()
	w.names.Set(t, a.Name, "TXT", `"`+b.Value+`"`)
	if d := w.verified(t, second, ours, domains.Active); d.Taken() {
		t.Error("what is the store's is said to be another's")
	}
	if store, err := w.ByHost(first, name); err != nil || store.ID != storeOf(second) {
		t.Errorf("served is %+v, %v", store, err)
	}
	if now := w.get(t, first, theirs.ID); now.State != domains.Lost {
		t.Errorf("the former store's is %s", now.State)
	}

	// Both at once: one has it, and the other is told.
	third, fourth, name := w.Store(t), w.Store(t), unique()
	claims := []domains.Domain{w.create(t, third, name), w.create(t, fourth, name)}
	w.prove(t, claims[0])
	w.names.Set(t, "_stoa."+name, "TXT", `"`+w.Records(&claims[0])[0].Value+`"`, `"`+w.Records(&claims[1])[0].Value+`"`)
	var done sync.WaitGroup
	failed := make([]error, 2)
	for i, ctx := range []context.Context{third, fourth} {
		done.Go(func() { claims[i], failed[i] = w.verify(ctx, claims[i]) })
	}
	done.Wait()
	if err := errors.Join(failed...); err != nil || claims[0].Taken() == claims[1].Taken() || claims[0].State.Served() == claims[1].State.Served() {
		t.Errorf("both at once ended with %v: %+v", err, claims)
	}
}
