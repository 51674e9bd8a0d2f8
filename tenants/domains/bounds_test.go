package domains_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/domains"
)

// within waits for something that is to be so soon.
func within(t testing.TB, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to be within ten seconds")
		}
	}
}

// laid says whether a certificate lies in a folder.
func laid(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name+".pem"))
	return err == nil
}

func TestNamesThatCanBeClaimed(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *domains.Config) { c.Local = true })
	ctx := w.Store(t)
	for name, shown := range map[string]string{
		"shop.BÜCHER.de": "shop.bücher.de", "例え.jp": "例え.jp", "xn--bcher-kva.com": "bücher.com", "a.co.uk": "a.co.uk", "www.linen.localhost": "www.linen.localhost",
	} {
		if d := w.create(t, ctx, name); d.Unicode() != shown || strings.Trim(d.Name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Errorf("%s became %s, shown as %s", name, d.Name, d.Unicode())
		}
	}
	for name, code := range map[string]string{
		"": "domain_invalid", "https://shop.example.com": "domain_invalid", "shop.example.com/x": "domain_invalid", "shop example.com": "domain_invalid", "example": "domain_invalid",
		"a..com": "domain_invalid", "-a.com": "domain_invalid", "_a.com": "domain_invalid", "*.a.com": "domain_invalid", "203.0.113.7": "domain_invalid", "a.1": "domain_reserved", "[::1]": "domain_invalid",
		"stoa.net": "domain_reserved", "linen.stoa.net": "domain_reserved", "com": "domain_invalid", "co.uk": "domain_reserved", "github.io": "domain_reserved",
		"shop.local": "domain_reserved", "shop.test": "domain_reserved", "linen.localhost": "domain_reserved",
	} {
		_, err := try(w, ctx, func(ctx context.Context, tx *postgres.Tx) (domains.Domain, error) { return w.Create(ctx, tx, name) })
		if !problem.Is(err, code) {
			t.Errorf("%q is refused with %v, want %s", name, err, code)
		}
	}
	// What leads to this machine by its name needs no records, and nobody's certificate.
	local := do(t, w, ctx, func(ctx context.Context, tx *postgres.Tx) ([]domains.Domain, error) { return w.List(ctx, tx, "", 50) })
	for _, d := range local {
		if d.Name == "www.linen.localhost" {
			if d = w.verified(t, ctx, d, domains.Active); w.Certificate(&d) != domains.Unmanaged || w.Records(&d) != nil || d.CertifyAt != nil {
				t.Errorf("a local name is %+v", d)
			}
		}
	}
}

func TestWhatAStoreMayHave(t *testing.T) {
	t.Parallel()
	two := 2
	w := open(t, func(c *domains.Config) { c.Limit = func(string) *int { return &two } })
	ctx := w.Store(t)
	a, b := w.served(t, ctx, unique()), w.create(t, ctx, unique())
	refused := func(code string, ctx context.Context, step func(context.Context, *postgres.Tx) error) {
		t.Helper()
		if err := try1(w, ctx, step); !problem.Is(err, code) {
			t.Errorf("refused with %v, want %s", err, code)
		}
	}
	claim := func(name string) func(context.Context, *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error {
			_, err := w.Create(ctx, tx, name)
			return err
		}
	}
	primary := func(id string, version int, is bool) func(context.Context, *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error {
			_, err := w.SetPrimary(ctx, tx, id, version, is)
			return err
		}
	}
	refused("plan_limit", ctx, claim(unique()))
	refused("domain_not_active", ctx, primary(b.ID, 0, true))
	refused("stale", ctx, primary(b.ID, b.Version+1, true))
	stranger := w.Store(t)
	refused("not_found", stranger, primary(a.ID, 0, false))
	tester := principal.With(ctx, principal.Principal{Kind: principal.Key, Mode: principal.Test, StoreID: storeOf(ctx)})
	refused("live_key_required", tester, claim(unique()))

	// The primary one is one.
	w.prove(t, b)
	if b = w.verified(t, ctx, b, domains.Active); b.Main {
		t.Error("the second domain became the primary one by itself")
	}
	if err := errors.Join(try1(w, ctx, primary(b.ID, b.Version, true)), try1(w, ctx, primary(b.ID, 0, true))); err != nil {
		t.Fatal(err)
	}
	if w.get(t, ctx, a.ID).Main || !w.get(t, ctx, b.ID).Main {
		t.Error("two domains are the primary one, or none")
	}
	if list := do(t, w, ctx, func(ctx context.Context, tx *postgres.Tx) ([]domains.Domain, error) { return w.List(ctx, tx, a.ID, 1) }); len(list) != 1 || list[0].ID != b.ID {
		t.Errorf("listed %+v", list)
	}
	gone := func(version int) func(context.Context, *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error { return w.Delete(ctx, tx, a.ID, version) }
	}
	refused("stale", ctx, gone(a.Version))
	if err := try1(w, ctx, gone(0)); err != nil {
		t.Fatal(err)
	}

	two = 5
	again := w.create(t, ctx, a.Name)
	refused("domain_exists", ctx, claim(a.Name))
	w.verified(t, ctx, again, domains.Active) // its record is the same as before

	bare := open(t, func(c *domains.Config) { c.Addresses, c.Authority = nil, nil })
	if err := try1(bare, bare.Store(t), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := bare.Create(ctx, tx, unique())
		return err
	}); !problem.Is(err, "domains_unavailable") {
		t.Errorf("a platform that leads nowhere takes a domain: %v", err)
	}
	if _, err := bare.Answer("token"); !problem.Is(err, "not_found") {
		t.Errorf("without an authority there is an answer: %v", err)
	}
}

