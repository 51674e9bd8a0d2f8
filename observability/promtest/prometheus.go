// Package promtest lets tests ask a real Prometheus what it sees of the platform: it
// starts one that scrapes given operations servers, with the platform's own rules
// loaded, and knows every expression that the dashboards and alerts depend on.
//
// It needs the programs prometheus and promtool in the path (on Debian, the package
// prometheus) and fails a test that cannot have them.
package promtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/observability/alerts"
)

// Job is the name under which the platform is scraped, which rules and dashboards rely on.
const Job = "stoa"

// startTimeout is generous: the machine may be busy with other tests.
const startTimeout = 60 * time.Second

// Prometheus is a running Prometheus.
type Prometheus struct {
	URL     string
	targets int
	output  *bytes.Buffer
	failed  error // how the process ended; read once it has
}

// Start runs a Prometheus until the test ends. Each second it scrapes /metrics of every
// address (host:port) and evaluates the platform's rules, and it has scraped each at least
// twice when Start returns.
func Start(t testing.TB, addresses ...string) *Prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("promtest needs the program prometheus (on Debian: apt-get install prometheus): %v", err)
	}
	dir := t.TempDir()
	if err := writeConfig(dir, addresses); err != nil {
		t.Fatal(err)
	}
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &Prometheus{
		URL:     "http://127.0.0.1:" + port,
		targets: len(addresses),
		output:  &bytes.Buffer{},
	}
	cmd := exec.Command(program,
		"--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:"+port)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("start prometheus: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.failed = cmd.Wait()
	}()
	t.Cleanup(func() { stop(t, cmd, ended) })
	p.await(t, ended)
	return p
}

// stop asks the process to end, and makes it when it does not.
func stop(t testing.TB, cmd *exec.Cmd, ended <-chan struct{}) {
	send := func(s os.Signal) {
		if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop prometheus: %v", err)
		}
	}
	send(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		send(os.Kill)
		<-ended
	}
}

// await returns when every target was scraped twice, so that rates have two points.
func (p *Prometheus) await(t testing.TB, ended <-chan struct{}) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	scraped := fmt.Sprintf(`count(count_over_time(up{job=%q}[1m]) >= 2 and up{job=%q} == 1)`, Job, Job)
	for {
		series, err := p.Query(t.Context(), scraped)
		if err == nil && len(series) == 1 && series[0].Value == float64(p.targets) {
			return
		}
		select {
		case <-ended:
			t.Fatalf("prometheus ended (%v):\n%s", p.failed, p.output)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("prometheus has not scraped %d targets within %s (%v, %v)", p.targets, startTimeout, series, err)
		}
	}
}

func writeConfig(dir string, addresses []string) error {
	quoted := make([]string, len(addresses))
	for i, address := range addresses {
		quoted[i] = strconv.Quote(address)
	}
	config := fmt.Sprintf(`global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: [%s, %s]
scrape_configs:
  - job_name: %s
    static_configs:
      - targets: [%s]
`, alerts.Recording, alerts.Rules, Job, strings.Join(quoted, ", "))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600); err != nil {
		return fmt.Errorf("prometheus config: %w", err)
	}
	if err := os.CopyFS(dir, alerts.Files); err != nil {
		return fmt.Errorf("prometheus rules: %w", err)
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
