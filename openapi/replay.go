package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// Replayed is what a call that is tried again would be answered.
type Replayed struct {
	Status int
	Header http.Header
	Body   json.RawMessage // without secrets; nil where there is none
}

// passed are the headers by which a replay goes on behalf of whoever asks for it.
var passed = []string{"Authorization", "Cookie", "Stoa-Store", "Stoa-Mode", "Origin", "Sec-Fetch-Site"}

// Replay tries a call of the request log again as a dry run. It goes the way of every
// request, for the present caller: their limit, their permission, the contract as it is now.
func Replay(ctx context.Context, req *Request, kept *requestlog.Kept) (*Replayed, error) {
	op, inner, err := req.router.again(ctx, req, kept)
	if err != nil {
		return nil, err
	}
	res, err := req.router.handle(ctx, inner)
	if err != nil {
		res = req.router.problem(inner.HTTP, err)
	}
	raw, err := res.bytes()
	if err != nil {
		return nil, err
	}
	if res.Redacted != nil {
		if raw, err = json.Marshal(res.Redacted); err != nil {
			return nil, err
		}
	}
	body, _ := op.answers[res.Status].redact(raw)
	return &Replayed{Status: res.Status, Header: res.Header, Body: body}, nil
}

// again makes the request of a call that was kept.
func (rt *Router) again(ctx context.Context, req *Request, kept *requestlog.Kept) (*Operation, *Request, error) {
	refuse := func(why string, args ...any) (*Operation, *Request, error) {
		return nil, nil, problem.New(problem.Conflict, "not_replayable", why, args...)
	}
	op := rt.operations[kept.Operation]
	switch {
	case op == nil:
		return refuse("There is no operation %s any more.", kept.Operation)
	case !op.Writes():
		return refuse("%s only reads: ask it again.", op.ID)
	case !op.DryRuns() || op.streams:
		return refuse("%s cannot be tried without effect.", op.ID)
	case kept.States[0] != requestlog.Whole && kept.States[0] != requestlog.None:
		return refuse("Not all of the request was kept: its body is %s.", kept.States[0])
	}
	query := maps.Clone(kept.Query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("dry_run", "true")
	inner, err := http.NewRequestWithContext(ctx, kept.Method, kept.Path+"?"+query.Encode(), bytes.NewReader(kept.Request))
	if err != nil {
		return nil, nil, err
	}
	if len(kept.Request) == 0 {
		inner.Body = io.NopCloser(bytes.NewReader(nil))
	}
	for _, name := range passed {
		if values := req.Header.Values(name); len(values) > 0 {
			inner.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	for _, name := range []string{"Content-Type", "Accept-Language", "If-Match", "Idempotency-Key"} {
		if value := kept.Headers[name]; value != "" {
			inner.Header.Set(name, value)
		}
	}
	var match mux.RouteMatch
	room := rt.rooms[roomOf(inner.URL.Path)]
	if room == nil || !room.Match(inner, &match) {
		return refuse("There is no such path any more.")
	}
	return op, &Request{
		Operation: op, Params: match.Vars, Header: inner.Header, HTTP: inner, Writer: http.Header{},
		ID: req.ID, IP: req.IP, router: rt,
	}, nil
}
