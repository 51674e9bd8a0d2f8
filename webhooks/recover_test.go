package webhooks_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/webhooks"
)

// TestWhatWasMissedIsRecovered disables an endpoint by its answer to a first event, lets
// more happen than one slice of a recovery holds, and has all of it sent that is wanted.
func TestWhatWasMissedIsRecovered(t *testing.T) {
	t.Parallel()
	platform := testdb.New(t, "miss"+ids.New("x")[20:], 1)
	service := webhooks.New(platform.Ring, egress.Options{AllowPlainHTTP: true, AllowPrivate: true})
	ctx := platform.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	workers := jobs.New(jobs.Config{DB: platform.DB, Observer: quiet{}, Log: slog.New(slog.DiscardHandler),
		Resolve: func(context.Context, string, int64) (postgres.StoreRef, jobs.State, error) { return ref, jobs.Run, nil }})
	service.Register(workers, platform.DB, func(webhooks.Attempt) {})
	workers.Start(context.Background())
	defer workers.Stop(context.Background())
	inStore := func(fn func(context.Context, *postgres.Tx) error) {
		t.Helper()
		if err := platform.DB.InStore(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within a minute: %s", what)
			}
		}
	}

	r := receive(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusGone)
		}
	})
	began := clock.Now()
	var endpoint webhooks.Endpoint
	inStore(func(ctx context.Context, tx *postgres.Tx) (err error) {
		endpoint, _, err = service.Create(ctx, tx, webhooks.Input{URL: &r.URL, Events: []string{"category.*"}})
		return err
	})
	first := emit(t, platform, ctx, "category.created")
	eventually("the endpoint is disabled", func() (disabled bool) {
		inStore(func(ctx context.Context, tx *postgres.Tx) error {
			e, err := service.Get(ctx, tx, endpoint.ID)
			disabled = !e.Enabled
			return err
		})
		return disabled
	})
	inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into events (id, type, object_id, data, created_at)
			select 'evt_' || lpad(n::text, 26, '0'), 'order.paid', '', '{}', now() from generate_series(1, 600) n`)
		return err
	})
	second := emit(t, platform, ctx, "category.deleted")
	for what, try := range map[string]func(context.Context, *postgres.Tx) error{
		"recover": func(ctx context.Context, tx *postgres.Tx) error { return service.Recover(ctx, tx, endpoint.ID, began) },
		"test": func(ctx context.Context, tx *postgres.Tx) error {
			_, err := service.SendTest(ctx, tx, endpoint.ID, "")
			return err
		},
	} {
		if err := platform.DB.InStore(ctx, try); !problem.Is(err, "endpoint_disabled") {
			t.Errorf("%s with an endpoint that is disabled: %v", what, err)
		}
	}
	enabled := true
	for range 2 { // the second recovery finds nothing to send
		inStore(func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := service.Update(ctx, tx, endpoint.ID, 0, webhooks.Input{Enabled: &enabled}); err != nil {
				return err
			}
			return service.Recover(ctx, tx, endpoint.ID, began)
		})
	}
	last := emit(t, platform, ctx, "category.updated")
	eventually("all three have arrived", func() bool {
		got := r.ids()
		return slices.Contains(got[1:], first) && slices.Contains(got, second) && slices.Contains(got, last)
	})
	if got := r.ids(); len(got) != 4 {
		t.Errorf("it was sent %v", got)
	}
}

// ids are the events that have arrived, in their order.
func (r *receiver) ids() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.got {
		list = append(list, request.Header.Get("webhook-id"))
	}
	return list
}
