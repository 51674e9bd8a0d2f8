package keys_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/keys"
)

// do runs fn in a transaction on the control database.
func (r *replica) do(t testing.TB, ctx context.Context, fn func(context.Context, *postgres.Tx) error) {
	t.Helper()
	if err := r.DB.InControl(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func (r *replica) opens(secret string) error {
	_, err := r.keys.Authenticate(context.Background(), secret, tenants.Origin{IP: "192.0.2.1"})
	return err
}

func (r *replica) read(t testing.TB, ctx context.Context, id string) (k keys.Key) {
	t.Helper()
	r.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		k, err = r.keys.Get(ctx, tx, id)
		return err
	})
	return k
}

func TestRotation(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	year := time.Now().Add(365 * 24 * time.Hour)
	old, oldSecret := r.issue(t, ctx, keys.Issue{
		Kind: keys.Restricted, Name: "Robot", Scopes: []string{"orders:read"}, AllowedIPs: []string{"192.0.2.0/24"}, ExpiresAt: &year, APIVersion: "2026-01-01",
	})
	rotate := func(id string, overlap time.Duration) (k keys.Key, secret string, err error) {
		err = r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			k, secret, err = r.keys.Rotate(ctx, tx, id, overlap)
			return err
		})
		return k, secret, err
	}
	next, nextSecret, err := rotate(old.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if next.ID == old.ID || next.Name != "Robot" || !slices.Equal(next.Scopes, old.Scopes) || !slices.Equal(next.AllowedIPs, old.AllowedIPs) ||
		next.APIVersion != "2026-01-01" || next.ExpiresAt == nil || next.ExpiresAt.Before(year) || next.ExpiresAt.After(year.Add(time.Minute)) {
		t.Errorf("the successor is %+v", next)
	}
	for _, secret := range []string{oldSecret, nextSecret} {
		if err := r.opens(secret); err != nil {
			t.Error(err)
		}
	}
	k := r.read(t, ctx, old.ID)
	if k.State() != keys.Rotated || k.RotatedTo != next.ID || k.Version != 2 || time.Until(*k.ExpiresAt) > time.Hour || time.Until(*k.ExpiresAt) < 50*time.Minute {
		t.Errorf("the old one is %s: %+v", k.State(), k)
	}
	_, _, err = rotate(old.ID, time.Hour)
	refused(t, err, problem.Conflict, "key_not_active")

	// Without an overlap the old one is over at once, though it was just remembered.
	_, lastSecret, err := rotate(next.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, r.opens(nextSecret), problem.Unauthenticated, "invalid_key")
	if err := r.opens(lastSecret); err != nil {
		t.Error(err)
	}
	if k := r.read(t, ctx, next.ID); k.State() != keys.Expired {
		t.Errorf("the second is %s", k.State())
	}
	_, _, err = rotate(next.ID, 0)
	refused(t, err, problem.Conflict, "key_not_active")

	// An overlap never makes a key last longer than it was to.
	soon := time.Now().Add(time.Minute)
	brief, _ := r.issue(t, ctx, keys.Issue{Kind: keys.Publishable, ExpiresAt: &soon})
	if _, _, err := rotate(brief.ID, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if k := r.read(t, ctx, brief.ID); k.ExpiresAt.After(soon) {
		t.Errorf("it expires at %v, not %v", k.ExpiresAt, soon)
	}
}

// TestParallelRotation holds that a key has one successor.
func TestParallelRotation(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	k, _ := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	var successors atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				_, _, err := r.keys.Rotate(ctx, tx, k.ID, time.Hour)
				return err
			})
			if err == nil {
				successors.Add(1)
			} else if !problem.Is(err, "key_not_active") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := successors.Load(); n != 1 {
		t.Errorf("%d successors", n)
	}
}

