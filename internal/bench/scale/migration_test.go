package scale

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// next is what a next version would bring: a column and an index on tables that are in
// use, and a table.
var next = migrations.Step{Name: "0002_next", SQL: `
alter table products add column next text not null default '';
create index products_next on products (next) where next <> '';
create table nexts (id text collate "C" primary key, product_id text collate "C" references products (id) on delete cascade, at timestamptz not null default now());`}

// migration brings a tenth of the stores, and then all, to a next version, while the
// program, which knows nothing of it, goes on selling in them.
func migration(b *testing.B, w *town) report.Table {
	b.Helper()
	runner := w.runner(b, append(migrations.StoreSteps(), next))
	table := report.Table{Title: "Migration of all stores", Note: "By `stoa migrate`'s runner with its four workers: a column, an index and a table more in each store, while the program of the version before sells in them."}
	versions := func(first int, version int) {
		var numbers []string
		for _, s := range w.shops[first:] {
			numbers = append(numbers, fmt.Sprint(s.schema))
		}
		w.Exec(fmt.Sprintf(`update cell.schema_versions set version = %d where number in (%s)`, version, strings.Join(numbers, ",")))
	}
	few := len(w.shops) / 10
	versions(few, 1000) // these are passed over at first
	for _, count := range []int{few, len(w.shops)} {
		ctx, stop := context.WithCancel(b.Context())
		selling := make(chan round)
		go func() { selling <- w.load(ctx, 20, time.Hour, w.shops[:count]) }()
		migrated := 0
		began := time.Now()
		failures, err := runner.Stores(b.Context(), 4, func(int, int, postgres.StoreRef, error) { migrated++ })
		if err != nil || len(failures) > 0 {
			b.Fatal(failures, err)
		}
		rate := float64(migrated) / time.Since(began).Seconds()
		stop()
		sold := <-selling
		table.Rows = append(table.Rows,
			report.Samples{rate}.Row(fmt.Sprintf("%d stores", count), "%.0f stores a second"),
			report.Promised(fmt.Sprintf("%d stores: requests that failed meanwhile", count), fmt.Sprintf("%d of %d", sold.failed, len(sold.took)+sold.failed), "none", sold.failed == 0),
			report.Samples{percentile(sold.took, 99)}.Row(fmt.Sprintf("%d stores: a request meanwhile, p99", count), "%.0f ms"),
		)
		if count == few { // back to where they were
			for _, s := range w.shops[:few] {
				w.Exec(fmt.Sprintf(`drop table s_%[1]d.nexts; alter table s_%[1]d.products drop column next`, s.schema))
			}
			versions(0, len(migrations.StoreSteps()))
		}
	}
	return table
}
