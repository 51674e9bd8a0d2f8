package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
	"github.com/stoacommerce/stoa/platform/files/filestest"
	"github.com/stoacommerce/stoa/platform/ids"
)

const (
	shopsDomain = "shops.test"
	shopsURL    = "https://" + shopsDomain
)

// front is Nginx with two replicas of the program behind it.
type front struct {
	*nginx.Server
	first, second *apptest.Process
	m             *merchant
	names         *catest.Names
}

// TestReplicasBehindNginx runs the program as it is delivered, twice on the same databases,
// behind the real Nginx.
func TestReplicasBehindNginx(t *testing.T) {
	binary := apptest.Build(t)
	env := apptest.NewEnv(t, apptest.Env{
		"STOA_BASE_DOMAIN": shopsDomain, "STOA_PUBLIC_URL": shopsURL, "STOA_TRUSTED_PROXIES": "127.0.0.1,203.0.113.0/24",
		"STOA_DRAIN_DELAY": "2s", "STOA_LOG_LEVEL": "info", "STOA_LOG_FORMAT": "json",
		"STOA_FILES_URL": filestest.Bucket(t) + "/stoa",
	})
	second := beside(t, env)
	starting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f, dir := &front{}, t.TempDir()
	var err error
	if f.Server, err = nginx.Start(starting, dir, []string{env["STOA_HTTP_ADDR"], second["STOA_HTTP_ADDR"]}, []string{shopsDomain, "*." + shopsDomain}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop() })
	f.ofDomains(t, filepath.Join(dir, "domains"), env, second)
	f.first, f.second = apptest.Spawn(t, binary, env), apptest.Spawn(t, binary, second)
	f.m = openShop(t, f.first.Program)

	t.Run("production", func(t *testing.T) { refusedInProduction(t, binary) })
	t.Run("worker", func(t *testing.T) {
		seenAtWork(t, binary, beside(t, env))
	})
	t.Run("headers", f.headers)
	t.Run("uploads", f.uploads)
	t.Run("files", f.files)
	t.Run("forgers", f.forgers)
	t.Run("domains", f.domains)
	t.Run("limits", f.limits)
	t.Run("killed", f.killed)
	t.Run("ended", f.ended)
}

// beside is the environment of another process of the same installation: with the same
// databases and files, and addresses of its own.
func beside(t *testing.T, env apptest.Env) apptest.Env {
	t.Helper()
	same := apptest.Env{}
	for name, value := range env {
		if name != "STOA_HTTP_ADDR" && name != "STOA_OPS_ADDR" {
			same[name] = value
		}
	}
	return apptest.NewEnv(t, same)
}

