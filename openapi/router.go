// Package openapi is the front door. The contract, written by hand in openapi/contract,
// says which operations there are, who may call them and what they take; the router
// here mounts every operation on its handler and lets a request through only as the
// contract allows. What an operation does is in openapi/handlers.
package openapi

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gorilla/mux"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// Authenticator finds out whom a credential speaks for. Its problems are answered as they
// are; a credential that is not known is problem.Unauthenticated. A caller beside a problem is
// whose a credential is that is refused: the call stands in their store's log, and no more.
type Authenticator interface {
	// Key is for secret, restricted and publishable keys.
	Key(ctx context.Context, key string, origin tenants.Origin) (tenants.Caller, error)
	// Session is for staff: storeID and mode are empty when the request names none.
	Session(ctx context.Context, token, storeID, mode string) (tenants.Caller, error)
	// Operator is for operators' keys.
	Operator(ctx context.Context, key string) (tenants.Caller, error)
}

// Authorizer decides whether a caller has a permission.
type Authorizer interface {
	Allows(p principal.Principal, permission string) bool
}

// Limiter takes the request from the caller's allowance; a caller whose credential was
// refused is nobody, not even anonymous. It writes the headers that tell of the limits; its
// error is the problem that there is nothing left.
type Limiter interface {
	Take(ctx context.Context, req *Request, header http.Header) error
}

// Observer is told of answers.
type Observer interface {
	Answered(ctx context.Context, req *Request, status int)
	// Checked is told of an answer that was held against the contract; err says how it
	// breaks it, and is nil when it does not.
	Checked(ctx context.Context, op *Operation, status int, err error)
}

// Client tells where a request came from; platform/httpserver knows.
type Client interface {
	RequestID(ctx context.Context) string
	IP(ctx context.Context) string
}

// Config is what the router works with. All but Sample and Recorder must be set.
type Config struct {
	Contract      *openapi3.T
	Handlers      map[string]Handler // by operationId
	Authenticator Authenticator
	Authorizer    Authorizer
	Limiter       Limiter
	Observer      Observer
	Recorder      Recorder // of calls; nil where none are kept
	Client        Client
	Sealer        postgres.Sealer // for answers that carry secrets
	CursorKey     []byte          // signs the cursors of lists
	SessionCookie string          // the name of the cookie that carries a session
	MaxUpload     int64           // bytes, of operations that take files
	Sample        func() bool     // which answers are held against the contract; nil means none
	Log           *slog.Logger
}

// Router is the front door.
type Router struct {
	config     Config
	operations map[string]*Operation
	rooms      map[string]*mux.Router // by the path's first two segments, so that a match looks at few routes
	foreign    *http.CrossOriginProtection
}

// New mounts every operation of the contract. It fails when an operation has no handler
// or a handler no operation, naming all of them.
func New(config Config) (*Router, error) {
	operations, err := Operations(config.Contract)
	if err != nil {
		return nil, err
	}
	rt := &Router{config: config, operations: map[string]*Operation{}, rooms: map[string]*mux.Router{}, foreign: http.NewCrossOriginProtection()}
	var wrong []string
	paths := map[string]map[string]*Operation{}
	for _, op := range operations {
		if op.handler = config.Handlers[op.ID]; op.handler == nil {
			wrong = append(wrong, "operation "+op.ID+" has no handler")
		}
		rt.operations[op.ID] = op
		if paths[op.Path] == nil {
			paths[op.Path] = map[string]*Operation{}
		}
		paths[op.Path][op.Method] = op
	}
	for id := range config.Handlers {
		if rt.operations[id] == nil {
			wrong = append(wrong, "handler "+id+" has no operation")
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	// In the order of their names, in which a word comes before a parameter in its place.
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		room := rt.rooms[roomOf(path)]
		if room == nil {
			room = mux.NewRouter().SkipClean(true)
			room.NotFoundHandler = http.HandlerFunc(rt.notFound)
			rt.rooms[roomOf(path)] = room
		}
		room.Handle(path, rt.path(paths[path]))
	}
	return rt, nil
}

// roomOf is the part of a path that the routes are sorted by: "/v1/shop/carts/…" lies in
// the room "shop/carts", "/v1/products" in "products".
func roomOf(path string) string {
	path = strings.TrimPrefix(path, "/v1/")
	first, rest, _ := strings.Cut(path, "/")
	switch first {
	case "shop", "operator", "account":
		second, _, _ := strings.Cut(rest, "/")
		return first + "/" + second
	}
	return first
}

// Operation is the operation with this ID, or nil.
func (rt *Router) Operation(id string) *Operation { return rt.operations[id] }

// ServeHTTP answers a request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if room := rt.rooms[roomOf(r.URL.Path)]; room != nil && strings.HasPrefix(r.URL.Path, "/v1/") {
		room.ServeHTTP(w, r)
		return
	}
	rt.notFound(w, r)
}

