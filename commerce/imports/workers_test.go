package imports_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

type quiet struct{}

func (quiet) Ran(string, string, error, bool, time.Duration, time.Duration) {}
func (quiet) Relayed(string, int)                                           {}
func (quiet) Measured(string, jobs.Measure)                                 {}

// TestByTheWorkers imports two files of a store by the real workers, in slices, with
// their pictures.
func TestByTheWorkers(t *testing.T) {
	var asked atomic.Int64
	server := gallery(t, &asked)
	p := testdb.New(t, "imp"+ids.New("x")[20:], 1) // a queue of its own
	t.Cleanup(func() { _ = p.DB.Close() })
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{Widths: []int{16}})}
	service := imports.New(p.DB, operations.New(p.DB), catalog.New(catalog.Unlimited{}), &customers.Service{}, pictures, imports.Config{Egress: local, Batch: 5, Slice: 50 * time.Millisecond}, log)
	h := &house{T: t, ctx: p.Store(t), db: p.DB, cell: p.Cell, files: disk, service: service}
	ref, _ := postgres.StoreFrom(h.ctx)
	who := principal.Principal{Kind: principal.Key, ID: ids.New("key"), Label: "shop keeper", RequestID: ids.New("req")}
	h.ctx = principal.With(h.ctx, who)

	w := jobs.New(jobs.Config{
		DB: p.DB, Observer: quiet{}, Log: log, Workers: 4,
		Resolve: func(context.Context, string, int64) (postgres.StoreRef, jobs.State, error) { return ref, jobs.Run, nil },
	})
	service.Register(w)
	pictures.Register(w)
	w.Start(context.Background())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
	})

	made := cataloguetest.Make(cataloguetest.File{Products: 40, Images: server.URL})
	first := h.ask(string(made.CSV))
	second := h.ask(string(bytes.ReplaceAll(made.CSV, []byte("Mill 1"), []byte("Mill One"))))
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if h.operation(second).State == "succeeded" && value[int](h, `select count(*) from images where state <> 'ready'`) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("first %s, second %s, %d pictures pending", h.operation(first).State, h.operation(second).State, value[int](h, `select count(*) from images where state <> 'ready'`))
		}
	}
	h.want(h.operation(first), "succeeded", imports.Counts{Created: made.Rows})
	o := h.operation(second)
	if o.Counts.Created+o.Counts.Failed+o.Counts.Warnings != 0 || o.Counts.Updated == 0 {
		t.Errorf("second: %+v", o.Counts)
	}
	if n := value[int](h, `select count(*) from products where vendor = 'Mill 1'`); n != 0 {
		t.Errorf("%d products of the first import came after the second", n)
	}
	if n := value[int](h, `select count(*) from audit_entries where actor_kind <> 'key' or actor_id <> $1 or request_id <> $2`, who.ID, who.RequestID); n != 0 {
		t.Errorf("%d entries of the audit name somebody else", n)
	}
}
