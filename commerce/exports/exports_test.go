package exports_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// house is a store that is filled by an import, and what is exported of it.
type house struct {
	*testing.T
	*shoptest.Shop
	files    *files.Disk
	service  *exports.Service
	imported *imports.Service
}

func open(t *testing.T, config exports.Config) *house {
	t.Helper()
	p := testdb.Open(t)
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	ops := operations.New(p.DB)
	h := &house{T: t, Shop: shoptest.In(t, p.DB, p.Store(t)), files: disk, service: exports.New(p.DB, ops, disk, config)}
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{})}
	h.imported = imports.New(p.DB, ops, catalog.New(catalog.Unlimited{}), &customers.Service{}, pictures, imports.Config{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	return h
}

func (h *house) in(fn func(ctx context.Context, tx *postgres.Tx) error) {
	h.Helper()
	if err := h.DB.InStore(h.Ctx, fn); err != nil {
		h.Fatal(err)
	}
}

// take imports a file to its end and gives what became of its rows.
func (h *house) take(file string) operations.Counts {
	h.Helper()
	u, err := h.imported.Receive(h.Ctx, strings.NewReader(file), imports.As{})
	if err != nil {
		h.Fatal(err)
	}
	h.in(func(ctx context.Context, tx *postgres.Tx) error { return h.imported.Create(ctx, tx, u) })
	if err := h.imported.Work(h.Ctx, u.OperationID, 1); err != nil {
		h.Fatal(err)
	}
	o := h.operation(u.OperationID)
	if o.State != operations.Succeeded {
		h.Fatalf("the import ended as %s", o.State)
	}
	return o.Counts
}

func (h *house) operation(id string) (o *operations.Operation) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = operations.Read(ctx, tx, id, false)
		return err
	})
	return o
}

func (h *house) ask(kind exports.Kind, format exports.Format) (id string) {
	h.Helper()
	return h.choose(kind, exports.Selection{Format: format})
}

// choose asks for an export of some.
func (h *house) choose(kind exports.Kind, want exports.Selection) (id string) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = h.service.Create(ctx, tx, kind, want, "https://shop.example.com")
		return err
	})
	return id
}

// work does slices of an export until it ends.
func (h *house) work(id string) {
	h.Helper()
	for range 1000 {
		if err := h.service.Work(h.Ctx, id, 1); err != nil {
			h.Fatal(err)
		}
		if o := h.operation(id); o.Final() {
			if o.State != operations.Succeeded || o.Total == nil || o.Done != *o.Total {
				h.Fatalf("the export ended as %s with %d of %v", o.State, o.Done, o.Total)
			}
			return
		}
	}
	h.Fatal("it does not end")
}

func (h *house) find(id string) (file exports.Download, err error) {
	err = h.DB.InStore(h.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		file, err = h.service.Find(ctx, tx, id)
		return err
	})
	return file, err
}

// export exports a kind to its end and gives the file.
func (h *house) export(kind exports.Kind, format exports.Format) string {
	h.Helper()
	id := h.ask(kind, format)
	h.work(id)
	return h.read(id)
}

func (h *house) read(id string) string {
	h.Helper()
	file, err := h.find(id)
	if err != nil {
		h.Fatal(err)
	}
	var out bytes.Buffer
	if err := file.WriteTo(h.Ctx, &out); err != nil {
		h.Fatal(err)
	}
	if int64(out.Len()) != file.File.Bytes {
		h.Errorf("%d bytes of %d", out.Len(), file.File.Bytes)
	}
	return out.String()
}

func (h *house) kept() (n int) {
	ref, _ := postgres.StoreFrom(h.Ctx)
	for range h.files.Keys(h.Ctx, ref.ID+"/live/exports/") {
		n++
	}
	return n
}

