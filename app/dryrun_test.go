package app_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// TestDryRuns tries every write of the contract as a dry run, each in a state in which it
// would succeed. Nothing is changed by it: no row, no file, no number that is drawn, nothing
// in Redis, no job, no mail; and nobody is called. A write that cannot be tried refuses to be.
func TestDryRuns(t *testing.T) {
	t.Parallel()
	stripe := stripetest.New(t)
	var asked atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		stripe.ServeHTTP(w, r)
	}))
	t.Cleanup(provider.Close)
	p := apptest.Start(t, apptest.Env{
		"STOA_RESPONSE_SAMPLE": "0", // every answer is held against the contract here
		"STOA_STRIPE_API_BASE": provider.URL, "STOA_STRIPE_TEST_SECRET_KEY": "sk_test_platform", "STOA_STRIPE_SECRET_KEY": "sk_test_platform",
	})
	r := &gallery{p: p, own: newTenant(t, p), operator: p.OperatorKey("admin"), client: probe.NewClient(time.Minute)}
	r.client.Jar = nil
	s := newStage(t, r.own, r.operator, stripe.Account("acct_example"))
	operations := apitest.Operations(t)
	r.own.quiet(t)

	calls := func() string {
		return fmt.Sprintf("%d webhooks and rates of carriers, %d calls of Stripe's, %d of taxes", len(r.own.receiver.Deliveries()), asked.Load(), s.taxed.Load())
	}
	before, called := everything(t, p), calls()
	handed := apptest.Query[int64](p, `select coalesce(max(id), 0) from river.river_job`)[0]
	began, tried := time.Now(), 0
	for i, op := range operations {
		if op.Writes() && op.ID != "createImport" {
			s.try(t, r, op, []string{"true", "1", "T", "TRUE"}[i%4])
			tried++
		}
	}
	t.Logf("%d writes were tried in %v", tried, time.Since(began).Round(time.Millisecond))
	r.own.quiet(t)
	before.same(t, everything(t, p), "")
	if now := calls(); now != called {
		t.Errorf("others were called: %s, were %s", now, called)
	}
	for _, kind := range apptest.Query[string](p, `select distinct kind from river.river_job where id > $1 and args->>'store' is not null`, handed) {
		if !slices.ContainsFunc(before[handedOver], func(job string) bool { return strings.Contains(job, " "+kind+"{") }) {
			t.Errorf("%s is a job that nobody had before", kind)
		}
	}
	s.previews(t, r, operations)
}

// everything is what is kept of stores and of the platform, in whatever place.
func everything(t *testing.T, p *apptest.Program) rows {
	t.Helper()
	all := snapshot(t, p)
	all["files, numbers and Redis"] = kept(t, p)
	return all
}

