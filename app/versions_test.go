package app_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/migrations"
)

// TestTwoVersionsServe runs the program beside one of the next version, whose migration
// fails on one store: before, while and after the stores are migrated both serve all
// others, those included that the former version makes at the end.
func TestTwoVersionsServe(t *testing.T) {
	t.Parallel()
	next := app.Build{Version: "next", Stores: append(migrations.StoreSteps(), migrations.Step{Name: "0002_next", SQL: `
		alter table products add column next text not null default '';
		create index products_next on products (next);
		alter table settings add constraint settings_sane check (description <> 'poison');`})}
	former := cells{apptest.Start(t, nil)}
	var stores []cellStore
	for range 6 {
		stores = append(stores, former.born(t))
	}
	poisoned, good := stores[0], stores[1:]
	schema := apptest.Query[string](former.Program, `select 's_' || live_schema from stores where address = $1`, strings.Split(poisoned.host, ".")[0])
	former.Exec(`update ` + schema[0] + `.settings set description = 'poison'`)

	later := cells{former.Beside(t, next)}
	serves := func(c cells, s cellStore) {
		t.Helper()
		if page, api := c.status(t, s); page != http.StatusOK || api != http.StatusOK {
			t.Errorf("a store answers %d and %d", page, api)
		}
	}
	for _, s := range good[:2] {
		serves(later, s) // nobody has migrated it yet
		serves(former, s)
	}

	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for _, c := range []cells{former, later} {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				serves(c, good[i%len(good)])
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	var progress bytes.Buffer
	err := app.Migrate(t.Context(), later.Config, next, app.Terminal{Out: io.Discard, Err: &progress})
	stop()
	group.Wait()
	if err == nil || !strings.Contains(err.Error(), "1 stores could not be migrated") {
		t.Errorf("the migration: %v", err)
	}
	for _, want := range []string{" stores, ", " a second\n", "settings_sane", "failed: "} {
		if !strings.Contains(progress.String(), want) {
			t.Errorf("%q is not told: %s", want, progress.String())
		}
	}
	behind := `select count(*) from cell.schema_versions v join stores s on s.live_schema = v.number where v.version < $1`
	if n := apptest.Query[int](former.Program, behind, len(next.Stores))[0]; n != 1 {
		t.Errorf("%d schemas are behind", n)
	}

	serves(former, poisoned)
	if page, api := later.status(t, poisoned); page != http.StatusServiceUnavailable || api != http.StatusServiceUnavailable {
		t.Errorf("a store that could not be migrated answers %d and %d", page, api)
	}
	for _, s := range append(good, former.born(t), later.born(t)) {
		serves(former, s)
		serves(later, s)
	}
}
