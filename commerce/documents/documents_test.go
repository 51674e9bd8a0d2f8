package documents_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
	"github.com/stoacommerce/stoa/platform/typeset"
)

type fixture struct {
	*shoptest.Shop
	t       testing.TB
	service *documents.Service
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	fonts, err := typeset.OpenFonts("")
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{shoptest.New(t, platform), t, &documents.Service{DB: platform.DB, Fonts: fonts}}
}

func (f *fixture) in(fn func(context.Context, *postgres.Tx) error) error {
	return f.DB.InStore(f.Ctx, fn)
}

// set changes how invoices are written.
func (f *fixture) set(patch documents.InvoicingPatch) error {
	return f.in(func(ctx context.Context, tx *postgres.Tx) error { return documents.UpdateInvoicing(ctx, tx, 0, patch) })
}

func (f *fixture) seller() {
	f.t.Helper()
	where := &address.Address{Name: "Clay and Linen Ltd", Line1: "1 Pot Street", City: "Berlin", PostalCode: "10115", Country: "DE"}
	if err := f.set(documents.InvoicingPatch{Address: &where, TaxID: to("DE123456789")}); err != nil {
		f.t.Fatal(err)
	}
}

func to[T any](v T) *T { return &v }

const cartToken = "ct_of_the_order"

