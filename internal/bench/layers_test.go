package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/bench/report"
)

const module = "github.com/stoacommerce/stoa/"

// A layer of a request's way is what a function takes, with all that it calls, less what
// is told of by itself.
type layer struct {
	name     string
	function string
	less     []string
}

// The functions in which the way's layers begin.
const (
	connection = "net/http.(*conn).serve"
	server     = module + "platform/httpserver.(*Server).ServeHTTP"
	finish     = module + "platform/httpserver.(*Server).finish"
	hosts      = module + "web.(*Hosts).ServeHTTP"
	mounted    = module + "openapi.(*Router).serve"
	way        = module + "openapi.(*Router).handle"
	identify   = module + "openapi.(*Router).identify"
	limit      = module + "app.(*planLimiter).Take"
	allow      = module + "openapi.(*Router).allow"
	validate   = module + "openapi.(*Request).validate"
	statement  = module + "platform/postgres.(*DB).JSON"
	write      = module + "openapi.(*Router).write"
	check      = module + "openapi.(*Router).check"
	answered   = module + "app.(*trafficObserver).Answered"
)

var layers = []layer{
	{"the runtime: scheduling, waiting for the network, collecting garbage", "", []string{connection}},
	{"net/http: reading the request, flushing the answer", connection, []string{server}},
	{"platform/httpserver: ID, client, deadline, headers", server, []string{hosts, finish}},
	{"log line and metrics", finish, nil},
	{"host and route", hosts, []string{mounted}},
	{"telling the traffic's observer", answered, nil},
	{"key", identify, nil},
	{"limit, in Redis", limit, nil},
	{"permission", allow, nil},
	{"validation", validate, nil},
	{"handler, without its statement", way, []string{identify, limit, allow, validate, statement}},
	{"wall and statement", statement, nil},
	{"writing the answer", write, []string{check}},
	{"sampled answers held against the contract", check, nil},
}

// layersOf tells what each layer of target's way takes, from a profile of the process
// under load.
func (w *world) layersOf(t target) report.Table {
	w.b.Helper()
	const seconds = 5
	profile := filepath.Join(w.b.TempDir(), "profile")
	fetched := make(chan error, 1)
	go func() { fetched <- fetch(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", w.OpsURL, seconds), profile) }()
	under := load(w.b, t, (seconds+1)*time.Second)
	if err := <-fetched; err != nil {
		w.b.Fatalf("profile the program: %v", err)
	}
	shares := cumulative(w.b, profile)
	table := report.Table{
		Title: "Layer by layer: " + t.name,
		Note:  fmt.Sprintf("Of %.0f µs of the process's processor time for each request, from a profile under load.", micros(under.cpu)),
	}
	for _, l := range layers {
		share := 1.0
		if l.function != "" {
			share = shares[l.function]
		}
		for _, other := range l.less {
			share -= shares[other]
		}
		table.Rows = append(table.Rows, report.Row{Name: l.name, Value: fmt.Sprintf("%.0f µs", share*micros(under.cpu))})
	}
	return table
}

func fetch(url, file string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o600)
}

// cumulative is each function's share of a profile, with all that it calls.
func cumulative(b *testing.B, profile string) map[string]float64 {
	b.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", "-nodecount=100000", "-nodefraction=0", profile).Output()
	if err != nil {
		b.Fatalf("read the profile: %v", err)
	}
	shares := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		// flat flat% sum% cum cum% name
		fields := strings.Fields(lines.Text())
		var percent float64
		if len(fields) < 6 {
			continue
		}
		if _, err := fmt.Sscanf(fields[4], "%f%%", &percent); err == nil {
			shares[fields[5]] = percent / 100
		}
	}
	if shares[connection] == 0 {
		b.Fatalf("the profile does not show %s:\n%s", connection, out)
	}
	return shares
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
