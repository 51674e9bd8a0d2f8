package observability_test

import (
	"database/sql"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/stoacommerce/stoa/observability"
)

// value is the sum of the series of name that have all the labels, and how many there
// are. Of histograms it sums the observations.
func value(t *testing.T, m *observability.Metrics, name string, labels map[string]string) (sum float64, series int) {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			if hasLabels(metric, labels) {
				series++
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum, series
}

func hasLabels(metric *dto.Metric, labels map[string]string) bool {
	found := 0
	for _, pair := range metric.GetLabel() {
		if want, ok := labels[pair.GetName()]; ok && want == pair.GetValue() {
			found++
		}
	}
	return found == len(labels)
}

func expect(t *testing.T, m *observability.Metrics, want float64, name string, labels ...string) {
	t.Helper()
	wanted := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		wanted[labels[i]] = labels[i+1]
	}
	got, series := value(t, m, name, wanted)
	if series == 0 {
		t.Errorf("%s%v has no series", name, labels)
	} else if got != want {
		t.Errorf("%s%v = %v, want %v", name, labels, got, want)
	}
}

// registerAll asks for an observer of every theme, as a starting program does.
func registerAll(m *observability.Metrics) {
	m.HTTP.Operation("listProducts")
	m.Limiter.Class("read")
	m.Database.Door("store")
	m.Database.Pools(func() map[observability.PoolName]observability.PoolStats {
		return map[observability.PoolName]observability.PoolStats{{Cell: "local", Pool: "stores"}: {}}
	})
	m.Cells.Cell("local")
	m.Queue.Cell("local")
	m.Queue.Kind("mail.send")
	m.Cache.Cache("keys")
}

func TestEveryKnownCounterStartsAtZero(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	registerAll(m)
	for _, want := range []struct {
		name   string
		series int
	}{
		{"stoa_http_requests_total", 5 * 5},
		{"stoa_http_request_duration_seconds", 1},
		{"stoa_http_plan_request_duration_seconds", 5},
		{"stoa_contract_answers_checked_total", 1},
		{"stoa_contract_violations_total", 1},
		{"stoa_http_panics_total", 1},
		{"stoa_limiter_decisions_total", 2},
		{"stoa_limiter_degraded", 1},
		{"stoa_limiter_fallbacks_total", 1},
		{"stoa_limiter_store_overruns_total", 1},
		{"stoa_db_statements_total", 2},
		{"stoa_db_transactions_total", 2},
		{"stoa_db_wall_refusals_total", 1},
		{"stoa_db_pool_connections", 2},
		{"stoa_cell_up", 1},
		{"stoa_queue_outbox_depth", 1},
		{"stoa_queue_outbox_oldest_age_seconds", 1},
		{"stoa_queue_jobs_set_aside", 1},
		{"stoa_queue_jobs_total", 4},
		{"stoa_webhook_attempts_total", 6},
		{"stoa_webhook_attempt_duration_seconds", 6},
		{"stoa_rate_service_duration_seconds", 8},
		{"stoa_request_log_calls_total", 3},
		{"stoa_cache_requests_total", 2},
		{"stoa_signups_total", 4},
		{"stoa_signins_total", 4},
		{"stoa_payments_total", 3},
		{"stoa_orders_total", 2},
		{"stoa_revenue_minor_units_total", 2},
		{"stoa_refunds_minor_units_total", 2},
		{"stoa_checkouts_started_total", 1},
		{"stoa_checkouts_completed_total", 1},
	} {
		sum, series := value(t, m, want.name, nil)
		if sum != 0 || series != want.series {
			t.Errorf("%s begins with %d series of sum %v, want %d of 0", want.name, series, sum, want.series)
		}
	}
	expect(t, m, 1, "stoa_build_info", "version", "dev", "commit", "unknown")
}

