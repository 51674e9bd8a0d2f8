package stores_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// move takes one of the steps of a life.
func (h *house) move(t testing.TB, step, id, reason string) (stores.Record, error) {
	t.Helper()
	return h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) {
		switch step {
		case "suspend":
			return h.Suspend(ctx, tx, id, reason)
		case "resume":
			return h.Resume(ctx, tx, id, reason)
		case "delete":
			return h.Delete(ctx, tx, id, reason)
		default:
			return h.Restore(ctx, tx, id, reason)
		}
	})
}

// TestLife tries every step from every state.
func TestLife(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	live, _ := postgres.StoreFrom(h.inside(t, rec.ID, principal.Live))
	schema := live.Schema
	for i, c := range []struct {
		step   string
		status tenants.Status // afterwards
		code   string         // or why not
	}{
		{"resume", "", "store_not_suspended"},
		{"restore", "", "store_not_deleted"},
		{"suspend", tenants.Suspended, ""},
		{"suspend", "", "store_already_suspended"},
		{"restore", "", "store_not_deleted"},
		{"delete", tenants.Deleted, ""},
		{"delete", "", "store_deleted"},
		{"suspend", "", "store_deleted"},
		{"resume", "", "store_deleted"},
		{"restore", tenants.Suspended, ""}, // as it was
		{"resume", tenants.Active, ""},
		{"delete", tenants.Deleted, ""},
		{"restore", tenants.Active, ""},
	} {
		got, err := h.move(t, c.step, rec.ID, "ticket 4711")
		if c.code != "" {
			wantProblem(t, err, c.code)
			continue
		}
		if err != nil || got.Status != c.status {
			t.Fatalf("step %d: %s: %s, %v", i, c.step, got.Status, err)
		}
		suspended, deleted := c.status == tenants.Suspended || c.step == "delete" && i == 5, c.status == tenants.Deleted
		if (got.SuspendedAt != nil) != suspended || (got.SuspensionReason == "ticket 4711") != suspended || (got.DeletedAt != nil) != deleted || (got.PurgeAfter != nil) != deleted {
			t.Errorf("step %d: %s: %+v", i, c.step, got)
		}
		if got.PurgeAfter != nil && time.Until(*got.PurgeAfter).Round(time.Hour) != 30*24*time.Hour {
			t.Errorf("purged after %v", got.PurgeAfter)
		}
		store, err := h.ByAddress(t.Context(), rec.Address)
		if deleted != (err != nil) || err == nil && store.Status != c.status {
			t.Errorf("step %d: %s: outside it is %s, %v", i, c.step, store.Status, err)
		}
		ref, state, err := h.ResolveJob(t.Context(), h.Cell, schema)
		if err != nil || ref.ID != rec.ID || (state == jobs.Run) != (c.status == tenants.Active) || state == jobs.Gone {
			t.Errorf("step %d: %s: jobs of %+v are in state %d, %v", i, c.step, ref, state, err)
		}
	}
	if n := h.count(t, `select count(*) from audit_entries where store_id = $1 and reason = 'ticket 4711' and actor_kind = 'operator'`, rec.ID); n != 6 {
		t.Errorf("%d entries in the audit", n)
	}
	_, err := h.move(t, "suspend", "sto_none", "")
	wantProblem(t, err, "not_found")
}