// What is exported and goes into another store is the same there, however often the work
// was broken off; into its own it brings nothing new.
func TestProductsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	h, second := open(t, exports.Config{Batch: 7, Part: 3000, Slice: time.Nanosecond}), open(t, exports.Config{})
	made := cataloguetest.Make(cataloguetest.File{Products: 60, Images: "https://pictures.example.com"})
	h.take(string(made.CSV))
	h.Exec(t, `update products set status = 'draft' where handle < 'f'`)
	h.Exec(t, `update variants set cost_amount = 700, cost_currency = 'EUR', barcode = '0400638133393', weight_grams = null where position = 1`)
	h.Exec(t, `update variants set track_stock = false where position = 2`)

	id := h.ask(exports.Products, exports.CSV)
	if _, err := h.find(id); !problem.Is(err, "operation_running") {
		t.Errorf("not yet there: %v", err)
	}
	for range 3 { // it is killed now and then, before a part is noted or after
		if err := h.service.Work(h.Ctx, id, 1); err != nil {
			t.Fatal(err)
		}
		killed, stop := context.WithCancel(h.Ctx)
		stop()
		if err := h.service.Work(killed, id, 1); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	h.work(id)
	file := h.read(id)
	if parts := len(h.operation(id).File.Parts); parts != 9 {
		t.Errorf("%d parts", parts)
	}
	rows := len(h.table(file))
	if counts := second.take(file); counts.Created != rows || counts.Warnings+counts.Failed+counts.Skipped != 0 {
		t.Errorf("into another store: %+v", counts)
	}
	if shoptest.Value[string](t, h.Shop, cataloguetest.Content) != shoptest.Value[string](t, second.Shop, cataloguetest.Content) {
		t.Error("the other store has another content")
	}
	if again := second.export(exports.Products, exports.CSV); again != file {
		t.Error("the other store's export is another file")
	}
	if counts := h.take(file); counts != (operations.Counts{Skipped: rows}) {
		t.Errorf("into its own store: %+v", counts)
	}
}

// Several workers that take each other for dead write each row once.
func TestSeveralWorkersWriteOneFile(t *testing.T) {
	t.Parallel()
	h := open(t, exports.Config{Batch: 3, Part: 1})
	made := cataloguetest.Make(cataloguetest.File{Products: 40})
	h.take(string(made.CSV))
	whole := h.export(exports.Products, exports.CSV)
	id := h.ask(exports.Products, exports.CSV)
	done := make(chan error)
	for range 3 {
		go func() { done <- h.service.Work(h.Ctx, id, 1) }()
	}
	for range 3 {
		var snooze *river.JobSnoozeError // it had begun already
		if err := <-done; err != nil && !errors.As(err, &snooze) {
			t.Error(err)
		}
	}
	h.work(id)
	if h.read(id) != whole {
		t.Error("the file is another")
	}
	if n := h.kept(); n != 2*len(h.operation(id).File.Parts) {
		t.Errorf("%d files are kept, with %d parts", n, len(h.operation(id).File.Parts))
	}
}

// fill gives a store a customer and an order of theirs, whose texts are formulas.
func (h *house) fill() {
	h.Helper()
	h.Exec(h.T, `insert into field_definitions (id, resource, key, name, type) values ('cfd_1', 'customer', 'shoe', 'Shoe size', 'integer'), ('cfd_2', 'order', 'gift', 'A gift', 'boolean')`)
	h.Exec(h.T, `insert into customers (id, email, name, phone, accepts_marketing, note, tax_exempt_reason, custom_fields, tags, addresses) values
		('cus_1', 'ada@example.com', '=HYPERLINK("https://evil.example") Example', '+49 30 0000000', true, '@note', 'Certificate 7', '{"shoe": 42}', '{vip,dutch}',
			'[{"id": "adr_1", "default_shipping": true, "default_billing": true, "address": {"name": "Ada Example", "line1": "1 Sample Street", "city": "''s-Gravenhage", "postal_code": "2511", "country": "NL"}}]'), ('cus_2', 'b@example.com', '', '', false, '', '', '{}', '{}', '[]')`)
	h.Exec(h.T, `insert into orders (id, number, cart_id, customer_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount,
			shipping_amount, tax_amount, total_amount, note, tags, custom_fields, shipping_address, shipping_method)
		select 'ord_' || n, 1000 + n, 'cart_' || n, 'cus_1', '', case n when 3 then 'pending' else 'open' end, 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 5000, 490, 0, 5490,
			'-2+3', '{vip}', '{"gift": true}', '{"name": "@Ada", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}', '{"name": "Parcel"}'
		from generate_series(1, 3) n`)
	h.Exec(h.T, `insert into order_lines (id, order_id, position, title, variant_title, sku, quantity, unit_amount, total_amount, tax_amount, requires_shipping, tracks_stock)
		select 'orl_' || n || i, 'ord_' || n, i, case i when 1 then '=1+1' else 'Mug' end, 'Blue', 'M-1', i, 1000 * i, 1000 * i * i, 0, true, false
		from generate_series(1, 3) n, generate_series(1, 2) i`)
}

