//go:build rehearse

package app_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// objective is how long a request may take: observability/alerts has the same.
func objective(what string) time.Duration {
	if what == "completeCart" {
		return time.Second // with the payment
	}
	return 300 * time.Millisecond
}

// both is how long both versions serve beside each other.
const both = 8 * time.Second

// TestRehearseRollingChange replaces two replicas behind Nginx by a newer build that brings
// migrations of the control database, the cells and the stores, one replica after the other,
// and then goes back, while shoppers read and buy. Every request has to be answered, at its first try.
func TestRehearseRollingChange(t *testing.T) {
	older, newer := apptest.Build(t), buildNext(t)
	env := apptest.NewEnv(t, apptest.Env{
		"STOA_BASE_DOMAIN": shopsDomain, "STOA_PUBLIC_URL": shopsURL, "STOA_TRUSTED_PROXIES": "127.0.0.1",
		"STOA_DRAIN_DELAY": "2s", "STOA_LOG_LEVEL": "warn",
	})
	second := beside(t, env)
	server, err := nginx.Start(t.Context(), t.TempDir(), []string{env["STOA_HTTP_ADDR"], second["STOA_HTTP_ADDR"]}, []string{shopsDomain, "*." + shopsDomain}, nginx.Values{
		"STOA_NGINX_REAL_IP":             "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;", // shoppers come from many addresses
		"STOA_NGINX_REQUESTS_PER_SECOND": "10000", "STOA_NGINX_REQUEST_BURST": "10000",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	replicas := []*apptest.Process{apptest.Spawn(t, older, env), apptest.Spawn(t, older, second)}
	m := openMarket(t, []int64{1_000_000}, replicas[0].Program)
	c := &crowd{market: m, front: server, host: storeHost(replicas[0].Program, m.storeID), seen: map[string]time.Duration{}}
	c.begin()

	var steps []rehearsal.Step
	done := func(what string, began time.Time) {
		count := c.count()
		steps = append(steps, rehearsal.Step{Done: what, Took: time.Since(began), Came: count.String(), Lost: count.lost()})
	}
	change := func(what string, began time.Time, r *apptest.Process, binary string) {
		if err := r.Terminate(time.Minute); err != nil {
			t.Errorf("%s: the replica ended with %v", what, err)
		}
		r.Replace(binary)
		time.Sleep(both)
		done(what, began)
	}
	began := time.Now()
	time.Sleep(both)
	done("two replicas of the older version", began)

	began = time.Now()
	migrate := exec.Command(newer, "migrate")
	migrate.Env = env.List()
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	done("`stoa migrate` by the newer version", began)
	for _, way := range []struct{ name, binary string }{{"newer", newer}, {"older", older}} {
		for i, place := range []string{"first", "second"} {
			change(fmt.Sprintf("the %s replica replaced by the %s version", place, way.name), time.Now(), replicas[i], way.binary)
			if i == 0 {
				versions := []string{versionOf(t, replicas[0].Program), versionOf(t, replicas[1].Program)}
				if versions[0] == versions[1] {
					t.Errorf("half-way, both replicas are %q", versions)
				}
			}
		}
	}
	c.end()
	m.reconcile([]int64{1_000_000})
	for _, failure := range c.failures {
		t.Error(failure)
	}
	if len(c.orders) == 0 || c.total < 500 {
		t.Errorf("%d requests and %d orders are no load", c.total, len(c.orders))
	}
	rehearsal.Publish(t, "rolling", steps)
}

// buildNext builds the version after this one: it knows of migrations that this one does not.
func buildNext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for place, sql := range map[string]string{
		"control": `alter table stores add column next text not null default ''; create index stores_next on stores (next);`,
		"cell":    `alter table cell.schema_versions add column next text not null default '';`,
		"store":   `alter table products add column next text not null default ''; alter table orders add column next bigint not null default 0; create index products_next on products (next);`,
	} {
		file := filepath.Join(dir, place+".sql")
		if err := os.WriteFile(file, []byte(sql), 0o600); err != nil {
			t.Fatal(err)
		}
		folder, err := filepath.Abs(filepath.Join("..", "migrations", place))
		if err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(folder, "0002_next.sql")] = file
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, body(map[string]any{"Replace": replace}), 0o600); err != nil {
		t.Fatal(err)
	}
	return apptest.Build(t, "-overlay", overlay, "-ldflags", "-X main.version=next")
}

// storeHost is the host of a store's sandbox.
func storeHost(p *apptest.Program, store string) string {
	return apptest.Query[string](p, `select address from stores where id = $1`, store)[0] + "--test." + shopsDomain
}

// versionOf is the version that a replica says it is.
func versionOf(t *testing.T, p *apptest.Program) string {
	t.Helper()
	_, text := page(p.OpsURL + "/metrics")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "stoa_build_info{") {
			return line
		}
	}
	t.Fatalf("no stoa_build_info at %s", p.OpsURL)
	return ""
}