// ask sends a request through Nginx and reads the answer whole.
func ask(t *testing.T, client *http.Client, method, address string, body []byte, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// headers walks the contract and the pages: each answer is protected, once, and in HTTP/2.
func (f *front) headers(t *testing.T) {
	client := f.Client(true)
	check := func(method, address string, want int) string {
		answer, body := ask(t, client, method, address, nil)
		// While Redis is slow each process counts by itself, and limits are not what is looked at.
		for try := 0; answer.StatusCode == http.StatusTooManyRequests && want != 0 && try < 20; try++ {
			time.Sleep(500 * time.Millisecond)
			f.first.ForgetLimits()
			answer, body = ask(t, client, method, address, nil)
		}
		if want != 0 && answer.StatusCode != want {
			t.Errorf("%s %s answered %d, want %d", method, address, answer.StatusCode, want)
		}
		if answer.StatusCode >= 500 || answer.ProtoMajor != 2 {
			t.Errorf("%s %s answered %d in %s", method, address, answer.StatusCode, answer.Proto)
		}
		for _, name := range []string{
			"Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy", "Content-Security-Policy",
			"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Strict-Transport-Security",
		} {
			if values := answer.Header.Values(name); len(values) != 1 || values[0] == "" {
				t.Errorf("%s %s answered %d with %s %q", method, address, answer.StatusCode, name, values)
			}
		}
		if id := answer.Header.Get("Request-Id"); !ids.Valid("req", id) || strings.Contains(answer.Header.Get("Server"), "/") {
			t.Errorf("%s %s: Request-Id %q, Server %q", method, address, id, answer.Header.Get("Server"))
		}
		return body
	}
	for _, op := range f.first.Probe.Operations() {
		check(op.Method, shopsURL+parameter.ReplaceAllString(op.Path, "x"), 0)
	}
	f.first.ForgetLimits()
	check("GET", shopsURL+"/v1/plans", 200)
	check("GET", shopsURL+"/v1/nothing", 404)
	check("PUT", shopsURL+"/v1/plans", 405)
	for _, path := range []string{"/", "/sign-up", "/sign-in", "/docs", "/docs/errors", "/openapi.json", "/openapi.yaml", "/mailbox", "/robots.txt", "/favicon.ico"} {
		check("GET", shopsURL+path, 200)
	}
	check("GET", shopsURL+"/stores", 303)
	check("GET", shopsURL+"/nothing", 404)
	check("POST", shopsURL+"/sign-in", 422)
	shop := strings.Replace(shopsURL, "://", "://"+f.m.address+".", 1)
	home := check("GET", shop+"/", 200)
	for _, file := range assets.FindAllStringSubmatch(home, -1) {
		check("GET", shop+file[1], 200)
	}
	for _, path := range []string{"/products", "/search?q=linen", "/cart", "/robots.txt", "/favicon.ico"} {
		check("GET", shop+path, 200)
	}
	check("GET", shop+"/checkout", 303)
	check("GET", shop+"/products/nothing", 404)
	check("GET", shop+"/media/nothing.png", 404)
	check("GET", strings.Replace(shopsURL, "://", "://nobody-here.", 1)+"/", 404)

	answer, _ := ask(t, client, "GET", shopsURL+"/openapi.json", nil, "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(strings.Join(answer.Header.Values("Vary"), ","), "Accept-Encoding") {
		t.Errorf("the contract comes with %v", answer.Header)
	}
}

var (
	parameter = regexp.MustCompile(`\{\w+\}`)
	assets    = regexp.MustCompile(`(?:href|src)="(/[a-z]+\.[0-9a-f]+\.[a-z]+)"`)
)

// uploads walks the contract: what takes files may be large, and nothing else.
func (f *front) uploads(t *testing.T) {
	client, large := f.Client(true), bytes.Repeat([]byte("x"), 3<<20)
	files := 0
	for _, op := range f.first.Probe.Operations() {
		if op.Spec.RequestBody == nil {
			continue
		}
		takesFiles := op.Spec.RequestBody.Value.Content.Get("multipart/form-data") != nil
		if takesFiles {
			files++
		}
		answer, text := ask(t, client, op.Method, shopsURL+parameter.ReplaceAllString(op.Path, "x"), large)
		if tooLarge := answer.StatusCode == http.StatusRequestEntityTooLarge; tooLarge == takesFiles || tooLarge && !strings.Contains(text, `"code":"body_too_large"`) {
			t.Errorf("%s answers 3 MB with %d: %s", op.ID, answer.StatusCode, text)
		}
	}
	if files < 2 {
		t.Errorf("%d operations take files", files)
	}
	f.first.ForgetLimits()
	// Between the program's bound and Nginx's, it is the program that says what it takes.
	answer, text := ask(t, client, "POST", shopsURL+"/v1/products", large[:3<<19], "Authorization", "Bearer "+f.m.secret, "Content-Type", "application/json")
	if answer.StatusCode != http.StatusRequestEntityTooLarge || answer.Header.Get("RateLimit") == "" {
		t.Errorf("1.5 MB answered %d: %s", answer.StatusCode, text)
	}
}

// files sees a picture through from its upload to the shop, where Nginx keeps it.
func (f *front) files(t *testing.T) {
	client := f.Client(true)
	product := f.m.call(t, "POST", "/v1/products", f.m.secret, map[string]any{"title": "Pictured", "status": "active"}, http.StatusCreated)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("file", "towel.png")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(picture(t)) // to memory
	_ = writer.Close()
	answer, text := ask(t, client, "POST", shopsURL+"/v1/products/"+product.text("id")+"/images", form.Bytes(),
		"Authorization", "Bearer "+f.m.secret, "Content-Type", writer.FormDataContentType())
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("the upload answered %d: %s", answer.StatusCode, text)
	}
	var url string
	apptest.Eventually(t, patience, "the picture is ready", func() bool {
		images, _ := f.m.call(t, "GET", "/v1/products/"+product.text("id"), f.m.secret, nil, http.StatusOK)["images"].([]any)
		if len(images) == 1 {
			url = said(images[0].(map[string]any)).text("url")
		}
		return url != ""
	})
	answer, _ = ask(t, client, "GET", shopsURL+"/v1/products/"+product.text("id"), nil, "Authorization", "Bearer "+f.m.secret, "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the API's answers come with %v", answer.Header)
	}
	for range 3 {
		shown, body := ask(t, client, "GET", url, nil)
		if shown.StatusCode != 200 || !strings.HasPrefix(shown.Header.Get("Content-Type"), "image/") || !strings.Contains(shown.Header.Get("Cache-Control"), "immutable") || body == "" {
			t.Fatalf("%s answered %d %v", url, shown.StatusCode, shown.Header)
		}
	}
	f.logged(t, "a picture from the cache", func(line accessLine) bool {
		return strings.HasPrefix(line.Path, "/media/") && line.Cache == "HIT"
	})
	f.logged(t, "a stylesheet through the cache", func(line accessLine) bool {
		return strings.HasSuffix(line.Path, ".css") && line.Cache != ""
	})
}

