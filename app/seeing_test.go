package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/observability/promtest"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

// patience bounds what takes moments.
const patience = 30 * time.Second

// TestTheProgramIsSeen has merchants and shoppers come to the whole program by every door,
// and asks Prometheus, the collector of traces and the log what they saw of it.
func TestTheProgramIsSeen(t *testing.T) {
	traces, receiver := apptest.NewCollector(t), apptest.NewReceiver(t)
	p := apptest.Start(t, apptest.Env{
		"STOA_OTLP_ENDPOINT": traces.URL, "STOA_TRACE_RATIO": "1", "STOA_LOG_LEVEL": "debug", "STOA_LOG_FORMAT": "json",
	})
	m := openShop(t, p)
	m.call(t, "POST", "/v1/signup", "", m.signUp("other-"+run()), http.StatusUnauthorized) // the e-mail is known
	signedIn, _ := ask(t, p.Client(), "POST", p.URL+"/v1/session", []byte(fmt.Sprintf(`{"email": %q, "password": %q}`, m.email, m.password)), "Content-Type", "application/json")
	if signedIn.StatusCode != http.StatusCreated || len(signedIn.Cookies()) != 1 {
		t.Fatalf("signing in answered %d %v", signedIn.StatusCode, signedIn.Header)
	}
	m.call(t, "POST", "/v1/session", "", map[string]any{"email": m.email, "password": "no such password at all"}, http.StatusUnauthorized)
	hook := m.call(t, "POST", "/v1/webhook-endpoints", m.secret, map[string]any{"url": receiver.URL + "/hidden-path", "event_types": []string{"order.paid"}}, http.StatusCreated)

	sold := m.flow(t, "sell", nil)      // 2 × 49.00 and 4.90
	m.flow(t, "refund", nil)            // the same, and all of it back
	m.flow(t, "signUpToPaidOrder", nil) // another store, in its sandbox
	shopper := m.shopper(t)
	for range 2 {
		shopper.get("/", http.StatusOK)
	}
	if status, _ := page(p.URL); status != http.StatusOK {
		t.Errorf("the platform's own page answered %d", status)
	}
	shopper.buy(sold["variant_id"].(string), "declined", "error", "succeeds")

	// A store is among those that stand out only while somebody is there, and is limited.
	limited, err := http.NewRequest("GET", p.URL+"/v1/products", nil)
	if err != nil {
		t.Fatal(err)
	}
	limited.Header.Set("Authorization", "Bearer "+m.secret)
	looking := make(chan struct{})
	defer close(looking)
	go func() {
		for visitor := m.shopper(t); ; time.Sleep(time.Second) {
			select {
			case <-looking:
				return
			default:
				if answer, err := visitor.client.Get(visitor.base); err == nil {
					_ = answer.Body.Close()
				}
				for range 20 { // soon more than its key may in a minute
					if answer, err := visitor.client.Do(limited.Clone(t.Context())); err == nil {
						_ = answer.Body.Close()
					}
				}
			}
		}
	}()
	dir := t.TempDir()
	front := inFront(t, p, dir)
	prometheus := promtest.Run(t, promtest.Config{Jobs: scraped(t, p, front, dir)})
	t.Run("figures", func(t *testing.T) { figures(t, p, m, prometheus) })
	t.Run("expressions", func(t *testing.T) {
		prometheus.RequireSeries(t, patience, promtest.All(t))
		// Of the objectives nothing is said here: a busy machine is slow, and a payment failed. Nor of
		// its disks.
		firing, err := prometheus.Query(t.Context(), `ALERTS{alertstate="firing",alertname!~".*Budget.*|DiskNearlyFull|DiskFilling"}`)
		if err != nil || len(firing) != 0 {
			t.Errorf("a program that is well raises %v (%v)", firing, err)
		}
	})
	t.Run("series", func(t *testing.T) { bounded(t, prometheus) })
	t.Run("traces", func(t *testing.T) { traced(t, p, m, traces, receiver) })
	t.Run("front", func(t *testing.T) { tracedFromNginx(t, p, m, front, traces) })
	t.Run("secrets", func(t *testing.T) {
		unseen(t, p, traces, map[string]string{
			"password": m.password, "secret key": m.secret, "signing secret": hook.text("secret"), "wrong password": "no such password",
			"endpoint's path": "hidden-path", "key ring": p.Env["STOA_SECRET_KEYS"], "database": p.Env["STOA_DATABASE_URL"],
			"shopper": "grace@example.com", "shopper's street": "Sample Street", "session": signedIn.Cookies()[0].Value,
		})
	})
}