func TestMetricsFollowPrometheusConventions(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	registerAll(m)
	m.Stores.Count("store_1", 200, time.Millisecond)
	problems, err := testutil.GatherAndLint(m.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestOperationObserver(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	o := m.HTTP.Operation("getOrder")
	if o != m.HTTP.Operation("getOrder") {
		t.Error("asking twice gives two observers")
	}
	o.Observe(200, "free", 2*time.Millisecond)
	o.Observe(201, "growth", 2*time.Millisecond)
	o.Observe(404, "free", time.Millisecond)
	o.Observe(503, "an unknown plan", time.Millisecond)
	o.Observe(0, observability.NoPlan, time.Millisecond)
	o.Observe(999, observability.NoPlan, time.Millisecond)
	o.ContractChecked(true)
	o.ContractChecked(false)
	m.HTTP.Enter()
	m.HTTP.Enter()
	m.HTTP.Leave()
	m.HTTP.Panicked()

	const requests, duration = "stoa_http_requests_total", "stoa_http_request_duration_seconds"
	expect(t, m, 1, requests, "operation", "getOrder", "status", "2xx", "plan", "free")
	expect(t, m, 1, requests, "status", "2xx", "plan", "growth")
	expect(t, m, 1, requests, "status", "4xx", "plan", "free")
	expect(t, m, 3, requests, "status", "5xx", "plan", "none")
	expect(t, m, 6, requests)
	expect(t, m, 2, duration, "operation", "getOrder", "status", "2xx")
	expect(t, m, 3, duration, "operation", "getOrder", "status", "5xx")
	expect(t, m, 2, "stoa_http_plan_request_duration_seconds", "plan", "free")
	expect(t, m, 2, "stoa_contract_answers_checked_total", "operation", "getOrder")
	expect(t, m, 1, "stoa_contract_violations_total", "operation", "getOrder")
	expect(t, m, 1, "stoa_http_requests_in_flight")
	expect(t, m, 1, "stoa_http_panics_total")
}

func TestLatencyObjectiveIsABucket(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	m.HTTP.Operation("getOrder")
	answer := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), `stoa_http_request_duration_seconds_bucket{operation="getOrder",status="2xx",le="0.3"} 0`) {
		t.Error("no bucket of 0.3 s, which the latency objective asks for")
	}
	if observability.LatencyObjective != 300*time.Millisecond {
		t.Error("LatencyObjective and the bucket differ")
	}
}

