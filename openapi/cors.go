package openapi

import (
	"net/http"

	"github.com/stoacommerce/stoa/platform/problem"
)

// exposed are the headers of answers that pages of other origins may read.
const exposed = "Request-Id, ETag, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, " +
	"Link, Retry-After, Idempotent-Replayed, Api-Version, Deprecation, Sunset"

// preflight answers a browser that asks whether it may. A preflight carries no key, so
// it says yes to all origins; the request itself is then held against the key's.
func preflight(w http.ResponseWriter, r *http.Request, allow string) {
	header := w.Header()
	header.Set("Vary", "Origin")
	if r.Header.Get("Origin") != "" {
		header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		header.Set("Access-Control-Allow-Methods", allow)
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Cart-Token, Customer-Token, Api-Version")
		header.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// cors lets a page of another origin read an answer of the shop: also that its key is
// unknown or expired, but nothing when the key does not allow the origin.
func cors(req *Request, refused error) {
	origin := req.Header.Get("Origin")
	if origin == "" || !req.Operation.InShop() {
		return
	}
	req.Writer.Add("Vary", "Origin")
	if problem.Is(refused, "origin_not_allowed") {
		return
	}
	req.Writer.Set("Access-Control-Allow-Origin", origin)
	req.Writer.Set("Access-Control-Expose-Headers", exposed)
}
