package logs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/deploy/logs"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/observability/alerts"
)

// sbin finds programs where Debian keeps them, which is not on everyone's PATH.
func sbin(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("this test needs the program %s (scripts/install-deps installs it)", name)
	return ""
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// elasticsearch takes what is sent to it in bulk, as Elasticsearch does, and remembers it.
type elasticsearch struct {
	mu   sync.Mutex
	took map[string]map[string]any // by ID
}

func (e *elasticsearch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "_bulk") {
		fmt.Fprintln(w, `{"cluster_name":"test","status":"green"}`)
		return
	}
	type item struct {
		Index string `json:"_index"`
		ID    string `json:"_id"`
	}
	var items []map[string]any
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	e.mu.Lock()
	defer e.mu.Unlock()
	for lines.Scan() {
		var action struct{ Create item }
		var document map[string]any
		if json.Unmarshal(lines.Bytes(), &action) != nil || action.Create.Index != "logs-stoa-default" || !lines.Scan() || json.Unmarshal(lines.Bytes(), &document) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		status := http.StatusCreated
		if _, known := e.took[action.Create.ID]; known {
			status = http.StatusConflict
		}
		e.took[action.Create.ID] = document
		items = append(items, map[string]any{"create": map[string]any{"_index": action.Create.Index, "_id": action.Create.ID, "status": status}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"took": 1, "errors": false, "items": items})
}

func (e *elasticsearch) documents() []map[string]any {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []map[string]any
	for _, d := range e.took {
		list = append(list, d)
	}
	return list
}

// TestLinesAreShipped has the real rsyslog ship lines of the program and of Nginx, with
// Elasticsearch out of reach at first: all of them arrive, once, and in the form of the template.
func TestLinesAreShipped(t *testing.T) {
	e := &elasticsearch{took: map[string]map[string]any{}}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := strings.NewReplacer(
		"http://elasticsearch.internal:9200", "http://"+address, "/var/spool/rsyslog", dir, "/var/log/nginx", dir+"/nginx", "/var/log/stoa", dir+"/stoa",
		`action.resumeInterval="5"`, `action.resumeInterval="1"`,
	).Replace(read(t, "rsyslog.conf"))
	for name, text := range map[string]string{"rsyslog.conf": config, "nginx/access.log": "", "stoa/stoa.log": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	rsyslog := exec.Command(sbin(t, "rsyslogd"), "-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid"))
	rsyslog.Stdout, rsyslog.Stderr = &said, &said
	if err := rsyslog.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = rsyslog.Wait() // it is ended by a signal
		close(ended)
	}()
	t.Cleanup(func() {
		_ = rsyslog.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("rsyslog said: %s", said.String())
		}
	})
	write := func(name, line string) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if _, err := f.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	const each = 200
	for n := range each {
		write("stoa/stoa.log", fmt.Sprintf(`{"time":"2026-01-01T00:00:00.5Z","level":"INFO","msg":"request","status":200,"took":1500000,"request_id":"req_%d","path":"/a\"b"}`, n))
		write("nginx/access.log", fmt.Sprintf(`{"time":"2026-01-01T00:00:00+00:00","request_id":"req_%d","trace_id":"abc","client":"127.0.0.1","status":200,"took":0.002}`, n))
	}
	write("stoa/stoa.log", `panic: not JSON "at all"`)
	time.Sleep(time.Second)
	listener, err := net.Listen("tcp", address) // now it is there
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	want := 2*each + 1
	for deadline := time.Now().Add(time.Minute); len(e.documents()) < want && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	services, seen := map[any]int{}, map[any]bool{}
	for _, d := range e.documents() {
		services[d["service"]]++
		if d["@timestamp"] == nil || d["machine"] == "" || (d["request_id"] != nil && seen[fmt.Sprint(d["service"], d["request_id"])]) {
			t.Errorf("shipped %v", d)
		}
		seen[fmt.Sprint(d["service"], d["request_id"])] = true
		if d["level"] == "ERROR" && !strings.Contains(fmt.Sprint(d["msg"]), `not JSON "at all"`) {
			t.Errorf("a line that is no JSON was shipped as %v", d)
		}
	}
	if services["stoa"] != each+1 || services["nginx"] != each {
		t.Errorf("shipped %v, want %d lines of the program and %d of Nginx", services, each+1, each)
	}
}

