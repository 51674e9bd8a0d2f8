package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// written is a store's side with entries in both databases, in turn.
func written(t *testing.T, p *testdb.Platform, ctx context.Context, n int) (actions []string) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	who := principal.From(ctx)
	for i := range n {
		who.ID, who.Kind, who.IP = fmt.Sprintf("acc_%d", i%3), principal.Account, "192.0.2.1"
		in, entry := p.DB.InStore, journal.Entry{Action: fmt.Sprintf("product.%d", i), ObjectID: fmt.Sprintf("prod_%d", i%2), After: map[string]any{"n": i}}
		if i%2 == 1 {
			in = p.DB.InControl
			entry = journal.Entry{Action: fmt.Sprintf("key.%d", i), ObjectID: fmt.Sprintf("key_%d", i), StoreID: ref.ID, Reason: "because"}
		}
		err := in(principal.With(ctx, who), func(ctx context.Context, tx *postgres.Tx) error {
			journal.Audit(ctx, tx, entry)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		actions = append([]string{entry.Action}, actions...)
		time.Sleep(2 * time.Millisecond) // the order within a millisecond is left to chance
	}
	return actions
}

func TestBothDatabasesAreOneList(t *testing.T) {
	p := testdb.Open(t)
	log := &audit.Log{DB: p.DB}
	live := p.Store(t)
	sandbox := p.Sandbox(t, live)
	started := time.Now()
	want := written(t, p, live, 9)
	written(t, p, p.Store(t), 4) // another store's
	inSandbox := written(t, p, sandbox, 3)

	pages := func(ctx context.Context, f audit.Filter) (actions []string) {
		t.Helper()
		for {
			list, err := log.List(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				actions = append(actions, e.Action)
			}
			if len(list) < f.Limit {
				return actions
			}
			f.After = list[len(list)-1].ID
		}
	}
	for _, size := range []int{1, 2, 4, 9, 100} {
		if got := pages(live, audit.Filter{Limit: size}); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", size, got, want)
		}
	}
	if got := pages(sandbox, audit.Filter{Limit: 2}); !slices.Equal(got, inSandbox) {
		t.Errorf("the sandbox: %v, want %v", got, inSandbox)
	}
	list, err := log.List(live, audit.Filter{Limit: 2})
	if err != nil || list[1].Reason != "because" || list[1].Before != nil || string(list[0].After) != `{"n": 8}` || list[0].IP != "192.0.2.1" || list[0].Actor.Kind != principal.Account {
		t.Errorf("%+v, %v", list, err)
	}

	for name, c := range map[string]struct {
		filter audit.Filter
		want   []string
	}{
		"actor":        {audit.Filter{ActorID: "acc_1"}, []string{"key.7", "product.4", "key.1"}},
		"action":       {audit.Filter{Action: "key.3"}, []string{"key.3"}},
		"object":       {audit.Filter{ObjectID: "prod_0"}, []string{"product.8", "product.6", "product.4", "product.2", "product.0"}},
		"both":         {audit.Filter{ActorID: "acc_0", ObjectID: "prod_0"}, []string{"product.6", "product.0"}},
		"since":        {audit.Filter{Since: started}, want},
		"until":        {audit.Filter{Until: started}, nil},
		"since future": {audit.Filter{Since: time.Now().Add(time.Hour)}, nil},
		"until far":    {audit.Filter{Until: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, want},
		"since ever":   {audit.Filter{Since: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)}, want},
	} {
		c.filter.Limit = 2
		if got := pages(live, c.filter); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	all, err := log.List(live, audit.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	middle := all[4].At
	if got := pages(live, audit.Filter{Since: middle, Limit: 3}); !slices.Equal(got, want[:5]) {
		t.Errorf("since the middle: %v", got)
	}
	if got := pages(live, audit.Filter{Until: middle, Limit: 3}); !slices.Equal(got, want[5:]) {
		t.Errorf("until the middle: %v", got)
	}
	if _, err := log.List(t.Context(), audit.Filter{Limit: 1}); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
}

// TestWhatIsInBothIsListedOnce holds that the steps of a store's life, which the store is
// told of as well, are listed once.
func TestWhatIsInBothIsListedOnce(t *testing.T) {
	p := testdb.Open(t)
	ctx := p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	for _, in := range []func(context.Context, func(context.Context, *postgres.Tx) error) error{p.DB.InControl, p.DB.InStore} {
		err := in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			journal.Audit(ctx, tx, journal.Entry{Action: "store.suspend", ObjectID: ref.ID, StoreID: ref.ID, Reason: ids.New("x")})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := (&audit.Log{DB: p.DB}).List(ctx, audit.Filter{Limit: 10})
	if err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}
