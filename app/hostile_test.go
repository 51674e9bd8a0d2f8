package app_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// shot is a request that somebody might send.
type shot struct {
	what string
	call probe.Call
	raw  string // the query as it is sent, where it is none that could be encoded
	want []int  // the answers there may be; nil means any that is declared, but for faults of ours
}

// gallery is where operations are tried: two stores of one program, and an operator.
type gallery struct {
	p        *apptest.Program
	own      *tenant
	other    *tenant
	operator string // an operator's key that may do all
	reader   string // and one that may look
	client   *http.Client
	shots    atomic.Int64
	written  sync.Map // the writes that succeeded: their operations by the requests' IDs
}

// endsThings are operations that take away what the others need, and come last.
var endsThings = []string{"signOut", "signOutCustomer", "revokeSession", "removeStaffMember", "revokeApiKey", "rotateApiKey", "completeCart", "setStorePlan", "suspendStore", "deleteStore", "deleteStoreByOperator"}

// TestBadRequests tries every operation of the contract with what is no request of it, and
// with requests that nobody should send. Only what the contract declares is answered, and
// never that the fault is ours. What is refused changes nothing, and no store is changed
// by another's requests.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, apptest.Env{
		"STOA_RESPONSE_SAMPLE": "0", // every answer is held against the contract here
		"STOA_STRIPE_API_BASE": stripetest.New(t).URL, "STOA_STRIPE_TEST_SECRET_KEY": "sk_test_platform", "STOA_STRIPE_SECRET_KEY": "sk_test_platform",
	})
	r := &gallery{p: p, own: newTenant(t, p), other: newTenant(t, p), operator: p.OperatorKey("admin"), reader: p.OperatorKey("read"), client: probe.NewClient(time.Minute)}
	r.client.Jar = nil
	operations := apitest.Operations(t)
	r.own.quiet(t)
	r.other.quiet(t)

	before := snapshot(t, p)
	began := time.Now()
	t.Run("refused", func(t *testing.T) {
		for _, op := range operations {
			t.Run(op.ID, func(t *testing.T) {
				t.Parallel()
				r.fire(t, op, r.refused(op))
			})
		}
	})
	t.Logf("%d requests were refused in %v", r.shots.Swap(0), time.Since(began).Round(time.Second))
	after := snapshot(t, p)
	before.same(t, after, "")

	began = time.Now()
	t.Run("odd", func(t *testing.T) {
		for _, op := range operations {
			if !slices.Contains(endsThings, op.ID) {
				t.Run(op.ID, func(t *testing.T) {
					t.Parallel()
					r.fire(t, op, r.odd(op))
				})
			}
		}
	})
	for _, id := range endsThings {
		at := slices.IndexFunc(operations, func(op *openapi.Operation) bool { return op.ID == id })
		r.fire(t, operations[at], r.odd(operations[at]))
	}
	t.Logf("%d odd requests took %v", r.shots.Load(), time.Since(began).Round(time.Second))
	after.same(t, snapshot(t, p), r.other.storeID)
	r.audited(t)
}

// audited holds that the audit tells of every operation that wrote. A request that changes
// nothing, such as one to what is so already, leaves no entry.
func (r *gallery) audited(t *testing.T) {
	t.Helper()
	entries := map[string]bool{}
	for _, schema := range append(apptest.Query[string](r.p, `select 's_' || number from schemas where state = 'taken'`), "public") {
		for _, id := range apptest.Query[string](r.p, `select distinct request_id from `+schema+`.audit_entries`) {
			entries[id] = true
		}
	}
	told := map[string]bool{}
	r.written.Range(func(id, operation any) bool {
		told[operation.(string)] = told[operation.(string)] || entries[id.(string)]
		return true
	})
	if len(told) < 40 {
		t.Errorf("only %d operations wrote", len(told))
	}
	// Nobody has the address of the first, a passkey's sign-in has only begun, no draft of the
	// theme may be there, the role that the next gives is the owner's own, the template of the one
	// after is the default, the next product lacks no variant, the collection of the next three may
	// hold one product, hardly any, or the one to be added, when it is asked, no text of the next is
	// told by its schema, and another request may have shut out or erased the last two's customer.
	changedNothing := append([]string{"requestPasswordReset", "startPasskeySignIn", "discardTheme", "updateStaffMember", "resetMailTemplate", "generateVariants", "reducePriceListPrices", "moveCollectionProduct", "addCollectionProducts", "updateTranslation", "updateMe", "updateCustomer"}, changesNothing...)
	for operation, is := range told {
		if !is && !slices.Contains(changedNothing, operation) {
			t.Errorf("%s wrote, and left no entry in the audit", operation)
		}
	}
}

