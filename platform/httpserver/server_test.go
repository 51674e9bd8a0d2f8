package httpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/ids"
)

// logbook is a log that a test reads.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// lines with this message.
func (l *logbook) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

func (l *logbook) logger(t *testing.T) *slog.Logger {
	t.Helper()
	logger, err := observability.NewLogger(l, observability.LogConfig{Format: observability.LogJSON})
	if err != nil {
		t.Fatal(err)
	}
	return logger
}

// counts is a Traffic and an Observer.
type counts struct {
	entered, left, panicked atomic.Int64
	mu                      sync.Mutex
	observed                []string
}

func (c *counts) Enter()    { c.entered.Add(1) }
func (c *counts) Leave()    { c.left.Add(1) }
func (c *counts) Panicked() { c.panicked.Add(1) }
func (c *counts) Observe(status int, plan string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed = append(c.observed, fmt.Sprintf("%d %s", status, plan))
}

func start(t *testing.T, c httpserver.Config, h http.HandlerFunc, hooks httpserver.Hooks) *httpserver.Server {
	t.Helper()
	s := httpserver.New(c, h, hooks)
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func get(t *testing.T, s *httpserver.Server, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

var local = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestEveryAnswerIsProtected(t *testing.T) {
	s := start(t, httpserver.Config{TrustedProxies: local}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
		}
	}, httpserver.Hooks{})
	plain, _ := get(t, s, "/")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "strict-origin-when-cross-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "",
	} {
		if got := plain.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := plain.Header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	if got := plain.Header.Get("Permissions-Policy"); !strings.Contains(got, "camera=()") {
		t.Errorf("Permissions-Policy is %q", got)
	}
	secure, _ := get(t, s, "/page", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https")
	if got := secure.Header.Get("Strict-Transport-Security"); !strings.Contains(got, "max-age=31536000") {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if got := secure.Header.Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("a handler's own Content-Security-Policy became %q", got)
	}
}

func TestRequestsHaveAnIDThatOnlyTrustedProxiesChoose(t *testing.T) {
	var seen atomic.Value
	handler := func(_ http.ResponseWriter, r *http.Request) {
		seen.Store(httpserver.From(r.Context()).ID + " " + observability.RequestID(r.Context()))
	}
	given := ids.New("req")
	stranger := start(t, httpserver.Config{}, handler, httpserver.Hooks{})
	answer, _ := get(t, stranger, "/", "Request-Id", given)
	if got := answer.Header.Get("Request-Id"); !ids.Valid("req", got) || got == given || seen.Load() != got+" "+got {
		t.Errorf("a stranger's ID became %q, the handler saw %q", got, seen.Load())
	}
	trusting := start(t, httpserver.Config{TrustedProxies: local}, handler, httpserver.Hooks{})
	answer, _ = get(t, trusting, "/", "Request-Id", given)
	if got := answer.Header.Get("Request-Id"); got != given {
		t.Errorf("a proxy's ID became %q, want %q", got, given)
	}
	first, _ := get(t, trusting, "/", "X-Request-Id", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	second, _ := get(t, trusting, "/", "X-Request-Id", "0F1E2D3C4B5A69788796A5B4C3D2E1F0")
	if got := first.Header.Get("Request-Id"); !ids.Valid("req", got) || got != second.Header.Get("Request-Id") {
		t.Errorf("Nginx's number became %q and %q", got, second.Header.Get("Request-Id"))
	}
	bad, _ := get(t, trusting, "/", "X-Request-Id", "abc\" onload=x")
	if got := bad.Header.Get("Request-Id"); !ids.Valid("req", got) {
		t.Errorf("nonsense became %q", got)
	}
}

func TestHandlersLearnWhoTheClientIs(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		c := httpserver.ClientFrom(r.Context())
		fmt.Fprintf(w, "%s %s %s %s%s", c.Addr, c.Scheme, c.Host, r.Host, r.Header.Get(observability.FrontHeader))
	}
	s := start(t, httpserver.Config{TrustedProxies: local}, handler, httpserver.Hooks{})
	if _, body := get(t, s, "/", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "acorn.test"); body != "203.0.113.9 https acorn.test acorn.test" {
		t.Errorf("through a proxy: %s", body)
	}
	direct := start(t, httpserver.Config{}, handler, httpserver.Hooks{})
	if _, body := get(t, direct, "/", "X-Forwarded-For", "203.0.113.9", observability.FrontHeader, "a span"); body != "127.0.0.1 http "+direct.Addr()+" "+direct.Addr() {
		t.Errorf("directly: %s", body)
	}
	if c := httpserver.ClientFrom(context.Background()); c.Addr.IsValid() {
		t.Errorf("outside of a request: %+v", c)
	}
}

func TestAPanicIsAnsweredAndLoggedOnce(t *testing.T) {
	log, n := &logbook{}, &counts{}
	s := start(t, httpserver.Config{}, func(w http.ResponseWriter, r *http.Request) {
		x := httpserver.From(r.Context())
		x.Operation, x.Store, x.Plan, x.Actor = "listProducts", "store_1", "free", "key_1"
		w.Header().Set("Set-Cookie", "half=done")
		if r.URL.Path == "/late" {
			_, _ = io.WriteString(w, "the first half")
			_ = http.NewResponseController(w).Flush()
		}
		panic("the secret reason")
	}, httpserver.Hooks{Log: log.logger(t), Traffic: n, Unmatched: n})

	answer, body := get(t, s, "/early")
	if answer.StatusCode != 500 || answer.Header.Get("Content-Type") != "application/problem+json" || answer.Header.Get("Set-Cookie") != "" ||
		answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("answered %d with %v", answer.StatusCode, answer.Header)
	}
	if strings.Contains(body, "secret") || !strings.Contains(body, answer.Header.Get("Request-Id")) {
		t.Errorf("the answer is %s", body)
	}
	r, err := http.Get("http://" + s.Addr() + "/late")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r.Body); err == nil {
		t.Error("a half answer looks whole")
	}
	_ = r.Body.Close()
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}

	panics := log.lines(t, "panic while answering a request")
	if len(panics) != 2 || panics[0]["panic"] != "the secret reason" || !strings.Contains(fmt.Sprint(panics[0]["stack"]), "server_test.go") ||
		panics[0]["request_id"] != answer.Header.Get("Request-Id") {
		t.Errorf("logged %v", panics)
	}
	requests := log.lines(t, "request")
	if len(requests) != 2 || requests[0]["status"] != 500.0 || requests[1]["status"] != 500.0 || requests[0]["operation"] != "listProducts" ||
		requests[0]["store"] != "store_1" || requests[0]["actor"] != "key_1" || requests[0]["client"] != "127.0.0.1" {
		t.Errorf("requests logged: %v", requests)
	}
	if n.entered.Load() != 2 || n.left.Load() != 2 || n.panicked.Load() != 2 || fmt.Sprint(n.observed) != "[500 free 500 free]" {
		t.Errorf("counted %d in, %d out, %d panics, %v", n.entered.Load(), n.left.Load(), n.panicked.Load(), n.observed)
	}
}

