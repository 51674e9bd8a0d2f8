package webhooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/webhooks"
)

// receiver is an endpoint that keeps what it was sent and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies [][]byte
	answer func(n int, w http.ResponseWriter)
}

func receive(t *testing.T, answer func(n int, w http.ResponseWriter)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got, r.bodies = append(r.got, request), append(r.bodies, body)
		n := len(r.got)
		r.mu.Unlock()
		r.answer(n, w)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func ok(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }

type quiet struct{}

func (quiet) Ran(string, string, error, bool, time.Duration, time.Duration) {}
func (quiet) Relayed(string, int)                                           {}
func (quiet) Measured(string, jobs.Measure)                                 {}

func open(t *testing.T) (*apitest.API, *webhooks.Service) {
	p := testdb.Open(t)
	service := webhooks.New(p.Ring, egress.Options{AllowPlainHTTP: true, AllowPrivate: true})
	return apitest.New(t, (&handlers.Webhooks{DB: p.DB, Webhooks: service}).Operations()), service
}

func create(t *testing.T, api *apitest.API, key, url string, events ...string) (id, secret string) {
	t.Helper()
	answer := api.Do(t, key, "POST", "/v1/webhook-endpoints", map[string]any{"url": url, "event_types": events}).Want(201)
	return answer.String("endpoint.id"), answer.String("secret")
}

func emit(t *testing.T, p *testdb.Platform, ctx context.Context, eventType string) (id string) {
	t.Helper()
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		id = journal.Event(ctx, tx, eventType, "cat_1", map[string]any{"id": ids.New("cat")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// working is a store on a platform of its own, whose workers work.
func working(t *testing.T) (*testdb.Platform, *webhooks.Service, context.Context) {
	platform := testdb.New(t, "hooks"+ids.New("x")[20:], 1)
	service := webhooks.New(platform.Ring, egress.Options{AllowPlainHTTP: true, AllowPrivate: true})
	ctx := platform.Store(t)
	workers := jobs.New(jobs.Config{DB: platform.DB, Observer: quiet{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Resolve: func(ctx context.Context, cell string, schema int64) (postgres.StoreRef, jobs.State, error) {
			ref := postgres.StoreRef{Cell: cell, Schema: schema, Mode: principal.Live}
			err := platform.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				return tx.QueryRow(ctx, `select store_id, login from schemas where number = $1`, schema).Scan(&ref.ID, &ref.Login)
			})
			return ref, jobs.Run, err
		}})
	service.Register(workers, platform.DB, func(webhooks.Attempt) {})
	workers.Start(context.Background())
	t.Cleanup(func() { _ = workers.Stop(context.Background()) })
	return platform, service, ctx
}

// eventually fails the test when something does not come about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestAnEventArrivesSignedAndOnce(t *testing.T) {
	platform, service, ctx := working(t)
	wanted := receive(t, ok)
	flaky := receive(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			http.Error(w, "not now", http.StatusServiceUnavailable)
		}
	})
	other := receive(t, ok)
	secrets := map[string]string{}
	err := platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for url, events := range map[string][]string{wanted.URL: {"category.*"}, flaky.URL: {"category.*"}, other.URL: {"order.paid"}} {
			_, secret, err := service.Create(ctx, tx, webhooks.Input{URL: &url, Events: events})
			if err != nil {
				return err
			}
			secrets[url] = secret
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	id := emit(t, platform, ctx, "category.created")
	eventually(t, "both get it", func() bool { return wanted.count() > 0 && flaky.count() > 1 })
	if wanted.count() != 1 || other.count() != 0 {
		t.Errorf("wanted got %d, other %d", wanted.count(), other.count())
	}
	verifier, err := standardwebhooks.NewWebhook(secrets[wanted.URL])
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(wanted.bodies[0], wanted.got[0].Header); err != nil {
		t.Errorf("the signature does not verify: %v", err)
	}
	if err := verifier.Verify(append(wanted.bodies[0], ' '), wanted.got[0].Header); err == nil {
		t.Error("a changed body verifies")
	}
	var body struct{ ID, Type string }
	if err := json.Unmarshal(wanted.bodies[0], &body); err != nil || body.ID != id || body.Type != "category.created" || wanted.got[0].Header.Get("webhook-id") != id {
		t.Errorf("body %s, headers %v", wanted.bodies[0], wanted.got[0].Header)
	}
	if string(flaky.bodies[0]) != string(flaky.bodies[1]) {
		t.Error("the repetition differs from the first attempt")
	}
}

// attempt makes the first attempt of the only delivery of an event to an endpoint.
func attempt(t *testing.T, api *apitest.API, s *webhooks.Service, ctx context.Context, key, endpoint, event string, number int) (webhooks.Attempt, bool) {
	t.Helper()
	if number == 1 {
		if err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return s.FanOut(ctx, tx, event) }); err != nil {
			t.Fatal(err)
		}
	}
	id := api.Do(t, key, "GET", "/v1/webhook-endpoints/"+endpoint+"/deliveries?event_id="+event, nil).Want(200).String("data.0.id")
	a, made, err := s.Attempt(ctx, api.Platform.DB, id, number)
	if err != nil {
		t.Fatal(err)
	}
	return a, made
}

