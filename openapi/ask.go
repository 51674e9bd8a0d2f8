package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Question is what one operation asks of another.
type Question struct {
	Operation string
	Params    map[string]string // of the path
	IfMatch   string            // the ETag of what a change is meant for; empty for whatever is there
	Body      any               // nil for none
}

// Ask asks for another operation as the caller of the request. Permission, the store's state
// and the contract judge it as if it had come by itself; its limit is that of the request.
// A write happens within the transaction that is given: trying it, and recording its answer,
// are for whoever opened that.
func (r *Request) Ask(ctx context.Context, tx *postgres.Tx, q Question) (*Response, error) {
	op := r.router.operations[q.Operation]
	if op == nil {
		return nil, fmt.Errorf("%s asks for %s, which there is not", r.Operation.ID, q.Operation)
	}
	path := op.Path
	for name, value := range q.Params {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	asked := &Request{
		Operation: op, Caller: r.Caller, Params: q.Params, Header: http.Header{}, Writer: http.Header{},
		ID: r.ID, IP: r.IP, router: r.router, tx: tx,
	}
	asked.Header.Set("User-Agent", r.HTTP.UserAgent())
	if q.IfMatch != "" {
		asked.Header.Set("If-Match", q.IfMatch)
	}
	var body []byte
	if q.Body != nil {
		var err error
		if body, err = json.Marshal(q.Body); err != nil {
			return nil, fmt.Errorf("ask for %s: %w", op.ID, err)
		}
		asked.Header.Set("Content-Type", "application/json")
	}
	asked.HTTP = (&http.Request{
		Method: op.Method, URL: &url.URL{Path: path}, Header: asked.Header, Host: r.HTTP.Host,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	ctx = enter(ctx, asked)
	if err := r.router.allow(asked); err != nil {
		return nil, err
	}
	if err := asked.validate(ctx); err != nil {
		return nil, err
	}
	return op.handler(ctx, asked)
}

// Allow refuses the caller of the request who may not ask for another operation either.
func (r *Request) Allow(operation string) error {
	asked := *r
	if asked.Operation = r.router.operations[operation]; asked.Operation == nil {
		return problem.Missing("operation")
	}
	return r.router.allow(&asked)
}

// Contract is what the contract says of an operation, or nil.
func (r *Request) Contract(operation string) *Operation { return r.router.operations[operation] }

// JSON is the body as it is sent.
func (r *Response) JSON() ([]byte, error) { return r.bytes() }

// ETag is the answer's, or empty.
func (r *Response) ETag() string {
	if tag := r.Header.Get("ETag"); tag != "" || r.Version == 0 {
		return tag
	}
	return `"` + strconv.Itoa(r.Version) + `"`
}