// eitherToken are the operations that need one of a cart's token and a customer's, or none.
var eitherToken = []string{
	"createCart", "getShopOrder", "payOrder", "getShopOrderDocuments", "downloadShopOrderDocument", "requestReturn",
	"listShopProducts", "getShopProduct", "listShopVariants", "searchShop", "getRecommendations",
}

// fire sends shots at an operation, and holds what is answered against the contract.
func (r *gallery) fire(t *testing.T, op *openapi.Operation, shots []shot) {
	t.Helper()
	for _, s := range shots {
		answer := r.send(t, op, s)
		if answer == nil {
			continue
		}
		if op.Writes() && answer.Status < 300 && answer.Header.Get("Idempotent-Replayed") == "" {
			r.written.Store(answer.Header.Get("Request-Id"), op.ID)
		}
		describe := func() string { return fmt.Sprintf("%s, %s: %d %.400s", op.ID, s.what, answer.Status, answer.Body) }
		switch {
		case answer.Broken != nil:
			t.Errorf("%s: %v", describe(), answer.Broken)
		case answer.Status >= 500:
			t.Errorf("%s", describe())
		case s.want != nil && !slices.Contains(s.want, answer.Status):
			t.Errorf("%s; it should be %d", describe(), s.want)
		}
	}
}

