package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

const (
	told       = 1000 // events a run
	endpoints  = 10   // that share them, in the second row
	tellings   = 3    // runs of each row
	tellWithin = 2 * time.Minute
)

// BenchmarkWebhooks measures how many events reach receivers in a second: from the event,
// which lies in its table, by the relay, the queue, two transactions and a signed request to
// the answer.
func BenchmarkWebhooks(b *testing.B) {
	w := &world{b: b, Process: apptest.Spawn(b, apptest.Build(b), apptest.Env{"STOA_WITH_WORKER": "true", "STOA_LOG_LEVEL": "warn"})}
	born := w.call("POST", "/v1/signup", "", object{
		"email": "ada@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
		"store_name": "Linen", "store_address": "bench-" + strings.ToLower(ids.New("x")[20:]), "country": "DE", "currency": "EUR",
	}, "Idempotency-Key: sign-up")
	key := text(born, "/keys/live/secret")
	schema := apptest.Query[int64](w.Program, `select number from schemas where store_id = $1 and mode = 'live'`, text(born, "/store/id"))[0]
	cell, _, _ := strings.Cut(w.Env["STOA_CELLS"], "=")
	role := postgres.RoleName(cell, schema)

	var got atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		got.Add(1)
		rw.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(receiver.Close)
	release := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	b.Cleanup(func() {
		close(release)
		dead.Close()
	})
	listen := func(url string) {
		w.call("POST", "/v1/webhook-endpoints", key, object{"url": url, "event_types": []string{"category.updated"}})
	}
	measure := func(listeners int64) (samples report.Samples) {
		for range tellings {
			from := got.Load()
			began := time.Now()
			w.Exec(fmt.Sprintf(`set role %q; with told as (
					insert into "s_%d".events (id, type, object_id, object_sequence, data) select 'evt_' || gen_random_uuid(), 'category.updated', 'cat_1', 1, '{}' from generate_series(1, %d) returning id
				) insert into cell.outbox (kind, args) select 'event', jsonb_build_object('event_id', id) from told; reset role`, role, schema, told))
			for got.Load() < from+told*listeners {
				if time.Since(began) > tellWithin {
					b.Fatalf("%d of %d events came", got.Load()-from, told*listeners)
				}
				time.Sleep(time.Millisecond)
			}
			samples = append(samples, float64(told*listeners)/time.Since(began).Seconds())
		}
		return samples
	}
	listen(receiver.URL)
	one := measure(1)
	listen(dead.URL)
	beside := measure(1)
	for range endpoints - 1 {
		listen(receiver.URL)
	}
	all := measure(endpoints)
	report.Publish(b, "webhooks", []report.Table{{
		Title: "Deliveries of webhooks",
		Note: fmt.Sprintf("%d events at once, each written down, fanned out, sent signed over HTTP to a receiver on the same machine that answers 204, with its answer kept; %d runs. "+
			"One process serves and works.", told, tellings),
		Rows: []report.Row{
			one.Row("to one endpoint", "%.0f a second"),
			beside.Row("to one endpoint, beside one that does not answer", "%.0f a second"),
			report.Samples{beside.Median() / one.Median()}.AtLeast("with the other to without", "%.2f", 0.8),
			all.Row(fmt.Sprintf("to %d endpoints, beside one that does not answer", endpoints), "%.0f a second"),
		},
	}})
}