func TestAKeyExpiresWhileItIsRemembered(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	soon := time.Now().Add(700 * time.Millisecond)
	_, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret, ExpiresAt: &soon})
	if err := r.opens(secret); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, 3*time.Second, "expired", func() bool { return r.opens(secret) != nil })
	if time.Now().Before(soon) {
		t.Error("it expired too early")
	}
	refused(t, r.opens(secret), problem.Unauthenticated, "invalid_key")
}

func TestUpdate(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	k, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Publishable, Name: "App"})
	if err := r.opens(secret); err != nil {
		t.Fatal(err)
	}
	update := func(version int, change keys.Change) (changed keys.Key, err error) {
		err = r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			changed, err = r.keys.Update(ctx, tx, k.ID, version, change)
			return err
		})
		return changed, err
	}
	name, elsewhere, origin, none := "Shop app", []string{"203.0.113.1"}, []string{"https://a.example"}, []string{}
	changed, err := update(1, keys.Change{Name: &name, AllowedIPs: &elsewhere, AllowedOrigins: &origin})
	if err != nil || changed.Name != name || changed.Version != 2 || !slices.Equal(changed.AllowedOrigins, origin) {
		t.Fatalf("%+v, %v", changed, err)
	}
	refused(t, r.opens(secret), problem.Forbidden, "ip_not_allowed")
	if _, err := update(0, keys.Change{AllowedIPs: &none}); err != nil {
		t.Fatal(err)
	}
	if err := r.opens(secret); err != nil {
		t.Error(err)
	}
	if got := r.read(t, ctx, k.ID); len(got.AllowedIPs) != 0 || !slices.Equal(got.AllowedOrigins, origin) || got.Name != name || got.Version != 3 {
		t.Errorf("it is %+v", got)
	}
	_, err = update(2, keys.Change{Name: &name})
	refused(t, err, problem.Stale, "stale")
	blank := " "
	_, err = update(0, keys.Change{Name: &blank, AllowedIPs: &[]string{"x"}})
	if p := refused(t, err, problem.Invalid, "invalid_request"); len(p.Faults) != 2 {
		t.Errorf("faults %+v", p.Faults)
	}
	r.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) error { return r.keys.Revoke(ctx, tx, k.ID) })
	_, err = update(0, keys.Change{Name: &name})
	refused(t, err, problem.Conflict, "key_not_active")
	r.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) error { return r.keys.Revoke(ctx, tx, k.ID) }) // again is no error
	if got := r.read(t, ctx, k.ID); got.State() != keys.Revoked || got.Version != 4 {
		t.Errorf("it is %s, %+v", got.State(), got)
	}
}

func TestAnotherStoresKey(t *testing.T) {
	r := alone(t)
	ctx, other := r.Store(t), r.Store(t)
	k, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	r.do(t, other, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.keys.Get(ctx, tx, k.ID)
		refused(t, err, problem.NotFound, "not_found")
		_, err = r.keys.Update(ctx, tx, k.ID, 0, keys.Change{})
		refused(t, err, problem.NotFound, "not_found")
		_, _, err = r.keys.Rotate(ctx, tx, k.ID, 0)
		refused(t, err, problem.NotFound, "not_found")
		refused(t, r.keys.Revoke(ctx, tx, k.ID), problem.NotFound, "not_found")
		return nil
	})
	if err := r.opens(secret); err != nil {
		t.Error(err)
	}
}