// order is a paid order of three shirts at 10.00 in two sizes, shipped for 4.90, and its lines.
func (f *fixture) order(title string) (id string, lines []string) {
	f.t.Helper()
	id = ids.New("ord")
	f.Exec(f.t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, shipping_address, shipping_method,
			prices_include_tax, taxes, subtotal_amount, shipping_amount, tax_amount, total_amount, note)
		values ($1, nextval('order_numbers'), $2, $3, 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com',
			'{"name":"Ada Example","line1":"1 Sample Street","city":"Berlin","postal_code":"10115","country":"DE"}',
			jsonb_build_object('id', 'shp_1', 'name', 'Standard', 'taxes', $4::jsonb), true, $5, 4000, 490, 717, 4490, 'Ring.')`,
		id, ids.New("cart"), token.Hash(cartToken), vat(490, 78), vat(4490, 717))
	for i, n := range []int64{3, 1} {
		line := ids.New("orl")
		lines = append(lines, line)
		f.Exec(f.t, `insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, sku, quantity, unit_amount, total_amount, tax_amount, taxes, requires_shipping, tracks_stock)
			values ($1, $2, $3, 'var_1', 'prod_1', $4, $5, 'S-1', $6, 1000, $7, $8, $9, true, true)`, line, id, i, title, "M", n, n*1000,
			map[int64]int64{3: 479, 1: 160}[n], vat(n*1000, map[int64]int64{3: 479, 1: 160}[n]))
	}
	return id, lines
}

// vat are the taxes of an amount that contains so much of them, as orders keep them.
func vat(amount, tax int64) string {
	return fmt.Sprintf(`[{"name": "VAT", "jurisdiction": "DE", "percentage": "19", "reason": "taxed", "taxable_amount": {"amount": %d, "currency": "EUR"}, "amount": {"amount": %d, "currency": "EUR"}}]`, amount-tax, tax)
}

// refund is a refund of an order, as orders leave it.
func (f *fixture) refund(order, state string, amount int64, lines string) string {
	f.t.Helper()
	id := ids.New("ref")
	f.Exec(f.t, `insert into payments (id, cart_id, order_id, provider, state, currency, amount) values ($1, 'cart_' || $2, $2, 'test', 'captured', 'EUR', 4490)
		on conflict do nothing`, ids.New("pay"), order)
	f.Exec(f.t, `insert into refunds (id, order_id, parts, state, currency, amount, reason, lines)
		select $1, $2, jsonb_build_array(jsonb_build_object('id', $1::text, 'payment_id', id, 'amount', $4::bigint, 'state', $3::text)), $3, 'EUR', $4, 'Damaged', $5 from payments where order_id = $2`, id, order, state, amount, lines)
	return id
}

func (f *fixture) issue(order string) (d documents.Issued, err error) {
	err = f.in(func(ctx context.Context, tx *postgres.Tx) error {
		d, err = f.service.IssueInvoice(ctx, tx, order)
		return err
	})
	return d, err
}

func (f *fixture) credit(refund string) (d documents.Issued, err error) {
	err = f.in(func(ctx context.Context, tx *postgres.Tx) error {
		d, err = f.service.IssueCreditNote(ctx, tx, refund)
		return err
	})
	return d, err
}

func (f *fixture) must(d documents.Issued, err error) documents.Issued {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

func TestAnInvoiceIsIssuedOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	order, _ := f.order("Linen shirt")
	if _, err := f.issue(order); !problem.Is(err, "seller_missing") {
		t.Errorf("without a seller: %v", err)
	}
	if err := f.service.Issue(f.Ctx, documents.IssueArgs{OrderID: order}); err != nil {
		t.Errorf("the job without a seller: %v", err)
	}
	f.seller()
	for range 2 {
		if err := f.service.Issue(f.Ctx, documents.IssueArgs{OrderID: order}); err != nil {
			t.Fatal(err)
		}
	}
	d := f.must(f.issue(order))
	if d.Number != "INV-1" || !d.AlreadyThen || d.RefundID != nil {
		t.Errorf("%+v", d)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(type || ' ' || (data->>'number'), ',') from events where object_id = $1`, d.ID); got != "invoice.issued INV-1" {
		t.Errorf("events: %s", got)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from audit_entries where object_id = $1 and action = 'invoice.issue'`, d.ID); n != 1 {
		t.Errorf("%d entries of the audit", n)
	}
	if _, err := f.issue(ids.New("ord")); !problem.Is(err, "not_found") {
		t.Errorf("an unknown order: %v", err)
	}
	list, err := f.service.List(f.Ctx, documents.Filter{Kind: "invoice", OrderID: order, Since: "2020-01-01T00:00:00Z", Limit: 10})
	if err != nil || !strings.Contains(string(list.Data), `"INV-1"`) || !strings.Contains(string(list.Data), `4490`) {
		t.Errorf("%s, %v", list.Data, err)
	}
	if list, err := f.service.List(f.Ctx, documents.Filter{Kind: "credit_note", Limit: 10}); err != nil || string(list.Data) != "[]" {
		t.Errorf("%s, %v", list.Data, err)
	}
}

// A document is what it was when it was issued, to the byte, whatever changes after.
func TestADocumentNeverChanges(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.seller()
	order, _ := f.order("Linen shirt")
	d := f.must(f.issue(order))
	staff := documents.Reader{Staff: true}
	// Many ask first at once.
	files := make([]documents.File, 8)
	var wg sync.WaitGroup
	for i := range files {
		wg.Go(func() {
			var err error
			if files[i], err = f.service.PDF(f.Ctx, d.ID, "", staff); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.Exec(t, `update orders set email = 'eve@example.com', note = 'Other'`)
	f.Exec(t, `update order_lines set title = 'Something else'`)
	if err := f.set(documents.InvoicingPatch{TaxID: to("DE999"), Footer: to("New")}); err != nil {
		t.Fatal(err)
	}
	again, err := f.service.PDF(f.Ctx, d.ID, order, staff)
	if err != nil || again.Name != "INV-1.pdf" {
		t.Fatalf("%s, %v", again.Name, err)
	}
	for i, file := range files {
		if !bytes.Equal(file.Data, again.Data) || !bytes.HasPrefix(file.Data, []byte("%PDF")) {
			t.Errorf("asked for the %d. time, it is another", i)
		}
	}
	// Who may see it.
	for name, who := range map[string]struct {
		reader documents.Reader
		order  string
		sees   bool
	}{
		"its cart": {documents.Reader{CartToken: cartToken}, order, true}, "another cart": {documents.Reader{CartToken: "ct_other"}, order, false},
		"a customer": {documents.Reader{CustomerID: ids.New("cus")}, order, false}, "nobody": {documents.Reader{}, order, false},
		"by another order": {documents.Reader{CartToken: cartToken}, ids.New("ord"), false},
	} {
		if _, err := f.service.PDF(f.Ctx, d.ID, who.order, who.reader); (err == nil) != who.sees || err != nil && !problem.Is(err, "not_found") {
			t.Errorf("%s: %v", name, err)
		}
		if list, err := f.service.OfOrder(f.Ctx, who.order, who.reader); (err == nil) != who.sees || who.sees && !strings.Contains(string(list), d.ID) {
			t.Errorf("%s: %s, %v", name, list, err)
		}
	}
}

// Many documents are issued at once, and some of the transactions fail: no number is given
// twice and none is left out.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.seller()
	orders := make([]string, 16)
	for i := range orders {
		orders[i], _ = f.order("Linen shirt")
	}
	failed := errors.New("the transaction fails")
	var attempts atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		for _, order := range orders {
			wg.Go(func() {
				err := f.in(func(ctx context.Context, tx *postgres.Tx) error {
					if _, err := f.service.IssueInvoice(ctx, tx, order); err != nil {
						return err
					}
					if attempts.Add(1)%3 == 0 {
						return failed
					}
					return nil
				})
				if err != nil && !errors.Is(err, failed) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for _, order := range orders {
		f.must(f.issue(order))
	}
	got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', count(*), count(distinct order_id), min(sequence), max(sequence), count(distinct number)) from documents`)
	if want := "16 16 1 16 16"; got != want {
		t.Errorf("documents, orders, first and last number, numbers: %s, want %s", got, want)
	}
}