// send sends one shot from an address of its own. One that meets a limit is sent again:
// limits are not what is tried here.
func (r *gallery) send(t *testing.T, op *openapi.Operation, s shot) *probe.Answer {
	t.Helper()
	r.shots.Add(1)
	for try := 0; ; try++ {
		call := s.call
		call.Header = call.Header.Clone()
		if call.Header.Get("X-Forwarded-For") == "" {
			call.Header.Set("X-Forwarded-For", anywhere())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		request, err := r.p.Probe.Request(ctx, call)
		if err != nil {
			t.Errorf("%s, %s: %v", op.ID, s.what, err)
			return nil
		}
		if s.raw != "" {
			request.URL.RawQuery = s.raw
		}
		answer, err := r.p.Probe.Send(r.client, op.ID, call.Path, request)
		if err != nil {
			t.Errorf("%s, %s: %v", op.ID, s.what, err)
			return nil
		}
		if answer.String("/code") == "sessions_unavailable" && try < 50 { // Redis is slow, and the answer says to ask again
			time.Sleep(200 * time.Millisecond)
			continue
		}
		if answer.Status != http.StatusTooManyRequests {
			return answer
		}
		r.p.ForgetLimits()
		if try > 0 && s.want == nil {
			return answer
		}
		if try > 0 { // it is counted within the process, as Redis was slow
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			time.Sleep(time.Duration(min(seconds, 60)) * time.Second)
		}
		if try >= 3 {
			t.Errorf("%s, %s: limited again and again: %s", op.ID, s.what, answer.Body)
			return nil
		}
	}
}

// valid is a request for an operation in the tester's own store, with as little as needs
// to be in it.
func (r *gallery) valid(op *openapi.Operation) probe.Call {
	call := probe.Call{Operation: op.ID, Path: map[string]string{}, Query: url.Values{}, Header: r.own.credential(op, r.operator)}
	for _, p := range r.parameters(op) {
		switch {
		case p.In == "path":
			call.Path[p.Name] = r.own.names(p)
		case p.In == "query" && p.Required:
			call.Query.Set(p.Name, fmt.Sprint(p.Example))
		case p.Name == "Idempotency-Key" && p.Required:
			call.Header.Set(p.Name, ids.New("key"))
		case p.Name == "If-Match" && p.Required:
			call.Header.Set(p.Name, "*")
		}
	}
	if media, schema := jsonBody(op); media != "" {
		call.Header.Set("Content-Type", media)
		call.Body = written(writer{r.own.ids}.value(schema, false))
	}
	if op.Spec.RequestBody != nil && call.Body == nil {
		call.Header.Set("Content-Type", formType)
		call.Body = part(`name="file"; filename="x"`, "no picture")
	}
	if op.ID == "deleteStore" {
		call.Query.Set("confirm", "not-this-one")
	}
	return call
}

func (r *gallery) parameters(op *openapi.Operation) []*openapi3.Parameter {
	var list []*openapi3.Parameter
	for _, refs := range []openapi3.Parameters{r.p.Probe.Operation(op.ID).Item.Parameters, op.Spec.Parameters} {
		for _, ref := range refs {
			list = append(list, ref.Value)
		}
	}
	return list
}

// jsonBody is the media type and the schema of an operation's JSON; empty where it takes
// none.
func jsonBody(op *openapi.Operation) (string, *openapi3.SchemaRef) {
	if op.Spec.RequestBody == nil {
		return "", nil
	}
	for _, media := range []string{"application/merge-patch+json", "application/json"} {
		if content := op.Spec.RequestBody.Value.Content[media]; content != nil {
			return media, content.Schema
		}
	}
	return "", nil
}

// with is a call that is changed; the first is left as it is.
func with(call probe.Call, change func(*probe.Call)) probe.Call {
	path, query := map[string]string{}, url.Values{}
	for name, value := range call.Path {
		path[name] = value
	}
	for name, values := range call.Query {
		query[name] = slices.Clone(values)
	}
	call.Path, call.Query, call.Header = path, query, call.Header.Clone()
	change(&call)
	return call
}

// share is one of how many shots an operation gets of those that the router meets alike
// whatever the operation is.
const share = 4

// spread adds a share of what it is given, another to each operation: all of them are tried,
// and every operation by some.
func spread(op *openapi.Operation, add func(string, func(*probe.Call), ...int)) func(string, func(*probe.Call), ...int) {
	digest := fnv.New32a()
	digest.Write([]byte(op.ID))
	n := digest.Sum32() % share
	return func(what string, change func(*probe.Call), want ...int) {
		if n++; n%share == 0 {
			add(what, change, want...)
		}
	}
}

// junk is what is no ID of anything.
var junk = []string{"req_01jd3v7m2kf8r9e0abcdefghjk", "junk", "a\x00b", "a\nb", "\xff\xfe", "..%2f..", "1e400", "-1", "' or 1=1 --", strings.Repeat("x", 5000), "𝕊"}

// refused are requests that have to be refused.
func (r *gallery) refused(op *openapi.Operation) []shot {
	valid := r.valid(op)
	var shots []shot
	add := func(what string, change func(*probe.Call), want ...int) {
		shots = append(shots, shot{what: what, call: with(valid, change), want: want})
	}
	some := spread(op, add)
	r.credentials(op, add, some)
	for _, p := range r.parameters(op) {
		switch p.In {
		case "path":
			prefix, isID := p.Extensions["x-id"].(string)
			for _, value := range junk {
				if isID {
					some(fmt.Sprintf("%s is %.20q", p.Name, value), func(c *probe.Call) { c.Path[p.Name] = value }, 404)
				}
			}
			if isID && prefix != "sto" {
				add(p.Name+" is another store's", func(c *probe.Call) { c.Path[p.Name] = r.other.names(p) }, 404)
			}
		case "query":
			for _, value := range wrongQueries(p) {
				some(fmt.Sprintf("?%s is %.20q", p.Name, value), func(c *probe.Call) { c.Query.Set(p.Name, value) }, 400)
			}
			if most := p.Schema.Value.MaxItems; most != nil {
				add("?"+p.Name+" is given too often", func(c *probe.Call) { c.Query[p.Name] = slices.Repeat([]string{"1"}, int(*most)+1) }, 400)
			} else {
				add("?"+p.Name+" is given twice", func(c *probe.Call) { c.Query[p.Name] = []string{"1", "2"} }, 400)
			}
		case "header":
			r.wrongHeaders(op, p.Name, some)
		}
	}
	add("an unknown parameter", func(c *probe.Call) { c.Query.Set("no_such_parameter", "1") }, 400)
	shots = append(shots, shot{what: "a broken query", call: valid, raw: "a=%zz&;=%", want: []int{400}})
	if op.Spec.RequestBody != nil {
		r.bodies(op, add, some)
	}
	return shots
}

// credentials are requests of those who may not.
func (r *gallery) credentials(op *openapi.Operation, add, some func(string, func(*probe.Call), ...int)) {
	as := func(key string) func(*probe.Call) {
		return func(c *probe.Call) {
			c.Header.Del("Cookie")
			c.Header.Del("Authorization")
			if key != "" {
				c.Header.Set("Authorization", "Bearer "+key)
			}
		}
	}
	if !op.Takes("none") {
		add("no credential", as(""), 401)
		add("no session of anybody", func(c *probe.Call) {
			as("")(c)
			c.Header.Set("Cookie", "__Host-stoa_session=no-such-token")
		}, 401)
	}
	for _, key := range []string{"junk", "stoa_sk_test_" + strings.Repeat("0", 36), r.own.secret + "x", "stoa_op_" + strings.Repeat("0", 36), strings.Repeat("k", 8000)} {
		some(fmt.Sprintf("the key %.20s", key), as(key), 401)
	}
	if op.Takes("secret_key") {
		if op.Permission != "none" {
			add("a key of too little scope", as(r.own.narrow(op.Permission)), 403)
		}
	} else {
		add("a secret key", as(r.own.secret), 403)
	}
	if !op.Takes("publishable_key") {
		add("a publishable key", as(r.own.publishable), 403)
	}
	if !op.Takes("operator_key") {
		add("an operator's key", as(r.operator), 403)
	} else if op.Permission != "operator:read" {
		add("an operator's key that may look", as(r.reader), 403)
	}
	for _, token := range []string{"Cart-Token", "Customer-Token"} {
		if op.Takes(strings.ToLower(strings.ReplaceAll(token, "-", "_"))) && !slices.Contains(eitherToken, op.ID) {
			add("no "+token, func(c *probe.Call) { c.Header.Del(token) }, 401)
			add("another's "+token, func(c *probe.Call) { c.Header.Set(token, r.other.tokens[token]) }, 401, 404)
			add("a nonsensical "+token, func(c *probe.Call) { c.Header.Set(token, "\xff\xfe'") }, 401, 404, 400)
		}
	}
}

// wrongQueries are values that a parameter never takes.
func wrongQueries(p *openapi3.Parameter) []string {
	s := p.Schema.Value
	list := []string{"a\x00b", "a\nb", "\xff\xfe"}
	switch {
	case s.Type.Is("integer"):
		list = append(list, "abc", "1.5", "1e400", "99999999999999999999")
		if s.Min != nil {
			list = append(list, fmt.Sprintf("%.0f", *s.Min-1))
		}
		if s.Max != nil {
			list = append(list, fmt.Sprintf("%.0f", *s.Max+1))
		}
	case s.Type.Is("boolean"):
		list = append(list, "maybe", "2", "tRUE")
	case len(s.Enum) > 0:
		list = append(list, "nonsense")
	case p.Name == "cursor":
		list = append(list, "junk", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ÄÖ")
	case s.Format == "date-time" || s.Format == "date":
		list = append(list, "yesterday", "2026-13-45", "0000", "2026-02-31", "2026-02-31T00:00:00Z", "0000-01-01T00:00:00Z")
	}
	if s.Type.Is("string") && s.MaxLength != nil {
		list = append(list, strings.Repeat("x", int(*s.MaxLength)+1))
	}
	return list
}

// wrongHeaders are headers that an operation looks at and cannot use.
func (r *gallery) wrongHeaders(op *openapi.Operation, name string, add func(string, func(*probe.Call), ...int)) {
	set := func(value string) func(*probe.Call) { return func(c *probe.Call) { c.Header.Set(name, value) } }
	switch name {
	case "If-Match":
		for _, version := range []string{`"999999"`, `"bogus"`, `"0"`, `"-1"`, `"99999999999999999999"`, "\"\xff\""} {
			add("If-Match is "+version, set(version), 412)
		}
		add("If-Match is too long", set(strings.Repeat("7", 600)), 400)
	case "Idempotency-Key":
		add("a long Idempotency-Key", set(strings.Repeat("k", 300)), 400)
	case "Stoa-Mode":
		add("a mode that there is not", set("sideways"), 400, 403, 404)
	case "Stoa-Store":
		if r.own.acts(op) == "session" {
			add("another's store", set(r.other.storeID), 403, 404)
			add("no store at all", set("junk"), 400, 403, 404)
		}
	}
}

// bodies are bodies that an operation never takes.
func (r *gallery) bodies(op *openapi.Operation, add, some func(string, func(*probe.Call), ...int)) {
	send := func(media string, body []byte) func(*probe.Call) {
		return func(c *probe.Call) {
			c.Header.Del("Content-Type")
			if media != "" {
				c.Header.Set("Content-Type", media)
			}
			c.Body = body
		}
	}
	for _, media := range []string{"", "text/plain", "application/xml", "application/json; =", "/", "\xff"} {
		some(fmt.Sprintf("the media type %q", media), send(media, []byte(`{"a": 1}`)), 415)
	}
	media, schema := jsonBody(op)
	if media == "" {
		r.files(op, func(what, media string, body []byte, want ...int) { add(what, send(media, body), want...) })
		return
	}
	if op.Spec.RequestBody.Value.Required {
		add("no body", send(media, nil), 400)
	}
	for _, text := range []string{"{", `"x`, "[]", "12", "{}{}", `{"a":1,}`, "\xff\xfe\x00{", "\ufeff{}", `{"a": tru}`, "nul", "'a'"} {
		some(fmt.Sprintf("the body %q", text), send(media, []byte(text)), 400)
	}
	for _, depth := range []int{200, 9_000, 200_000} {
		some(fmt.Sprintf("a body %d deep", depth), send(media, []byte(strings.Repeat(`[`, depth)+strings.Repeat(`]`, depth))), 400)
		some(fmt.Sprintf("an object %d deep", depth/4), send(media, []byte(strings.Repeat(`{"a":`, depth/4)+"1"+strings.Repeat(`}`, depth/4))), 400)
	}
	some("a huge body", send(media, []byte(`{"a":"`+strings.Repeat("x", 1<<20)+`"}`)), 413)
	w := writer{r.own.ids}
	for _, change := range w.faults(schema) {
		some(change.what, send(media, written(change.body)), 400)
	}
	for _, change := range w.foreign(schema, r.other.ids) {
		add(change.what, send(media, written(change.body)), 400, 403, 404, 409, 422)
	}
}

const formType = "multipart/form-data; boundary=b"

// part is a form of one part.
func part(disposition, content string) []byte {
	return []byte("--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n--b--\r\n")
}

// files are uploads that are none.
func (r *gallery) files(op *openapi.Operation, add func(what, media string, body []byte, want ...int)) {
	add("a form without a boundary", "multipart/form-data", part(`name="file"`, "x"), 400, 415)
	for what, body := range map[string][]byte{
		"no form": []byte("\x00\xff"), "an empty form": []byte("--b--\r\n"), "half a form": []byte("--b\r\nContent-Disposition: form-data"),
		"another field": part(`name="no_such_field"`, "x"), "no name": part(`filename="x"`, "x"), "an empty file": part(`name="file"; filename="x"`, ""),
		"no file's content": part(`name="file"; filename="../../etc/passwd\x00"`, "\x00\x01\x02 no picture"), "a field for a file": part(`name="file"`, "x"),
	} {
		if op.ID == "createImport" && strings.Contains(string(body), `filename="../`) {
			continue // a table of nonsense is found out when it is read
		}
		add(what, formType, body, 400, 415, 422)
	}
	if op.ID == "uploadProductImage" || op.ID == "uploadContentImage" {
		add("a huge picture", formType, part(`name="file"; filename="x"`, strings.Repeat("x", 10<<20+1)), 413, 400, 422)
	}
}

// odd are requests that may be granted, and that nobody should send.
func (r *gallery) odd(op *openapi.Operation) []shot {
	valid := r.valid(op)
	var shots []shot
	add := func(what string, change func(*probe.Call), _ ...int) {
		shots = append(shots, shot{what: what, call: with(valid, change)})
	}
	some := spread(op, add)
	if media, schema := jsonBody(op); media != "" {
		for _, change := range (writer{r.own.ids}).oddities(schema) {
			add(change.what, func(c *probe.Call) { c.Body = written(change.body) })
		}
		for _, text := range []string{"{}", "null", " ", `{"a":1,"a":2}`} {
			add("the body "+text, func(c *probe.Call) { c.Body = []byte(text) })
		}
	}
	for _, p := range r.parameters(op) {
		if _, isID := p.Extensions["x-id"]; p.In == "path" && !isID {
			for _, value := range append(junk, "a.b", ".1", "9999.99999999999999999999", "null") {
				add(fmt.Sprintf("%s is %.20q", p.Name, value), func(c *probe.Call) { c.Path[p.Name] = value })
			}
		}
		if p.In == "query" && p.Schema.Value.Type.Is("string") {
			for _, value := range []string{"%", `\`, "'", "a & ! b:* <->", strings.Repeat("𝕊", 16), "\u202e\ufeff", r.other.ids["prod"], "0000-01-01T00:00:00Z", "9999-12-31", "..", "*"} {
				add(fmt.Sprintf("?%s is %.20q", p.Name, value), func(c *probe.Call) { c.Query.Set(p.Name, value) })
			}
		}
		if p.In == "query" && p.Schema.Value.Type.Is("integer") {
			add("?"+p.Name+" is the largest", func(c *probe.Call) { c.Query.Set(p.Name, fmt.Sprintf("%.0f", *orZero(p.Schema.Value.Max))) })
		}
	}
	for _, header := range []struct {
		name   string
		values []string
	}{
		{"Idempotency-Key", []string{"\xff\xfe", `"`, "a\tb", strings.Repeat("𝕊", 60)}},
		{"If-Match", []string{"*", `W/"1"`, `"1", "2"`}},
		{"If-None-Match", []string{"*", "\xff", `"1"-`}},
		{"Accept", []string{"text/html;q=0, */*;q=\xff"}},
		{"Accept-Language", []string{strings.Repeat("de,", 2000)}},
		{"X-Forwarded-For", []string{"not an address", "::1%25lo, \xff"}},
		{"Traceparent", []string{"00-zz-zz-zz"}},
		{"Request-Id", []string{"\xff", strings.Repeat("r", 4000)}},
		{"Origin", []string{"null", "\xff"}},
		{"Range", []string{"bytes=0-0"}},
		{"Expect", []string{"100-continue"}},
		{"Stoa-Mode", []string{"test"}},
		{"Content-Encoding", []string{"gzip"}},
		{"User-Agent", []string{strings.Repeat("\xff", 500)}},
	} {
		for _, value := range header.values {
			some(fmt.Sprintf("%s is %.20q", header.name, value), func(c *probe.Call) { c.Header.Set(header.name, value) })
		}
	}
	return shots
}
