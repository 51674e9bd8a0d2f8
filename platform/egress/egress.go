// Package egress makes HTTP clients for addresses that a merchant chose: webhook
// endpoints, pictures named in an import. Such a client cannot be talked into reaching
// what only the platform's own machines may reach. Every address is judged when it is
// dialled, after its name was resolved, so that a name which changes its mind between a
// check and the connection gains nothing. Proxies of the environment are not used, as
// a proxy would resolve and dial on its own.
//
// Which addresses are special is kept by code.dny.dev/ssrf, which follows IANA's
// registries: loopback, private, shared (CGNAT), link-local, multicast, reserved and
// documentation ranges, and every IPv6 form that carries an IPv4 address within
// (mapped, 6to4, Teredo, NAT64).
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// ErrRefused is what every refusal of this package is, for errors.Is; errors.As with
// *Refused gives the reason.
var ErrRefused = errors.New("refused to reach this address")

// Reason is why something was refused. Reasons are stable and may be shown.
type Reason string

// The reasons.
const (
	BadURL     Reason = "bad_url"            // not an absolute http(s) URL, or one with a password in it
	NotHTTPS   Reason = "not_https"          // plain HTTP where only HTTPS may be used
	NotPublic  Reason = "not_public"         // an address that is not on the public internet
	BadPort    Reason = "bad_port"           // a port where no web server is to be expected
	Redirected Reason = "too_many_redirects" // more redirects than are followed
	TooLarge   Reason = "too_large"          // a longer answer than is taken
)

// Refused is a refusal and its reason.
type Refused struct {
	Reason Reason
	Detail string // for people; tells nothing of the inside of the platform's network
}

// Error is the detail.
func (r *Refused) Error() string { return r.Detail }

// Is says that every refusal is ErrRefused.
func (r *Refused) Is(target error) bool { return target == ErrRefused }

// Options are the bounds of a client. The zero value is fit for production: HTTPS to
// public addresses, no redirects, 10 s, 1 MB.
type Options struct {
	AllowPlainHTTP bool // http:// too
	AllowPrivate   bool // loopback and private networks too, for development; never link-local, where clouds keep credentials

	MaxRedirects int           // how many redirects are followed, each judged anew; none: the redirect itself is the answer
	MaxBytes     int64         // the longest body taken, after decompression; 1 MB if zero
	Timeout      time.Duration // from the dial to the body's last byte; 10 s if zero
	UserAgent    string        // "Stoa" if empty

	Deny     []netip.Prefix // further networks that are never reached, such as the platform's own public ones
	Resolver *net.Resolver  // the system's if nil
	RootCAs  *x509.CertPool // the system's if nil
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "Stoa"
	}
	return o
}

// The networks of AllowPrivate.
var (
	private4 = prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
	private6 = prefixes("::1/128", "fc00::/7")
)

// NewClient makes a client with these bounds. It is safe for concurrent use; make one
// and keep it, as it keeps connections. Errors of its requests that are refusals are
// ErrRefused; reading a body beyond MaxBytes fails the same way.
func NewClient(o Options) *http.Client {
	o = o.withDefaults()
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: newGuard(o).control}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &checked{o, &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    o.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		}},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if o.MaxRedirects == 0 {
				return http.ErrUseLastResponse
			}
			if len(via) > o.MaxRedirects {
				return &Refused{Redirected, "The address redirects too often."}
			}
			return nil // where it leads to is judged like any request
		},
	}
}

// guard judges addresses at the moment they are dialled.
type guard struct {
	addresses *ssrf.Guardian
	anyPort   bool
	deny      []netip.Prefix
}

// newGuard makes the guard for these options.
func newGuard(o Options) *guard {
	options := []ssrf.Option{ssrf.WithAnyPort()}
	if o.AllowPrivate {
		options = append(options, ssrf.WithAllowedV4Prefixes(private4...), ssrf.WithAllowedV6Prefixes(private6...))
	}
	return &guard{addresses: ssrf.New(options...), anyPort: o.AllowPrivate, deny: o.Deny}
}

// control is a net.Dialer's Control: address is the IP address and port about to be dialled.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return &Refused{NotPublic, "The address is not one of the public internet."}
	}
	if err := g.port(target.Port()); err != nil {
		return err
	}
	return g.address(target.Addr())
}

// address judges an IP address.
func (g *guard) address(ip netip.Addr) error {
	refused := &Refused{NotPublic, "The address is not one of the public internet."}
	ip = ip.Unmap()
	for _, network := range g.deny {
		if network.Contains(ip.WithZone("")) {
			return refused
		}
	}
	if g.addresses.SafeAddr(ip) != nil {
		return refused
	}
	return nil
}

// port judges a port: those of the web, and those that anyone may listen on. The other
// low ports belong to mail, databases' neighbours and the like, which must not be
// spoken to in HTTP on a merchant's behalf.
func (g *guard) port(port uint16) error {
	if g.anyPort || port == 80 || port == 443 || port >= 1024 {
		return nil
	}
	return &Refused{BadPort, "The port is not one of a web server."}
}

// prefixes reads networks.
func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