func TestCreditNotesOverTheirOwnSeries(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.seller()
	order, lines := f.order("Linen shirt")
	pending := f.refund(order, "pending", 100, "[]")
	if _, err := f.credit(pending); !problem.Is(err, "not_found") {
		t.Errorf("of a refund under way: %v", err)
	}
	first := f.refund(order, "succeeded", 2000, fmt.Sprintf(`[{"line_id": %q, "quantity": 2}]`, lines[0]))
	rest := f.refund(order, "succeeded", 2490, "[]")
	if err := f.service.Issue(f.Ctx, documents.IssueArgs{OrderID: order, RefundID: first}); err != nil {
		t.Fatal(err)
	}
	if d := f.must(f.issue(order)); d.Number != "INV-1" || !d.AlreadyThen {
		t.Errorf("a credit note without an invoice: %+v", d)
	}
	if d := f.must(f.credit(first)); d.Number != "CN-1" || !d.AlreadyThen || *d.RefundID != first {
		t.Errorf("%+v", d)
	}
	if d := f.must(f.credit(rest)); d.Number != "CN-2" {
		t.Errorf("%+v", d)
	}
	got := shoptest.Value[string](t, f.Shop, `select string_agg(concat_ws(' ', number, total_amount, tax_amount, content->'corrects'->>'number', content->>'reason', jsonb_array_length(content->'lines')), ', ' order by id)
		from documents where kind = 'credit_note'`)
	if want := "CN-1 2000 319 INV-1 Damaged 1, CN-2 2490 398 INV-1 Damaged 1"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	list, err := f.service.OfOrder(f.Ctx, order, documents.Reader{Staff: true})
	if err != nil || strings.Count(string(list), `"doc_`) != 3 {
		t.Errorf("%s, %v", list, err)
	}
}

