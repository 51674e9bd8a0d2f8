package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// outsider asks a running program what an integrator asks it.
type outsider struct {
	*testing.T
	program *apptest.Program
	client  *http.Client
}

type answered struct {
	status int
	header http.Header
	text   string
}

// field is the value at a JSON pointer of the answer.
func (a answered) field(pointer string) any {
	var body any
	if json.Unmarshal([]byte(a.text), &body) != nil {
		return nil
	}
	value, _ := probe.Lookup(body, pointer)
	return value
}

// ask sends a request; body becomes JSON unless it is nil, and headers are "Name: value".
// What cannot be answered for the moment is asked again.
func (o outsider) ask(method, path, key string, body any, headers ...string) answered {
	o.Helper()
	for tried := 0; ; tried++ {
		got := o.once(method, path, key, body, headers...)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || got.field("/code") == nil || tried == 10 {
			return got
		}
		time.Sleep(time.Second)
	}
}

func (o outsider) once(method, path, key string, body any, headers ...string) answered {
	o.Helper()
	var sent io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		sent = bytes.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			o.Fatal(err)
		}
		sent = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(o.Context(), method, o.program.URL+path, sent)
	if err != nil {
		o.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	response, err := o.client.Do(r)
	if err != nil {
		o.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(text)}
}

type fields = map[string]any

// TestConventions holds the running program to what is promised of every operation.
func TestConventions(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, nil)
	o := outsider{t, p, p.Client()}
	doc, err := flows.Parse(flowsFile(t))
	if err != nil {
		t.Fatal(err)
	}
	const password = "seven purple lanterns at dusk"
	opened, err := (&flows.Runner{Document: doc, Probe: p.Probe}).Run(t.Context(), "openStore", fields{"run": run(), "password": password})
	if err != nil {
		t.Fatal(err)
	}
	store := map[string]string{}
	for name, value := range opened {
		store[name] = fmt.Sprint(value)
	}
	t.Run("limits", func(t *testing.T) { limitsAreTold(outsider{t, p, o.client}, store) })
	t.Run("origins", func(t *testing.T) { originsAreKept(outsider{t, p, o.client}, store) })
	t.Run("dry runs", func(t *testing.T) { dryRunsTell(outsider{t, p, o.client}, store) })
	t.Run("suspension", func(t *testing.T) { suspendedStoresAreShut(outsider{t, p, p.Client()}, store, password) })
	t.Run("commands", func(t *testing.T) { commandsTell(outsider{t, p, o.client}) })
}

func limitsAreTold(o outsider, store map[string]string) {
	first := o.ask("GET", "/v1/products", store["secret_key"], nil)
	if got := first.header.Get("RateLimit-Policy"); !strings.HasPrefix(got, `"key";q=`) || !strings.Contains(got, `;w=60, "store-day";q=`) || !strings.HasSuffix(got, ";w=86400") {
		o.Errorf("RateLimit-Policy: %q", got)
	}
	if first.header.Get("RateLimit") == "" || first.header.Get("X-RateLimit-Limit") == "" || first.header.Get("X-RateLimit-Remaining") == "" || first.header.Get("X-RateLimit-Reset") == "" {
		o.Errorf("limits are not told: %v", first.header)
	}
	if pinned := first.header.Get("Api-Version"); pinned == "" || pinned != o.ask("GET", "/v1/plans", "", nil).header.Get("Api-Version") {
		o.Errorf("a new key is pinned to %q, which is not the present version", pinned)
	}
	if missing := o.ask("GET", "/v1/products/prod_1", store["secret_key"], nil); missing.status != 404 || missing.header.Get("RateLimit") == "" {
		o.Errorf("a product that is not there: %d %v", missing.status, missing.header)
	}
	// Credentials that are refused are counted by address, until there are too many.
	wrong := "stoa_sk_live_" + strings.Repeat("x", 36)
	var last answered
	for range 400 { // within the process counting may begin anew
		if last = o.ask("GET", "/v1/products", wrong, nil); last.status == http.StatusTooManyRequests {
			break
		}
		if last.status != http.StatusUnauthorized || !strings.HasPrefix(last.header.Get("RateLimit"), `"refused-address"`) {
			o.Fatalf("a key that is none: %d %v", last.status, last.header)
		}
	}
	if last.status != http.StatusTooManyRequests || last.field("/code") != "rate_limited" || last.field("/violated-policies/0") != "refused-address" ||
		last.field("/type") != "https://iana.org/assignments/http-problem-types#quota-exceeded" {
		o.Fatalf("400 keys that are none: %d %s", last.status, last.text)
	}
	_, reset, _ := strings.Cut(last.header.Get("RateLimit"), ";t=")
	earliest, err := strconv.Atoi(reset)
	if wait, failed := strconv.Atoi(last.header.Get("Retry-After")); err != nil || failed != nil || wait < earliest {
		o.Errorf("Retry-After %q comes before %q", last.header.Get("Retry-After"), last.header.Get("RateLimit"))
	}
	if again := o.ask("GET", "/v1/products", store["secret_key"], nil); again.status != 200 {
		o.Errorf("a key that works is refused with them: %d %s", again.status, again.text)
	}
	o.program.ForgetLimits()
}

