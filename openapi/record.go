package openapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// Recorder is told of the calls of stores. It must not wait.
type Recorder interface{ Record(call requestlog.Call) }

// keptHeaders are the headers of a request that are written down.
var keptHeaders = []string{"User-Agent", "Content-Type", "Accept-Language", "If-Match", "Idempotency-Key"}

// callBytes is roughly what a call holds besides its bodies.
const callBytes = 512

// record tells the request log of a call that was answered. What belongs to no store, as
// signing in, is not in any store's log. Answers are kept of writes and where something
// went wrong: what was read can be read again.
func (rt *Router) record(req *Request, res *Response, sent []byte, began time.Time) {
	caller, op := req.known, req.Operation
	if rt.config.Recorder == nil || caller.Store == nil {
		return
	}
	c := conversation{
		op: op, path: req.HTTP.URL.EscapedPath(), params: req.Params, query: req.HTTP.URL.RawQuery, headers: req.Header, ip: req.IP,
		asked: req.Body, status: res.Status, person: req.person,
	}
	if op.Writes() || res.Status >= http.StatusBadRequest {
		c.answered, c.unfit = sent, res.secret || res.Stream != nil || len(sent) > 0 && !inJSONMedia(res.Header.Get("Content-Type"))
		c.instead = res.Redacted
	}
	if len(c.asked) > requestlog.MaxBody {
		c.asked, c.askedMuch = nil, true
	}
	if len(c.answered) > requestlog.MaxBody {
		c.answered, c.unfit = nil, true
	}
	rt.config.Recorder.Record(requestlog.Call{
		ID: req.ID, Store: caller.Store.Ref, Plan: caller.Store.Plan, At: began, Took: time.Since(began),
		Operation: op.ID, Method: op.Method, Status: res.Status, Code: res.code, Actor: caller.Principal, APIVersion: rt.version(caller), DryRun: req.DryRun(),
		Size: callBytes + len(c.asked) + len(c.answered), Content: c.content,
	})
}

func inJSONMedia(media string) bool {
	return media == "" || media == "application/json" || media == "application/problem+json"
}

// version is the version of the API that a caller's answers are of.
func (rt *Router) version(caller tenants.Caller) string {
	if caller.APIVersion != "" {
		return caller.APIVersion
	}
	return rt.config.Contract.Info.Version
}

// conversation is what was said in a call, as it was said.
type conversation struct {
	op        *Operation
	path      string
	params    map[string]string
	query     string
	headers   http.Header
	ip        string
	asked     []byte
	askedMuch bool // too much to keep
	person    string
	status    int
	answered  []byte
	instead   any  // what may be written down of an answer with secrets
	unfit     bool // the answer is not to be kept: too large, no JSON, or full of secrets
}

// content is what may be written down of it.
func (c conversation) content() requestlog.Content {
	kept := requestlog.Content{Path: c.path, IP: c.ip, Headers: map[string]string{}, SignedIn: c.headers.Get("Customer-Token") != "", Customer: c.person}
	for name, value := range c.params {
		if c.op.secrets["path "+name] && value != "" {
			kept.Path = strings.ReplaceAll(kept.Path, url.PathEscape(value), removed)
		}
	}
	for _, name := range keptHeaders {
		if value := c.headers.Get(name); value != "" {
			kept.Headers[name] = value
		}
	}
	query, taken := c.keptQuery()
	kept.Query = query
	kept.Request = keptBody(c.op.asked, c.asked, c.askedMuch)
	if taken {
		kept.Request.State = requestlog.Redacted
	}
	if c.instead != nil {
		raw, err := json.Marshal(c.instead)
		c.answered, c.unfit = raw, err != nil
	}
	kept.Response = keptBody(c.op.answers[c.status], c.answered, c.unfit)
	if c.instead != nil && kept.Response.State == requestlog.Whole {
		kept.Response.State = requestlog.Redacted
	}
	return kept
}

func keptBody(s *secrecy, body []byte, unfit bool) requestlog.Body {
	if unfit {
		return requestlog.Body{State: requestlog.Cut}
	}
	if len(body) == 0 {
		return requestlog.Body{State: requestlog.None}
	}
	kept, taken := s.redact(body)
	switch {
	case len(kept) == 0 || kept[0] != '{' || !json.Valid(kept): // all that the contract takes is objects
		return requestlog.Body{State: requestlog.Cut}
	case taken:
		return requestlog.Body{JSON: kept, State: requestlog.Redacted}
	}
	return requestlog.Body{JSON: kept, State: requestlog.Whole}
}

// keptQuery is the query without what is secret, and without what people were searched by.
func (c conversation) keptQuery() (string, bool) {
	if c.query == "" {
		return "", false
	}
	values, err := url.ParseQuery(c.query)
	if err != nil {
		return "", true
	}
	taken := false
	for name := range values {
		if c.op.secrets["query "+name] {
			values.Set(name, removed)
			taken = true
		}
	}
	if !taken {
		return c.query, false
	}
	return values.Encode(), true
}

// readSecrets notes what of the operation's parameters and bodies is not to be written down.
func (op *Operation) readSecrets() {
	op.secrets = map[string]bool{}
	for _, p := range op.parameters {
		personal, _ := p.Extensions["x-personal"].(bool)
		marked, _ := p.Extensions["x-secret"].(bool)
		if personal || marked || p.Schema != nil && secret(p.Schema.Value) {
			op.secrets[p.In+" "+p.Name] = true
		}
	}
	if body := op.Spec.RequestBody; body != nil {
		for _, media := range body.Value.Content {
			op.asked = secrecyOf(media.Schema, map[*openapi3.Schema]bool{})
		}
	}
	op.answers = map[int]*secrecy{}
	for status, answer := range op.Spec.Responses.Map() {
		for _, media := range answer.Value.Content {
			if code, err := strconv.Atoi(status); err == nil {
				op.answers[code] = secrecyOf(media.Schema, map[*openapi3.Schema]bool{})
			}
		}
	}
}
