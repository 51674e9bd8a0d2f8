package httpserver

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/stoacommerce/stoa/platform/ids"
)

// An Exchange is one request and what those who answer it tell about it, for the log,
// the metrics and the trace. It belongs to the request's own goroutine.
type Exchange struct {
	ID     string // req_…
	Client Client
	Agent  string // what the client calls itself

	// The handlers within fill these in as they learn them.
	Operation string   // the operationId, or a page's name
	Store     string   // the store acted upon
	Plan      string   // its plan
	Actor     string   // who acts: acc_…, key_…
	Path      string   // what the log shows as path; the request's own unless replaced
	Observer  Observer // counts this request; Hooks.Unmatched unless set

	body writerAndBody // the request's body as it came, for AllowBody
}

type writerAndBody struct {
	w    http.ResponseWriter
	body interface {
		Read([]byte) (int, error)
		Close() error
	}
}

type exchangeKey struct{}

// From is the exchange of a context; outside of a request an empty one of its own.
func From(ctx context.Context) *Exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*Exchange); ok {
		return x
	}
	return &Exchange{}
}

// ClientFrom says who sent the request that ctx belongs to.
func ClientFrom(ctx context.Context) Client { return From(ctx).Client }

// AllowBody lets this request's body have up to n bytes, instead of Config.MaxBody. It
// must be called before the body is read.
func AllowBody(r *http.Request, n int64) {
	if x := From(r.Context()); x.body.body != nil {
		r.Body = http.MaxBytesReader(x.body.w, x.body.body, n)
	}
}

// requestID is a new ID, or the one that a trusted proxy gave the request: one of ours
// (from another part of the platform) or Nginx's 32 hexadecimal digits.
func requestID(r *http.Request, trusted bool) string {
	if trusted {
		for _, name := range [...]string{"Request-Id", "X-Request-Id"} {
			given := r.Header.Get(name)
			if ids.Valid("req", given) {
				return given
			}
			if b, err := hex.DecodeString(strings.ToLower(given)); err == nil && len(b) == 16 {
				return ids.FromBytes("req", [16]byte(b))
			}
		}
	}
	return ids.New("req")
}