// table reads a CSV into rows by the names of their columns.
func (h *house) table(file string) (rows []map[string]string) {
	h.Helper()
	records, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil || len(records) == 0 {
		h.Fatal(err)
	}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, cell := range record {
			row[records[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCustomersAndOrders(t *testing.T) {
	t.Parallel()
	h := open(t, exports.Config{Batch: 1, Part: 1})
	h.fill()
	people := h.table(h.export(exports.Customers, exports.CSV))
	want := map[string]string{
		"First Name": `'=HYPERLINK("https://evil.example")`, "Last Name": "Example", "Email": "ada@example.com", "Accepts Email Marketing": "yes", "Accepts SMS Marketing": "no", "Phone": "'+49 30 0000000",
		"Note": "'@note", "Tax Exempt": "yes", "Tax Exempt Reason": "Certificate 7", "Default Address City": "'s-Gravenhage", "Default Address Country Code": "NL",
		"Total Orders": "2", "Tags": "vip, dutch", "Shoe size (customer.metafields.custom.shoe)": "42",
	}
	for name, cell := range want {
		if people[0][name] != cell {
			t.Errorf("%s is %q, want %q", name, people[0][name], cell)
		}
	}
	if len(people) != 2 || people[1]["Email"] != "b@example.com" || people[1]["Tax Exempt"] != "no" {
		t.Errorf("%d customers: %v", len(people), people[1])
	}
	lines := h.table(h.export(exports.Orders, exports.CSV))
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []map[string]string{
		{"Name": "#1001", "Financial Status": "paid", "Subtotal": "50.00", "Shipping": "4.90", "Total": "54.90", "Lineitem name": "'=1+1 - Blue", "Lineitem quantity": "1", "Lineitem price": "10.00",
			"Shipping Name": "'@Ada", "Shipping Zip": "10115", "Billing Name": "", "Notes": "'-2+3", "Tags": "vip", "Id": "ord_1", "A gift (order.metafields.custom.gift)": "true", "Shipping Method": "Parcel"},
		{"Name": "#1001", "Financial Status": "", "Total": "", "Lineitem name": "Mug - Blue", "Lineitem total": "40.00", "Shipping Name": ""}, {"Name": "#1002"},
	} {
		for name, cell := range want {
			if lines[i][name] != cell {
				t.Errorf("line %d: %s is %q, want %q", i, name, lines[i][name], cell)
			}
		}
	}
	for _, kind := range []exports.Kind{exports.Customers, exports.Orders} {
		objects := strings.Split(strings.TrimSpace(h.export(kind, exports.JSONL)), "\n")
		for _, object := range objects {
			var thing struct{ ID, Email string }
			if err := json.Unmarshal([]byte(object), &thing); err != nil || thing.ID == "" || thing.Email == "" {
				t.Errorf("%s: %s %v", kind, object, err)
			}
		}
		if len(objects) != 2 {
			t.Errorf("%s: %d objects", kind, len(objects))
		}
	}
	err := h.DB.InStore(h.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.service.Create(ctx, tx, exports.Products, exports.Selection{Format: exports.JSONL}, "")
		return err
	})
	if !problem.Is(err, "invalid_export") {
		t.Error(err)
	}
}

// A file goes when its time is over, when its export is cancelled, and when a person is
// erased whom it may tell of; what nobody noted is swept.
// An export is of what was made within a time, where one is given.
func TestOfATime(t *testing.T) {
	t.Parallel()
	h := open(t, exports.Config{Batch: 1})
	h.fill()
	h.take("Handle,Title,Variant Price\nbowl,Bowl,10.00\nvase,Vase,20.00\n")
	day := func(d int) *time.Time {
		at := time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC)
		return &at
	}
	for table, second := range map[string]string{"customers": "id = 'cus_2'", "orders": "id = 'ord_2'", "products": "handle = 'vase'"} {
		h.Exec(t, `update `+table+` set `+map[bool]string{true: "placed_at", false: "created_at"}[table == "orders"]+` = case when `+second+` then $1::timestamptz else $2 end`, *day(20), *day(10))
	}
	for _, of := range []struct {
		kind          exports.Kind
		column        string
		first, second string
	}{{exports.Customers, "Customer ID", "cus_1", "cus_2"}, {exports.Orders, "Id", "ord_1", "ord_2"}, {exports.Products, "Handle", "bowl", "vase"}} {
		for want, within := range map[string]exports.Selection{of.first: {Until: day(20)}, of.second: {Since: day(20)}, "": {Since: day(11), Until: day(20)}, of.first + of.second: {Since: day(10)}} {
			within.Format = exports.CSV
			id := h.choose(of.kind, within)
			h.work(id)
			got := ""
			for _, row := range h.table(h.read(id)) {
				got += row[of.column]
			}
			if got != want {
				t.Errorf("%s of %v: %q, want %q", of.kind, within, got, want)
			}
		}
	}
}

func TestFilesGo(t *testing.T) {
	t.Parallel()
	h := open(t, exports.Config{})
	h.fill()
	products, people := h.ask(exports.Products, exports.CSV), h.ask(exports.Customers, exports.JSONL)
	h.work(products)
	h.work(people)
	waiting := h.ask(exports.Orders, exports.CSV)
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		n, err := h.service.Withdraw(ctx, tx)
		if n != 2 {
			t.Errorf("%d were withdrawn", n)
		}
		return err
	})
	if _, err := h.find(people); !problem.Is(err, "not_found") {
		t.Error(err)
	}
	if o := h.operation(waiting); o.State != operations.Cancelled {
		t.Error(o.State)
	}
	if got := fmt.Sprint(exports.Personal()); !strings.Contains(got, "customers") || !strings.Contains(got, "orders") || strings.Contains(got, "products") {
		t.Error(got)
	}
	for _, id := range []string{people, waiting} {
		if err := h.service.Expire(h.Ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.kept(); n != 1 {
		t.Errorf("%d files are kept, and not the products alone", n)
	}
	if until := h.operation(products).File.ExpiresAt; until.Before(clock.Now().Add(23*time.Hour)) || until.After(clock.Now().Add(25*time.Hour)) {
		t.Error(until)
	}
	h.Exec(t, `update operations set file = file || '{"expires_at": "2026-01-01T00:00:00Z"}' where id = $1`, products)
	if _, err := h.find(products); !problem.Is(err, "not_found") {
		t.Errorf("found when its time was over: %v", err)
	}
	if err := h.service.Expire(h.Ctx, products); err != nil || h.kept() != 0 {
		t.Errorf("%d files are kept: %v", h.kept(), err)
	}

	ref, _ := postgres.StoreFrom(h.Ctx)
	if _, err := h.files.Put(h.Ctx, ref.ID+"/live/exports/"+products+"/part_1.csv", strings.NewReader("late"), "text/csv"); err != nil {
		t.Fatal(err)
	}
	h.Exec(t, `delete from operations where id = $1`, waiting)
	h.work(h.ask(exports.Products, exports.CSV))
	if n := h.jobs(products); n != 2 { // one when it ended, one now
		t.Errorf("what is left of a killed worker is not swept: %d jobs", n)
	}
}

// jobs is how many jobs wait that remove the file of an operation.
func (h *house) jobs(id string) (n int) {
	h.Helper()
	ref, _ := postgres.StoreFrom(h.Ctx)
	err := h.DB.InCell(h.Ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where store = $1 and kind = $2 and args->>'operation_id' = $3`,
			postgres.RoleName(ref.Cell, ref.Schema), exports.JobExpire, id).Scan(&n)
	})
	if err != nil {
		h.Fatal(err)
	}
	return n
}
