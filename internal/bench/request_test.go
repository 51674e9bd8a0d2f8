package bench

import (
	"crypto/tls"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/internal/bench/report"
)

// runs is how often each target is measured; an odd number has a median.
var runs = flag.Int("runs", 9, "how often each thing is measured")

const (
	warming = time.Second
	stretch = 2 * time.Second
)

// BenchmarkRequest measures the full way of a request against a bare handler.
func BenchmarkRequest(b *testing.B) {
	w := newWorld(b)
	targets := w.targets()
	rounds := map[string][]round{}
	for _, t := range targets {
		load(b, t, warming)
	}
	for range *runs {
		for _, t := range targets {
			rounds[t.name] = append(rounds[t.name], load(b, t, stretch))
		}
	}
	report.Publish(b, "request", []report.Table{
		{Title: "The full way of a request", Note: w.conditions(), Rows: rows(targets, rounds)},
		w.layersOf(targets[2]), w.layersOf(targets[5]), w.operations(targets[0].addr),
	})
}

// conditions say where and how it was measured.
func (w *world) conditions() string {
	version := apptest.Query[string](w.Program, `select current_setting('server_version')`)[0]
	return fmt.Sprintf("%d cores, %s, PostgreSQL %s; %d connections that each wait for their answer, %d runs of %v for each row, taken in turns. "+
		"A list of %d products with 4 variants and their prices. The program runs as in production: its log at `info`, a hundredth of its answers held against the contract.",
		runtime.NumCPU(), runtime.Version(), version, connections, *runs, stretch, perPage)
}

// The names of targets.
const (
	bareDatabase  = "bare handler, database"
	bareDescribed = "bare handler, database, planned each time"
	bareMemory    = "bare handler, memory"
	uncached      = "Stoa, uncached"
	cached        = "Stoa, from the cache"
	throughNginx  = ", through Nginx (TLS)"
)

// targets are all that is measured, in turn.
func (w *world) targets() []target {
	w.b.Helper()
	list, shop := fmt.Sprintf("/v1/products?limit=%d", perPage), fmt.Sprintf("/v1/shop/products?limit=%d", perPage)
	_, addr, _ := strings.Cut(w.URL, "//")
	reading := func(n int64) string {
		return "Authorization: Bearer " + w.readers[n%readers] + "\r\n" + from(n)
	}
	shopping := func(n int64) string { return "Authorization: Bearer " + w.keys.Publishable + "\r\n" + from(n) }
	direct := target{name: uncached, addr: addr, host: "localhost", path: list, headers: reading, pid: w.PID()}
	kept := target{name: cached, addr: addr, host: "localhost", path: shop, headers: shopping, pid: w.PID()}

	task := w.task()
	body := direct.once(w.b)
	task.Tail = body[strings.LastIndexByte(body, ']')+1:]
	task.Memory = kept.once(w.b)
	bareAddr, barePID := startBare(w.b, task)
	bare := target{name: bareDatabase, addr: bareAddr, host: "localhost", path: "/database", pid: barePID}
	if got := bare.once(w.b); got != body {
		w.b.Fatalf("the bare handler answers otherwise than the program:\n%s\n%s", got, body)
	}
	described, memory := bare, bare
	described.name, described.path = bareDescribed, "/described"
	memory.name, memory.path = bareMemory, "/memory"

	front, err := nginx.Start(w.b.Context(), w.b.TempDir(), []string{addr}, []string{"localhost"}, nginx.Values{
		"STOA_NGINX_REAL_IP": "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;",
	})
	if err != nil {
		w.b.Fatal(err)
	}
	w.b.Cleanup(func() { _ = front.Stop() })
	through := func(t target) target {
		t.name += throughNginx
		t.addr, t.secure = front.HTTPS, &tls.Config{RootCAs: front.Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
		return t
	}
	return []target{bare, described, direct, through(direct), memory, kept, through(kept)}
}

// from is the address that a request is said to come from: another one each time, as
// shoppers' limits are by address.
func from(n int64) string {
	return fmt.Sprintf("X-Forwarded-For: 198.18.%d.%d\r\n", n/256%256, n%256)
}

// rows tells of the rounds.
func rows(targets []target, rounds map[string][]round) []report.Row {
	var list []report.Row
	for _, t := range targets {
		var rates, cpus, p99s report.Samples
		for _, r := range rounds[t.name] {
			rates = append(rates, r.rate)
			cpus = append(cpus, float64(r.cpu)/float64(time.Microsecond))
			p99s = append(p99s, report.Milliseconds(r.p99))
		}
		list = append(list, rates.Row(t.name, "%.0f/s"), cpus.Row("… processor time of the process", "%.0f µs"), p99s.Row("… p99", "%.1f ms"))
	}
	ratio := func(a, b string, of func(a, b round) float64) (samples report.Samples) {
		for i := range rounds[a] {
			samples = append(samples, of(rounds[a][i], rounds[b][i]))
		}
		return samples
	}
	rate := func(a, b round) float64 { return a.rate / b.rate }
	cpu := func(a, b round) float64 { return float64(b.cpu) / float64(a.cpu) }
	return append(list,
		ratio(uncached, bareDatabase, rate).AtLeast("uncached to bare", "%.2f", 0.65),
		ratio(uncached, bareDescribed, rate).Row("uncached to bare, planned each time", "%.2f"),
		ratio(cached, bareMemory, rate).AtLeast("cached to bare", "%.2f", 0.4),
		ratio(uncached+throughNginx, uncached, rate).AtLeast("uncached through Nginx to without", "%.2f", 0.8),
		ratio(cached+throughNginx, cached, rate).Row("cached through Nginx to without", "%.2f"),
		ratio(uncached, bareDatabase, cpu).Row("uncached to bare, processor time", "%.2f"),
		ratio(cached, bareMemory, cpu).Row("cached to bare, processor time", "%.2f"),
	)
}