func TestAHandlerMayBreakOffAndAnswerFailuresItsOwnWay(t *testing.T) {
	s := start(t, httpserver.Config{}, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("x")
	}, httpserver.Hooks{Log: (&logbook{}).logger(t), Failed: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "<h1>Sorry</h1>")
	}})
	if answer, err := http.Get("http://" + s.Addr() + "/abort"); err == nil {
		_ = answer.Body.Close()
		t.Error("an aborted request was answered")
	}
	if answer, body := get(t, s, "/"); answer.StatusCode != 500 || body != "<h1>Sorry</h1>" {
		t.Errorf("answered %d %s", answer.StatusCode, body)
	}
}

func TestRequestsAreCountedAndLogged(t *testing.T) {
	log, n, own := &logbook{}, &counts{}, &counts{}
	s := start(t, httpserver.Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/own":
			x := httpserver.From(r.Context())
			x.Observer, x.Path = own, "/orders/{token}"
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("12345"))
		case "/copy":
			_, _ = io.Copy(w, strings.NewReader("1234567"))
		}
	}, httpserver.Hooks{Log: log.logger(t), Traffic: n, Unmatched: n})
	for _, path := range []string{"/own", "/silent", "/copy?token=hidden"} {
		get(t, s, path)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range log.lines(t, "request") {
		got = append(got, fmt.Sprint(line["path"], " ", line["status"], " ", line["bytes"]))
	}
	if want := "[/orders/{token} 201 5 /silent 200 0 /copy 200 7]"; fmt.Sprint(got) != want {
		t.Errorf("logged %v, want %s", got, want)
	}
	if fmt.Sprint(own.observed, n.observed) != "[201 ] [200  200 ]" {
		t.Errorf("observed %q and %q", own.observed, n.observed)
	}
}