// path serves one path of the contract.
func (rt *Router) path(methods map[string]*Operation) http.Handler {
	var allowed []string
	inShop := false
	for method, op := range methods {
		allowed = append(allowed, method)
		inShop = inShop || op.InShop()
	}
	sort.Strings(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if op := methods[method]; op != nil {
			rt.serve(w, r, op)
			return
		}
		if r.Method == http.MethodOptions && inShop {
			preflight(w, r, allow)
			return
		}
		w.Header().Set("Allow", allow)
		rt.fail(w, r, problem.New(problem.MethodNotAllowed, "method_not_allowed", "%s is not among the methods of this path: %s.", r.Method, allow))
	})
}

func (rt *Router) serve(w http.ResponseWriter, r *http.Request, op *Operation) {
	started := time.Now()
	req := &Request{
		Operation: op, Params: mux.Vars(r), Header: r.Header, HTTP: r, Writer: w.Header(),
		ID: rt.config.Client.RequestID(r.Context()), IP: rt.config.Client.IP(r.Context()), router: rt,
	}
	res, err := rt.handle(r.Context(), req)
	if err != nil {
		res = rt.problem(r, err, req.named()...)
	}
	res, sent := rt.write(w, req, res)
	rt.config.Observer.Answered(r.Context(), req, res.Status)
	rt.record(req, res, sent, started)
}

// named is what the log calls a request by.
func (r *Request) named() []any {
	of := []any{"operation", r.Operation.ID}
	if store := r.Caller.Store; store != nil {
		of = append(of, "store", store.ID)
	}
	return of
}

// handle is the way of every request, from its credential to its handler.
func (rt *Router) handle(ctx context.Context, req *Request) (*Response, error) {
	caller, refused := rt.identify(ctx, req)
	req.known = caller
	if refused == nil {
		req.Caller = caller
		ctx = enter(ctx, req)
	}
	cors(req, refused)
	// A credential that is refused counts too, so that nobody tries them without end.
	if err := rt.config.Limiter.Take(ctx, req, req.Writer); err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	if err := rt.allow(req); err != nil {
		return nil, err
	}
	if err := req.validate(ctx); err != nil {
		return nil, err
	}
	return req.Operation.handler(ctx, req)
}

// enter names who acts and in which store, for everything that follows.
func enter(ctx context.Context, req *Request) context.Context {
	who := req.Caller.Principal
	who.IP, who.UserAgent, who.RequestID, who.Operation = req.IP, req.HTTP.UserAgent(), req.ID, req.Operation.ID
	req.Caller.Principal = who
	ctx = principal.With(ctx, who)
	if store := req.Caller.Store; store != nil {
		ctx = postgres.WithStore(ctx, store.Ref)
	}
	return ctx
}

// allow checks the permission, and that the store is in a state to be asked.
func (rt *Router) allow(req *Request) error {
	op, caller := req.Operation, req.Caller
	switch store := caller.Store; {
	case store != nil && op.inStore():
		if err := inState(op, store); err != nil {
			return err
		}
	case store == nil && op.inStore():
		return problem.New(problem.Invalid, "store_required", "Name the store in the header Stoa-Store.").At("Stoa-Store", "required", "A session belongs to several stores; this says which.")
	}
	if op.Permission == "none" || rt.config.Authorizer.Allows(caller.Principal, op.Permission) {
		return nil
	}
	return lacking(caller.Principal, op.Permission)
}

// lacking says which permission somebody lacks, and what was looked at: the role of a person,
// the scopes of a key.
func lacking(who principal.Principal, permission string) error {
	subject := "The credential"
	if who.Kind == principal.Account && who.Role != "" {
		subject = "The role " + who.Role
	}
	p := problem.New(problem.Forbidden, "missing_permission", "%s lacks the permission %s.", subject, permission).
		With("required_permission", permission)
	if who.Role != "" {
		p.With("role", who.Role)
	}
	if who.Kind == principal.Key || len(who.Grants) > 0 {
		p.With("scopes", append([]string{}, who.Grants...))
	}
	return p
}

