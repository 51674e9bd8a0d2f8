package httpserver

import (
	"net/http"
	"net/netip"
	"strings"
)

// A Client is who sent a request, as far as it can be known: what proxies say counts
// only when they are trusted.
type Client struct {
	Addr   netip.Addr // the client's address; invalid outside of a request
	Scheme string     // http or https, as the client sees it
	Host   string     // the host (and port) that the client asked for
}

// proxies tells trusted proxies from strangers.
type proxies []netip.Prefix

func (p proxies) trust(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// clientOf says who sent r, and whether it came through a trusted proxy. Behind one,
// the addresses of X-Forwarded-For are read from the right, for each proxy appends on
// the right whom it heard from: the first that is no trusted proxy is the client, and
// everything left of it is the client's own word.
func (p proxies) clientOf(r *http.Request) (c Client, proxied bool) {
	c = Client{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		c.Scheme = "https"
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return c, false
	}
	c.Addr = peer.Addr().Unmap().WithZone("")
	if !p.trust(c.Addr) {
		return c, false
	}
	chain := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for chain != "" && p.trust(c.Addr) {
		var last string
		if i := strings.LastIndexByte(chain, ','); i >= 0 {
			chain, last = chain[:i], chain[i+1:]
		} else {
			chain, last = "", chain
		}
		addr, ok := parseForwarded(last)
		if !ok {
			break // nothing beyond a word that makes no sense can be believed
		}
		c.Addr = addr
	}
	switch proto := strings.ToLower(lastOf(r.Header.Values("X-Forwarded-Proto"))); proto {
	case "http", "https":
		c.Scheme = proto
	}
	if host := lastOf(r.Header.Values("X-Forwarded-Host")); validHost(host) {
		c.Host = host
	}
	return c, true
}

// parseForwarded reads one entry of X-Forwarded-For: an address, perhaps with a port.
func parseForwarded(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// lastOf is what the nearest proxy said: the last of all values.
func lastOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// validHost says whether text can be a Host: a name or an address, and perhaps a port.
func validHost(text string) bool {
	if text == "" || len(text) > 260 {
		return false
	}
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._:[]", c) >= 0:
		default:
			return false
		}
	}
	return true
}
