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

// Shop serves the shop of a store; package storefront does.
type Shop interface {
	Serve(w http.ResponseWriter, r *http.Request, store tenants.Store)
}

// Hosts is the handler of all hosts.
type Hosts struct {
	// BaseDomain is the platform's own host; shops are one label below it.
	BaseDomain string
	Stores     Stores
	Shop       Shop
	Site       http.Handler // the platform's own pages
	API        http.Handler // /v1/…, at every host that is no shop
	Log        *slog.Logger
}

// ServeHTTP answers a request at any host.
func (h *Hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if page.PlainStyle(w, r) {
		return
	}
	host := hostName(r.Host)
	label, below := strings.CutSuffix(host, "."+h.BaseDomain)
	switch {
	case below && label != "www":
		h.shop(w, r, label)
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		// A program may know us by another name, such as an address within a cluster; the
		// credential says which store it means.
		h.API.ServeHTTP(w, r)
	case host == h.BaseDomain, below, isLocal(host) && h.BaseDomain == "localhost":
		h.Site.ServeHTTP(w, r)
	default:
		h.nobody(w, r)
	}
}

func (h *Hosts) shop(w http.ResponseWriter, r *http.Request, label string) {
	store, err := h.Stores.ByAddress(r.Context(), label)
	switch {
	case err == nil:
		h.Shop.Serve(w, r, store)
	case problem.Is(err, "not_found"):
		h.nobody(w, r)
	default:
		h.Log.ErrorContext(r.Context(), "a shop cannot be looked up", "label", label, "error", err)
		httpserver.From(r.Context()).Operation = "page.unavailable"
		w.Header().Set("Retry-After", "5")
		page.Plain(w, r, http.StatusServiceUnavailable, "This shop cannot be reached at the moment", "Please try again in a moment.")
	}
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
