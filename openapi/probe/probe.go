// Package probe calls the contract's operations from outside, over HTTP, and holds every
// answer against the contract. The workflows of openapi/flows run on it, and tests of the
// whole program.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Probe calls operations of one program.
type Probe struct {
	base       string
	operations map[string]*Operation
}

// Operation is an operation of the contract and where it is mounted.
type Operation struct {
	ID     string
	Method string
	Path   string // with parameters in braces
	Spec   *openapi3.Operation
	Item   *openapi3.PathItem

	route *routers.Route
}

// New is a probe of the program at base, such as "http://127.0.0.1:8080", which answers
// as the contract says.
func New(contract *openapi3.T, base string) *Probe {
	p := &Probe{base: strings.TrimSuffix(base, "/"), operations: map[string]*Operation{}}
	for path, item := range contract.Paths.Map() {
		for method, spec := range item.Operations() {
			p.operations[spec.OperationID] = &Operation{
				ID: spec.OperationID, Method: method, Path: path, Spec: spec, Item: item,
				route: &routers.Route{Spec: contract, Path: path, PathItem: item, Method: method, Operation: spec},
			}
		}
	}
	return p
}

// Operation is the operation with this ID, or nil.
func (p *Probe) Operation(id string) *Operation { return p.operations[id] }

// Operations are all operations, by their IDs.
func (p *Probe) Operations() map[string]*Operation { return p.operations }

// Call is a request for an operation.
type Call struct {
	Operation string
	Path      map[string]string // the path's parameters
	Query     url.Values
	Header    http.Header
	Body      []byte // nil for none
}

// Answer is what the program answered.
type Answer struct {
	Operation *Operation
	Status    int
	Header    http.Header
	Body      []byte

	// Broken is how the answer differs from what the contract declares; nil when it does
	// not.
	Broken error
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

// Request makes the request of a call.
func (p *Probe) Request(ctx context.Context, call Call) (*http.Request, error) {
	op := p.operations[call.Operation]
	if op == nil {
		return nil, fmt.Errorf("the contract has no operation %s", call.Operation)
	}
	var missing []string
	address := p.base + inPath.ReplaceAllStringFunc(op.Path, func(name string) string {
		value, given := call.Path[name[1:len(name)-1]]
		if !given {
			missing = append(missing, name)
		}
		return url.PathEscape(value)
	})
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: the path needs %s", op.ID, strings.Join(missing, ", "))
	}
	if len(call.Query) > 0 {
		address += "?" + call.Query.Encode()
	}
	var body io.Reader
	if call.Body != nil {
		body = bytes.NewReader(call.Body)
	}
	request, err := http.NewRequestWithContext(ctx, op.Method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.ID, err)
	}
	for name, values := range call.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	return request, nil
}

// Do makes a call.
func (p *Probe) Do(ctx context.Context, client *http.Client, call Call) (*Answer, error) {
	request, err := p.Request(ctx, call)
	if err != nil {
		return nil, err
	}
	return p.Send(client, call.Operation, call.Path, request)
}

// Send sends a request that was made for an operation, and perhaps changed since.
func (p *Probe) Send(client *http.Client, operation string, path map[string]string, request *http.Request) (*Answer, error) {
	op := p.operations[operation]
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", operation, err)
	}
	answer := &Answer{Operation: op, Status: response.StatusCode, Header: response.Header, Body: body}
	answer.Broken = op.check(request, path, answer)
	return answer, nil
}

// check holds an answer against the contract.
func (op *Operation) check(request *http.Request, path map[string]string, answer *Answer) error {
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: path, Route: op.route},
		Status:                 answer.Status,
		Header:                 answer.Header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	// A stream of JSON lines is no JSON document, and an answer without a body has none.
	media, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	input.Options.ExcludeResponseBody = len(answer.Body) == 0 || media != "application/json" && media != "application/problem+json"
	input.SetBodyBytes(answer.Body)
	if err := openapi3filter.ValidateResponse(request.Context(), input); err != nil {
		return fmt.Errorf("%s answered %d other than the contract says: %w: %.500s", op.ID, answer.Status, err, answer.Body)
	}
	if answer.Status >= 400 && media != "application/problem+json" {
		return fmt.Errorf("%s answered %d as %q and not as a problem", op.ID, answer.Status, answer.Header.Get("Content-Type"))
	}
	if answer.Header.Get("Request-Id") == "" {
		return fmt.Errorf("%s answered without a Request-Id", op.ID)
	}
	return nil
}

// Get is the value at a JSON pointer of the body, and whether there is one.
func (a *Answer) Get(pointer string) (any, bool) {
	var body any
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return nil, false
	}
	return Lookup(body, pointer)
}

// String is the text at a JSON pointer of the body; empty when there is none.
func (a *Answer) String(pointer string) string {
	value, _ := a.Get(pointer)
	text, _ := value.(string)
	return text
}