// TestAnnounce has the store itself told of what was done to it, once.
func TestAnnounce(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	if _, err := h.move(t, "suspend", rec.ID, "payment disputes"); err != nil {
		t.Fatal(err)
	}
	var told []stores.Announcement
	err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select args from outbox where kind = $1 and args->>'store_id' = $2 order by id`, stores.JobAnnounce, rec.ID)
		if err != nil {
			return err
		}
		told, err = pgx.CollectRows(rows, pgx.RowTo[stores.Announcement])
		return err
	})
	if err != nil || len(told) != 1 {
		t.Fatal(told, err)
	}
	ctx := h.inside(t, rec.ID, principal.Live)
	listen := func(statement string) {
		err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	listen(`insert into webhook_endpoints (id, url, events, secrets) values ('whe_1', 'https://example.com', '{*}', '[]')`)
	for range 3 {
		if err := h.Announce(t.Context(), told[0]); err != nil {
			t.Fatal(err)
		}
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var kind, state, reason, actor string
		if err := tx.QueryRow(ctx, `select type, data->>'state' from events`).Scan(&kind, &state); err != nil || kind != "store.suspended" || state != "suspended" {
			t.Errorf("event %s, %s, %v", kind, state, err)
		}
		if err := tx.QueryRow(ctx, `select reason, actor from audit_entries where action = 'store.suspend'`).Scan(&reason, &actor); err != nil || reason != "payment disputes" || actor != "on call" {
			t.Errorf("audit %s, %s, %v", reason, actor, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := postgres.StoreFrom(ctx)
	var jobs int
	err = h.DB.InCell(t.Context(), h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where store = $1 and kind = 'event'`, postgres.RoleName(ref.Cell, ref.Schema)).Scan(&jobs)
	})
	if err != nil || jobs != 1 {
		t.Errorf("%d jobs, %v", jobs, err)
	}
	if err := h.Announce(t.Context(), stores.Announcement{StoreID: "sto_gone"}); err != nil {
		t.Errorf("to a store that is gone: %v", err)
	}
}

// traces notes for which stores it was asked.
type traces struct{ erased []string }

func (tr *traces) Erase(_ context.Context, id string) error {
	tr.erased = append(tr.erased, id)
	return nil
}

