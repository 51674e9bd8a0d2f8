package httpserver

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientIsReadRightToLeftOverTrustedProxiesOnly(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		peer    string
		headers []string // name, value, …
		want    Client
		proxied bool
	}{
		"a stranger is itself": {peer: "203.0.113.9:5000", want: Client{Scheme: "http", Host: "shop.test"}},
		"a stranger's words are ignored": {
			peer:    "203.0.113.9:5000",
			headers: []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.test"},
			want:    Client{Scheme: "http", Host: "shop.test"},
		},
		"one proxy": {
			peer:    "10.0.0.1:80",
			headers: []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "acorn.shop.test:8443"},
			want:    Client{Scheme: "https", Host: "acorn.shop.test:8443"}, proxied: true,
		},
		"what stands left of the client is forged": {
			peer: "10.0.0.1:80", headers: []string{"X-Forwarded-For", "10.9.9.9, 198.51.100.1, 203.0.113.9, 10.0.0.2"},
			want: Client{Scheme: "http", Host: "shop.test"}, proxied: true,
		},
		"several headers are one list": {
			peer: "[::1]:80", headers: []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-For", "203.0.113.9:4711"},
			want: Client{Scheme: "http", Host: "shop.test"}, proxied: true,
		},
		"nonsense ends the chain": {
			peer: "10.0.0.1:80", headers: []string{"X-Forwarded-For", "203.0.113.9, unknown, 10.0.0.2"},
			want: Client{Addr: netip.MustParseAddr("10.0.0.2"), Scheme: "http", Host: "shop.test"}, proxied: true,
		},
		"only proxies": {
			peer: "10.0.0.1:80", headers: []string{"X-Forwarded-For", "10.0.0.3,10.0.0.2"},
			want: Client{Addr: netip.MustParseAddr("10.0.0.3"), Scheme: "http", Host: "shop.test"}, proxied: true,
		},
		"the nearest proxy's scheme and host count, and only sensible ones": {
			peer:    "10.0.0.1:80",
			headers: []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https, ftp", "X-Forwarded-Host", "a.test, b.test/x"},
			want:    Client{Scheme: "http", Host: "shop.test"}, proxied: true,
		},
		"addresses in other spellings": {
			peer: "[::ffff:10.0.0.1]:80", headers: []string{"X-Forwarded-For", "[2001:db8::7]:443"},
			want: Client{Addr: netip.MustParseAddr("2001:db8::7"), Scheme: "http", Host: "shop.test"}, proxied: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://shop.test/", nil)
			r.RemoteAddr = c.peer
			for i := 0; i < len(c.headers); i += 2 {
				r.Header.Add(c.headers[i], c.headers[i+1])
			}
			if !c.want.Addr.IsValid() {
				c.want.Addr = netip.MustParseAddr("203.0.113.9")
			}
			got, proxied := trusted.clientOf(r)
			if got != c.want || proxied != c.proxied {
				t.Errorf("client %+v (proxied %v), want %+v (%v)", got, proxied, c.want, c.proxied)
			}
		})
	}
	r := httptest.NewRequest("GET", "http://shop.test/", nil)
	r.RemoteAddr, r.TLS = "@", &tls.ConnectionState{}
	if got, proxied := trusted.clientOf(r); got.Addr.IsValid() || got.Scheme != "https" || proxied {
		t.Errorf("a connection without an address: %+v", got)
	}
}