// accessLine is a line of Nginx's log.
type accessLine struct {
	RequestID                     string `json:"request_id"`
	Client, Path, Cache, Upstream string
	Status                        int
}

// logged waits for a line of Nginx's log.
func (f *front) logged(t *testing.T, what string, is func(accessLine) bool) {
	t.Helper()
	apptest.Eventually(t, patience, what, func() bool {
		return slices.ContainsFunc(f.accesses(), is)
	})
}

func (f *front) accesses() []accessLine {
	var lines []accessLine
	for text := range strings.Lines(f.Log("access.log")) {
		var line accessLine
		if json.Unmarshal([]byte(text), &line) == nil { // the last may not be whole yet
			lines = append(lines, line)
		}
	}
	return lines
}

// from is a client at another of this machine's own addresses.
func (f *front) from(address string) *http.Client {
	client := f.Client(false)
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		return dialer.DialContext(ctx, network, f.HTTPS)
	}
	return client
}

// forgers say who they are not; the program knows who they are.
func (f *front) forgers(t *testing.T) {
	signIn := []byte(fmt.Sprintf(`{"email": %q, "password": %q}`, f.m.email, f.m.password))
	forged := []string{
		"Content-Type", "application/json", "X-Forwarded-For", "198.51.100.66", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "evil.test",
		"Forwarded", "for=198.51.100.66;host=evil.test;proto=http", "X-Real-IP", "198.51.100.66", "Request-Id", ids.New("req"), "Request-Id", "x",
	}
	answer, text := ask(t, f.from("127.0.0.5"), "POST", shopsURL+"/v1/session", signIn, forged...)
	id := answer.Header.Get("Request-Id")
	if answer.StatusCode != http.StatusCreated || answer.Header.Get("Strict-Transport-Security") == "" || slices.Contains(forged, id) {
		t.Fatalf("answered %d %v %s", answer.StatusCode, answer.Header, text)
	}
	// One ID names the request in the answer, the audit, the program's log and Nginx's.
	who := apptest.Query[string](f.first.Program, `select ip from audit_entries where request_id = $1`, id)
	if len(who) == 0 || who[0] != "127.0.0.5" {
		t.Errorf("the audit has %q at %s", who, id)
	}
	f.logged(t, "the request in Nginx's log", func(line accessLine) bool { return line.RequestID == id && line.Client == "127.0.0.5" })
	apptest.Eventually(t, patience, "the request in the program's log", func() bool {
		for line := range strings.Lines(f.first.Log() + f.second.Log()) {
			if strings.Contains(line, `"request_id":"`+id+`"`) && strings.Contains(line, `"client":"127.0.0.5"`) && strings.Contains(line, `"host":"`+shopsDomain+`"`) {
				return true
			}
		}
		return false
	})
	// Proxies in a row are read from the right, as far as they are trusted.
	for chain, want := range map[string]string{
		"198.51.100.1, 198.51.100.77, 203.0.113.9": "198.51.100.77",
		"198.51.100.1, nonsense, 203.0.113.9":      "203.0.113.9",
		"":                                         "127.0.0.1",
	} {
		answer, text := ask(t, f.first.Client(), "POST", f.first.URL+"/v1/session", signIn, "Content-Type", "application/json", "X-Forwarded-For", chain)
		who := apptest.Query[string](f.first.Program, `select ip from audit_entries where request_id = $1`, answer.Header.Get("Request-Id"))
		if answer.StatusCode != http.StatusCreated || len(who) == 0 || who[0] != want {
			t.Errorf("behind %q the client is %q, want %s (%d %s)", chain, who, want, answer.StatusCode, text)
		}
	}
	// A stranger who comes by no proxy is no proxy.
	direct := f.from("127.0.0.8")
	direct.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.8")}}).DialContext(ctx, network, address)
	}}
	answer, _ = ask(t, direct, "POST", f.first.URL+"/v1/session", signIn, forged...)
	who = apptest.Query[string](f.first.Program, `select ip from audit_entries where request_id = $1`, answer.Header.Get("Request-Id"))
	if len(who) == 0 || who[0] != "127.0.0.8" || answer.Header.Get("Strict-Transport-Security") != "" || slices.Contains(forged, answer.Header.Get("Request-Id")) {
		t.Errorf("a stranger was believed: %q %v", who, answer.Header)
	}
}