func TestWhatReceiversDo(t *testing.T) {
	api, service := open(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter)
		status int
		state  string
	}{
		"accepts":   {ok, 204, "delivered"},
		"redirects": {func(_ int, w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(302) }, 302, "pending"},
		"fails":     {func(_ int, w http.ResponseWriter) { http.Error(w, "no\x00", 500) }, 500, "pending"},
		"is busy": {func(_ int, w http.ResponseWriter) {
			w.Header().Set("Retry-After", time.Now().Add(3*time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(503)
		}, 503, "pending"},
		"is gone": {func(_ int, w http.ResponseWriter) { w.WriteHeader(410) }, 410, "failed"},
		"resets": {func(_ int, w http.ResponseWriter) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}, 0, "pending"},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(t, c.answer)
			endpoint, _ := create(t, api, key, r.URL, "category.created")
			event := emit(t, api.Platform, ctx, "category.created")
			a, made := attempt(t, api, service, ctx, key, endpoint, event, 1)
			if !made || a.Status != c.status || (c.status != 204 && a.Error == "") {
				t.Errorf("attempt: %+v", a)
			}
			if r.count() != 1 {
				t.Errorf("it was asked %d times", r.count())
			}
			list := api.Do(t, key, "GET", "/v1/webhook-endpoints/"+endpoint+"/deliveries", nil).Want(200)
			if list.String("data.0.state") != c.state {
				t.Errorf("delivery: %s", list.Body)
			}
			if next := list.Get("data.0.next_attempt_at"); (next != nil) != (c.state == "pending") {
				t.Errorf("next attempt: %v", next)
			} else if at, _ := time.Parse(time.RFC3339, fmt.Sprint(next)); c.status == 503 && time.Until(at) < 2*time.Hour {
				t.Errorf("it is asked again at %v", at)
			}
			// A second run of the same job does nothing.
			if _, again := attempt(t, api, service, ctx, key, endpoint, event, 1); again {
				t.Error("the attempt was made twice")
			}
			state := api.Do(t, key, "GET", "/v1/webhook-endpoints/"+endpoint, nil).Want(200)
			if want := map[bool]string{true: "disabled", false: "enabled"}[c.status == 410]; state.String("state") != want {
				t.Errorf("endpoint: %s", state.Body)
			}
			api.Do(t, key, "DELETE", "/v1/webhook-endpoints/"+endpoint, nil).Want(204)
		})
	}
}

