package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// reason is the reason of a refusal, or "" of any other error and of none.
func reason(err error) Reason {
	var refused *Refused
	if errors.As(err, &refused) && errors.Is(err, ErrRefused) {
		return refused.Reason
	}
	return ""
}

// get fetches and says what went wrong.
func get(t *testing.T, o Options, address string) error {
	t.Helper()
	_, err := Fetch(t.Context(), NewClient(o), address)
	return err
}

// server is a web server on loopback that counts what reaches it.
func server(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &hits
}

func TestGuardAtDialTime(t *testing.T) {
	public := []string{"1.1.1.1:443", "93.184.216.34:80", "8.8.8.8:8443", "[2606:4700::1111]:443", "172.32.0.1:443", "100.128.0.1:443", "[::ffff:1.1.1.1]:443"}
	inside := []string{
		"127.0.0.1:443", "127.255.255.254:443", "10.0.0.1:443", "172.16.0.1:443", "172.31.255.255:443", "192.168.1.1:443", "100.64.0.1:443",
		"[::1]:443", "[fc00::1]:443", "[fd12:3456::1]:443", "[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.1]:443",
	}
	never := []string{
		"0.0.0.0:443", "0.1.2.3:443", "169.254.169.254:80", "169.254.0.1:443", "192.0.0.1:443", "192.0.2.1:443", "198.18.0.1:443", "198.51.100.1:443",
		"203.0.113.1:443", "192.88.99.1:443", "224.0.0.1:443", "239.255.255.255:443", "240.0.0.1:443", "255.255.255.255:443",
		"[::]:443", "[fe80::1]:443", "[fe80::1%eth0]:443", "[fec0::1]:443", "[ff02::1]:443", "[2001:db8::1]:443", "[100::1]:443", "[::ffff:169.254.169.254]:443",
		"[64:ff9b::7f00:1]:443", "[64:ff9b::a9fe:a9fe]:443", "[64:ff9b:1::1]:443", "[2002:7f00:1::1]:443", "[2002:a00:1::1]:443", "[2001:0:4136:e378::]:443",
		"[::127.0.0.1]:443", "[2001:db8::1%eth0]:443", "[2606:4700::1111%eth0]:443",
	}
	check := func(o Options, addresses []string, want Reason) {
		t.Helper()
		g := newGuard(o)
		for _, address := range addresses {
			network := "tcp6"
			if address[0] != '[' {
				network = "tcp4"
			}
			if got := reason(g.control(network, address, nil)); got != want {
				t.Errorf("%s with %+v: %q, want %q", address, o, got, want)
			}
		}
	}
	check(Options{}, public, "")
	check(Options{}, inside, NotPublic)
	check(Options{}, never, NotPublic)
	check(Options{AllowPrivate: true}, public, "")
	check(Options{AllowPrivate: true}, inside, "")
	check(Options{AllowPrivate: true}, never, NotPublic)
	check(Options{}, []string{"1.1.1.1:25", "1.1.1.1:22", "1.1.1.1:0", "1.1.1.1:993"}, BadPort)
	check(Options{Deny: prefixes("1.1.1.0/24", "2606:4700::/32")}, []string{"1.1.1.1:443", "[::ffff:1.1.1.1]:443", "[2606:4700::1111]:443"}, NotPublic)
	if got := reason(newGuard(Options{}).control("udp4", "1.1.1.1:443", nil)); got != NotPublic {
		t.Errorf("udp: %q", got)
	}
	if got := reason(newGuard(Options{}).control("tcp4", "example", nil)); got != NotPublic {
		t.Errorf("no address: %q", got)
	}
}

