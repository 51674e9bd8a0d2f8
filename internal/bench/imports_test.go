package bench

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/postgres"
)

const (
	imported  = 20_000 // products of the catalogue
	importMB  = 128    // of heap, at most
	importPer = 100    // products a second, at least
)

// BenchmarkImport measures a whole catalogue: how many products go in and come out in a
// second, one job after the other, and how large the heap becomes meanwhile.
func BenchmarkImport(b *testing.B) {
	made := cataloguetest.Make(cataloguetest.File{Products: imported})
	p := testdb.Open(b)
	ctx := p.Store(b)
	disk, err := files.OpenDisk(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = disk.Close() })
	ops := operations.New(p.DB)
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{})}
	taking := imports.New(p.DB, ops, catalog.New(catalog.Unlimited{}), &customers.Service{}, pictures, imports.Config{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	giving := exports.New(p.DB, ops, disk, exports.Config{})

	// measured works on an operation to its end.
	measured := func(id string, work func(context.Context, string, int) error) (perSecond, megabytes float64) {
		peak, stop := heap()
		defer stop()
		began, state := time.Now(), operations.Queued
		for state == operations.Queued || state == operations.Running {
			err := work(ctx, id, 1)
			if err == nil {
				err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
					o, err := operations.Read(ctx, tx, id, false)
					if err == nil {
						state = o.State
					}
					return err
				})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if state != operations.Succeeded {
			b.Fatalf("it ended as %s", state)
		}
		return imported / time.Since(began).Seconds(), float64(peak.Load()) / (1 << 20)
	}
	take := func() (float64, float64) {
		u, err := taking.Receive(ctx, bytes.NewReader(made.CSV), imports.As{})
		if err == nil {
			err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return taking.Create(ctx, tx, u) })
		}
		if err != nil {
			b.Fatal(err)
		}
		return measured(u.OperationID, taking.Work)
	}
	fresh, freshMB := take()
	again, againMB := take()
	var id string
	if err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = giving.Create(ctx, tx, exports.Products, exports.Selection{Format: exports.CSV}, "")
		return err
	}); err != nil {
		b.Fatal(err)
	}
	given, givenMB := measured(id, giving.Work)
	report.Publish(b, "imports", []report.Table{{
		Title: "A catalogue of 20,000 products",
		Note:  "As one operation each, by one worker, with events and audit entries; without fetching pictures. The heap is the greatest that was seen, with all else that the process holds.",
		Rows: []report.Row{
			report.Samples{fresh}.AtLeast("import", "%.0f products a second", importPer), report.Samples{freshMB}.AtMost("its heap", "%.0f MB", importMB),
			report.Samples{again}.AtLeast("the same file once more", "%.0f products a second", importPer), report.Samples{againMB}.AtMost("its heap then", "%.0f MB", importMB),
			report.Samples{given}.AtLeast("export", "%.0f products a second", importPer), report.Samples{givenMB}.AtMost("its heap while exporting", "%.0f MB", importMB),
		},
	}})
}

// heap watches how large the heap becomes.
func heap() (*atomic.Uint64, func()) {
	var peak atomic.Uint64
	done := make(chan struct{})
	runtime.GC()
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			}
		}
	}()
	return &peak, func() { close(done) }
}