func originsAreKept(o outsider, store map[string]string) {
	const ours, theirs = "Origin: https://app.example.com", "Origin: https://elsewhere.example.com"
	made := o.ask("POST", "/v1/api-keys", store["secret_key"], fields{"name": "App", "kind": "publishable", "allowed_origins": []string{"https://app.example.com"}})
	key, _ := made.field("/secret").(string)
	if key == "" {
		o.Fatalf("a publishable key: %d %s", made.status, made.text)
	}
	shop := o.ask("GET", "/v1/shop", key, nil, ours)
	if shop.status != 200 || shop.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || shop.header.Get("Vary") != "Origin" {
		o.Errorf("the key's own origin: %d %v", shop.status, shop.header)
	}
	for _, name := range []string{"Request-Id", "ETag", "RateLimit", "RateLimit-Policy", "Link"} {
		if !strings.Contains(shop.header.Get("Access-Control-Expose-Headers"), name) {
			o.Errorf("%s is not exposed: %q", name, shop.header.Get("Access-Control-Expose-Headers"))
		}
	}
	if refused := o.ask("GET", "/v1/shop", key, nil, theirs); refused.status != 403 || refused.field("/code") != "origin_not_allowed" || refused.header.Get("Access-Control-Allow-Origin") != "" {
		o.Errorf("another origin: %d %v", refused.status, refused.header)
	}
	if unknown := o.ask("GET", "/v1/shop", "stoa_pk_live_none", nil, ours); unknown.status != 401 || unknown.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		o.Errorf("a page cannot read why its key is refused: %d %v", unknown.status, unknown.header)
	}
	preflight := o.ask("OPTIONS", "/v1/shop/carts", "", nil, ours, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, idempotency-key")
	if preflight.status != 204 || !strings.Contains(preflight.header.Get("Access-Control-Allow-Methods"), "POST") || !strings.Contains(preflight.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		o.Errorf("preflight: %d %v", preflight.status, preflight.header)
	}
	for _, method := range []string{"OPTIONS", "GET"} {
		if office := o.ask(method, "/v1/products", store["secret_key"], nil, ours); office.header.Get("Access-Control-Allow-Origin") != "" {
			o.Errorf("%s: the back office lets pages of other origins read: %v", method, office.header)
		}
	}
}

func dryRunsTell(o outsider, store map[string]string) {
	// What the connections did just before is not part of what is tried.
	for range 20 {
		if made := o.ask("POST", "/v1/categories", store["secret_key"], fields{"name": "Made just before"}); made.status != 201 {
			o.Fatalf("a category: %d %s", made.status, made.text)
		}
	}
	body := fields{"title": "Only a thought", "variants": []fields{{"prices": []fields{{"amount": 100, "currency": "EUR"}}, "stock_quantity": 3}}}
	tried := o.ask("POST", "/v1/products?dry_run=true", store["secret_key"], body)
	if tried.status != 201 || tried.header.Get("Dry-Run") != "true" || tried.field("/title") != "Only a thought" {
		o.Fatalf("a dry run: %d %v %s", tried.status, tried.header, tried.text)
	}
	rows := strings.Split(tried.header.Get("Dry-Run-Rows"), ", ")
	for _, row := range []string{"audit_entries;inserted=1", "events;inserted=1", "prices;inserted=1", "stock_movements;inserted=1"} {
		if !slices.Contains(rows, row) {
			o.Errorf("Dry-Run-Rows: %q lacks %s", rows, row)
		}
	}
	if strings.Contains(tried.header.Get("Dry-Run-Rows"), "categories") {
		o.Errorf("Dry-Run-Rows: %q tells of another request", rows)
	}
	if !strings.HasPrefix(tried.header.Get("Dry-Run-Events"), "product.created;n=1") {
		o.Errorf("Dry-Run-Events: %q", tried.header.Get("Dry-Run-Events"))
	}
	if missing := o.ask("GET", tried.header.Get("Location"), store["secret_key"], nil); missing.status != 404 {
		o.Errorf("what was only tried is there: %d", missing.status)
	}
	role := o.ask("POST", "/v1/roles?dry_run=true", store["live_secret_key"], fields{"name": "Packer", "permissions": []string{"orders:read"}})
	if role.status != 201 || !strings.Contains(role.header.Get("Dry-Run-Rows"), "roles;inserted=1") || role.header.Get("Dry-Run-Events") != "" {
		o.Errorf("a dry run in the control database: %d %v", role.status, role.header)
	}
}