// crowd reads and buys through Nginx. It asks nothing twice.
type crowd struct {
	*market
	front *nginx.Server
	host  string

	counted  sync.Mutex
	total    int
	since    tally
	seen     map[string]time.Duration // the slowest of each operation
	failures []string
	busy     sync.WaitGroup
	over     chan struct{}
}

// tally is what came of requests.
type tally struct {
	requests, failed, slow int
	longest                time.Duration
}

func (t tally) String() string {
	return fmt.Sprintf("%d requests, %d above the objective, the slowest %v", t.requests, t.slow, t.longest.Round(time.Millisecond))
}

func (t tally) lost() string {
	if t.failed == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%d requests failed", t.failed)
}

// count is what came of the requests since it was asked last.
func (c *crowd) count() tally {
	c.counted.Lock()
	defer c.counted.Unlock()
	since := c.since
	c.since = tally{}
	return since
}

// note takes down a request.
func (c *crowd) note(what string, took time.Duration, failure string) {
	c.counted.Lock()
	defer c.counted.Unlock()
	c.total++
	c.since.requests++
	c.since.longest = max(c.since.longest, took)
	c.seen[what] = max(c.seen[what], took)
	if took > objective(what) {
		c.since.slow++
		c.failures = append(c.failures, fmt.Sprintf("%s took %v", what, took))
	}
	if failure != "" {
		c.since.failed++
		c.failures = append(c.failures, what+": "+failure)
	}
}

// begin sends readers of pages and of the API, and buyers.
func (c *crowd) begin() {
	c.over = make(chan struct{})
	for _, do := range []func(*http.Client){c.read, c.read, c.list, c.purchase, c.purchase} {
		client := c.front.Client(true)
		client.Timeout = 30 * time.Second
		c.busy.Go(func() {
			for tick := time.Tick(200 * time.Millisecond); ; {
				select {
				case <-c.over:
					return
				case <-tick:
					do(client)
				}
			}
		})
	}
}

// end waits for what is under way.
func (c *crowd) end() {
	close(c.over)
	c.busy.Wait()
	c.t.Logf("slowest: %v", c.seen)
}

// read opens pages of the shop.
func (c *crowd) read(client *http.Client) {
	for _, path := range []string{"/", "/products", "/search?q=linen"} {
		request, err := http.NewRequest("GET", "https://"+c.host+path, nil)
		if err != nil {
			c.t.Error(err)
			return
		}
		c.send(client, "GET "+path, 200, request)
	}
}

// list asks the API for products.
func (c *crowd) list(client *http.Client) {
	c.call(client, 200, probe.Call{Operation: "listProducts", Header: headers(c.secret)})
}

// purchase fills a cart and pays it.
func (c *crowd) purchase(client *http.Client) {
	made := c.call(client, 201, probe.Call{Operation: "createCart", Header: headers(c.publishable, "Idempotency-Key", run()), Body: body(map[string]any{
		"currency": "EUR", "email": "shopper@example.com", "lines": []any{map[string]any{"variant_id": c.variants[0], "quantity": 1}},
	})})
	if made == nil {
		return
	}
	in, own := map[string]string{"cart_id": made.String("/cart/id")}, headers(c.publishable, "Cart-Token", made.String("/token"), "Idempotency-Key", run())
	told := c.call(client, 200, probe.Call{Operation: "updateCart", Path: in, Header: own, Body: body(map[string]any{
		"shipping_address":   map[string]any{"name": "Grace Example", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
		"shipping_method_id": c.method,
	})})
	if told == nil {
		return
	}
	total, _ := told.Get("/totals/total")
	paid := c.call(client, 201, probe.Call{Operation: "completeCart", Path: in, Header: own, Body: body(map[string]any{
		"payment": map[string]any{"provider": "test", "token": "succeeds"}, "expected_total": total,
	})})
	if paid == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders[paid.String("/id")] = time.Now()
}

// call makes a call of the API through Nginx; nil when it was not answered as wanted.
func (c *crowd) call(client *http.Client, want int, call probe.Call) *probe.Answer {
	request, err := c.doors[0].Probe.Request(c.t.Context(), call)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	request.URL.Scheme, request.URL.Host, request.Host = "https", shopsDomain, shopsDomain
	if text := c.send(client, call.Operation, want, request); text != nil {
		return &probe.Answer{Body: text}
	}
	return nil
}

// send sends a request once and notes what came of it.
func (c *crowd) send(client *http.Client, what string, want int, request *http.Request) []byte {
	request.Header.Set("X-Forwarded-For", anywhere())
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		c.note(what, time.Since(began), err.Error())
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		c.note(what, time.Since(began), err.Error())
	case response.StatusCode != want:
		c.note(what, time.Since(began), fmt.Sprintf("answered %d: %.300s", response.StatusCode, text))
	default:
		c.note(what, time.Since(began), "")
		return text
	}
	return nil
}