// TestPurge proves that of a purged store nothing is left: schemas, roles, files, keys of
// Redis, rows of the control database and of the cell. It is cut short at every step
// first, and taken up again.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	disk, err := files.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	type cut string
	var cutAt string
	left := &traces{}
	h := open(t, func(c *stores.Config) {
		c.Grace, c.Files, c.Traces = time.Microsecond, disk, left
		c.Reached = func(step string) {
			if step == cutAt {
				panic(cut(step))
			}
		}
	})
	at := address()
	rec := h.born(t, birth(at))
	sandbox, err := h.ByID(t.Context(), rec.ID, principal.Test)
	if err != nil {
		t.Fatal(err)
	}
	live, _ := postgres.StoreFrom(h.inside(t, rec.ID, principal.Live))
	refs := []postgres.StoreRef{live, sandbox.Ref}
	for _, ref := range refs {
		if _, err := disk.Put(t.Context(), fmt.Sprintf("%s/%s/a.txt", rec.ID, ref.Mode), strings.NewReader("x"), "text/plain"); err != nil {
			t.Fatal(err)
		}
		err := h.DB.InStore(postgres.WithStore(t.Context(), ref), func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `insert into cell.outbox (kind, args) values ('x', '{}'); insert into cell.usage_deltas (metric, delta) values ('orders', 1);
				insert into cell.idempotency (scope, fingerprint, state) values ('a', 'b', 'done');
				insert into cell.deliveries (id, endpoint_id, event_id, event_type, state) values ('del_`+string(ref.Mode)+rec.ID+`', 'whe', 'evt', 'x', 'pending')`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	other := h.born(t, birth(address()))
	if _, err := disk.Put(t.Context(), other.ID+"/live/a.txt", strings.NewReader("x"), "text/plain"); err != nil {
		t.Fatal(err)
	}
	h.control(t, `insert into roles (id, store_id, name, permissions) values ('role_'||$1, $1, 'x', '{}')`, rec.ID)
	h.control(t, `insert into invitations (id, store_id, email, role, token_hash, invited_by, expires_at) values ('inv_'||$1, $1, 'a@example.com', 'admin', decode(md5($1), 'hex'), '{}', now())`, rec.ID)
	h.control(t, `insert into api_keys (id, store_id, kind, mode, name, prefix, last4, digest, api_version, created_by) values ('key_'||$1, $1, 'secret', 'live', '', '', '', decode(md5($1), 'hex'), '', '{}')`, rec.ID)
	h.control(t, `insert into usage_requests values ($1, now(), 'g', 1)`, rec.ID)
	h.control(t, `insert into mailbox (id, store_id, kind, recipient, subject, html, text) values ('mail_'||$1, $1, '', '', '', '', '')`, rec.ID)

	if n, err := h.Purge(t.Context()); n != 0 || err != nil {
		t.Fatalf("what lives was purged: %d, %v", n, err)
	}
	if _, err := h.move(t, "delete", rec.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err = h.move(t, "restore", rec.ID, "")
	wantProblem(t, err, "grace_period_over")
	for _, step := range []string{"files gone", "traces gone", "schema gone"} {
		cutAt = step
		func() {
			defer func() {
				if cut := recover(); cut == nil {
					t.Errorf("not cut at %q", step)
				}
			}()
			_, _ = h.Purge(t.Context())
		}()
		if n := h.count(t, `select count(*) from stores where id = $1 and status = 'deleted'`, rec.ID); n != 1 {
			t.Errorf("cut at %q it counts as purged", step)
		}
	}
	cutAt = ""
	if n, err := h.Purge(t.Context()); n != 1 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}

	for _, ref := range refs {
		if _, state, err := h.ResolveJob(t.Context(), ref.Cell, ref.Schema); state != jobs.Gone || err != nil {
			t.Errorf("jobs of the %s side are in state %d, %v", ref.Mode, state, err)
		}
		var n int
		err := h.DB.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			role := postgres.RoleName(ref.Cell, ref.Schema)
			err := tx.QueryRow(ctx, `select (select count(*) from pg_namespace where nspname = $1) + (select count(*) from pg_roles where rolname = $2)
				+ (select count(*) from cell.schema_versions where number = $3)`, postgres.SchemaName(ref.Schema), role, ref.Schema).Scan(&n)
			if err != nil {
				return err
			}
			// Whatever the cell keeps of all stores, it keeps nothing of this one.
			rows, err := tx.Query(ctx, `select table_name from information_schema.columns where table_schema = 'cell' and column_name = 'store'`)
			if err != nil {
				return err
			}
			tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil || len(tables) < 4 {
				t.Errorf("tables of the cell: %v, %v", tables, err)
			}
			for _, table := range tables {
				var left int
				if err := tx.QueryRow(ctx, `select count(*) from cell."`+table+`" where store = $1`, role).Scan(&left); err != nil {
					return err
				}
				n += left
			}
			return nil
		})
		if err != nil || n != 0 {
			t.Errorf("%s: %d things are left in the cell, %v", ref.Mode, n, err)
		}
	}
	for _, table := range []string{"members", "roles", "invitations", "api_keys", "usage_requests", "mailbox"} {
		if n := h.count(t, `select count(*) from `+table+` where store_id = $1`, rec.ID); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, rec.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files are left: %v", err)
	}
	if f, err := disk.Open(t.Context(), other.ID+"/live/a.txt"); err != nil {
		t.Errorf("another store's file: %v", err)
	} else {
		f.Close()
	}
	if len(left.erased) == 0 || left.erased[len(left.erased)-1] != rec.ID {
		t.Errorf("erased %v", left.erased)
	}
	if n := h.count(t, `select count(*) from audit_entries where store_id = $1 and action = 'store.purge' and actor_kind = 'system'`, rec.ID); n != 1 {
		t.Errorf("%d entries in the audit", n)
	}
	for what, try := range map[string]func() error{
		"get":     func() error { _, err := h.Get(t.Context(), rec.ID); return err },
		"by ID":   func() error { _, err := h.ByID(t.Context(), rec.ID, principal.Live); return err },
		"sandbox": func() error { _, err := h.ByID(t.Context(), rec.ID, principal.Test); return err },
		"restore": func() error { _, err := h.move(t, "restore", rec.ID, ""); return err },
	} {
		if err := try(); err == nil {
			t.Errorf("%s: a purged store is found", what)
		}
	}
	if n, err := h.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("purged again: %d, %v", n, err)
	}
	if again := h.born(t, birth(at)); again.Address != at {
		t.Error("the address was not given back")
	}
}