func TestLoopbackIsRefusedHoweverItIsWritten(t *testing.T) {
	s, hits := server(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "shop.localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"} {
		address := "http://" + host + ":" + port
		if err := get(t, Options{AllowPlainHTTP: true, Timeout: 3 * time.Second}, address); err == nil {
			t.Errorf("%s was reached", address)
		}
	}
	for _, plain := range []string{"127.0.0.1", "localhost"} {
		if err := get(t, Options{AllowPlainHTTP: true}, "http://"+plain+":"+port); reason(err) != NotPublic {
			t.Errorf("%s: %v", plain, err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
	if err := get(t, Options{AllowPlainHTTP: true, AllowPrivate: true}, s.URL); err != nil || hits.Load() != 1 {
		t.Fatalf("in development: %v", err)
	}
}

// dns is a name server that answers every A question with the next of these addresses,
// the last for ever, and every other question with nothing; without any, all of them.
func dns(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer, asked := make([]byte, 1500), 0
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA && len(answers) > 0 {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answers[min(asked, len(answers)-1)]).As4()},
				}}
				asked++
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestNamesAreJudgedByWhatTheyResolveTo(t *testing.T) {
	s, hits := server(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	address := "http://rebound.example.com:" + port

	// A check before the request would have seen the first, public answer.
	resolver := dns(t, "93.184.216.34", "127.0.0.1")
	if _, err := (Options{AllowPlainHTTP: true}).CheckURL(address); err != nil {
		t.Fatalf("the name itself is fine: %v", err)
	}
	if ips, err := resolver.LookupNetIP(t.Context(), "ip4", "rebound.example.com"); err != nil || ips[0].String() != "93.184.216.34" {
		t.Fatalf("first answer: %v, %v", ips, err)
	}
	if err := get(t, Options{AllowPlainHTTP: true, Resolver: resolver}, address); reason(err) != NotPublic {
		t.Errorf("rebound name: %v", err)
	}
	if hits.Load() != 0 {
		t.Fatal("a rebound name was reached")
	}
	if err := get(t, Options{AllowPlainHTTP: true, AllowPrivate: true, Resolver: resolver}, address); err != nil || hits.Load() != 1 {
		t.Errorf("in development: %v", err)
	}
}

func TestOnlyHTTPSUnlessAllowed(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto+" "+r.UserAgent()) }))
	s.EnableHTTP2 = true
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())

	body, err := Fetch(t.Context(), NewClient(Options{AllowPrivate: true, RootCAs: roots}), s.URL)
	if err != nil || !strings.HasSuffix(string(body), " Stoa") {
		t.Errorf("over TLS: %q, %v", body, err)
	}
	if err := get(t, Options{AllowPrivate: true}, s.URL); err == nil || reason(err) != "" {
		t.Errorf("an unknown certificate: %v", err)
	}
	if err := get(t, Options{AllowPrivate: true}, strings.Replace(s.URL, "https", "http", 1)); reason(err) != NotHTTPS {
		t.Errorf("plain HTTP: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	s, hits := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/once":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}
	})
	dev := Options{AllowPlainHTTP: true, AllowPrivate: true}

	res, err := NewClient(dev).Get(s.URL + "/once")
	if err != nil || res.StatusCode != http.StatusFound || hits.Load() != 1 {
		t.Fatalf("a redirect must be the answer itself: %v, %v, %d requests", res, err, hits.Load())
	}
	_ = res.Body.Close()
	if err := get(t, dev, s.URL+"/once"); !errors.Is(err, ErrStatus) {
		t.Errorf("fetch of a redirect: %v", err)
	}

	dev.MaxRedirects = 3
	if err := get(t, dev, s.URL+"/once"); err != nil {
		t.Errorf("one redirect: %v", err)
	}
	hits.Store(0)
	if err := get(t, dev, s.URL+"/loop"); reason(err) != Redirected || hits.Load() != 4 {
		t.Errorf("a loop: %v after %d requests", err, hits.Load())
	}
	if err := get(t, dev, s.URL+"/inside"); reason(err) != NotPublic {
		t.Errorf("a redirect inside: %v", err)
	}
	if err := get(t, dev, s.URL+"/file"); reason(err) != BadURL {
		t.Errorf("a redirect to a file: %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	const limit = 1000
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			_, _ = w.Write(make([]byte, limit))
		case "/announced":
			_, _ = w.Write(make([]byte, limit+1))
		case "/streamed":
			for range 100 {
				_, _ = w.Write(make([]byte, 100))
				w.(http.Flusher).Flush()
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		case "/slow":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/missing":
			http.NotFound(w, r)
		}
	})
	o := Options{AllowPlainHTTP: true, AllowPrivate: true, MaxBytes: limit, Timeout: 300 * time.Millisecond}
	if body, err := Fetch(t.Context(), NewClient(o), s.URL+"/exact"); err != nil || len(body) != limit {
		t.Errorf("exactly the limit: %d bytes, %v", len(body), err)
	}
	for _, path := range []string{"/announced", "/streamed", "/bomb"} {
		if err := get(t, o, s.URL+path); reason(err) != TooLarge {
			t.Errorf("%s: %v", path, err)
		}
	}
	started := time.Now()
	if err := get(t, o, s.URL+"/slow"); err == nil || reason(err) != "" || time.Since(started) > 5*time.Second {
		t.Errorf("an answer that never ends: %v after %v", err, time.Since(started))
	}
	if err := get(t, o, s.URL+"/missing"); !errors.Is(err, ErrStatus) || !strings.Contains(err.Error(), "404") {
		t.Errorf("a 404: %v", err)
	}
}