func TestBodiesAreBoundedUnlessAllowed(t *testing.T) {
	s := start(t, httpserver.Config{MaxBody: 1000}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/upload" {
			httpserver.AllowBody(r, 5000)
		}
		b, err := io.ReadAll(r.Body)
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		fmt.Fprint(w, len(b))
	}, httpserver.Hooks{})
	for _, c := range []struct {
		path   string
		size   int
		status int
	}{{"/", 1000, 200}, {"/", 1001, 413}, {"/upload", 5000, 200}, {"/upload", 5001, 413}} {
		answer, err := http.Post("http://"+s.Addr()+c.path, "text/plain", strings.NewReader(strings.Repeat("x", c.size)))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%d bytes to %s answered %d, want %d", c.size, c.path, answer.StatusCode, c.status)
		}
	}
}

func TestRequestsHaveADeadline(t *testing.T) {
	s := start(t, httpserver.Config{RequestTimeout: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusGatewayTimeout)
		case <-time.After(10 * time.Second):
		}
	}, httpserver.Hooks{})
	if answer, _ := get(t, s, "/"); answer.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("answered %d", answer.StatusCode)
	}
}

func TestASlowSenderIsCutOff(t *testing.T) {
	s := start(t, httpserver.Config{ReadTimeout: 200 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			w.WriteHeader(200)
			return
		}
		w.WriteHeader(http.StatusRequestTimeout)
	}, httpserver.Hooks{})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nfirst")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer, err := io.ReadAll(conn)
	if err != nil || strings.Contains(string(answer), " 200 ") {
		t.Errorf("answered %q (%v)", answer, err)
	}
}

func TestStoppingDrainsFirst(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	drained := make(chan struct{})
	s := start(t, httpserver.Config{DrainDelay: 300 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-release
		}
		_, _ = io.WriteString(w, "done")
	}, httpserver.Hooks{Draining: func() { close(drained) }})
	slow := make(chan string, 1)
	go func() {
		answer, err := http.Get("http://" + s.Addr() + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer answer.Body.Close()
		b, _ := io.ReadAll(answer.Body)
		slow <- string(b)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	<-drained
	// Readiness is withdrawn, balancers have not noticed yet: requests are still served,
	// and told not to come back on this connection.
	answer, body := get(t, s, "/late")
	if body != "done" || !answer.Close {
		t.Errorf("while draining: %q, close %v", body, answer.Close)
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped while a request was under way (%v)", err)
	case <-time.After(500 * time.Millisecond):
	}
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		_ = conn.Close()
		t.Error("new connections are still taken")
	}
	close(release)
	if got := <-slow; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := s.Err(); err != nil {
		t.Errorf("Err is %v after Stop", err)
	}
}

func TestStoppingGivesUpInTheEnd(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s := start(t, httpserver.Config{DrainTimeout: 50 * time.Millisecond}, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	}, httpserver.Hooks{})
	go func() {
		if answer, err := http.Get("http://" + s.Addr() + "/"); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-entered
	if err := s.Stop(context.Background()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 request(s) broken off") {
		t.Errorf("Stop answered %v", err)
	}
}

func TestAddressesThatCannotBeListenedOnAreNamed(t *testing.T) {
	first := start(t, httpserver.Config{}, func(http.ResponseWriter, *http.Request) {}, httpserver.Hooks{})
	second := httpserver.New(httpserver.Config{Addr: first.Addr()}, http.NotFoundHandler(), httpserver.Hooks{})
	if err := second.Start(context.Background()); err == nil || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("answered %v", err)
	}
	if second.Addr() != "" || second.Stop(context.Background()) != nil {
		t.Error("a server that never started is not at rest")
	}
}

func BenchmarkServe(b *testing.B) {
	metrics := observability.NewMetrics(observability.MetricsConfig{})
	s := httpserver.New(httpserver.Config{TrustedProxies: local}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("{}"))
	}), httpserver.Hooks{
		Log:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Traffic: metrics.HTTP, Unmatched: metrics.HTTP.Operation("unmatched"),
	})
	r := httptest.NewRequest("GET", "/v1/products", nil)
	r.RemoteAddr = "127.0.0.1:9999"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}
