// Package promtest lets tests ask a real Prometheus what it sees of the platform: it
// starts one that scrapes given operations servers, with the platform's own rules
// loaded, and knows every expression that the dashboards and alerts depend on. It starts the
// exporters of the servers around the platform, too, and an Alertmanager.
//
// It needs these programs in the path (scripts/install-deps installs them) and fails a test that
// cannot have them.
package promtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/observability/alerts"
)

// Program is the name of the job under which the platform's processes are scraped, which rules
// and dashboards rely on.
const Program = "stoa"

// Job is something to scrape.
type Job struct {
	Name    string
	Address string            // host:port
	Path    string            // /metrics when empty
	Params  map[string]string // of the query
	Labels  map[string]string // that its series bear besides
}

// Config says what a Prometheus does.
type Config struct {
	Jobs []Job
	// Interval is how often is scraped; four seconds when zero, so that a program on a busy machine
	// has the time to answer.
	Interval time.Duration
	// Alertmanager (host:port) is told of alerts, where there is one.
	Alertmanager string
	// Faster divides every duration of the rules, as Faster says; 1 when zero.
	Faster int
	// History is what it remembers from before, in OpenMetrics' text; nothing when empty.
	History string
}

// startTimeout is generous: the machine may be busy with other tests.
const startTimeout = 60 * time.Second

// Prometheus is a running Prometheus.
type Prometheus struct {
	URL     string
	targets int
	server  *Server
}

// Start runs a Prometheus until the test ends that scrapes the platform's processes at every
// address (host:port).
func Start(t testing.TB, addresses ...string) *Prometheus {
	t.Helper()
	var jobs []Job
	for _, address := range addresses {
		jobs = append(jobs, Job{Name: Program, Address: address})
	}
	return Run(t, Config{Jobs: jobs})
}

// Run runs a Prometheus until the test ends. It evaluates the platform's rules, and has scraped
// each job at least twice when Run returns.
func Run(t testing.TB, c Config) *Prometheus {
	t.Helper()
	dir := t.TempDir()
	if err := c.write(dir); err != nil {
		t.Fatal(err)
	}
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &Prometheus{URL: "http://127.0.0.1:" + port, targets: len(c.Jobs)}
	if c.History != "" {
		backfill(t, dir, c.History)
	}
	p.server = serve(t, "prometheus",
		"--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--storage.tsdb.retention.time=35d",
		"--web.listen-address=127.0.0.1:"+port)
	p.await(t)
	return p
}

// backfill makes what Prometheus remembers from before it starts.
func backfill(t testing.TB, dir, history string) {
	t.Helper()
	file := filepath.Join(dir, "history.txt")
	if err := os.WriteFile(file, []byte(history), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "promtool", "tsdb", "create-blocks-from", "openmetrics", file, filepath.Join(dir, "data")).CombinedOutput()
	if err != nil {
		t.Fatalf("make history: %v\n%s", err, out)
	}
}

// await returns when every target was scraped twice, so that rates have two points.
func (p *Prometheus) await(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for {
		series, err := p.Query(t.Context(), `count(count_over_time(up[1m]) >= 2 and up == 1)`)
		if err == nil && len(series) == 1 && series[0].Value == float64(p.targets) {
			return
		}
		select {
		case <-p.server.ended:
			t.Fatalf("prometheus ended:\n%s", p.server.output)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			down, _ := p.Query(t.Context(), "up == 0")
			t.Fatalf("prometheus has not scraped %d targets within %s (%v, %v); down are %v", p.targets, startTimeout, series, err, down)
		}
	}
}

// write lays the configuration and the rules down. JSON is YAML, too.
func (c Config) write(dir string) error {
	interval := cmp.Or(c.Interval, 4*time.Second)
	type object = map[string]any
	var jobs, managers []object
	for i, job := range c.Jobs {
		params := map[string][]string{}
		for name, value := range job.Params {
			params[name] = []string{value}
		}
		labels := map[string]string{"job": job.Name}
		maps.Copy(labels, job.Labels)
		jobs = append(jobs, object{
			"job_name": fmt.Sprintf("%s-%d", job.Name, i), "metrics_path": cmp.Or(job.Path, "/metrics"), "params": params,
			"static_configs": []object{{"targets": []string{job.Address}, "labels": labels}},
		})
	}
	if c.Alertmanager != "" {
		managers = append(managers, object{"static_configs": []object{{"targets": []string{c.Alertmanager}}}})
	}
	config, err := json.Marshal(object{
		"global":         object{"scrape_interval": interval.String(), "scrape_timeout": interval.String(), "evaluation_interval": "1s"},
		"rule_files":     alerts.Names,
		"scrape_configs": jobs,
		"alerting":       object{"alertmanagers": managers},
	})
	if err != nil {
		return fmt.Errorf("prometheus config: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yaml"), config, 0o600); err != nil {
		return fmt.Errorf("prometheus config: %w", err)
	}
	for _, name := range alerts.Names {
		rules, err := alerts.Files.ReadFile(name)
		if err == nil && c.Faster > 1 {
			rules, err = Faster(rules, c.Faster)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), rules, 0o600)
		}
		if err != nil {
			return fmt.Errorf("prometheus rules %s: %w", name, err)
		}
	}
	return nil
}

// freePort is a port that was free a moment ago; Prometheus does not tell which one it
// took when it is let choose.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// Series is one series of an instant query's answer, with its present value, which may
// be NaN.
type Series struct {
	Labels map[string]string
	Value  float64
}

// Query answers an instant query.
func (p *Prometheus) Query(ctx context.Context, expr string) ([]Series, error) {
	form := url.Values{"query": {expr}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/api/v1/query", strings.NewReader(form))
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	defer answer.Body.Close()
	var body queryAnswer
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("query %s: status %d: %w", expr, answer.StatusCode, err)
	}
	if body.Status != "success" {
		return nil, fmt.Errorf("query %s: %s", expr, body.Error)
	}
	return body.series()
}

type queryAnswer struct {
	Status string
	Error  string
	Data   struct {
		ResultType string
		Result     json.RawMessage
	}
}

// sample is a pair of a time and a number written as text.
type sample [2]any

func (s sample) value() (float64, error) {
	text, _ := s[1].(string)
	return strconv.ParseFloat(text, 64)
}

func (a queryAnswer) series() ([]Series, error) {
	if a.Data.ResultType == "scalar" {
		var s sample
		if err := json.Unmarshal(a.Data.Result, &s); err != nil {
			return nil, fmt.Errorf("decode scalar: %w", err)
		}
		v, err := s.value()
		return []Series{{Value: v}}, err
	}
	var vector []struct {
		Metric map[string]string
		Value  sample
	}
	if err := json.Unmarshal(a.Data.Result, &vector); err != nil {
		return nil, fmt.Errorf("decode %s: %w", a.Data.ResultType, err)
	}
	series := make([]Series, len(vector))
	for i, each := range vector {
		v, err := each.Value.value()
		if err != nil {
			return nil, fmt.Errorf("decode value: %w", err)
		}
		series[i] = Series{Labels: each.Metric, Value: v}
	}
	return series, nil
}