func TestInvoicingIsChecked(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.seller()
	wrong := &address.Address{Name: "", Line1: "1", City: "Berlin", Country: "XX"}
	for pointer, patch := range map[string]documents.InvoicingPatch{
		"/seller/address/name": {Address: &wrong}, "/seller/tax_id": {TaxID: to(strings.Repeat("1", 33))}, "/footer": {Footer: to("a\x00b")},
		"/invoice_number_format": {InvoiceNumbers: to("{number}{number}")}, "/credit_note_number_format": {CreditNoteNumbers: to("CN-{year}{number}")},
		"/invoice_number_format ": {InvoiceNumbers: to("{number}-{year}")}, "/invoice_number_format  ": {InvoiceNumbers: to("{year}1{number}")},
	} {
		p := problem.As(f.set(patch))
		if p == nil || p.Code != "invalid_settings" || p.Faults[0].Pointer != strings.TrimSpace(pointer) {
			t.Errorf("%s: %v", pointer, p)
		}
	}
	// Numbers that begin anew with the year, and another series that would come to one of them.
	if err := f.set(documents.InvoicingPatch{InvoiceNumbers: to("R{year}-{number:3}")}); err != nil {
		t.Fatal(err)
	}
	order, _ := f.order("Linen shirt")
	d := f.must(f.issue(order))
	year := shoptest.Value[int](t, f.Shop, `select year from documents`)
	if want := fmt.Sprintf("R%d-001", year); d.Number != want || year < 2026 {
		t.Errorf("%s, want %s", d.Number, want)
	}
	if p := problem.As(f.set(documents.InvoicingPatch{InvoiceNumbers: to(fmt.Sprintf("R%d-{number}", year))})); p == nil || p.Code != "number_taken" {
		t.Errorf("a number that is given: %v", p)
	}
	if err := f.set(documents.InvoicingPatch{InvoiceNumbers: to("R{year}-{number:4}"), Footer: to("Thank you.\nCome again.")}); err != nil {
		t.Errorf("more digits: %v", err)
	}
	err := f.in(func(ctx context.Context, tx *postgres.Tx) error {
		return documents.UpdateInvoicing(ctx, tx, 1, documents.InvoicingPatch{Footer: to("")})
	})
	if !problem.Is(err, "stale") {
		t.Errorf("a stale version: %v", err)
	}
}

func TestPackingSlips(t *testing.T) {
	t.Parallel()
	f := open(t)
	order, lines := f.order("Linen shirt")
	f.Exec(t, `insert into fulfilments (id, order_id, lines, carrier, tracking_number) values ('ful_1', $1, $2, 'Post', '123')`, order, fmt.Sprintf(`[{"line_id": %q, "quantity": 2}]`, lines[0]))
	for _, fulfilment := range []string{"", "ful_1"} {
		if slip, err := f.service.PackingSlip(f.Ctx, order, fulfilment); err != nil || !bytes.HasPrefix(slip.Data, []byte("%PDF")) {
			t.Errorf("%q: %v", fulfilment, err)
		}
	}
	if _, err := f.service.PackingSlip(f.Ctx, order, "ful_2"); !problem.Is(err, "not_found") {
		t.Errorf("an unknown fulfilment: %v", err)
	}
	f.Exec(t, `update order_lines set fulfilled_quantity = quantity`)
	if _, err := f.service.PackingSlip(f.Ctx, order, ""); !problem.Is(err, "nothing_left") {
		t.Errorf("nothing left: %v", err)
	}
	strange, _ := f.order("Shirt \uE000")
	other, _ := f.order("Linen shirt")
	one, err := f.service.PackingSlips(f.Ctx, []string{order})
	if err != nil {
		t.Errorf("what was sent last: %v", err)
	}
	if both, err := f.service.PackingSlips(f.Ctx, []string{order, other}); err != nil || len(both.Data) <= len(one.Data) {
		t.Errorf("of two orders: %v", err)
	}
	f.Exec(t, `delete from fulfilments`)
	if _, err := f.service.PackingSlips(f.Ctx, []string{order}); !problem.Is(err, "nothing_left") {
		t.Errorf("nothing left of any: %v", err)
	}
	if _, err := f.service.PackingSlip(f.Ctx, strange, ""); !problem.Is(err, "character_missing") {
		t.Errorf("a character that no font has: %v", err)
	}
}