// limits hold an address on both replicas, whatever it says of itself, and no other.
func (f *front) limits(t *testing.T) {
	client, limited := f.from("127.0.0.6"), 0
	for i := range 250 { // more than twice the limit of a minute, which may end meanwhile
		answer, _ := ask(t, client, "GET", shopsURL+"/v1/plans", nil, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		if answer.StatusCode == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("an address went on beyond its limit")
	}
	if answer, _ := ask(t, f.from("127.0.0.7"), "GET", shopsURL+"/v1/plans", nil); answer.StatusCode != http.StatusOK {
		t.Errorf("another address is answered with %d", answer.StatusCode)
	}
}

// killed has a replica die among requests, which go on.
func (f *front) killed(t *testing.T) {
	client := f.Client(true)
	for i := range 60 {
		if i == 20 {
			f.second.Kill()
		}
		if answer, text := ask(t, client, "GET", shopsURL+"/v1/products?limit=1", nil, "Authorization", "Bearer "+f.m.secret); answer.StatusCode != http.StatusOK {
			t.Fatalf("request %d was answered with %d: %s", i, answer.StatusCode, text)
		}
	}
	seen := map[string]bool{}
	f.logged(t, "requests to both replicas", func(line accessLine) bool {
		seen[line.Upstream] = true
		return seen[f.first.Env["STOA_HTTP_ADDR"]] && seen[f.second.Env["STOA_HTTP_ADDR"]]
	})
}

// ended has the replica that is left end while a request is under way: readiness goes
// first, what is under way is finished, and what comes meanwhile is answered.
func (f *front) ended(t *testing.T) {
	conn, err := net.Dial("tcp", f.first.Env["STOA_HTTP_ADDR"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	body := `{"title": "Begun before the end"}`
	fmt.Fprintf(conn, "POST /v1/products HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		shopsDomain, f.m.secret, len(body), body[:10])
	ready := func() (int, string) { return page(f.first.OpsURL + "/readyz") }
	if status, text := ready(); status != http.StatusOK {
		t.Fatalf("before the end it is not ready: %d %s", status, text)
	}
	gone := make(chan error, 1)
	go func() { gone <- f.first.Terminate(time.Minute) }()
	apptest.Eventually(t, patience, "readiness is withdrawn", func() bool {
		status, text := ready()
		return status == http.StatusServiceUnavailable && strings.Contains(text, `"draining"`)
	})
	answer, _ := ask(t, f.Client(true), "GET", shopsURL+"/v1/plans", nil)
	if answer.StatusCode != http.StatusOK {
		t.Errorf("while it ends, a request is answered with %d", answer.StatusCode)
	}
	apptest.Eventually(t, patience, "it takes no more connections", func() bool {
		other, err := net.Dial("tcp", f.first.Env["STOA_HTTP_ADDR"])
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	})
	_, _ = io.WriteString(conn, body[10:]) // an error shows in the answer
	finished, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || finished.StatusCode != http.StatusCreated {
		t.Fatalf("what was under way ended with %+v (%v)", finished, err)
	}
	if err := <-gone; err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if n := apptest.Query[int64](f.first.Program, fmt.Sprintf(`select count(*) from %s.products where title = 'Begun before the end'`, schemaOf(f.first.Program, f.m.id)))[0]; n != 1 {
		t.Errorf("it was written %d times", n)
	}
}
