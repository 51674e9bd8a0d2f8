package nginx_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// shake begins a connection to a host, with whoever roots trust, or with anyone.
func shake(t testing.TB, at, host string, roots *x509.CertPool) error {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", at, &tls.Config{ServerName: host, RootCAs: roots, InsecureSkipVerify: roots == nil})
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// A merchant's domain is served from the moment that its certificate lies there, without a word
// to Nginx, and like any other shop.
func TestMerchantsDomainsAreServedWithoutAReload(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	const shop = "shop.example.com"
	if err := shake(t, s.HTTPS, shop, nil); err == nil {
		t.Error("a connection begins with a host that nobody knows")
	}
	// Until then, and for whoever lays down nothing, the program says how things are.
	for _, host := range []string{shop, "nobody.example.com"} {
		if said := askTold(t, s.Client(false), "http://"+host+"/x"); said.Host != host || said.Scheme != "http" || said.Client != "127.0.0.1" {
			t.Errorf("over plain HTTP the program is told %+v", said)
		}
	}
	if said := askTold(t, s.Client(false), "http://"+shop+"/.well-known/acme-challenge/token"); said.Host != shop {
		t.Errorf("of a challenge the program is told %+v", said)
	}

	if err := s.Domain(shop); err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{false, true} {
		c := s.Client(http2)
		said := askTold(t, c, "https://"+shop+"/who", "X-Forwarded-For", "198.51.100.66")
		if said.Client != "127.0.0.1" || said.Scheme != "https" || said.Host != shop {
			t.Errorf("http2 %v: the program is told %+v", http2, said)
		}
		answer, text := ask(t, c, "GET", "https://"+shop+"/text", "", "Accept-Encoding", "gzip")
		if protected(t, answer); answer.Header.Get("Content-Encoding") != "gzip" || len(text) > 1000 {
			t.Errorf("%d bytes are sent, %v", len(text), answer.Header)
		}
		if first, second := body(t, c, "https://"+shop+"/site.0a1b2c3d.css"), body(t, c, "https://"+shop+"/site.0a1b2c3d.css"); first != second {
			t.Errorf("a file is not kept: %s, %s", first, second)
		}
	}
	redirect, _ := ask(t, s.Client(false), "GET", "http://"+shop+"/products/x?y=1", "")
	if to := redirect.Header.Get("Location"); redirect.StatusCode != 308 || !strings.HasPrefix(to, "https://"+shop+":") || !strings.HasSuffix(to, "/products/x?y=1") {
		t.Errorf("plain HTTP answered %d to %q", redirect.StatusCode, to)
	}

	// No name leads out of the folder, to the base domain's key or elsewhere.
	for _, name := range []string{"../tls", "..%2ftls", "shop.example.com.pem", ""} {
		if err := shake(t, s.HTTPS, name, nil); err == nil {
			t.Errorf("a connection begins with %q", name)
		}
	}
}

func body(t *testing.T, c *http.Client, address string) string {
	t.Helper()
	answer, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// BenchmarkHandshakes compares what a connection costs with the base domain, whose certificate
// Nginx holds, and with a merchant's, which it reads each time.
func BenchmarkHandshakes(b *testing.B) {
	r := startReplica(b, "a")
	s := startNginx(b, nil, r.Addr())
	if err := s.Domain("shop.example.com"); err != nil {
		b.Fatal(err)
	}
	for name, host := range map[string]string{"base": "shops.test", "merchant": "shop.example.com"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := shake(b, s.HTTPS, host, s.Roots); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
