package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// Handler does what an operation asks for. What it is given has passed every check that
// the contract describes. A problem it returns is answered as such, any other error as a
// fault of ours.
type Handler func(ctx context.Context, req *Request) (*Response, error)

// Request is a request that the contract allows.
type Request struct {
	Operation *Operation
	Caller    tenants.Caller
	Params    map[string]string // of the path
	Query     url.Values
	Header    http.Header
	Body      []byte        // the JSON body; nil for operations that take a file
	HTTP      *http.Request // for files and cookies; handlers of JSON need not look at it
	ID        string        // req_…
	IP        string        // the client's address
	Writer    http.Header   // headers of the answer that are set whatever comes of it, such as cookies

	router *Router
	person string         // the customer that a shopper's token is of
	known  tenants.Caller // whose the credential is, also where it is refused
	tx     *postgres.Tx   // of the operation that asks for this one; nil for a request by itself
}

// Param is a parameter of the path.
func (r *Request) Param(name string) string { return r.Params[name] }

// DryRun says whether all is to be undone again. It reads every form of true that the
// validator lets pass: nobody who asked for a trial has it done.
func (r *Request) DryRun() bool {
	dry, _ := strconv.ParseBool(r.Query.Get("dry_run"))
	return dry
}

// Of notes which customer asks: what they say is found again when they are erased.
func (r *Request) Of(customerID string) { r.person = customerID }

// Limit is the size of a page that was asked for, or the usual one.
func (r *Request) Limit(usual int) int {
	n, err := strconv.Atoi(r.Query.Get("limit"))
	if err != nil {
		return usual
	}
	return n
}

// Decode reads the JSON body into a generated type.
func Decode[T any](r *Request) (T, error) {
	var body T
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return body, nil
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return body, unread(r.Operation, err)
	}
	return body, nil
}

// unread tells why a body cannot be read that the contract let pass: something follows its
// JSON, or the type is narrower than the schema, as for the integer 1e3.
func unread(op *Operation, err error) error {
	p := problem.New(problem.Invalid, "invalid_body", "The body cannot be read as %s takes it.", op.ID).Because(err)
	var narrow *json.UnmarshalTypeError
	if errors.As(err, &narrow) {
		return p.At("/"+strings.ReplaceAll(narrow.Field, ".", "/"), "type", "A %s cannot stand here.", narrow.Value)
	}
	return p.At("", "syntax", "The body is not JSON: %s", firstLine(err.Error()))
}

// IfMatch is the version that a change is meant for, as given in If-Match; zero when none
// is demanded.
func (r *Request) IfMatch() (int, error) {
	value := strings.TrimSpace(r.Header.Get("If-Match"))
	if value == "" || value == "*" {
		return 0, nil
	}
	tag, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(value, "W/"), `"`), "-")
	version, err := strconv.Atoi(tag)
	if err != nil || version < 1 {
		return 0, problem.New(problem.Stale, "stale", "The version in If-Match is not the present one.")
	}
	return version, nil
}

// Response is the answer to a request.
type Response struct {
	Status  int
	Body    any // marshalled as JSON; []byte and json.RawMessage are sent as they are
	Header  http.Header
	Version int // an ETag is made of it when positive

	// Stream writes a body that is too large to hold, in place of Body. It is called when the
	// headers are sent; its error breaks the answer off, so that nobody takes it for whole.
	Stream func(w io.Writer) error

	code    string      // of the problem that it tells of
	secret  bool        // it is given again, with secrets in it
	checked atomic.Bool // against the contract: one that is given again is not checked again

	// Redacted is the body without its secrets: what a replay that comes too late is
	// answered. An answer that carries secrets must have one.
	Redacted any
}

// OK answers 200 with a body.
func OK(body any) *Response { return &Response{Status: http.StatusOK, Body: body} }

// Created answers 201 with a body and the place of what was made.
func Created(location string, body any) *Response {
	return (&Response{Status: http.StatusCreated, Body: body}).With("Location", location)
}

// Accepted answers 202: what was asked for goes on after the answer.
func Accepted(location string, body any) *Response {
	r := &Response{Status: http.StatusAccepted, Body: body}
	if location != "" {
		r.With("Location", location)
	}
	return r
}

// Moved answers 308: the thing has another address now, for good.
func Moved(location string) *Response {
	return (&Response{Status: http.StatusPermanentRedirect}).With("Location", location)
}

// NoContent answers 204.
func NoContent() *Response { return &Response{Status: http.StatusNoContent} }

// At gives the answer the version that its ETag shows.
func (r *Response) At(version int) *Response {
	r.Version = version
	return r
}

// Tagged gives the answer an ETag of the thing's version and of the whole body: for
// things that show more than what their version counts, such as stock. A version of zero
// is left out.
func (r *Response) Tagged(version int) *Response {
	body, err := r.bytes()
	if err != nil {
		return r // writing the answer meets the same error
	}
	hash := strconv.FormatUint(xxhash.Sum64(body), 36)
	if version == 0 {
		return r.With("ETag", `"`+hash+`"`)
	}
	return r.With("ETag", fmt.Sprintf(`"%d-%s"`, version, hash))
}

// With sets a header.
func (r *Response) With(name, value string) *Response {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}

// bytes is the body as it is sent.
func (r *Response) bytes() ([]byte, error) {
	switch body := r.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("marshal the answer: %w", err)
		}
		return raw, nil
	}
}