func TestObservingDoesNotAllocate(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	operation, limiter, door := m.HTTP.Operation("getOrder"), m.Limiter.Class("read"), m.Database.Door("store")
	cache := m.Cache.Cache("keys")
	m.Stores.Count("store_1", 200, time.Millisecond)
	m.Business.Order("EUR", 1)
	if n := testing.AllocsPerRun(100, func() {
		operation.Observe(200, "free", time.Millisecond)
		limiter.Decided(true, time.Millisecond)
		door.Statement(time.Millisecond, false)
		cache.Hit()
		m.Stores.Count("store_1", 200, time.Millisecond)
		m.Business.Order("EUR", 1999)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLimiterMetrics(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	class := m.Limiter.Class("write")
	class.Decided(true, time.Millisecond)
	class.Decided(true, time.Millisecond)
	class.Decided(false, time.Millisecond)
	m.Limiter.SetDegraded(true)
	m.Limiter.FellBack()
	m.Limiter.StoreOverTotal()
	expect(t, m, 2, "stoa_limiter_decisions_total", "class", "write", "decision", "allowed")
	expect(t, m, 1, "stoa_limiter_decisions_total", "class", "write", "decision", "limited")
	expect(t, m, 3, "stoa_limiter_duration_seconds", "class", "write")
	expect(t, m, 1, "stoa_limiter_degraded")
	expect(t, m, 1, "stoa_limiter_fallbacks_total")
	expect(t, m, 1, "stoa_limiter_store_overruns_total")
	m.Limiter.SetDegraded(false)
	expect(t, m, 0, "stoa_limiter_degraded")
}

func TestDatabaseMetrics(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	door := m.Database.Door("store")
	door.Statement(time.Millisecond, false)
	door.Statement(time.Millisecond, true)
	door.RoundTrip()
	door.Transaction(observability.Committed)
	door.Transaction(observability.RolledBack)
	door.Transaction(observability.RolledBack)
	m.Database.WallRefused()
	expect(t, m, 1, "stoa_db_statements_total", "door", "store", "outcome", "error")
	expect(t, m, 2, "stoa_db_statement_duration_seconds", "door", "store")
	expect(t, m, 1, "stoa_db_round_trips_total", "door", "store")
	expect(t, m, 1, "stoa_db_transactions_total", "outcome", "committed")
	expect(t, m, 2, "stoa_db_transactions_total", "outcome", "rolled_back")
	expect(t, m, 1, "stoa_db_wall_refusals_total")
}

func TestPoolsAreAskedAtEachScrape(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	local := observability.PoolName{Cell: "local", Pool: "stores"}
	pools := map[observability.PoolName]observability.PoolStats{
		local:                              {Max: 8, InUse: 3, Idle: 2, Waits: 7, Wait: 1500 * time.Millisecond},
		{Cell: "control", Pool: "control"}: {Max: 1},
	}
	m.Database.Pools(func() map[observability.PoolName]observability.PoolStats { return pools })
	expect(t, m, 3, "stoa_db_pool_connections", "cell", "local", "pool", "stores", "state", "in_use")
	expect(t, m, 2, "stoa_db_pool_connections", "cell", "local", "state", "idle")
	expect(t, m, 8, "stoa_db_pool_connections_max", "cell", "local")
	expect(t, m, 7, "stoa_db_pool_waits_total", "cell", "local")
	expect(t, m, 1.5, "stoa_db_pool_wait_seconds_total", "cell", "local")
	pools[local] = observability.PoolStats{InUse: 5}
	expect(t, m, 5, "stoa_db_pool_connections", "cell", "local", "state", "in_use")
	delete(pools, local)
	if _, series := value(t, m, "stoa_db_pool_connections_max", nil); series != 1 {
		t.Errorf("%d pools after one of two is gone", series)
	}
}

func TestPoolStatsOf(t *testing.T) {
	got := observability.PoolStatsOf(sql.DBStats{MaxOpenConnections: 4, OpenConnections: 3, InUse: 1, Idle: 2, WaitCount: 5, WaitDuration: 6})
	if got != (observability.PoolStats{Max: 4, InUse: 1, Idle: 2, Waits: 5, Wait: 6}) {
		t.Errorf("stats are %+v", got)
	}
}

func TestCellAndQueueMetrics(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	cell := m.Cells.Cell("east")
	cell.Up(true)
	cell.Stores(12, 1000)
	cell.ReadySchemas(4)
	expect(t, m, 1, "stoa_cell_up", "cell", "east")
	expect(t, m, 12, "stoa_cell_stores", "cell", "east")
	expect(t, m, 1000, "stoa_cell_stores_max", "cell", "east")
	expect(t, m, 4, "stoa_cell_ready_schemas", "cell", "east")
	cell.Up(false)
	expect(t, m, 0, "stoa_cell_up", "cell", "east")

	queue := m.Queue.Cell("east")
	expect(t, m, 0, "stoa_queue_measured_timestamp_seconds", "cell", "east")
	queue.Measured(observability.QueueState{OutboxDepth: 5, OutboxOldest: 90 * time.Second, Waiting: 3, SetAside: 2})
	queue.Relayed(4)
	expect(t, m, 5, "stoa_queue_outbox_depth", "cell", "east")
	expect(t, m, 90, "stoa_queue_outbox_oldest_age_seconds", "cell", "east")
	expect(t, m, 3, "stoa_queue_jobs_waiting", "cell", "east")
	expect(t, m, 2, "stoa_queue_jobs_set_aside", "cell", "east")
	expect(t, m, 4, "stoa_queue_relayed_total", "cell", "east")
	at, _ := value(t, m, "stoa_queue_measured_timestamp_seconds", nil)
	if age := time.Since(time.UnixMilli(int64(at * 1000))); age < 0 || age > time.Minute {
		t.Errorf("measured %s ago", age)
	}

	job := m.Queue.Kind("mail.send")
	job.Ran(observability.JobDone, 20*time.Millisecond, time.Second)
	job.Ran(observability.JobSetAside, -time.Second, time.Second)
	expect(t, m, 1, "stoa_queue_jobs_total", "kind", "mail.send", "outcome", "done")
	expect(t, m, 1, "stoa_queue_jobs_total", "kind", "mail.send", "outcome", "set_aside")
	expect(t, m, 2, "stoa_queue_job_duration_seconds", "kind", "mail.send")
	expect(t, m, 2, "stoa_queue_job_delay_seconds", "kind", "mail.send")
}

func TestWebhookAndCacheMetrics(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	m.Webhooks.Attempted(observability.Delivered, time.Millisecond)
	m.Webhooks.Attempted(observability.DeliveryGone, time.Millisecond)
	m.Webhooks.EndpointDisabled()
	expect(t, m, 1, "stoa_webhook_attempts_total", "outcome", "delivered")
	expect(t, m, 1, "stoa_webhook_attempts_total", "outcome", "gone")
	expect(t, m, 1, "stoa_webhook_attempt_duration_seconds", "outcome", "gone")
	expect(t, m, 1, "stoa_webhook_endpoints_disabled_total")

	m.Rates.Asked("tax", "timed_out", 3*time.Second)
	m.Mail.TemplateFailed()
	expect(t, m, 1, "stoa_mail_templates_failed_total")
	m.Domains.Certified(nil)
	m.Domains.Certified(io.EOF)
	expect(t, m, 1, "stoa_certificates_total", "outcome", "refused")
	m.Requests.Dropped("full", 2)
	expect(t, m, 2, "stoa_request_log_calls_total", "outcome", "full")
	expect(t, m, 1, "stoa_rate_service_duration_seconds", "kind", "tax", "outcome", "timed_out")

	cache := m.Cache.Cache("keys")
	cache.Hit()
	cache.Hit()
	cache.Miss()
	cache.Invalidated()
	expect(t, m, 2, "stoa_cache_requests_total", "cache", "keys", "result", "hit")
	expect(t, m, 1, "stoa_cache_requests_total", "cache", "keys", "result", "miss")
	expect(t, m, 1, "stoa_cache_invalidations_total", "cache", "keys")
}

func TestBusinessMetrics(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{Currencies: []string{"EUR"}})
	m.Business.SignUp(observability.SignUpFailed)
	m.Business.SignIn(observability.SignInLimited)
	m.Business.Payment(observability.PaymentDeclined)
	m.Business.CheckoutStarted()
	m.Business.CheckoutStarted()
	m.Business.CheckoutCompleted()
	m.Business.Order("EUR", 1999)
	m.Business.Order("EUR", -5)
	m.Business.Order("JPY", 500)
	m.Business.Order("not a currency", 1)
	m.Business.Refund("EUR", 1000)
	expect(t, m, 1, "stoa_signups_total", "outcome", "failed")
	expect(t, m, 1, "stoa_signins_total", "outcome", "limited")
	expect(t, m, 1, "stoa_payments_total", "outcome", "declined")
	expect(t, m, 2, "stoa_checkouts_started_total")
	expect(t, m, 1, "stoa_checkouts_completed_total")
	expect(t, m, 2, "stoa_orders_total", "currency", "EUR")
	expect(t, m, 1999, "stoa_revenue_minor_units_total", "currency", "EUR")
	expect(t, m, 500, "stoa_revenue_minor_units_total", "currency", "JPY")
	expect(t, m, 1, "stoa_orders_total", "currency", "other")
	expect(t, m, 1000, "stoa_refunds_minor_units_total", "currency", "EUR")
}

func BenchmarkOperationObserver(b *testing.B) {
	o := observability.NewMetrics(observability.MetricsConfig{}).HTTP.Operation("getOrder")
	b.ReportAllocs()
	for b.Loop() {
		o.Observe(200, "growth", 3*time.Millisecond)
	}
}

func BenchmarkBusiestStores(b *testing.B) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	names := make([]string, 10_000)
	for i := range names {
		names[i] = "store_" + strings.Repeat("x", i%7) + time.Duration(i).String()
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Stores.Count(names[i%len(names)], 200, time.Millisecond)
		i++
	}
}