// kept are a program's files, the numbers that its stores have drawn, and what it keeps in
// Redis besides counts of requests and answers that it can make again.
func kept(t *testing.T, p *apptest.Program) []string {
	t.Helper()
	list := p.RedisKeys("limit", "usage", "guard", "cache", "probe")
	err := filepath.WalkDir(p.Env["STOA_DATA_DIR"], func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				list = append(list, fmt.Sprintf("%s %d %v", path, info.Size(), info.ModTime()))
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The identities of rows are nobody's to see; a sequence that no column owns is.
	list = append(list, apptest.Query[string](p, `select schemaname || '.' || sequencename || ' ' || coalesce(last_value, 0) from pg_sequences
		where schemaname in (select 's_' || number from schemas where state = 'taken')
			and not exists (select from pg_depend where objid = format('%I.%I', schemaname, sequencename)::regclass and deptype in ('a', 'i'))`)...)
	slices.Sort(list)
	return list
}

// try has an operation tried. One that can be has to succeed.
func (s *stage) try(t *testing.T, r *gallery, op *openapi.Operation, yes string) {
	t.Helper()
	call := s.call(r, op)
	call.Query.Set("dry_run", yes)
	answer := r.send(t, op, shot{what: "a dry run", call: call})
	switch {
	case answer == nil:
	case answer.Broken != nil:
		t.Errorf("%s: %v", op.ID, answer.Broken)
	case !op.DryRuns():
		if answer.Status != http.StatusBadRequest || answer.String("/code") != "invalid_request" || !strings.Contains(string(answer.Body), "dry_run") {
			t.Errorf("%s is not to be tried, and was answered %d %.300s", op.ID, answer.Status, answer.Body)
		}
	case answer.Status >= 300 || answer.Header.Get("Dry-Run") != "true":
		t.Errorf("a dry run of %s, if it is one (%q), did not succeed: %d %.600s", op.ID, answer.Header.Get("Dry-Run"), answer.Status, answer.Body)
	case !op.InShop() && !strings.Contains(answer.Header.Get("Dry-Run-Rows"), "audit_entries;inserted="):
		t.Errorf("a dry run of %s tells of no entry in the audit: %q", op.ID, answer.Header.Get("Dry-Run-Rows"))
	case op.InShop() && answer.Header.Get("Dry-Run-Rows")+answer.Header.Get("Dry-Run-Events") != "":
		t.Errorf("a shopper is told what a dry run of %s would write: %v", op.ID, answer.Header)
	}
}

// call is a request for an operation that would succeed.
func (s *stage) call(r *gallery, op *openapi.Operation) probe.Call {
	call := r.valid(op)
	if op.Idempotent != "" {
		call.Header.Set("Idempotency-Key", ids.New("key"))
	}
	more := s.requests[op.ID]
	maps.Copy(call.Path, more.path)
	for name, value := range more.query {
		call.Query.Set(name, value)
	}
	for name, value := range more.header {
		call.Header.Set(name, value)
	}
	switch content := more.body.(type) {
	case nil:
	case []byte:
		call.Body = content
	default:
		call.Body = body(content)
		if media, _ := jsonBody(op); media != "" {
			call.Header.Set("Content-Type", media)
		}
	}
	return call
}

// previews has an import tried, which is answered with its preview: an operation that tells
// what would become of each row, and leaves the catalogue as it is.
func (s *stage) previews(t *testing.T, r *gallery, operations []*openapi.Operation) {
	t.Helper()
	products := func() []string {
		return apptest.Query[string](r.p, `select to_jsonb(x)::text from `+s.schema()+`products x union all select to_jsonb(x)::text from `+s.schema()+`variants x order by 1`)
	}
	op := operations[slices.IndexFunc(operations, func(op *openapi.Operation) bool { return op.ID == "createImport" })]
	s.admin(t, http.StatusOK, "cancelOperation", s.requests["cancelOperation"].path, nil) // what is waited for, as they take turns
	files, before := kept(t, r.p), products()
	call := s.call(r, op)
	call.Query.Set("dry_run", "true")
	answer := r.send(t, op, shot{what: "a dry run", call: call})
	if answer == nil || answer.Status != http.StatusAccepted || answer.Header.Get("Dry-Run") != "true" || answer.String("/kind") != "preview_shopify_products" {
		t.Fatalf("an import that is tried: %+v", answer)
	}
	in := map[string]string{"operation_id": answer.String("/id")}
	apptest.Eventually(t, time.Minute, "the preview", func() bool {
		return s.must(t, http.StatusOK, probe.Call{Operation: "getOperation", Path: in, Header: headers(s.secret)}).String("/state") == "succeeded"
	})
	if fate := s.must(t, http.StatusOK, probe.Call{Operation: "listOperationRows", Path: in, Header: headers(s.secret)}).String("/data/0/outcome"); fate != "created" {
		t.Errorf("the first row would be %q", fate)
	}
	if now := products(); !slices.Equal(before, now) {
		t.Errorf("a preview changed the catalogue: %q", now)
	}
	apptest.Eventually(t, time.Minute, "the file is gone", func() bool { return slices.Equal(files, kept(t, r.p)) })
}
