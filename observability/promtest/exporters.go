package promtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Exporter is an exporter that runs until the test ends, and the job that scrapes it.
type Exporter struct {
	*Server
	Job
}

func exporter(t testing.TB, job, program, flag string, args ...string) Exporter {
	t.Helper()
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := Exporter{Job: Job{Name: job, Address: "127.0.0.1:" + port}}
	e.Server = serve(t, program, append(args, flag+e.Address)...)
	e.answers(t, "http://"+e.Address+"/metrics")
	return e
}

// Postgres is the exporter of a database, as observability/exporters configures it. address is
// the URL by which it logs in; cell is the database's name among the cells, or control.
func Postgres(t testing.TB, address, cell string) Exporter {
	t.Helper()
	t.Setenv("DATA_SOURCE_NAME", address)
	e := exporter(t, "postgres", "prometheus-postgres-exporter", "--web.listen-address=", "--disable-default-metrics",
		"--disable-settings-metrics", "--no-collector.database", "--no-collector.bgwriter", "--extend.query-path="+exporters(t, "postgres.yaml"))
	e.Labels = map[string]string{"cell": cell}
	return e
}

// Redis is the exporter of a Redis, by its URL.
func Redis(t testing.TB, address string) Exporter {
	t.Helper()
	t.Setenv("REDIS_ADDR", address)
	return exporter(t, "redis", "prometheus-redis-exporter", "-web.listen-address=")
}

// Nginx is the exporter of an Nginx, by where it tells its status.
func Nginx(t testing.TB, status string) Exporter {
	t.Helper()
	return exporter(t, "nginx", "prometheus-nginx-exporter", "-web.listen-address=", "-nginx.scrape-uri="+status)
}

// Host is the exporter of this machine.
func Host(t testing.TB) Exporter {
	t.Helper()
	return exporter(t, "host", "prometheus-node-exporter", "--web.listen-address=")
}

// FrontDoor is the exporter that asks for a page of the platform from outside, as
// observability/exporters configures it. It trusts the authorities in a file, and asks for host at
// the address of the page.
func FrontDoor(t testing.TB, page, host, authorities string) Exporter {
	t.Helper()
	text, err := os.ReadFile(exporters(t, "blackbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "blackbox.yaml")
	text = append(text, "      headers: {Host: "+host+"}\n      tls_config: {server_name: "+host+", ca_file: "+authorities+"}\n"...)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	e := exporter(t, "front-door", "prometheus-blackbox-exporter", "--web.listen-address=", "--config.file="+config)
	e.Path, e.Params = "/probe", map[string]string{"module": "front-door", "target": page}
	e.Labels = map[string]string{"instance": "https://" + host}
	return e
}

// exporters is a file of observability/exporters, wherever in the repository the test runs.
func exporters(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "observability", "exporters", name)
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// Injected is an exporter of series that a test makes up, for what its processes do not do.
type Injected struct {
	Job
	mu     sync.Mutex
	series map[string]string
}

// Inject starts one that has no series yet.
func Inject(t testing.TB) *Injected {
	t.Helper()
	i := &Injected{series: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		for name, value := range i.series {
			_, _ = w.Write([]byte(name + " " + value + "\n"))
		}
	}))
	t.Cleanup(server.Close)
	i.Job = Job{Name: "injected", Address: strings.TrimPrefix(server.URL, "http://")}
	return i
}

// Set gives a series, with its labels, a value from now on; an empty one takes it away.
func (i *Injected) Set(series, value string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if value == "" {
		delete(i.series, series)
		return
	}
	i.series[series] = value
}
