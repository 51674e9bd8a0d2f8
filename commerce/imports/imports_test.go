package imports_test

import (
	"context"
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
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// limits are those of a plan that allows so many products; asked is called with each look.
type limits struct {
	most  int
	asked func()
}

func (l limits) Products(context.Context) int {
	if l.asked != nil {
		l.asked()
	}
	return l.most
}

// house is a store into which things are imported.
type house struct {
	*testing.T
	ctx        context.Context
	db         *postgres.DB
	cell       string
	root       string // where files lie
	files      *files.Disk
	service    *imports.Service
	operations *operations.Service
	log        *slog.Logger
	offline    bool // no picture is fetched
}

func open(t *testing.T, config imports.Config, l catalog.Limits) *house {
	t.Helper()
	p := testdb.Open(t)
	root := t.TempDir()
	disk, err := files.OpenDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{Widths: []int{16}})}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := &house{T: t, ctx: p.Store(t), db: p.DB, cell: p.Cell, root: root, files: disk, log: log}
	h.operations = operations.New(p.DB)
	h.service = imports.New(p.DB, h.operations, catalog.New(l), &customers.Service{}, pictures, config, log)
	return h
}

// local lets pictures come from the machine itself.
var local = egress.Options{AllowPlainHTTP: true, AllowPrivate: true}

// ask uploads a file and asks for its import.
func (h *house) ask(csv string) string {
	h.Helper()
	u, err := h.service.Receive(h.ctx, strings.NewReader(csv), imports.As{})
	if err != nil {
		h.Fatal(err)
	}
	if err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.service.Create(ctx, tx, u) }); err != nil {
		h.Fatal(err)
	}
	return u.OperationID
}

// job is a job that the store has waiting.
type job struct {
	kind string
	args struct {
		OperationID string          `json:"operation_id"`
		ImageID     catalog.ImageID `json:"image_id"`
		Keys        []string        `json:"keys"`
	}
}

// jobs takes the store's waiting jobs.
func (h *house) jobs() (list []job) {
	h.Helper()
	ref, _ := postgres.StoreFrom(h.ctx)
	err := h.db.InCell(h.ctx, h.cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `delete from cell.outbox where store = $1 returning kind, args`, postgres.RoleName(ref.Cell, ref.Schema))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j job
			var args []byte
			if err := rows.Scan(&j.kind, &args); err != nil {
				return err
			}
			if err := json.Unmarshal(args, &j.args); err != nil {
				return err
			}
			list = append(list, j)
		}
		return rows.Err()
	})
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// work does the store's jobs until none is left, as the workers would.
func (h *house) work() {
	h.Helper()
	for {
		list := h.jobs()
		if len(list) == 0 {
			return
		}
		for _, j := range list {
			if err := h.do(j, 1); err != nil {
				h.Fatalf("%s: %v", j.kind, err)
			}
		}
	}
}