// suspendedStoresAreShut holds what an owner may still do while the shop is shut.
func suspendedStoresAreShut(o outsider, store map[string]string, password string) {
	operator := o.program.OperatorKey("support")
	at := "/v1/operator/stores/" + store["store_id"]
	if done := o.ask("POST", at+"/suspend", operator, fields{"reason": "Ticket 4711"}); done.status != 200 {
		o.Fatalf("suspend: %d %s", done.status, done.text)
	}
	shop := "Host: " + o.program.Host(store["store_address"]).Host
	apptest.Eventually(o, 20*time.Second, "the shop is shut", func() bool { return o.ask("GET", "/", "", nil, shop).status == 503 })
	if shut := o.ask("GET", "/", "", nil, shop); !strings.HasPrefix(shut.header.Get("Content-Type"), "text/html") {
		o.Errorf("the shop's page: %v", shut.header)
	}
	in := "Stoa-Store: " + store["store_id"]
	for _, c := range []struct {
		what, method, path string
		body               any
		status             int
	}{
		{"sign in", "POST", "/v1/session", fields{"email": store["email"], "password": password}, 201},
		{"read", "GET", "/v1/products", nil, 200},
		{"export", "GET", "/v1/store/export", nil, 200},
		{"write", "POST", "/v1/products", fields{"title": "Refused"}, 403},
		{"make a key", "POST", "/v1/api-keys", fields{"name": "Refused", "kind": "secret"}, 403},
		{"sign out", "DELETE", "/v1/session", nil, 204},
	} {
		got := o.ask(c.method, c.path, "", c.body, in)
		if got.status != c.status || c.status == 403 && got.field("/code") != "store_suspended" {
			o.Errorf("%s: %d %.300s", c.what, got.status, got.text)
		}
		// Who is signed in may ask as much as the back office needs, whatever the plan.
		if policy := got.header.Get("RateLimit-Policy"); c.what == "read" && policy != `"account";q=1200;w=60` {
			o.Errorf("what limits a person of the staff: %s", policy)
		}
	}
	if done := o.ask("POST", at+"/resume", operator, fields{"reason": "Settled"}); done.status != 200 {
		o.Fatalf("resume: %d %s", done.status, done.text)
	}
	apptest.Eventually(o, 20*time.Second, "the shop is open", func() bool { return o.ask("GET", "/", "", nil, shop).status == 200 })
}

// commandsTell runs what operators have at the command line.
func commandsTell(o outsider) {
	command := func(do app.Command) (string, error) {
		var out bytes.Buffer
		err := do(o.Context(), o.program.Config, app.Build{Version: "test", Commit: "none"}, app.Terminal{Out: &out, Err: io.Discard})
		return out.String(), err
	}
	cells, err := command(app.ListCells)
	if cell, _, _ := strings.Cut(o.program.Env["STOA_CELLS"], "="); err != nil || !strings.Contains(cells, cell) || !strings.Contains(cells, "true") {
		o.Errorf("cells: %v\n%s", err, cells)
	}
	if waiting, err := command(app.ListJobs("set_aside")); err != nil || !strings.HasPrefix(waiting, "ID") {
		o.Errorf("jobs: %v\n%s", err, waiting)
	}
	for what, do := range map[string]app.Command{
		"waiting, running, retrying, set_aside": app.ListJobs("gone"), "active, suspended, deleted": app.ListStores("", "gone"),
		"free, starter, growth, scale": app.SetPlan(ids.New("sto"), "gone", "a slip"),
	} {
		if _, err := command(do); err == nil || !strings.Contains(err.Error(), what) {
			o.Errorf("what there is not: %v, want %s", err, what)
		}
	}
	if sealed, err := command(app.RotateSecrets); err != nil || !strings.Contains(sealed, "platform_secrets.sealed: 0 sealed anew, ") {
		o.Errorf("sealing anew: %v\n%s", err, sealed)
	}
	operator := o.program.OperatorKey("read")
	listed, err := command(app.ListOperatorKeys)
	line := strings.Split(listed+"\n", "\n")[1] // the latest
	if err != nil || !strings.Contains(line, operator[len(operator)-4:]) || strings.Contains(listed, operator) {
		o.Fatalf("operators' keys: %v\n%s", err, listed)
	}
	if _, err := command(app.RevokeOperatorKey(strings.Fields(line)[0])); err != nil {
		o.Error(err)
	}
	if revoked := o.ask("GET", "/v1/operator/cells", operator, nil); revoked.status != http.StatusUnauthorized {
		o.Errorf("a revoked operator's key: %d", revoked.status)
	}
	for _, name := range []string{"nonsense", "control.999999"} {
		if _, err := command(app.ChangeJob("retry", name, "again")); err == nil {
			o.Errorf("the job %s was retried", name)
		}
	}
}
