package billing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/redis"
)

func TestUsageIsCountedWithWhatItCounts(t *testing.T) {
	p := testdb.Open(t)
	plans, err := billing.Load()
	if err != nil {
		t.Fatal(err)
	}
	meter := &billing.Meter{DB: p.DB}
	api := apitest.New(t, (&handlers.Billing{Plans: plans, Meter: meter}).Operations())
	ctx, other := p.Store(t), p.Store(t)
	key := api.Staff(ctx)
	count := func(fail error) {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			journal.Usage(tx, "orders", 1)
			journal.Usage(tx, "revenue:EUR", 1999)
			journal.Usage(tx, "products", 2)
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		answer := api.Do(t, key, "GET", "/v1/usage", nil).Want(200)
		if answer.Get("products") != 4.0 || answer.Get("days.29.orders") != 2.0 || answer.Get("days.29.revenue.0.amount") != 3998.0 || answer.Get("days.28.orders") != 0.0 {
			t.Errorf("%s: %s", when, answer.Body)
		}
	}
	count(nil)
	count(errors.New("undone"))
	count(nil)
	check("before adding up")
	if _, err := meter.AddUp(ctx, p.Cell); err != nil {
		t.Fatal(err)
	}
	if _, err := meter.AddUp(ctx, p.Cell); err != nil {
		t.Fatal(err)
	}
	check("after adding up")
	if answer := api.Do(t, api.Staff(other), "GET", "/v1/usage", nil).Want(200); answer.Get("products") != 0.0 {
		t.Errorf("another store's usage is seen: %s", answer.Body)
	}
	api.Do(t, key, "GET", "/v1/usage?from=2026-02-01&to=2026-01-01", nil).WantProblem(400, "invalid_request")
	api.Do(t, key, "GET", "/v1/usage?from=2024-01-01&to=2026-01-01", nil).WantProblem(400, "invalid_request")
}

func TestRequestsAreWrittenDownOnce(t *testing.T) {
	p := testdb.Open(t)
	meter := &billing.Meter{DB: p.DB}
	ctx := p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	client, err := redis.Open(redis.Config{URL: testenv.Redis(t), Quick: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// One process counts and is killed before it wrote anything down; another finds its
	// counts in Redis.
	killed, survivor := limits.New(client, limits.Hooks{}, nil), limits.New(client, limits.Hooks{}, nil)
	for range 7 {
		if _, err := killed.Take(ctx, limits.Request{Class: "read", StoreID: ref.ID}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := survivor.Take(ctx, limits.Request{Class: "read", StoreID: ref.ID}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := meter.Flush(ctx, survivor.Usage(), true); err != nil {
			t.Fatal(err)
		}
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	usage, err := meter.Usage(ctx, today, today)
	if err != nil || len(usage.Days) != 1 || usage.Days[0].Requests != 10 {
		t.Fatalf("usage %+v, %v", usage, err)
	}
}

func TestPlans(t *testing.T) {
	plans, err := billing.Load()
	if err != nil {
		t.Fatal(err)
	}
	if plans.Get("growth").RequestsPerMinute <= plans.Get("free").RequestsPerMinute || plans.Get("unknown").ID != billing.Free || len(plans.All()) != 4 {
		t.Errorf("plans: %+v", plans.All())
	}
	api := apitest.New(t, (&handlers.Billing{Plans: plans, Meter: &billing.Meter{}}).Operations())
	first := api.Do(t, "", "GET", "/v1/plans?limit=3", nil).Want(200)
	rest := api.Do(t, "", "GET", "/v1/plans?limit=3&cursor="+first.String("next_cursor"), nil).Want(200)
	if first.String("data.0.id") != "free" || rest.String("data.0.id") != "scale" || rest.Get("data.0.products") != nil {
		t.Errorf("%s %s", first.Body, rest.Body)
	}
}