func (h *house) do(j job, attempt int) error {
	switch j.kind {
	case imports.JobWork:
		return h.service.Work(h.ctx, j.args.OperationID, attempt)
	case imports.JobImage:
		if h.offline {
			return nil
		}
		return h.service.FetchImage(h.ctx, j.args.ImageID, attempt)
	case catalog.JobDeleteFiles:
		for _, key := range j.args.Keys {
			if err := h.files.Delete(h.ctx, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// run imports a file to its end.
func (h *house) run(csv string) *operation {
	h.Helper()
	id := h.ask(csv)
	h.work()
	return h.operation(id)
}

type operation struct {
	ID       string
	State    string
	Progress struct{ Done, Total int }
	Counts   imports.Counts
	Messages []imports.Message
	Error    *struct{ Code, Detail string }
	Undo     *string `json:"undo_until"`
	rows     []fate
}

type fate struct {
	Line       int
	Handle     *string
	Outcome    string
	ResourceID *string `json:"resource_id"`
	Messages   []imports.Message
}

// told is what was said of a row: codes and columns.
func (f fate) told() string {
	var out []string
	for _, m := range f.Messages {
		text := fmt.Sprintf("%s %s", m.Severity, m.Code)
		if m.Field != nil {
			text += " (" + *m.Field + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (h *house) operation(id string) *operation {
	h.Helper()
	raw, err := operations.Get(h.ctx, h.db, id)
	if err != nil {
		h.Fatal(err)
	}
	o := &operation{}
	if err := json.Unmarshal(raw, o); err != nil {
		h.Fatal(err)
	}
	for after := ""; ; {
		page, err := operations.Rows(h.ctx, h.db, id, "", "", after, 100)
		if err != nil {
			h.Fatal(err)
		}
		var rows []fate
		if err := json.Unmarshal(page.Data, &rows); err != nil {
			h.Fatal(err)
		}
		o.rows = append(o.rows, rows...)
		if after = page.Next; after == "" {
			return o
		}
	}
}

// fates are the outcomes of all rows, and what was said of them.
func (o *operation) fates() string {
	var out []string
	for _, r := range o.rows {
		text := fmt.Sprintf("%d %s", r.Line, r.Outcome)
		if told := r.told(); told != "" {
			text += ": " + told
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func (h *house) want(o *operation, state string, counts imports.Counts) {
	h.Helper()
	if o.State != state || o.Counts != counts {
		h.Fatalf("%s %+v, want %s %+v; %+v\n%s", o.State, o.Counts, state, counts, o.Error, cutLines(o.fates()))
	}
	if o.Progress.Total != len(o.rows) || o.Progress.Done != len(o.rows) {
		h.Fatalf("progress %+v with %d rows", o.Progress, len(o.rows))
	}
}

func cutLines(text string) string {
	lines := strings.SplitN(text, "\n", 60)
	return strings.Join(lines[:min(len(lines), 50)], "\n")
}

// value reads one value of the store.
func value[T any](h *house, query string, args ...any) T {
	h.Helper()
	var v T
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&v) })
	if err != nil {
		h.Fatalf("%s: %v", query, err)
	}
	return v
}

// shape is all that a store has of a catalogue, but for IDs and times.
const shape = `select md5(string_agg(x, E'\n' order by x)) from (
	select concat_ws('|', p.handle, p.title, p.description, p.vendor, p.product_type, p.status, p.tags, p.options, c.name, p.seo_title,
		v.position, v.title, v.options, v.sku, v.stock, v.track_stock, v.oversell, v.weight_grams, r.amount, r.compare_at_amount,
		(select count(*) from stock_movements m where m.variant_id = v.id)) as x
	from products p left join categories c on c.id = p.category_id join variants v on v.product_id = p.id left join prices r on r.variant_id = v.id) y`

func TestImportAndRepetition(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	made := cataloguetest.Make(cataloguetest.File{Products: 120, Windows: true})
	o := h.run(string(made.CSV))
	h.want(o, "succeeded", imports.Counts{Created: made.Rows})
	if n := value[int](h, `select count(*) from products where status = 'active'`); n != 120 || value[int](h, `select product_count from settings`) != 120 {
		t.Errorf("%d products", n)
	}
	if n := value[int](h, `select count(*) from variants`); n != made.Variants {
		t.Errorf("%d variants of %d", n, made.Variants)
	}
	if n := value[int](h, `select count(*) from categories`); n != 12 {
		t.Errorf("%d categories", n)
	}
	if n := value[int](h, `select count(*) from products p where not exists (select from product_words x where x.product_id = p.id and x.search <> '')`); n != 0 {
		t.Errorf("%d products are not found by search", n)
	}
	if told := o.Messages; len(told) != 2 || told[0].Code != "column_unused" || *told[0].Field != "Variant Fulfillment Service" {
		t.Errorf("columns: %+v", told)
	}
	traces := `select (select count(*) from events where type <> 'import.succeeded') + (select count(*) from audit_entries where action not like 'import.%') + (select count(*) from stock_movements)`
	before, were := value[string](h, shape), value[int](h, traces)

	again := h.run(string(made.CSV))
	h.want(again, "succeeded", imports.Counts{Skipped: made.Rows})
	for i, r := range again.rows {
		if r.told() != "info unchanged" || *r.ResourceID != *o.rows[i].ResourceID {
			t.Fatalf("line %d: %s %v", r.Line, r.told(), *r.ResourceID)
		}
	}
	if value[string](h, shape) != before || value[int](h, traces) != were {
		t.Error("repeated, it changed something")
	}
	if n := value[int](h, `select count(*) from events where type = 'import.succeeded'`); n != 2 {
		t.Errorf("%d events of imports", n)
	}
	h.noFiles()
}

// noFiles fails when a file is left for an import.
func (h *house) noFiles() {
	h.Helper()
	ref, _ := postgres.StoreFrom(h.ctx)
	for key, err := range h.files.Keys(h.ctx, ref.ID+"/live/imports/") {
		h.Errorf("a file is left: %s %v", key, err)
	}
}

func (h *house) exec(query string, args ...any) {
	h.Helper()
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		h.Fatalf("%s: %v", query, err)
	}
}

func TestFewStatements(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{Batch: 50}, catalog.Unlimited{})
	made := cataloguetest.Make(cataloguetest.File{Products: 100})
	statements := func() int64 {
		id := h.ask(string(made.CSV))
		counted, count := postgres.Counting(h.ctx)
		if err := h.service.Work(counted, id, 1); err != nil {
			t.Fatal(err)
		}
		h.work()
		h.want(h.operation(id), "succeeded", h.operation(id).Counts)
		return count.Statements.Load()
	}
	statements() // makes the categories too
	h.exec(`delete from products`)
	h.exec(`update settings set product_count = 0`)
	if n := statements(); n > 60 {
		t.Errorf("%d statements for 100 products in two batches", n)
	}
	if n := statements(); n > 40 {
		t.Errorf("%d statements for 100 products that are not new", n)
	}
}

// A slice that is killed before its batch is committed leaves nothing of it; the next
// worker goes on after the batch before.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	made := cataloguetest.Make(cataloguetest.File{Products: 40})
	whole := open(t, imports.Config{}, catalog.Unlimited{})
	whole.want(whole.run(string(made.CSV)), "succeeded", imports.Counts{Created: made.Rows})
	for _, kill := range []int{1, 2, 5, 9} {
		var looks int
		var cancel context.CancelFunc
		h := open(t, imports.Config{Batch: 5}, limits{asked: func() {
			if looks++; looks == kill {
				cancel() // in the transaction of the batch
			}
		}})
		id := h.ask(string(made.CSV))
		h.jobs()
		killed, stop := context.WithCancel(h.ctx)
		cancel = stop
		err := h.service.Work(killed, id, 1)
		if kill <= 8 && !errors.Is(err, context.Canceled) {
			t.Fatalf("killed in batch %d: %v", kill, err)
		}
		if o := h.operation(id); kill <= 8 && (o.State != "running" || o.Progress.Done != len(o.rows) || value[int](h, `select count(*) from products`) != 5*(kill-1)) {
			t.Fatalf("killed in batch %d: %s %+v", kill, o.State, o.Progress)
		}
		if err := h.service.Work(h.ctx, id, 2); err != nil {
			t.Fatal(err)
		}
		h.want(h.operation(id), "succeeded", imports.Counts{Created: made.Rows})
		if value[string](h, shape) != value[string](whole, shape) {
			t.Errorf("killed in batch %d, it left another catalogue", kill)
		}
		stop()
	}
}

// Workers that take each other for dead do not double anything.
func TestSeveralWorkersAtOnce(t *testing.T) {
	t.Parallel()
	made := cataloguetest.Make(cataloguetest.File{Products: 60})
	h := open(t, imports.Config{Batch: 4}, catalog.Unlimited{})
	id := h.ask(string(made.CSV))
	h.jobs()
	if err := h.service.Work(h.ctx, h.ask("Handle,Title\n"+"x,X\n"), 1); !isSnooze(err) {
		t.Fatalf("an import began before the one that was asked for first: %v", err)
	}
	done := make(chan error)
	for range 4 {
		go func() { done <- h.service.Work(h.ctx, id, 1) }()
	}
	for range 4 {
		if err := <-done; err != nil && !isSnooze(err) {
			t.Error(err)
		}
	}
	h.want(h.operation(id), "succeeded", imports.Counts{Created: made.Rows})
	if n := value[int](h, `select count(*) from variants`); n != made.Variants {
		t.Errorf("%d variants of %d", n, made.Variants)
	}
	h.work()
	if o := h.operation(id); o.State != "succeeded" {
		t.Error(o.State)
	}
}

func isSnooze(err error) bool {
	var snooze *river.JobSnoozeError
	return errors.As(err, &snooze)
}

// An import longer than a slice goes on in further jobs.
func TestSlices(t *testing.T) {
	t.Parallel()
	made := cataloguetest.Make(cataloguetest.File{Products: 23, Windows: true})
	h := open(t, imports.Config{Batch: 4, Slice: time.Nanosecond}, catalog.Unlimited{})
	id := h.ask(string(made.CSV))
	slices := 0
	for list := h.jobs(); len(list) > 0; list = h.jobs() {
		for _, j := range list {
			if j.kind == imports.JobWork {
				slices++
			}
			if err := h.do(j, 1); err != nil {
				t.Fatal(err)
			}
			if o := h.operation(id); o.Progress.Total != made.Rows || o.Progress.Done != len(o.rows) {
				t.Fatalf("progress %+v with %d rows", o.Progress, len(o.rows))
			}
		}
	}
	h.want(h.operation(id), "succeeded", imports.Counts{Created: made.Rows})
	if slices != 7 { // six batches and the end
		t.Errorf("%d slices", slices)
	}
	whole := open(t, imports.Config{}, catalog.Unlimited{})
	o := whole.run(string(made.CSV))
	for i, r := range h.operation(id).rows {
		if r.Line != o.rows[i].Line || *r.Handle != *o.rows[i].Handle || !strings.HasPrefix(strings.Split(string(made.CSV), "\n")[r.Line-1], *r.Handle+",") {
			t.Fatalf("row %d is said to begin on line %d", i, r.Line)
		}
	}
}