// inFront is an Nginx before the program, which keeps its files in dir.
func inFront(t *testing.T, p *apptest.Program, dir string) *nginx.Server {
	t.Helper()
	starting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	front, err := nginx.Start(starting, dir, []string{p.Env["STOA_HTTP_ADDR"]}, []string{"localhost", "*.localhost"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Stop() })
	return front
}

// tracedFromNginx finds the trace that stands in Nginx's access log: it begins with Nginx's own span,
// and the program went on with it, down to the statements.
func tracedFromNginx(t *testing.T, p *apptest.Program, m *merchant, front *nginx.Server, traces *apptest.Collector) {
	p.ForgetLimits()
	answer, err := front.Client(true).Get("https://" + m.address + ".localhost/search?q=shirt")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	id := answer.Header.Get("Request-Id")
	var logged struct {
		TraceID string `json:"trace_id"`
	}
	if !soon(patience, func() bool {
		for line := range strings.Lines(front.Log("access.log")) {
			if strings.Contains(line, id) {
				return json.Unmarshal([]byte(line), &logged) == nil
			}
		}
		return false
	}) {
		t.Fatalf("Nginx's log knows nothing of %s", id)
	}
	if !soon(patience, func() bool {
		var first, request apptest.Span
		statements := false
		for _, span := range traces.Spans() {
			switch {
			case span.Trace != logged.TraceID:
			case span.Parent == "":
				first = span
			case span.Attributes["request_id"] == id:
				request = span
			default:
				statements = statements || strings.HasPrefix(span.Name, "sql ")
			}
		}
		return statements && first.Service == "nginx" && request.Service == "stoa" && request.Parent == first.ID
	}) {
		t.Errorf("the trace %s of %s (%d) does not lead from Nginx to statements", logged.TraceID, id, answer.StatusCode)
	}
}

// scraped are the jobs of a Prometheus that scrapes the program and all servers around it, with
// Nginx in front, by the exporters that Debian has.
func scraped(t *testing.T, p *apptest.Program, front *nginx.Server, dir string) []promtest.Job {
	t.Helper()
	tasks := promtest.Inject(t)
	now := fmt.Sprint(time.Now().Unix())
	for _, series := range []string{
		`stoa_task_last_success_timestamp_seconds{task="expiry"}`, `stoa_restore_test_last_success_timestamp_seconds`,
		`stoa_backup_last_success_timestamp_seconds{kind="full"}`, `stoa_backup_last_success_timestamp_seconds{kind="wal"}`,
		`stoa_backup_last_success_timestamp_seconds{kind="store"}`,
	} {
		tasks.Set(series, now)
	}
	tasks.Set(`stoa_task_failures_total{task="expiry"}`, "0")
	tasks.Set(`stoa_task_duration_seconds{task="expiry"}`, "1")
	tasks.Set(`stoa_backup_size_bytes{kind="full"}`, "1000000")
	tasks.Set(`stoa_restore_test_last_result`, "1")
	tasks.Set(`stoa_cell_full_at_timestamp_seconds{cell="local",by="bytes"}`, fmt.Sprint(time.Now().Add(400*24*time.Hour).Unix()))
	tasks.Set(`stoa_cell_used{cell="local",by="bytes"}`, "1000000") // is measured once an hour
	tasks.Set(`stoa_cell_used_max{cell="local",by="bytes"}`, "1000000000")
	return []promtest.Job{
		{Name: promtest.Program, Address: strings.TrimPrefix(p.OpsURL, "http://")},
		promtest.Postgres(t, exporterOf(t, p), strings.SplitN(p.Env["STOA_CELLS"], "=", 2)[0]).Job,
		promtest.Redis(t, p.Env["STOA_REDIS_URL"]).Job,
		promtest.Nginx(t, front.Status()).Job,
		promtest.Host(t).Job,
		promtest.FrontDoor(t, "https://"+front.HTTPS+"/", "localhost", filepath.Join(dir, "tls.crt")).Job,
		tasks.Job,
	}
}

// exporterPassword is without spaces, which the exporter takes for the ends of words.
const exporterPassword = "of-the-exporter-in-tests"