// TestRevokedEverywhere holds that a key that is in constant use on another replica is
// refused there within a second of its revocation, whatever Redis does meanwhile.
func TestRevokedEverywhere(t *testing.T) {
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
			a := join(t, redistest.OpenWith(t, redis.Config{URL: server.URL(), Prefix: prefix}))
			b := join(t, redistest.OpenWith(t, redis.Config{URL: server.URL(), Prefix: prefix}))
			ctx := a.Store(t)
			k, secret := a.issue(t, ctx, keys.Issue{Kind: keys.Secret})
			for _, r := range []*replica{a, b} {
				if err := r.opens(secret); err != nil {
					t.Fatal(err)
				}
			}
			var revokedAt, refusedAt atomic.Int64
			stop := make(chan struct{})
			var asking sync.WaitGroup
			for range 2 {
				asking.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						err, now := b.opens(secret), time.Now().UnixNano()
						switch {
						case err == nil && refusedAt.Load() > 0 && now > refusedAt.Load()+int64(50*time.Millisecond):
							t.Error("the key works again")
							return
						case problem.Is(err, "invalid_key"):
							refusedAt.CompareAndSwap(0, now)
						case err != nil:
							t.Error(err)
						}
						time.Sleep(time.Millisecond)
					}
				})
			}
			time.Sleep(300 * time.Millisecond)
			c.begin()
			defer c.end()
			time.Sleep(50 * time.Millisecond)
			a.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) error { return a.keys.Revoke(ctx, tx, k.ID) })
			revokedAt.Store(time.Now().UnixNano())
			refused(t, a.opens(secret), problem.Unauthenticated, "invalid_key")
			redistest.Eventually(t, 10*time.Second, "refused on the other replica", func() bool { return refusedAt.Load() > 0 })
			took := time.Duration(refusedAt.Load() - revokedAt.Load())
			t.Logf("refused after %v", took)
			if took > time.Second {
				t.Errorf("refused only after %v", took)
			}
			time.Sleep(200 * time.Millisecond)
			close(stop)
			asking.Wait()
		})
	}
}

func TestLastUseIsWrittenDownLater(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	other := join(t, redistest.Client(t))
	var made []keys.Key
	for i := range 5 {
		k, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret, Name: fmt.Sprint(i)})
		made = append(made, k)
		if i == 4 {
			continue // never used
		}
		for _, one := range []*replica{r, other} {
			for range 3 {
				if err := one.opens(secret); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if k := r.read(t, ctx, made[0].ID); k.LastUsedAt != nil {
		t.Error("each request writes")
	}
	// Both replicas write the same rows down, and neither waits for the other in a circle.
	var wg sync.WaitGroup
	for _, one := range []*replica{r, other} {
		wg.Go(func() {
			if err := one.keys.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	counted, count := postgres.Counting(t.Context())
	if err := r.keys.Flush(counted); err != nil || count.Statements.Load() != 0 {
		t.Errorf("nothing new is written by %d statements, %v", count.Statements.Load(), err)
	}
	for i, k := range made {
		got := r.read(t, ctx, k.ID)
		if i == 4 {
			if got.LastUsedAt != nil {
				t.Errorf("an unused key was used at %v", got.LastUsedAt)
			}
		} else if got.LastUsedAt == nil || time.Since(*got.LastUsedAt) > time.Minute || got.Version != 1 {
			t.Errorf("key %d: %+v", i, got)
		}
	}
}

// TestLastUseOutlastsAFailure holds that what cannot be written is not lost, and that the
// end of a process writes what is left.
func TestLastUseOutlastsAFailure(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	k, secret := r.issue(t, ctx, keys.Issue{Kind: keys.Secret})
	if err := r.opens(secret); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.keys.Flush(gone); err == nil {
		t.Error("it was written without a database")
	}
	r.keys.Run(gone) // ends at once, and writes down what it holds
	if got := r.read(t, ctx, k.ID); got.LastUsedAt == nil {
		t.Error("a use was lost")
	}
}

func TestPagesOfKeys(t *testing.T) {
	r := alone(t)
	ctx := r.Store(t)
	ctx = as(ctx, principal.Principal{Kind: principal.System})
	var want []string
	for range 5 {
		k, _ := r.issue(t, ctx, keys.Issue{Kind: keys.Publishable})
		want = append([]string{k.ID}, want...)
	}
	r.do(t, ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var got []string
		for after := ""; ; {
			list, err := r.keys.List(ctx, tx, after, 2)
			if err != nil {
				return err
			}
			for _, k := range list {
				got = append(got, k.ID)
			}
			if len(list) < 2 {
				break
			}
			after = list[1].ID
		}
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		return nil
	})
}
