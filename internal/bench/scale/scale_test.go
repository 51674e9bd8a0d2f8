package scale

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/platform/embedded"
)

// stores is how many there are in the end; a tenth and a hundredth of them are measured
// beside.
var stores = flag.Int("stores", 1000, "how many stores to measure with")

// BenchmarkScale measures births, migrations and traffic, on a Postgres that keeps what it
// has committed, as one in production does.
func BenchmarkScale(b *testing.B) {
	server, err := embedded.StartPostgres(context.Background(), embedded.PostgresOptions{MaxConnections: 200})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop() })
	var tables []report.Table
	tables = append(tables, births(b, server))
	w := newTown(b, server)
	tables = append(tables, traffic(b, w), migration(b, w))
	tables[0].Note = fmt.Sprintf("Go %s, %d cores, PostgreSQL %d, on %s. %s", runtime.Version()[2:], runtime.NumCPU(), server.Version(), time.Now().Format(time.DateOnly), tables[0].Note)
	report.Publish(b, "scale", tables)
}

// percentile is the value that so many percent of the samples do not pass.
func percentile(s report.Samples, percent int) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

// both are the rows of a median and of the 95th percentile.
func both(name string, s report.Samples) []report.Row {
	p95 := report.Samples{percentile(s, 95)}
	return []report.Row{s.Row(name+", p50", "%.0f ms"), p95.Row(name+", p95", "%.0f ms")}
}