func TestBoundedBodyGivesNoByteTooMany(t *testing.T) {
	for size := range 12 {
		b := &bounded{ReadCloser: io.NopCloser(bytes.NewReader(make([]byte, size))), left: 5, max: 5}
		got, err := io.ReadAll(b)
		if len(got) > 5 || (size > 5) != (reason(err) == TooLarge) || size <= 5 && (err != nil || len(got) != size) {
			t.Errorf("of %d bytes: %d, %v", size, len(got), err)
		}
		if _, err := b.Read(make([]byte, 1)); size > 5 && reason(err) != TooLarge {
			t.Errorf("reading on after the excess: %v", err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for address, want := range map[string]Reason{
		"https://hooks.example.com/in?x=1": "", "https://hooks.example.com:8443/": "", "https://1.1.1.1/": "",
		"http://hooks.example.com/": NotHTTPS, "https://user:pass@hooks.example.com/": BadURL, "ftp://hooks.example.com/": BadURL, "//hooks.example.com/": BadURL,
		"https:///path": BadURL, "hooks.example.com": BadURL, "": BadURL, "https://%zz/": BadURL, "https://hooks.example.com:99999/": BadURL, "javascript:alert(1)": BadURL,
		"https://hooks.example.com:25/": BadPort, "https://127.0.0.1/": NotPublic, "https://[::1]:8443/": NotPublic, "https://[fe80::1%25eth0]/": NotPublic,
		"https://localhost/": NotPublic, "https://a.LocalHost./": NotPublic, "https://169.254.169.254/": NotPublic, "https://10.1.2.3:8080/": NotPublic,
	} {
		u, err := Options{}.CheckURL(address)
		if reason(err) != want || (err == nil) != (want == "") || (u == nil) != (err != nil) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
	if _, err := (Options{AllowPlainHTTP: true, AllowPrivate: true}).CheckURL("http://localhost:25/"); err != nil {
		t.Errorf("in development: %v", err)
	}
	if err := get(t, Options{}, "https://[::1"); reason(err) != BadURL {
		t.Errorf("fetch of no URL: %v", err)
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy, hits := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "proxied") })
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	err := get(t, Options{AllowPlainHTTP: true, Resolver: dns(t, "127.0.0.1"), Timeout: time.Second}, "http://hooks.example.com/")
	if reason(err) != NotPublic || hits.Load() != 0 {
		t.Errorf("%v, %d requests at the proxy", err, hits.Load())
	}
}
