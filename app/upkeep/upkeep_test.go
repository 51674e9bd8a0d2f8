package upkeep_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/upkeep"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/mailbox"
)

// house is a platform of its own: what is thrown away would be missed by other tests.
type house struct {
	*testdb.Platform
	upkeep *upkeep.Upkeep
}

func open(t *testing.T, name string) *house {
	t.Helper()
	p := testdb.New(t, name+ids.New("x")[20:], 2)
	t.Cleanup(func() { _ = p.DB.Close() })
	return &house{p, &upkeep.Upkeep{DB: p.DB, Log: slog.New(slog.DiscardHandler), Batch: 2}}
}

// door runs something in the control database, in a cell, or in a context's store.
type door func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error

func (h *house) cell(name string) door {
	return func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
		return h.DB.InCell(ctx, name, fn)
	}
}

func (d door) exec(t *testing.T, ctx context.Context, statement string, args ...any) {
	t.Helper()
	err := d(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (d door) count(t *testing.T, ctx context.Context, table string) (n int) {
	t.Helper()
	err := d(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const hour, day = time.Hour, 24 * time.Hour

// fill writes rows of different ages into a table: the statement's $1 is an ID of its own
// for each row, $2 its age.
func (d door) fill(t *testing.T, ctx context.Context, statement string, ages ...time.Duration) {
	t.Helper()
	for _, age := range ages {
		d.exec(t, ctx, statement, ids.New("row"), age)
	}
}

func (h *house) run(t *testing.T) {
	t.Helper()
	if err := h.upkeep.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsOldGoes(t *testing.T) {
	h := open(t, "up")
	ctx := t.Context()
	control, cell := door(h.DB.InControl), h.cell(h.Cell)
	live := h.Store(t)
	store, test := door(h.DB.InStore), h.Sandbox(t, live)

	idempotency := func(table, columns, values string) (done, running, leased string) {
		insert := `insert into ` + table + ` (scope, fingerprint, state, lease_until, created_at` + columns + `) values (convert_to($1, 'UTF8'), '', `
		return insert + `'done', null, now() - $2::interval` + values + `)`, insert + `'running', now() - interval '1 hour', now() - $2::interval` + values + `)`,
			insert + `'running', now() + interval '1 hour', now() - $2::interval` + values + `)`
	}
	done, running, leased := idempotency("idempotency", "", "")
	control.fill(t, ctx, done, 23*hour, 25*hour, 26*hour, 27*hour)
	control.fill(t, ctx, running, 23*hour, 25*hour)
	control.fill(t, ctx, leased, 23*hour, 25*hour)
	control.fill(t, ctx, `insert into mailbox (id, kind, recipient, subject, html, text, created_at) values ($1, '', '', '', '', '', now() - $2::interval)`,
		mailbox.Kept-hour, mailbox.Kept+hour)
	control.exec(t, ctx, `insert into accounts (id, email, password_hash) values ('acc_1', 'a@example.com', '')`)
	control.fill(t, ctx, `insert into account_tokens (hash, account_id, purpose, email, expires_at)
		values (convert_to($1, 'UTF8'), 'acc_1', 'verify_email', '', now() - $2::interval)`, -day, 30*time.Minute, 2*hour, 2*day)
	control.fill(t, ctx, `insert into invitations (id, store_id, email, role, token_hash, invited_by, expires_at)
		select $1::text, id, $1::text, 'admin', convert_to($1::text, 'UTF8'), '{}', now() - $2::interval from stores limit 1`, -day, 29*day, 31*day)

	done, running, leased = idempotency("cell.idempotency", ", store", ", current_user")
	cell.fill(t, ctx, done, 23*hour, 25*hour, 26*hour)
	cell.fill(t, ctx, running, 25*hour)
	cell.fill(t, ctx, leased, 25*hour)
	delivery := `insert into cell.deliveries (id, store, endpoint_id, event_id, event_type, state, created_at) values ($1, current_user, '', $1, '', `
	cell.fill(t, ctx, delivery+`'delivered', now() - $2::interval)`, 29*day, 31*day)
	cell.fill(t, ctx, delivery+`'failed', now() - $2::interval)`, 29*day, 31*day)
	cell.fill(t, ctx, delivery+`'pending', now() - $2::interval)`, 29*day, 31*day)

	for _, side := range []context.Context{live, test} {
		store.fill(t, side, `insert into events (id, type, object_id, object_sequence, data, created_at) values ($1, 'order.created', '', 1, '{}', now() - $2::interval)`,
			29*day, 31*day, 32*day, 33*day, 34*day, 35*day)
		cart := `insert into carts (id, token_hash, currency, expires_at, state) values ($1, '', 'EUR', now() - $2::interval, `
		store.fill(t, side, cart+`'open')`, -hour, hour)
		store.fill(t, side, cart+`'completed')`, -hour, hour)
		store.fill(t, side, cart+`'completing')`, -hour, hour)
		order := `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email,
			prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount, placed_at)
			select $1::text, n, coalesce((select min(id) from carts where carts.state = $3 and expires_at > now()), $1::text), '', $4, 'pending', 'unfulfilled', 'EUR',
				'ada@example.com', true, 1, 0, 0, 1, now() - $2::interval from (select count(*) + 1 as n from orders) o`
		store.exec(t, side, order, "ord_1", hour, "open", "pending") // its cart is there
		store.exec(t, side, order, "ord_2", hour, "none", "pending")
		store.exec(t, side, order, "ord_3", hour, "none", "open") // paid for
		store.exec(t, side, `insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, quantity, unit_amount, total_amount,
			tax_amount, requires_shipping, tracks_stock) select 'line_' || id, id, 0, '', '', '', '', 1, 1, 1, 0, false, false from orders`)
		for n, age := range []time.Duration{-day, 2 * day} { // what a restricted document says goes, and it stays
			store.exec(t, side, `insert into order_edits (id, order_id, lines, total_before, total_after, invoiced) values ($1, 'ord_3', '[]', 1, 1, true)`, fmt.Sprint("edit_", n))
			store.exec(t, side, `insert into documents (id, kind, order_id, edit_id, year, sequence, number, currency, tax_amount, total_amount, content, sealed, kept_until, issued_at)
				values ('doc_' || $1::int, 'invoice', 'ord_3', 'edit_' || $1::int, 2026, 1 + $1::int, $1::int::text, 'EUR', 0, 1, '{}', 'x', (now() - $2::interval)::date, now())`, n, age)
		}
		store.exec(t, side, `insert into customers (id, email) values ('cus_1', 'a@example.com')`)
		store.fill(t, side, `insert into customer_tokens (hash, customer_id, purpose, expires_at)
			values (convert_to($1, 'UTF8'), 'cus_1', 'session', now() - $2::interval)`, -hour, 2*hour)
	}
	for range 2 { // the second time there is nothing to do
		h.run(t)
		for table, want := range map[string]int{"idempotency": 4, "mailbox": 1, "account_tokens": 2, "invitations": 2} {
			if n := control.count(t, ctx, table); n != want {
				t.Errorf("%d rows of %s are left, want %d", n, table, want)
			}
		}
		for table, want := range map[string]int{"cell.idempotency": 2, "cell.deliveries": 4} {
			if n := cell.count(t, ctx, table); n != want {
				t.Errorf("%d rows of %s are left, want %d", n, table, want)
			}
		}
		for _, side := range []context.Context{live, test} {
			for table, want := range map[string]int{"events": 1, "carts": 4, "orders": 2, "order_lines": 2, "customer_tokens": 1, "documents": 2, "documents where sealed is not null": 1} {
				if n := store.count(t, side, table); n != want {
					t.Errorf("%d rows of %s are left, want %d", n, table, want)
				}
			}
		}
	}
}

func TestARunEndsInTime(t *testing.T) {
	h := open(t, "upt")
	ctx, control := t.Context(), door(h.DB.InControl)
	control.exec(t, ctx, `insert into idempotency (scope, fingerprint, state, created_at)
		select convert_to(n::text, 'UTF8'), '', 'done', now() - interval '2 days' from generate_series(1, 3000) n`)
	h.upkeep.Batch, h.upkeep.Time = 1, 200*time.Millisecond
	h.run(t)
	left := control.count(t, ctx, "idempotency")
	if left == 3000 || left == 0 {
		t.Fatalf("%d of 3000 rows are left after a short run", left)
	}
	h.upkeep.Batch, h.upkeep.Time = 0, 0
	h.run(t)
	if left = control.count(t, ctx, "idempotency"); left != 0 {
		t.Errorf("%d rows are left", left)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.upkeep.Run(stopped); err == nil {
		t.Error("a run that was broken off looks done")
	}
}

func TestACellThatIsDownTakesOnlyItsOwn(t *testing.T) {
	h := open(t, "upd")
	ctx := t.Context()
	store, live := door(h.DB.InStore), h.Store(t)
	store.fill(t, live, `insert into events (id, type, object_id, object_sequence, data, created_at) values ($1, 'order.created', '', 1, '{}', now() - $2::interval)`, 31*day)
	config := h.Config
	config.Cells = map[string]string{h.Cell: h.Config.Cells[h.Cell], h.Cell + "2": "postgres://nobody@127.0.0.1:1/none"}
	db, err := postgres.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h.upkeep.DB = db
	// A store of the other cell, and one of a cell that is not configured any more.
	control := door(h.DB.InControl)
	for _, cell := range []string{h.Cell + "2", "gone"} {
		control.exec(t, ctx, `insert into cells (name, max_stores) values ($1, 10) on conflict do nothing`, cell)
		control.exec(t, ctx, `insert into schemas (cell, login, state, store_id, mode) values ($1, 1, 'taken', $2, 'live')`, cell, ids.New("sto"))
	}
	if err := h.upkeep.Run(ctx); err == nil {
		t.Error("nobody is told of the cell that is down")
	}
	if n := store.count(t, live, "events"); n != 0 {
		t.Error("the cell that is up was passed over")
	}
}
