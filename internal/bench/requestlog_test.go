package bench

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// unbounded is a plan without limits.
type unbounded struct{}

func (unbounded) Products(context.Context) int { return 0 }

// BenchmarkRequestLog measures what the request log costs: on the way of a request, against
// the same request without it, and off the way, where calls are written.
func BenchmarkRequestLog(b *testing.B) {
	p := testdb.Open(b)
	shop := func(*tenants.Store) string { return "https://linen.example.com" }
	api := apitest.New(b, (&handlers.Products{DB: p.DB, Catalog: catalog.New(unbounded{}), ShopURL: shop}).Operations())
	pepper, err := p.Ring.Pepper(b.Context(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		b.Fatal(err)
	}
	written := 0
	recorder := requestlog.New(requestlog.Config{
		DB: p.DB, Sealer: p.Ring, Days: func(string) int { return 30 }, People: &requestlog.People{Pepper: pepper},
		Written: func(n int) { written += n }, Dropped: func(why string, n int) { b.Errorf("%d calls were dropped: %s", n, why) }, Log: slog.New(slog.DiscardHandler),
	})
	key := api.Staff(p.Store(b))
	const calls = 500
	// A refusal is the quickest of answers, in which a difference shows.
	ask := func(n int) {
		for range n {
			api.Do(b, key, "POST", "/v1/products", `{"title": "Linen shirt", "no_such_field": "in a body of some length, as they are"}`)
		}
	}
	ask(calls)
	var without, with, writing report.Samples
	for range *runs {
		for _, log := range []bool{false, true} {
			api.Recorder = nil
			if log {
				api.Recorder = recorder
			}
			began := time.Now()
			ask(calls)
			each := micros(time.Since(began)) / calls
			if !log {
				without = append(without, each)
				continue
			}
			with = append(with, each)
			began = time.Now()
			recorder.Flush(b.Context())
			writing = append(writing, micros(time.Since(began))/calls)
		}
	}
	if written != *runs*calls {
		b.Fatalf("%d of %d calls were written", written, *runs*calls)
	}
	var difference report.Samples
	for i := range with {
		difference = append(difference, with[i]-without[i])
	}
	report.Publish(b, "request log", []report.Table{{
		Title: "The request log",
		Note:  fmt.Sprintf("%d requests that the contract refuses, one after the other, %d times each with the log and without, taken in turns; and then writing what came.", calls, *runs),
		Rows: []report.Row{
			without.Row("a request without the log", "%.1f µs"), with.Row("the same with it", "%.1f µs"),
			difference.AtMost("what the log adds to a request", "%.1f µs", 20), writing.Row("writing a call, off the request's way", "%.1f µs"),
		},
	}})
}
