package nginx_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/ids"
)

// A replica stands for the program: the real outermost layer, with a handler that tells
// what reached it.
type replica struct {
	*httpserver.Server
	requests    atomic.Int64
	connections sync.Map // remote addresses seen

	mu    sync.Mutex
	asked []asked
}

// asked is a request as it reached the program.
type asked struct {
	host, path string
	length     int64
	coding     []string
}

// last is the last request.
func (r *replica) last() asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[len(r.asked)-1]
}

// others are the requests for other paths than these.
func (r *replica) others(paths ...string) (list []asked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.asked {
		if !slices.Contains(paths, a.path) {
			list = append(list, a)
		}
	}
	return list
}

func startReplica(t testing.TB, name string) *replica {
	t.Helper()
	r := &replica{}
	r.Server = httpserver.New(httpserver.Config{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		MaxBody:        64 << 20,
	}, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		r.connections.Store(req.RemoteAddr, true)
		r.mu.Lock()
		r.asked = append(r.asked, asked{req.Host, req.URL.Path, req.ContentLength, req.TransferEncoding})
		r.mu.Unlock()
		r.answer(name, w, req)
	}), httpserver.Hooks{Log: slog.New(slog.DiscardHandler)})
	if err := r.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop(context.Background()) })
	return r
}

func (r *replica) answer(name string, w http.ResponseWriter, req *http.Request) {
	header := w.Header()
	switch {
	case strings.HasPrefix(req.URL.Path, "/text"):
		header.Set("Content-Type", "application/json")
		header.Set("ETag", `"7"`)
		fmt.Fprintf(w, `{"text":%q}`, strings.Repeat("colonnade ", 500))
	case strings.HasSuffix(req.URL.Path, ".css"):
		header.Set("Content-Type", "text/css")
		if !strings.Contains(req.URL.Path, "changing") {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		fmt.Fprintf(w, "/* %d */", r.requests.Load())
	case req.URL.Path == "/fails":
		header.Set("Content-Type", "application/problem+json")
		header.Set("Retry-After", "77")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"code":"store_unavailable"}`)
	case strings.HasPrefix(req.URL.Path, "/shared"):
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Cache-Control", "public, max-age=10")
		if req.URL.Path == "/shared/set" {
			header.Set("Set-Cookie", "cart=1")
		}
		fmt.Fprintf(w, "<h1>%d</h1>", r.requests.Load())
	case req.URL.Path == "/page":
		header.Set("Content-Security-Policy", "default-src 'self'")
		header.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<h1>Acorn</h1>")
	default:
		n, _ := io.Copy(io.Discard, req.Body)
		client := httpserver.ClientFrom(req.Context())
		header.Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"replica": name, "client": client.Addr.String(), "scheme": client.Scheme, "host": client.Host,
			"request_id": httpserver.From(req.Context()).ID, "received": n, "headers": req.Header, "protocol": req.Proto,
		})
	}
}

// told is what the handler's default answer says.
type told struct {
	Replica, Client, Scheme, Host, Protocol string
	RequestID                               string `json:"request_id"`
	Received                                int64
	Headers                                 http.Header
}

var hosts = []string{"shops.test", "*.shops.test"}

func startNginx(t testing.TB, values nginx.Values, replicas ...string) *nginx.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := nginx.Start(ctx, t.TempDir(), replicas, hosts, values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.Log("error.log"))
		}
	})
	return s
}

// ask sends one request and reads the answer whole.
func ask(t *testing.T, c *http.Client, method, address, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		r.Body = nil
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func askTold(t *testing.T, c *http.Client, address string, headers ...string) told {
	t.Helper()
	_, text := ask(t, c, "GET", address, "", headers...)
	var said told
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatalf("answered %q: %v", text, err)
	}
	return said
}

// protected asserts the headers that every answer over HTTPS must have, once.
func protected(t *testing.T, answer *http.Response) {
	t.Helper()
	for _, name := range []string{
		"Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy", "Content-Security-Policy",
		"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Strict-Transport-Security",
	} {
		if values := answer.Header.Values(name); len(values) != 1 || values[0] == "" {
			t.Errorf("%s %s: %s is %q", answer.Status, answer.Request.URL, name, values)
		}
	}
	if id := answer.Header.Get("Request-Id"); !ids.Valid("req", id) {
		t.Errorf("%s: Request-Id is %q", answer.Request.URL, id)
	}
	if strings.Contains(answer.Header.Get("Server"), "/") {
		t.Errorf("Server tells its version: %q", answer.Header.Get("Server"))
	}
}

func TestTheProgramLearnsWhoAsksAndForgersAreIgnored(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	for _, http2 := range []bool{false, true} {
		said := askTold(t, s.Client(http2), "https://acorn.shops.test/v1/who",
			"X-Forwarded-For", "198.51.100.66", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "evil.test", "X-Forwarded-Host", "worse.test",
			"Forwarded", "for=198.51.100.66", "X-Real-IP", "198.51.100.66", "Request-Id", ids.New("req"), "X-Request-Id", strings.Repeat("a", 32),
			"X-Original-URL", "/v1/operator", "Proxy", "http://evil.test")
		if said.Client != "127.0.0.1" || said.Scheme != "https" || said.Host != "acorn.shops.test" {
			t.Errorf("http2 %v: the program takes the client for %+v", http2, said)
		}
		if got := said.Headers["X-Forwarded-For"]; len(got) != 1 || got[0] != "127.0.0.1" {
			t.Errorf("X-Forwarded-For reached the program as %q", got)
		}
		for _, name := range []string{"Forwarded", "X-Real-Ip", "X-Original-Url", "Proxy"} {
			if got := said.Headers[name]; got != nil {
				t.Errorf("%s reached the program: %q", name, got)
			}
		}
		if strings.Contains(fmt.Sprint(said.Headers), "evil") || strings.Contains(fmt.Sprint(said.Headers), "198.51") {
			t.Errorf("something forged reached the program: %v", said.Headers)
		}
	}
}

func TestOneIDNamesARequestEverywhere(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	answer, text := ask(t, s.Client(true), "GET", "https://shops.test/v1/who?token=hidden", "")
	id := answer.Header.Get("Request-Id")
	if !ids.Valid("req", id) || !strings.Contains(text, id) {
		t.Errorf("the answer has %q, the program says %s", id, text)
	}
	var line string
	for deadline := time.Now().Add(10 * time.Second); line == "" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		line = s.Log("access.log") // written at most a second later
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSpace(line)), &record); err != nil {
		t.Fatalf("logged %q: %v", line, err)
	}
	if record["request_id"] != id || record["path"] != "/v1/who" || record["status"] != 200.0 || strings.Contains(line, "hidden") {
		t.Errorf("logged %v", record)
	}
}

// TestItsStatusIsForTheExporterAlone asks at the socket, and at the front.
func TestItsStatusIsForTheExporterAlone(t *testing.T) {
	s := startNginx(t, nil, startReplica(t, "a").Addr())
	socket := strings.TrimSuffix(strings.TrimPrefix(s.Status(), "unix:"), ":/status")
	inside := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	for path, want := range map[string]int{"/status": http.StatusOK, "/": http.StatusNotFound, "/v1/who": http.StatusNotFound} {
		if answer, text := ask(t, inside, "GET", "http://status"+path, ""); answer.StatusCode != want || (want == http.StatusOK) != strings.Contains(text, "Active connections") {
			t.Errorf("%s answers %d %s", path, answer.StatusCode, text)
		}
	}
	if _, text := ask(t, s.Client(true), "GET", "https://shops.test/status", ""); strings.Contains(text, "Active connections") {
		t.Errorf("the status is told to everybody: %s", text)
	}
}

func TestEveryAnswerIsProtectedOnce(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	c := s.Client(true)
	for _, path := range []string{"/", "/v1/products", "/page", "/fails", "/site.0a1b2c3d.css", "/site.0a1b2c3d.css", "/changing.0a1b2c3d.css", "/text"} {
		answer, _ := ask(t, c, "GET", "https://shops.test"+path, "")
		protected(t, answer)
	}
	if page, _ := ask(t, c, "GET", "https://shops.test/page", ""); page.Header.Get("Content-Security-Policy") != "default-src 'self'" {
		t.Errorf("the page's own policy became %q", page.Header.Get("Content-Security-Policy"))
	}
	failed, text := ask(t, c, "GET", "https://shops.test/fails", "", "Accept", "text/html")
	if failed.StatusCode != 503 || text != `{"code":"store_unavailable"}` || failed.Header.Get("Retry-After") != "77" {
		t.Errorf("the program's own failure became %d %s, Retry-After %q", failed.StatusCode, text, failed.Header.Values("Retry-After"))
	}
}

func TestTLSIsModernAndSpeaksHTTP2(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	for http2, want := range map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"} {
		answer, _ := ask(t, s.Client(http2), "GET", "https://shops.test/", "")
		if answer.Proto != want {
			t.Errorf("spoke %s, want %s", answer.Proto, want)
		}
	}
	for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", s.HTTPS, &tls.Config{RootCAs: s.Roots, ServerName: "shops.test", MinVersion: version, MaxVersion: version})
		if (err == nil) != works {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	weak := &tls.Config{RootCAs: s.Roots, ServerName: "shops.test", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}
	if conn, err := tls.Dial("tcp", s.HTTPS, weak); err == nil {
		_ = conn.Close()
		t.Error("a weak cipher was taken")
	}
	redirect, _ := ask(t, s.Client(false), "GET", "http://acorn.shops.test/products/x?y=1", "")
	_, port, _ := net.SplitHostPort(s.HTTPS)
	if want := "https://acorn.shops.test:" + port + "/products/x?y=1"; redirect.StatusCode != 308 || redirect.Header.Get("Location") != want {
		t.Errorf("plain HTTP answered %d to %q, want %q", redirect.StatusCode, redirect.Header.Get("Location"), want)
	}
}

func TestConnectionsToTheProgramAreKept(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_WORKERS": "1"}, r.Addr())
	c := s.Client(true)
	for range 40 {
		ask(t, c, "GET", "https://shops.test/", "")
	}
	seen := 0
	r.connections.Range(func(any, any) bool { seen++; return true })
	if r.requests.Load() != 40 || seen > 2 {
		t.Errorf("%d requests took %d connections", r.requests.Load(), seen)
	}
}

func TestTextIsCompressed(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	c := s.Client(true)
	answer, text := ask(t, c, "GET", "https://shops.test/text", "", "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding") || answer.Header.Get("ETag") != `W/"7"` {
		t.Errorf("headers are %v", answer.Header)
	}
	reader, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil || !strings.Contains(string(plain), "colonnade colonnade") || len(text) > len(plain)/5 {
		t.Errorf("%d bytes became %d (%v)", len(plain), len(text), err)
	}
	if answer, text := ask(t, c, "GET", "https://shops.test/text", ""); answer.Header.Get("Content-Encoding") != "" || !strings.Contains(text, "colonnade") {
		t.Error("it is compressed for those who cannot read that")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_MAX_BODY": "100k", "STOA_NGINX_MAX_UPLOAD": "300k"}, r.Addr())
	c := s.Client(true)
	small, large, huge := strings.Repeat("x", 90<<10), strings.Repeat("x", 250<<10), strings.Repeat("x", 350<<10)
	for _, try := range []struct {
		path, body string
		status     int
	}{
		{"/v1/products", small, 200}, {"/v1/products", large, 413}, {"/v1/imports", large, 200}, {"/v1/imports", huge, 413},
		{"/v1/products/prod_1/images", large, 200}, {"/v1/products/prod_1/images/x", large, 413},
	} {
		answer, text := ask(t, c, "POST", "https://shops.test"+try.path, try.body)
		if answer.StatusCode != try.status {
			t.Errorf("%d bytes to %s answered %d", len(try.body), try.path, answer.StatusCode)
		}
		if answer.StatusCode == 413 {
			isProblem(t, answer, text, "body_too_large")
		}
	}
}

// isProblem asserts an answer of Nginx's own, in the API's form.
func isProblem(t *testing.T, answer *http.Response, text, code string) {
	t.Helper()
	protected(t, answer)
	var problem struct {
		Type, Title, Detail, Code string
		Status                    int
		RequestID                 string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(text), &problem); err != nil {
		t.Fatalf("answered %q: %v", text, err)
	}
	if answer.Header.Get("Content-Type") != "application/problem+json" || problem.Code != code || problem.Status != answer.StatusCode ||
		problem.Title == "" || problem.Detail == "" || problem.Type != "/docs/errors#"+code || problem.RequestID != answer.Header.Get("Request-Id") {
		t.Fatalf("answered %s %v %s", answer.Status, answer.Header, text)
	}
}

func TestAReplicaThatDiesIsPassedOver(t *testing.T) {
	first, second := startReplica(t, "first"), startReplica(t, "second")
	s := startNginx(t, nil, first.Addr(), second.Addr())
	c := s.Client(true)
	seen := map[string]int{}
	for range 40 {
		seen[askTold(t, c, "https://shops.test/").Replica]++
	}
	if seen["first"] < 10 || seen["second"] < 10 {
		t.Errorf("requests are spread as %v", seen)
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if got := askTold(t, c, "https://shops.test/").Replica; got != "second" {
			t.Fatalf("answered by %q after the first had died", got)
		}
	}
	if err := second.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	answer, text := ask(t, c, "GET", "https://shops.test/v1/products", "")
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") != "5" {
		t.Errorf("with no replica left: %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
	isProblem(t, answer, text, "unavailable")
	page, text := ask(t, c, "GET", "https://acorn.shops.test/", "", "Accept", "text/html,*/*;q=0.8")
	protected(t, page)
	if page.StatusCode != 503 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(text, page.Header.Get("Request-Id")) {
		t.Errorf("a browser is told %d %s", page.StatusCode, text)
	}
}

// A replica that accepts and then dies may have done what it was asked: a write is not
// repeated elsewhere, a read is.
func TestWhatMayHaveHappenedIsNotSentTwice(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var dropped atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			dropped.Add(1)
			_ = conn.Close()
		}
	}()
	healthy := startReplica(t, "healthy")
	s := startNginx(t, nginx.Values{"STOA_NGINX_UPSTREAMS": "server " + l.Addr().String() + " max_fails=0; server " + healthy.Addr() + " max_fails=0;", "STOA_NGINX_WORKERS": "1"})
	c := s.Client(false)
	writes := 0
	for range 10 {
		before := healthy.requests.Load()
		lost := dropped.Load()
		answer, _ := ask(t, c, "POST", "https://shops.test/v1/orders", "{}")
		if dropped.Load() > lost {
			writes++
			if answer.StatusCode != 503 || healthy.requests.Load() != before {
				t.Errorf("a write that was lost answered %d, and was sent again: %v", answer.StatusCode, healthy.requests.Load() != before)
			}
		}
		if said := askTold(t, c, "https://shops.test/"); said.Replica != "healthy" {
			t.Errorf("a read was answered by %q", said.Replica)
		}
	}
	if writes == 0 {
		t.Error("no write reached the replica that dies")
	}
}

func TestFloodsAreLimited(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_REQUESTS_PER_SECOND": "5", "STOA_NGINX_REQUEST_BURST": "10"}, r.Addr())
	c := s.Client(true)
	limited := 0
	for range 40 {
		answer, text := ask(t, c, "GET", "https://shops.test/v1/products", "")
		if answer.StatusCode == 429 {
			limited++
			isProblem(t, answer, text, "rate_limited")
			if answer.Header.Get("Retry-After") != "1" {
				t.Errorf("Retry-After is %q", answer.Header.Get("Retry-After"))
			}
		}
	}
	if limited < 10 || limited > 30 {
		t.Errorf("%d of 40 requests were limited", limited)
	}
}

func TestUnknownHostsAreTheProgramsToAnswer(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	if said := askTold(t, s.Client(false), "https://nobody.shops.test:443/"); said.Host != "nobody.shops.test:443" {
		t.Errorf("the program saw host %q", said.Host)
	}
	conn, err := tls.Dial("tcp", s.HTTPS, &tls.Config{RootCAs: s.Roots, ServerName: "shops.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")
	bad, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(bad), "HTTP/1.1 400") || !strings.Contains(string(bad), `"code":"invalid_request"`) {
		t.Errorf("an impossible host answered %q", bad)
	}
}

func TestBalancersInFrontAreBelievedWhenNamed(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_REAL_IP": "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; real_ip_recursive on;"}, r.Addr())
	said := askTold(t, s.Client(true), "https://shops.test/", "X-Forwarded-For", "198.51.100.1, 203.0.113.9")
	if said.Client != "203.0.113.9" {
		t.Errorf("the client is %s", said.Client)
	}
}

func TestTheScriptRendersWhatTheTestsRender(t *testing.T) {
	values := nginx.Values{"STOA_NGINX_UPSTREAMS": "server a:1; server b:2;", "STOA_NGINX_USER": "", "STOA_NGINX_HTTPS": "[::]:8443"}
	want, err := nginx.Render(values)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("./render")
	cmd.Env = os.Environ()
	for name, value := range values {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("deploy/nginx/render and Render differ")
	}
	if _, err := nginx.Render(nginx.Values{"STOA_NGINX_UPSTREAM": "x"}); err == nil || !strings.Contains(err.Error(), "there is no STOA_NGINX_UPSTREAM") {
		t.Errorf("a value that nothing uses: %v", err)
	}
	for name := range nginx.Defaults() {
		if template, _ := os.ReadFile("nginx.conf.template"); !strings.Contains(string(template), "${"+name+"}") {
			t.Errorf("%s is not used by the template", name)
		}
	}
}

// The defaults must make a configuration that Nginx takes, in its own places.
func TestTheDefaultsAreAConfiguration(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	if log := s.Log("error.log"); strings.Contains(log, "[warn]") || strings.Contains(log, "[emerg]") {
		t.Errorf("Nginx complains: %s", log)
	}
	dir := t.TempDir()
	if _, err := nginx.Start(context.Background(), dir, []string{"nonsense:nonsense"}, hosts, nil); err == nil || !strings.Contains(err.Error(), "invalid port in upstream") {
		t.Errorf("a wrong replica: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "nginx.conf")); err != nil {
		t.Error(err)
	}
}