// inStore says whether the operation acts within a store. Others, such as signing out, do
// not ask in which state a store is that the request happens to name.
func (op *Operation) inStore() bool {
	return op.InShop() || op.Permission != "none" && !strings.HasPrefix(op.Permission, "operator:")
}

// inState refuses what a suspended or deleted store does not do. An operation may say
// otherwise by x-store-states.
func inState(op *Operation, store *tenants.Store) error {
	for _, state := range op.States {
		if state == string(store.Status) {
			return nil
		}
	}
	switch store.Status {
	case tenants.Active:
		return nil
	case tenants.Suspended:
		if op.InShop() || op.Writes() {
			return problem.New(problem.Forbidden, "store_suspended", "The store is suspended.")
		}
		return nil
	default:
		return problem.Missing("store")
	}
}

// What most answers say of themselves.
var noStore, inJSON = []string{"no-store"}, []string{"application/json"}

// write sends the answer, and gives it with its body as they were sent.
func (rt *Router) write(w http.ResponseWriter, req *Request, res *Response) (*Response, []byte) {
	body, err := res.bytes()
	if err != nil {
		res = rt.problem(req.HTTP, err, req.named()...)
		body, _ = res.bytes()
	}
	header := w.Header()
	for name, values := range res.Header {
		header[name] = values
	}
	rt.versions(header, req)
	if res.Version > 0 && header.Get("ETag") == "" {
		header.Set("ETag", `"`+strconv.Itoa(res.Version)+`"`)
	}
	if header.Get("Cache-Control") == "" {
		header["Cache-Control"] = noStore
	}
	if res.Status == http.StatusOK && req.Operation.Method == http.MethodGet && fresh(req.Header.Get("If-None-Match"), header.Get("ETag")) {
		res, body = &Response{Status: http.StatusNotModified}, nil
	}
	if body != nil && header.Get("Content-Type") == "" {
		header["Content-Type"] = inJSON
	}
	if body != nil {
		header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	rt.check(req, res, header, body)
	w.WriteHeader(res.Status)
	if res.Stream != nil && req.HTTP.Method != http.MethodHead {
		rt.stream(w, req, res)
		return res, nil
	}
	if len(body) > 0 && req.HTTP.Method != http.MethodHead {
		if _, err := w.Write(body); err != nil {
			rt.config.Log.DebugContext(req.HTTP.Context(), "the client went away", "error", err)
		}
	}
	return res, body
}

// versions tells of the version that the answer is of, which is the key's, and of the end
// of an operation that goes.
func (rt *Router) versions(header http.Header, req *Request) {
	header["Api-Version"] = []string{rt.version(req.Caller)}
	if at := req.Operation.Deprecated; !at.IsZero() {
		header.Set("Deprecation", "@"+strconv.FormatInt(at.Unix(), 10))
	}
	if at := req.Operation.Sunset; !at.IsZero() {
		header.Set("Sunset", at.UTC().Format(http.TimeFormat))
	}
}

// streamPatience is how long a client may keep one piece of a stream waiting.
const streamPatience = 20 * time.Second

// stream writes a body piece by piece. The request's own deadline does not bound it, but
// each piece has one.
func (rt *Router) stream(w http.ResponseWriter, req *Request, res *Response) {
	err := res.Stream(patient{w, http.NewResponseController(w)})
	if err == nil {
		return
	}
	rt.config.Log.WarnContext(req.HTTP.Context(), "an answer was broken off", "operation", req.Operation.ID, "error", err)
	panic(http.ErrAbortHandler)
}

// patient moves the deadline of a connection on with each piece that is written.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(piece []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(streamPatience)) // not every writer has one
	return p.ResponseWriter.Write(piece)
}

// fresh says whether the client's copy is the present one.
func fresh(ifNoneMatch, etag string) bool {
	if ifNoneMatch == "" || etag == "" {
		return false
	}
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// check holds a sampled answer against the contract.
func (rt *Router) check(req *Request, res *Response, header http.Header, body []byte) {
	if rt.config.Sample == nil || res.checked.Load() || !rt.config.Sample() {
		return
	}
	res.checked.Store(true)
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req.HTTP, PathParams: req.Params, Route: req.Operation.route},
		Status:                 res.Status,
		Header:                 header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: body == nil},
	}
	input.SetBodyBytes(body)
	err := openapi3filter.ValidateResponse(req.HTTP.Context(), input)
	rt.config.Observer.Checked(req.HTTP.Context(), req.Operation, res.Status, err)
}
