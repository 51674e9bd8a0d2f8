// Package web is everything that is seen in a browser. Hosts decides by the host's name
// whose page it is: the platform's own (package site), a shop's (package storefront), or
// nobody's.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/web/page"
)

// Stores finds a store by the first label of its host's name; tenants/stores does.
type Stores interface {
	ByAddress(ctx context.Context, label string) (tenants.Store, error)
}

// Domains finds a store by a domain of its own, and knows what a certificate authority wants
// to read there under a token; tenants/domains does.
type Domains interface {
	ByHost(ctx context.Context, host string) (tenants.Store, error)
	Answer(token string) (string, error)
}

// Shop serves the shop of a store; package storefront does.
type Shop interface {
	Serve(w http.ResponseWriter, r *http.Request, store tenants.Store)
}

// Hosts is the handler of all hosts.
type Hosts struct {
	// BaseDomain is the platform's own host; shops are one label below it, or at domains of
	// their own.
	BaseDomain string
	Scheme     string                            // how shops are reached, http or https
	ShopURL    func(store *tenants.Store) string // where the shop of a side of a store is
	Stores     Stores
	Domains    Domains
	Shop       Shop
	Site       http.Handler // the platform's own pages
	API        http.Handler // /v1/…, at every host that is no shop
	Log        *slog.Logger
}

// challenges is where certificate authorities ask whose a domain is (RFC 8555).
const challenges = "/.well-known/acme-challenge/"

// ServeHTTP answers a request at any host.
func (h *Hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if page.PlainStyle(w, r) {
		return
	}
	if token, asked := strings.CutPrefix(r.URL.Path, challenges); asked {
		h.challenge(w, r, token)
		return
	}
	host := hostName(r.Host)
	label, below := strings.CutSuffix(host, "."+h.BaseDomain)
	if below && label != "www" && !strings.Contains(label, ".") {
		store, err := h.Stores.ByAddress(r.Context(), label)
		h.shop(w, r, host, store, err)
		return
	}
	if own := host == h.BaseDomain || below && label == "www"; !own {
		// A shop at a domain of its own goes before the API, as a shop below the platform's does.
		store, err := h.Domains.ByHost(r.Context(), host)
		switch {
		case problem.Is(err, "not_found"):
		case err == nil && h.Scheme == "https" && httpserver.ClientFrom(r.Context()).Scheme == "http":
			h.unready(w, r)
			return
		default:
			h.shop(w, r, host, store, err)
			return
		}
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		// A program may know us by another name, such as an address within a cluster; the
		// credential says which store it means.
		h.API.ServeHTTP(w, r)
	case host == h.BaseDomain, below && label == "www", isLocal(host) && h.BaseDomain == "localhost":
		h.Site.ServeHTTP(w, r)
	default:
		h.nobody(w, r)
	}
}

// shop serves the shop that was found at a host, or says that there is none.
func (h *Hosts) shop(w http.ResponseWriter, r *http.Request, host string, store tenants.Store, err error) {
	switch {
	case problem.Is(err, "not_found"):
		h.nobody(w, r)
	case err != nil:
		h.Log.ErrorContext(r.Context(), "a shop cannot be looked up", "host", host, "error", err)
		httpserver.From(r.Context()).Operation = "page.unavailable"
		w.Header().Set("Retry-After", "5")
		page.Plain(w, r, http.StatusServiceUnavailable, "This shop cannot be reached at the moment", "Please try again in a moment.")
	default:
		if to := h.moved(r, host, &store); to != "" {
			httpserver.From(r.Context()).Operation = "page.moved"
			w.Header().Set("Cache-Control", "private, max-age=300") // it may move again
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		h.Shop.Serve(w, r, store)
	}
}

// unready answers for a domain that has no certificate yet: whatever has one is sent to HTTPS in
// front already.
func (h *Hosts) unready(w http.ResponseWriter, r *http.Request) {
	httpserver.From(r.Context()).Operation = "page.unready"
	w.Header().Set("Retry-After", "60")
	page.Plain(w, r, http.StatusServiceUnavailable, "This shop is about to open here", "Its certificate is on the way. Please come back in a minute.")
}

// moved is where the shop is to be found in place of the host at which it was asked for; empty
// where it is there. What was begun at a host, by a form or by a link in a mail, is done there.
func (h *Hosts) moved(r *http.Request, host string, store *tenants.Store) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	at := h.ShopURL(store)
	if u, err := url.Parse(at); err != nil || u.Hostname() == host {
		return ""
	}
	return at + r.URL.RequestURI()
}

// challenge answers a certificate authority.
func (h *Hosts) challenge(w http.ResponseWriter, r *http.Request, token string) {
	httpserver.From(r.Context()).Operation = "page.challenge"
	answer, err := h.Domains.Answer(token)
	if err != nil || r.Method != http.MethodGet || !isToken(token) {
		h.nobody(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(answer)) // an authority that left cannot be told
}

// isToken says whether a text can be what an authority chose: base64url, of a modest length.
func isToken(text string) bool {
	return text != "" && len(text) <= 256 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// nobody answers for a host at which there is nothing.
func (h *Hosts) nobody(w http.ResponseWriter, r *http.Request) {
	httpserver.From(r.Context()).Operation = "page.nobody"
	page.Plain(w, r, http.StatusNotFound, "There is no shop at this address", "Please check how the address is written. If you followed a link, the shop may have closed or moved.")
}

// hostName is a host without its port, in lower case and without a last point.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// isLocal says whether a host is an address of this machine itself.
func isLocal(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