// exporterOf gives the exporter its role in the program's database, as an operator does, and says
// how it logs in. The role is the server's, which other tests have too, so its password is never
// changed.
func exporterOf(t *testing.T, p *apptest.Program) string {
	t.Helper()
	grant := exec.Command("psql", p.Env["STOA_DATABASE_URL"], "-q", "-v", "ON_ERROR_STOP=1", "-v", "password='"+exporterPassword+"'", "-f", "../observability/exporters/postgres.sql")
	if out, err := grant.CombinedOutput(); err != nil {
		t.Fatalf("the exporter's role: %v\n%s", err, out)
	}
	address, err := url.Parse(p.Env["STOA_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("stoa_exporter", exporterPassword)
	query := address.Query()
	query.Set("sslmode", "disable")
	address.RawQuery = query.Encode()
	return address.String()
}

// figures are what must be counted after the traffic, exactly once each, by every door.
func figures(t *testing.T, p *apptest.Program, m *merchant, prometheus *promtest.Prometheus) {
	revenue := apptest.Query[int64](p, fmt.Sprintf(`select sum(total_amount)::bigint from %s.orders where state <> 'pending'`, schemaOf(p, m.id)))[0]
	for expression, want := range map[string]float64{
		`sum(stoa_signups_total{outcome="created"})`:                                      2,
		`sum(stoa_signups_total{outcome="known_email"})`:                                  1,
		`sum(stoa_signups_total{outcome="failed"})`:                                       0,
		`sum(stoa_signins_total{outcome="succeeded"})`:                                    1,
		`sum(stoa_signins_total{outcome="refused"})`:                                      1,
		`stoa_orders_total{currency="EUR"}`:                                               3,
		`stoa_revenue_minor_units_total{currency="EUR"}`:                                  float64(revenue),
		`stoa_refunds_minor_units_total{currency="EUR"}`:                                  10290,
		`stoa_checkouts_started_total`:                                                    3,
		`stoa_checkouts_completed_total`:                                                  3,
		`stoa_payments_total{outcome="approved"}`:                                         3,
		`stoa_payments_total{outcome="declined"}`:                                         1,
		`stoa_payments_total{outcome="failed"}`:                                           1,
		`stoa_webhook_attempts_total{outcome="delivered"}`:                                3,
		`sum(stoa_http_panics_total) + sum(stoa_contract_violations_total)`:               0,
		`sum(stoa_db_wall_refusals_total) + sum(stoa_queue_jobs_set_aside)`:               0,
		`stoa_limiter_degraded`:                                                           0,
		`min(stoa_cell_up)`:                                                               1,
		`max(stoa_cell_stores)`:                                                           3, // two live sides and a sandbox
		`sum(stoa_http_requests_total{operation="page.checkout.pay",plan="free"})`:        3,
		`sum(stoa_http_requests_total{operation="completeCart",status="2xx"})`:            3,
		`count(stoa_busiest_store_requests_per_second{store="` + m.id + `"} > 0)`:         1,
		`count(sum by (cache) (stoa_cache_requests_total{result="hit"}) > 0)`:             3,
		`count(sum by (cache) (stoa_cache_invalidations_total) > 0)`:                      2, // no key was revoked
		`count(sum by (door) (stoa_db_statements_total{outcome="ok"}) > 0)`:               3,
		`count(stoa_db_pool_connections_max{pool=~"stores|redis"} > 0)`:                   2,
		`count(stoa_limiter_decisions_total{class=~"page|write",decision="allowed"} > 0)`: 2,
		`count(stoa_queue_jobs_total{kind=~"event|webhook_deliver",outcome="done"} > 0)`:  2,
		`sum(stoa_queue_relayed_total) > bool 5`:                                          1,
	} {
		var last []promtest.Series
		if !soon(patience, func() bool {
			series, err := prometheus.Query(t.Context(), expression)
			last = series
			return err == nil && len(series) == 1 && series[0].Value == want
		}) {
			t.Errorf("%s is %v, want %v", expression, last, want)
		}
	}
}

// soon waits for something to become true.
func soon(bound time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(bound); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// schemaOf is where the live side of a store is.
func schemaOf(p *apptest.Program, store string) string {
	return "s_" + apptest.Query[string](p, `select number::text from schemas where store_id = $1 and mode = 'live'`, store)[0]
}

// bounded looks for series that customers could make more of.
func bounded(t *testing.T, prometheus *promtest.Prometheus) {
	series, err := prometheus.Query(t.Context(), `count by (__name__) ({store!=""})`)
	most := map[string]float64{
		"stoa_busiest_store_requests_per_second": 20, "stoa_slowest_store_busy_ratio": 20, "stoa_limited_store_refusals_per_second": 20,
		"stoa_store_requests_per_second": 4 * 60, "stoa_store_request_duration_seconds": 60,
	}
	for _, s := range series {
		if s.Value > most[s.Labels["__name__"]] {
			t.Errorf("a store is a label of %v", s)
		}
	}
	if err != nil || len(series) < 4 {
		t.Errorf("%v (%v)", series, err)
	}
	operations := apitest.Operations(t)
	all, err := prometheus.Query(t.Context(), `count({job="stoa"})`)
	if err != nil || len(all) != 1 || all[0].Value > float64(80*len(operations)) {
		t.Errorf("one program has %v series (%v)", all, err)
	}
	// Every operation has the same labels from the start, so that traffic adds few.
	t.Logf("%.0f series of %d operations", all[0].Value, len(operations))
}

// traced follows one order from the request that paid for it to the webhook that told of it.
func traced(t *testing.T, p *apptest.Program, m *merchant, traces *apptest.Collector, receiver *apptest.Receiver) {
	type found struct {
		apptest.Span
		children []string
	}
	var path []found
	wanted := []struct{ name, kind string }{
		{"completeCart", "SERVER"}, {"job event", "CONSUMER"}, {"job webhook_deliver", "CONSUMER"}, {"webhook", "CLIENT"},
	}
	complete := soon(patience, func() bool {
		spans := traces.Spans()
		for _, d := range receiver.Deliveries() {
			// 00-<trace>-<span>-01
			parts := strings.Split(d.Header.Get("Traceparent"), "-")
			if len(parts) != 4 || parts[3] != "01" {
				t.Fatalf("the webhook came with the traceparent %q", parts)
			}
			path = nil
			for id := parts[2]; id != ""; {
				at := slices.IndexFunc(spans, func(s apptest.Span) bool { return s.Trace == parts[1] && s.ID == id })
				if at < 0 {
					break
				}
				one := found{Span: spans[at]}
				for _, s := range spans {
					if s.Trace == one.Trace && s.Parent == one.ID {
						one.children = append(one.children, s.Name)
					}
				}
				path = append([]found{one}, path...)
				id = one.Parent
			}
			if len(path) == len(wanted) && path[0].Name == wanted[0].name {
				return true
			}
		}
		return false
	})
	if !complete {
		t.Fatalf("the way of an order is not whole: %+v", path)
	}
	request := path[0].Attributes["request_id"]
	for i, want := range wanted {
		got := path[i]
		if got.Name != want.name || got.Kind != want.kind {
			t.Errorf("span %d is %s %s, want %s %s", i, got.Kind, got.Name, want.kind, want.name)
		}
		if want.kind == "CLIENT" {
			continue
		}
		if got.Attributes["request_id"] != request || got.Attributes["stoa.store"] != m.id {
			t.Errorf("%s is of the request %s, store %s", got.Name, got.Attributes["request_id"], got.Attributes["stoa.store"])
		}
		if !slices.ContainsFunc(got.children, func(name string) bool { return strings.HasPrefix(name, "sql ") }) {
			t.Errorf("%s has no SQL below it, but %v", got.Name, got.children)
		}
	}
	for line := range strings.Lines(p.Log()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("logged %q, which is no JSON", line)
		}
		if record["msg"] == "request" && record["request_id"] == request {
			if record["operation"] != "completeCart" || record["store"] != m.id || record["trace_id"] != path[0].Trace {
				t.Errorf("logged %v", record)
			}
			return
		}
	}
	t.Errorf("the log knows nothing of %s", request)
}

// tokens open carts, customers' sessions and links in mails.
var tokens = regexp.MustCompile(`\b(ct|cs|cv|tok)_[0-9A-Za-z_-]{32}`)

// unseen asserts that neither the log nor a trace tells what nobody but its owner should know.
func unseen(t *testing.T, p *apptest.Program, traces *apptest.Collector, secrets map[string]string) {
	log := p.Log()
	spans := traces.Spans()
	if len(log) < 1000 || len(spans) < 100 {
		t.Fatalf("only %d bytes of log and %d spans to look at", len(log), len(spans))
	}
	if told := tokens.FindString(log); told != "" {
		t.Errorf("the log tells a token: %s", told)
	}
	for _, span := range spans {
		if tokens.MatchString(span.Text) {
			t.Errorf("a trace tells a token: %s", span.Text)
		}
	}
	for name, secret := range secrets {
		if secret == "" {
			t.Errorf("%s is not known", name)
			continue
		}
		if i := strings.Index(log, secret); i >= 0 {
			t.Errorf("the log tells the %s: …%s", name, log[max(0, i-300):min(len(log), i+100)])
		}
		for _, span := range spans {
			if strings.Contains(span.Text, secret) {
				t.Errorf("a trace tells the %s: %s", name, span.Text)
				break
			}
		}
	}
}