func TestEndpointsOverTheAPI(t *testing.T) {
	api, service := open(t)
	ctx, elsewhere := api.Platform.Store(t), api.Platform.Store(t)
	key, reader, stranger := api.Staff(ctx), api.Scoped(ctx, "webhooks:read", "events:read"), api.Staff(elsewhere)
	r := receive(t, ok)
	first := api.Do(t, key, "POST", "/v1/webhook-endpoints", map[string]any{"url": r.URL, "event_types": []string{"order.*"}}, "Idempotency-Key: one").Want(201)
	again := api.Do(t, key, "POST", "/v1/webhook-endpoints", map[string]any{"url": r.URL, "event_types": []string{"order.*"}}, "Idempotency-Key: one").Want(201)
	if first.String("secret") != again.String("secret") || !strings.HasPrefix(first.String("secret"), "whsec_") {
		t.Errorf("the replay within ten minutes lacks the secret: %s", again.Body)
	}
	id := first.String("endpoint.id")
	path := "/v1/webhook-endpoints/" + id

	api.Do(t, reader, "POST", "/v1/webhook-endpoints", map[string]any{"url": r.URL, "event_types": []string{"*"}}).WantProblem(403, "missing_permission")
	api.Do(t, stranger, "GET", path, nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "PATCH", path, map[string]any{"state": "disabled"}).WantProblem(404, "not_found")
	api.Do(t, stranger, "DELETE", path, nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "POST", path+"/test", nil).WantProblem(404, "not_found")
	api.Do(t, key, "PATCH", path, map[string]any{"url": "ftp://example.com"}).WantProblem(422, "address_refused")
	api.Do(t, key, "PATCH", path, map[string]any{"state": "disabled"}, `If-Match: "9"`).WantProblem(412, "stale")
	typo := api.Do(t, key, "PATCH", path, map[string]any{"event_types": []string{"order.*", "order.payed", "order"}}).WantProblem(422, "event_type_unknown")
	if typo.String("errors.0.pointer") != "/event_types/1" || typo.String("errors.1.pointer") != "/event_types/2" {
		t.Errorf("typo: %s", typo.Body)
	}
	since := map[string]any{"since": "2026-01-01T00:00:00Z"}
	api.Do(t, stranger, "POST", path+"/recover", since).WantProblem(404, "not_found")
	api.Do(t, reader, "POST", path+"/recover", since).WantProblem(403, "missing_permission")
	api.Do(t, key, "POST", path+"/recover", map[string]any{"since": "yesterday"}).WantProblem(400, "invalid_request")
	api.Do(t, key, "POST", path+"/recover", since).Want(202)
	changed := api.Do(t, key, "PATCH", path, map[string]any{"state": "disabled", "description": "Till"}, `If-Match: "1"`).Want(200)
	if changed.String("state") != "disabled" || changed.String("disabled_reason") != "manual" || changed.Header.Get("ETag") != `"2"` {
		t.Errorf("changed: %s %v", changed.Body, changed.Header)
	}
	api.Do(t, key, "POST", path+"/recover", since).WantProblem(409, "endpoint_disabled")
	api.Do(t, key, "POST", path+"/test", nil).WantProblem(409, "endpoint_disabled")
	api.Do(t, key, "PATCH", path, map[string]any{"state": "enabled", "description": nil}).Want(200)

	rotated := api.Do(t, key, "POST", path+"/rotate-secret", map[string]any{"overlap_seconds": 60}).Want(200)
	if rotated.String("secret") == first.String("secret") {
		t.Error("the secret is the same")
	}
	sent := api.Do(t, key, "POST", path+"/test", nil).Want(202)
	if a, made, err := service.Attempt(ctx, api.Platform.DB, sent.String("id"), 1); err != nil || !made || a.Status != 204 {
		t.Fatalf("test event: %+v %v %v", a, made, err)
	}
	// While the secret rotates, old and new verify.
	for _, secret := range []string{first.String("secret"), rotated.String("secret")} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(r.bodies[0], r.got[0].Header); err != nil {
			t.Errorf("%s: %v", r.got[0].Header.Get("webhook-signature"), err)
		}
	}
	resent := api.Do(t, key, "POST", "/v1/webhook-deliveries/"+sent.String("id")+"/resend", nil).Want(202)
	if resent.String("state") != "pending" {
		t.Errorf("resent: %s", resent.Body)
	}
	if a, made, err := service.Attempt(ctx, api.Platform.DB, sent.String("id"), 2); err != nil || !made || a.Number != 2 {
		t.Fatalf("resent: %+v %v %v", a, made, err)
	}
	api.Do(t, key, "POST", "/v1/webhook-deliveries/"+ids.New("dlv")+"/resend", nil).WantProblem(404, "not_found")

	emit(t, api.Platform, ctx, "category.deleted")
	events := api.Do(t, reader, "GET", "/v1/events?limit=1", nil).Want(200)
	if events.String("data.0.type") != "category.deleted" || events.Get("has_more") != true {
		t.Fatalf("events: %s", events.Body)
	}
	next := api.Do(t, reader, "GET", "/v1/events?limit=1&cursor="+events.String("next_cursor"), nil).Want(200)
	if next.String("data.0.type") != "webhook.test" {
		t.Errorf("next page: %s", next.Body)
	}
	api.Do(t, reader, "GET", "/v1/events?type=webhook.*&cursor="+events.String("next_cursor"), nil).WantProblem(400, "invalid_cursor")
	only := api.Do(t, reader, "GET", "/v1/events?type=webhook.*&since=2020-01-01T00:00:00Z", nil).Want(200)
	if only.String("data.0.type") != "webhook.test" || only.Get("data.1") != nil {
		t.Errorf("filtered: %s", only.Body)
	}
	one := api.Do(t, reader, "GET", "/v1/events/"+events.String("data.0.id"), nil).Want(200)
	if one.String("type") != "category.deleted" {
		t.Errorf("event: %s", one.Body)
	}
	api.Do(t, stranger, "GET", "/v1/events/"+events.String("data.0.id"), nil).WantProblem(404, "not_found")

	audit, err := api.Platform.DB.JSON(ctx, `select json_agg(action order by id) from audit_entries`)
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"webhook_endpoint.create", "webhook_endpoint.update", "webhook_endpoint.rotate_secret", "webhook_endpoint.test", "webhook_endpoint.recover", "webhook_delivery.resend"} {
		if !strings.Contains(string(audit), action) {
			t.Errorf("%s left no audit entry: %s", action, audit)
		}
	}
	if strings.Contains(string(audit), "whsec_") {
		t.Error("a secret stands in the audit")
	}
}