func TestExport(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	ctx := h.inside(t, rec.ID, principal.Live)
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into customers (id, email, password_hash) select 'cus_' || n, n || '@example.com', 'secret hash' from generate_series(1, 450) n;
			insert into customer_tokens (hash, customer_id, purpose, expires_at) values ('secret token', 'cus_1', 'session', now());
			insert into webhook_endpoints (id, url, events, secrets) values ('whe_1', 'https://example.com', '{*}', '["secret whsec"]')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := h.Export(ctx, &out); err != nil {
		t.Fatal(err)
	}
	if err := h.CanExport(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	counts := map[string]int{}
	var last struct {
		Kind string
		Data map[string]any
	}
	for line := range strings.Lines(out.String()) {
		last.Data = nil
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		counts[last.Kind]++
	}
	if counts["customers"] != 450 || counts["settings"] != 1 || counts["shipping_methods"] != 1 || counts["tax_rates"] != 1 || counts["locations"] != 1 || counts["webhook_endpoints"] != 1 ||
		counts["customer_tokens"] != 0 || counts["audit_entries"] != 1 || counts["end"] != 1 {
		t.Errorf("exported %v", counts)
	}
	if last.Kind != "end" || last.Data["rows"] != float64(450+6) {
		t.Errorf("ends with %v", last)
	}
	for _, secret := range []string{"secret", "password_hash", "token_hash"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is exported", secret)
		}
	}
	if err := h.Export(ctx, failing{}); err == nil {
		t.Error("a client that went away is not noticed")
	}
	// Within a request that is over it goes on, for it is bounded by the client alone.
	over, cancel := context.WithCancel(ctx)
	cancel()
	out.Reset()
	if err := h.Export(over, &out); err != nil || !strings.Contains(out.String(), `"kind":"end"`) {
		t.Errorf("after the request's end: %v", err)
	}
	if err := h.Export(t.Context(), &out); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestSettings(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	ctx := h.inside(t, rec.ID, principal.Live)
	change := func(c stores.SettingsChange) (v stores.Settings, err error) {
		err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			v, err = h.ChangeSettings(ctx, tx, c)
			return err
		})
		return v, err
	}
	text := func(s string) *string { return &s }
	no := false
	v, err := change(stores.SettingsChange{Name: text("Wool & Co"), Description: text("From the mill"), Currency: text("USD"), Country: text("AT"), Locale: text("de-AT"),
		ContactEmail: text(""), AccentColor: text("#abcdef"), PricesIncludeTax: &no, IfVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	if v.Name != "Wool & Co" || v.Description != "From the mill" || fmt.Sprint(v.Currencies) != "[USD EUR]" || v.Version != 2 || v.PricesIncludeTax || v.AccentColor != "#abcdef" || v.ContactEmail != "" || v.Locale != "de-AT" {
		t.Errorf("changed to %+v", v)
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		read, err := h.Settings(ctx, tx)
		if err == nil && fmt.Sprint(read) != fmt.Sprint(v) {
			t.Errorf("read %+v, written %+v", read, v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := h.ByID(t.Context(), rec.ID, principal.Live)
	if err != nil || store.Name != "Wool & Co" || store.Currency != "USD" || store.Country != "AT" {
		t.Errorf("the control database has %+v, %v", store, err)
	}
	if v, err = change(stores.SettingsChange{Currencies: []string{"EUR", "USD", "JPY", "EUR"}}); err != nil || fmt.Sprint(v.Currencies) != "[USD EUR JPY]" {
		t.Errorf("currencies %v, %v", v.Currencies, err)
	}
	german := []stores.Locale{{Locale: "DE", Published: true}, {Locale: "zh-hant-tw"}}
	if v, err = change(stores.SettingsChange{Locale: text("EN-gb"), Locales: german}); err != nil || v.Locale != "en-GB" || fmt.Sprint(v.Locales) != "[{de true} {zh-Hant-TW false}]" {
		t.Errorf("locales %v, %v", v.Locales, err)
	}
	for _, wrong := range [][]stores.Locale{{{Locale: "en-gb"}}, {{Locale: "de"}, {Locale: "DE"}}, {{Locale: "de-1996"}}, make([]stores.Locale, 21)} {
		_, err := change(stores.SettingsChange{Locales: wrong})
		wantProblem(t, err, "invalid_locales")
	}
	for code, c := range map[string]stores.SettingsChange{
		"stale":             {Name: text("X"), IfVersion: 1},
		"currency_not_sold": {Currencies: []string{"EUR"}},
		"unknown_currency":  {Currencies: []string{"USD", "XXX"}},
		"unknown_country":   {Country: text("ZZ")},
		"invalid_request":   {Name: text("  "), Locale: text("nonsense-nonsense-")},
	} {
		_, err := change(c)
		wantProblem(t, err, code)
	}

	// A process that ends between the commit and telling the control database leaves a job.
	h.control(t, `update stores set name = 'as it was' where id = $1`, rec.ID)
	if err := h.Mirror(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Get(t.Context(), rec.ID); err != nil || got.Name != "Wool & Co" {
		t.Errorf("mirrored %s, %v", got.Name, err)
	}
	ref, _ := postgres.StoreFrom(ctx)
	var jobs, events, audit int
	err = h.DB.InCell(t.Context(), h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where store = $1 and kind = $2`, postgres.RoleName(ref.Cell, ref.Schema), stores.JobMirror).Scan(&jobs)
	})
	if err == nil {
		err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select (select count(*) from events where type = 'store.updated'), (select count(*) from audit_entries where action = 'store.update')`).Scan(&events, &audit)
		})
	}
	if err != nil || jobs != 1 || events != 3 || audit != 3 {
		t.Errorf("%d jobs, %d events, %d entries, %v", jobs, events, audit, err)
	}

	// The sandbox's settings are its own.
	ctx = h.inside(t, rec.ID, principal.Test)
	if _, err := change(stores.SettingsChange{Name: text("Trial")}); err != nil {
		t.Fatal(err)
	}
	if err := h.Mirror(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Get(t.Context(), rec.ID); err != nil || got.Name != "Wool & Co" {
		t.Errorf("the sandbox renamed the store to %s, %v", got.Name, err)
	}
}

func TestList(t *testing.T) {
	h := open(t)
	mark := address()
	var ids []string
	for i := range 3 {
		in := birth(address())
		in.Name = fmt.Sprintf("%s 100%% %d", mark, i)
		ids = append(ids, h.born(t, in).ID)
	}
	list := func(f stores.Filter) (page []stores.Record, next string) {
		err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			var err error
			page, next, err = h.ListTx(ctx, tx, f)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return page, next
	}
	page, next := list(stores.Filter{Query: mark, Limit: 2})
	if len(page) != 2 || page[0].ID != ids[2] || next != ids[1] {
		t.Fatalf("first page %d, %s", len(page), next)
	}
	page, next = list(stores.Filter{Query: mark, Limit: 2, After: next})
	if len(page) != 1 || page[0].ID != ids[0] || next != "" {
		t.Fatalf("last page %d, %s", len(page), next)
	}
	for query, want := range map[string]int{mark + " 100% 1": 1, mark + "_100": 0, page[0].OwnerEmail: 1, page[0].Address: 1} {
		if page, _ := list(stores.Filter{Query: query, Limit: 10}); len(page) != want {
			t.Errorf("%s finds %d", query, len(page))
		}
	}
	if _, err := h.move(t, "suspend", ids[0], "x"); err != nil {
		t.Fatal(err)
	}
	if page, _ := list(stores.Filter{Query: mark, Status: tenants.Suspended, Cell: h.Cell, Limit: 10}); len(page) != 1 || page[0].ID != ids[0] {
		t.Errorf("suspended: %d", len(page))
	}
	if page, _ := list(stores.Filter{Query: mark, Cell: "none", Limit: 10}); len(page) != 0 {
		t.Errorf("in no cell: %d", len(page))
	}
}
