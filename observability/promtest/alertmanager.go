package promtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Alertmanager is a running Alertmanager with the platform's configuration, and who it tells.
type Alertmanager struct {
	Address string // host:port

	mu   sync.Mutex
	told []Told
}

// Told is an alert that arrived.
type Told struct {
	At      time.Time
	Alert   string
	How     string // page or ticket
	Labels  map[string]string
	Summary string
}

// Manage runs an Alertmanager until the test ends. It has observability/alertmanager.yaml, with a
// receiver of the test's own and without the time in which alerts are gathered, so that an alert
// arrives when it fires, and again as long as it does.
func Manage(t testing.TB) *Alertmanager {
	t.Helper()
	a := &Alertmanager{}
	receiver := httptest.NewServer(http.HandlerFunc(a.receive))
	t.Cleanup(receiver.Close)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(exporters(t, "")), "alertmanager.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := strings.NewReplacer(
		"http://alerts.internal", receiver.URL, "/etc/alertmanager/secrets", dir,
		"group_wait: 30s", "group_wait: 1s", "group_wait: 10s", "group_wait: 1s", "group_interval: 5m", "group_interval: 2s",
		"repeat_interval: 3d", "repeat_interval: 10s", "repeat_interval: 1h", "repeat_interval: 10s",
	).Replace(string(text))
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"alertmanager.yaml": config, "token": "secret of the receiver"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.Address = "127.0.0.1:" + port
	serve(t, "prometheus-alertmanager", "--config.file="+filepath.Join(dir, "alertmanager.yaml"), "--storage.path="+dir,
		"--web.listen-address="+a.Address, "--cluster.listen-address=").answers(t, "http://"+a.Address+"/-/ready")
	return a
}

func (a *Alertmanager) receive(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Alerts []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil || r.Header.Get("Authorization") != "Bearer secret of the receiver" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alert := range message.Alerts {
		if alert.Status == "firing" {
			a.told = append(a.told, Told{time.Now(), alert.Labels["alertname"], path.Base(r.URL.Path), alert.Labels, alert.Annotations["summary"]})
		}
	}
}

// Told is the first arrival of an alert since some time of which something holds.
func (a *Alertmanager) Told(alert string, since time.Time, holds func(Told) bool) (Told, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, told := range a.told {
		if told.Alert == alert && told.At.After(since) && holds(told) {
			return told, true
		}
	}
	return Told{}, false
}