// What an endpoint missed while it failed, was disabled or was not there yet comes with a
// recovery, each event once; what it has comes no more.
func TestRecovery(t *testing.T) {
	platform, service, ctx := working(t)
	do := func(fn func(context.Context, *postgres.Tx) error) error { return platform.DB.InStore(ctx, fn) }
	since := time.Now().Add(-time.Second)
	before := emit(t, platform, ctx, "category.created")
	r := receive(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusGone)
		}
	})
	var endpoint webhooks.Endpoint
	err := do(func(ctx context.Context, tx *postgres.Tx) (err error) {
		endpoint, _, err = service.Create(ctx, tx, webhooks.Input{URL: &r.URL, Events: []string{"category.*"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := emit(t, platform, ctx, "category.updated")
	eventually(t, "it is disabled", func() bool {
		err := do(func(ctx context.Context, tx *postgres.Tx) (err error) {
			endpoint, err = service.Get(ctx, tx, endpoint.ID)
			return err
		})
		return err == nil && !endpoint.Enabled
	})
	missed := emit(t, platform, ctx, "category.deleted")
	emit(t, platform, ctx, "order.paid")
	recoverAll := func(ctx context.Context, tx *postgres.Tx) error { return service.Recover(ctx, tx, endpoint.ID, since) }
	if err := do(recoverAll); !problem.Is(err, "endpoint_disabled") {
		t.Fatalf("recovery of a disabled endpoint: %v", err)
	}
	enabled := true
	err = do(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := service.Update(ctx, tx, endpoint.ID, 0, webhooks.Input{Enabled: &enabled})
		return errors.Join(err, recoverAll(ctx, tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all of it comes", func() bool { return r.count() == 4 })
	if err := do(recoverAll); err != nil {
		t.Fatal(err)
	}
	last := emit(t, platform, ctx, "category.created")
	eventually(t, "the last one comes", func() bool { return r.count() > 4 })
	got := map[string]int{}
	r.mu.Lock()
	for _, request := range r.got {
		got[request.Header.Get("webhook-id")]++
	}
	r.mu.Unlock()
	if want := map[string]int{before: 1, failed: 2, missed: 1, last: 1}; !maps.Equal(got, want) {
		t.Errorf("it got %v, want %v", got, want)
	}
}

// An endpoint that has failed for five days is disabled, whether or not anything is sent
// to it by then; its owner is told. One that succeeded meanwhile is not.
func TestFiveDaysOfFailure(t *testing.T) {
	api, service := open(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	r := receive(t, func(n int, w http.ResponseWriter) {
		if n != 2 {
			w.WriteHeader(500)
		}
	})
	endpoint, _ := create(t, api, key, r.URL, "category.created")
	event := emit(t, api.Platform, ctx, "category.created")
	attempt(t, api, service, ctx, key, endpoint, event, 1)
	since := asked(t, api.Platform, ctx)
	if in := time.Until(since) - 5*24*time.Hour; in > time.Minute || in < -time.Minute {
		t.Errorf("it is looked at again %v after five days", in)
	}
	since = since.Add(-5 * 24 * time.Hour)
	giveUp := func(since time.Time) string {
		t.Helper()
		err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return service.GiveUp(ctx, tx, endpoint, since) })
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(api.Do(t, key, "GET", "/v1/webhook-endpoints/"+endpoint, nil).Want(200).Get("disabled_reason"))
	}
	if a, _ := attempt(t, api, service, ctx, key, endpoint, event, 2); a.Status != 200 {
		t.Fatalf("second attempt: %+v", a)
	}
	if reason := giveUp(since); reason != "<nil>" {
		t.Errorf("disabled although it got better: %s", reason)
	}
	event = emit(t, api.Platform, ctx, "category.created")
	attempt(t, api, service, ctx, key, endpoint, event, 1)
	if reason := giveUp(since); reason != "<nil>" {
		t.Errorf("disabled for a failure of before: %s", reason)
	}
	if reason := giveUp(asked(t, api.Platform, ctx).Add(-5 * 24 * time.Hour)); reason != "failing" {
		t.Errorf("not disabled: %s", reason)
	}
	// What was still to be tried ends with its next turn.
	if _, made := attempt(t, api, service, ctx, key, endpoint, event, 2); made {
		t.Error("a disabled endpoint was tried")
	}
	list := api.Do(t, key, "GET", "/v1/webhook-endpoints/"+endpoint+"/deliveries?event_id="+event, nil).Want(200)
	if list.String("data.0.state") != "failed" || list.Get("data.0.next_attempt_at") != nil {
		t.Errorf("delivery: %s", list.Body)
	}
}

// asked is when the workers are to look whether an endpoint of the store still fails.
func asked(t *testing.T, p *testdb.Platform, ctx context.Context) (at time.Time) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	err := p.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select max(run_at) from cell.outbox where store = $1 and kind = $2`, postgres.RoleName(ref.Cell, ref.Schema), webhooks.JobFailing).Scan(&at)
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestPrivateAddressesAreRefusedInProduction(t *testing.T) {
	p := testdb.Open(t)
	service := webhooks.New(p.Ring, egress.Options{})
	api := apitest.New(t, (&handlers.Webhooks{DB: p.DB, Webhooks: service}).Operations())
	key := api.Staff(p.Store(t))
	for _, url := range []string{"http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://user:pass@example.com/"} {
		api.Do(t, key, "POST", "/v1/webhook-endpoints", map[string]any{"url": url, "event_types": []string{"*"}}).WantProblem(422, "address_refused")
	}
}