func TestCertificatesAreBounded(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	ctx, refusedName := w.Store(t), unique()
	w.authority.Refuse(t, refusedName)
	d := w.create(t, ctx, refusedName)
	w.prove(t, d)
	d = w.verified(t, ctx, d, domains.Active)
	for try, wait := range []time.Duration{10 * time.Minute, 20 * time.Minute} {
		w.work(t, d)
		now := w.get(t, ctx, d.ID)
		if in := time.Until(*now.CertifyAt); w.Certificate(&now) != domains.Failed || now.CertificateFault == "" || in > wait || in < wait-time.Minute {
			t.Errorf("after try %d: %+v, again in %v", try+1, now, in)
		}
		if err := w.Certify(t.Context(), d.ID); err != nil || w.get(t, ctx, d.ID).CertificateTries != try+1 {
			t.Errorf("it is asked for again at once: %v", err)
		}
		w.exec(t, `update domains set certify_at = now() where id = $1`, d.ID)
	}

	// A store has so many in a day.
	w.exec(t, `insert into certificate_orders (store_id) select $1 from generate_series(1, 50)`, storeOf(ctx))
	w.work(t, d)
	if now := w.get(t, ctx, d.ID); now.CertificateTries != 2 || !now.CertifyAt.After(time.Now()) {
		t.Errorf("beyond its share: %+v", now)
	}

	// Whoever is at it is let finish; who was killed at it is followed.
	other := w.Store(t)
	free := w.create(t, other, unique())
	w.prove(t, free)
	w.verified(t, other, free, domains.Active)
	w.exec(t, `update domains set certifying_until = now() + interval '1 minute' where id = $1`, free.ID)
	if err := w.Certify(t.Context(), free.ID); !jobs.Snoozed(err) {
		t.Errorf("two are at one certificate: %v", err)
	}
	w.exec(t, `update domains set certifying_until = now() where id = $1`, free.ID)
	w.work(t, free)
	if now := w.get(t, other, free.ID); w.Certificate(&now) != domains.Issued {
		t.Errorf("what was broken off is not taken up: %+v", now)
	}

	// The platform has so many in an hour.
	w.config.PerHour = 0
	w.Service, w.stores = w.replica(t)
	w.exec(t, `update domains set certify_at = now() where id = $1`, free.ID)
	if err := w.Certify(t.Context(), free.ID); err != nil {
		t.Fatal(err)
	}
	if now := w.get(t, other, free.ID); w.Certificate(&now) != domains.Issued || !now.CertifyAt.After(time.Now()) {
		t.Errorf("beyond the hour's: %+v", now)
	}
	if len(asked(t, w, domains.JobCertify, "id", free.ID)) != 1 {
		t.Error("nobody comes back to it")
	}
}

func TestDomainsAreLookedUpRegularly(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	ctx := w.Store(t)
	d := w.create(t, ctx, unique())
	workers := jobs.New(jobs.Config{DB: w.DB, Log: w.config.Log})
	w.Register(workers)
	for _, each := range []int{1, 0} {
		if err := w.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(asked(t, w, domains.JobCheck, "id", d.ID)); n != each {
			t.Errorf("it is looked up %d times, want %d", n, each)
		}
	}
	w.prove(t, d)
	if err := w.Check(t.Context(), d.ID); err != nil || w.get(t, ctx, d.ID).State != domains.Active {
		t.Errorf("looking it up verifies nothing: %v", err)
	}
	if err := w.Check(t.Context(), "dom_gone"); err != nil {
		t.Errorf("a domain that is gone: %v", err)
	}
	store, err := w.ByHost(ctx, d.Name)
	if err != nil || store.ID != storeOf(ctx) {
		t.Errorf("served is %+v, %v", store, err)
	}
	w.exec(t, `update stores set status = 'deleted' where id = $1`, storeOf(ctx))
	record, err := w.stores.Get(ctx, storeOf(ctx))
	if err != nil {
		t.Fatal(err)
	}
	w.stores.Forget(ctx, record)
	if _, err := w.ByHost(ctx, d.Name); !problem.Is(err, "not_found") {
		t.Errorf("a deleted store is served: %v", err)
	}
}