func TestTheJournalsConfigurationIsOne(t *testing.T) {
	both := filepath.Join(t.TempDir(), "both.conf")
	if err := os.WriteFile(both, []byte(read(t, "rsyslog.conf")+read(t, "rsyslog-journal.conf")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(sbin(t, "rsyslogd"), "-N1", "-f", both).CombinedOutput(); err != nil {
		t.Errorf("rsyslog: %v\n%s", err, out)
	}
}

// TestNoLineIsLostWhileLogsAreRotated has the real logrotate rotate again and again while the real
// Nginx answers, and counts.
func TestNoLineIsLostWhileLogsAreRotated(t *testing.T) {
	dir := t.TempDir()
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
	t.Cleanup(program.Close)
	front, err := nginx.Start(t.Context(), dir, []string{strings.TrimPrefix(program.URL, "http://")}, []string{"localhost"},
		nginx.Values{"STOA_NGINX_REQUESTS_PER_SECOND": "100000", "STOA_NGINX_REQUEST_BURST": "100000"})
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("/var/log/nginx", dir, "/var/lib/nginx", dir, "create 0640 www-data adm", "create 0640").Replace(read(t, "logrotate.conf"))
	file := filepath.Join(dir, "logrotate.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const turns = 5
	client := front.Client(false)
	var requests int // read once all are answered
	var rotated atomic.Bool
	answered := make(chan error, 1)
	go func() {
		var failed error
		for n := 0; !rotated.Load(); n++ {
			answer, err := client.Get(fmt.Sprintf("https://localhost/%d", n))
			if err != nil {
				failed = err
				break
			}
			_ = answer.Body.Close()
			requests = n + 1
		}
		answered <- failed
	}()
	for range turns {
		time.Sleep(1200 * time.Millisecond) // Nginx writes once a second, and an empty log is not rotated
		if out, err := exec.Command(sbin(t, "logrotate"), "--force", "--state", filepath.Join(dir, "state"), file).CombinedOutput(); err != nil {
			t.Fatalf("logrotate: %v\n%s", err, out)
		}
	}
	rotated.Store(true)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if err := front.Stop(); err != nil { // which writes what it still holds
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", "zcat -f "+dir+"/access.log*").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(out)) {
		var entry struct{ Path string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("logged %q: %v", line, err)
		}
		seen[entry.Path]++
	}
	files, err := filepath.Glob(filepath.Join(dir, "access.log.*"))
	if err != nil || len(files) != turns {
		t.Errorf("rotated into %v (%v)", files, err)
	}
	for n := range requests {
		if seen[fmt.Sprintf("/%d", n)] != 1 {
			t.Fatalf("request %d stands %d times in the log, of %d lines in %d files", n, seen[fmt.Sprintf("/%d", n)], len(seen), len(files)+1)
		}
	}
}

// template is as much of the index template as searches go by.
type template struct {
	IndexPatterns []string  `json:"index_patterns"`
	DataStream    *struct{} `json:"data_stream"`
	Template      struct {
		Settings map[string]any
		Mappings struct {
			Properties map[string]struct {
				Type   string
				Fields map[string]any
			}
		}
	}
}

// set_aside is a truth, and so mapped by itself.
var byItself = map[string]bool{"set_aside": true}

func TestEveryRunbookHasASearchOfFieldsThatThereAre(t *testing.T) {
	var index template
	if err := json.Unmarshal([]byte(read(t, "index-template.json")), &index); err != nil {
		t.Fatal(err)
	}
	if len(index.IndexPatterns) != 1 || index.DataStream == nil || index.Template.Settings["index.lifecycle.name"] == "" {
		t.Errorf("the template is %+v", index)
	}
	var lifecycle struct {
		Policy struct{ Phases map[string]any }
	}
	if err := json.Unmarshal([]byte(read(t, "lifecycle.json")), &lifecycle); err != nil || lifecycle.Policy.Phases["delete"] == nil {
		t.Errorf("the lifecycle is %+v (%v)", lifecycle, err)
	}
	searches, err := logs.Searches()
	if err != nil {
		t.Fatal(err)
	}
	var rules string
	for _, name := range alerts.Names {
		rules += read(t, filepath.Join("..", "..", "observability", "alerts", name))
	}
	for _, found := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		search, there := searches[found[1]]
		if !there {
			t.Errorf("%s has no search", found[1])
			continue
		}
		delete(searches, found[1])
		fields, err := parse(search)
		if err != nil {
			t.Errorf("%s: %q: %v", found[1], search, err)
		}
		for _, field := range fields {
			name, inner, nested := strings.Cut(field, ".")
			property, known := index.Template.Mappings.Properties[name]
			if (!known && !byItself[name]) || (nested && property.Fields[inner] == nil) {
				t.Errorf("%s searches for %s, which the template lacks", found[1], field)
			}
		}
	}
	for name := range searches {
		t.Errorf("there is a search of %s, which is no alert", name)
	}
}

func TestGeneratedSearchesAreCurrent(t *testing.T) {
	want, err := logs.Kibana()
	if err != nil {
		t.Fatal(err)
	}
	if read(t, "searches.ndjson") != string(want) {
		t.Error("searches.ndjson differs from its source: run go generate ./deploy/logs")
	}
}
