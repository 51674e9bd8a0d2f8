//go:build catalogues

package imports_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// TestCatalogues imports every catalogue of the folder STOA_CATALOGUES twice, each into a
// store of its own, exports it into another, and says what came of it. It is built by "make catalogues" only.
func TestCatalogues(t *testing.T) {
	folder := os.Getenv("STOA_CATALOGUES")
	if folder == "" {
		t.Fatal("STOA_CATALOGUES names no folder with catalogues")
	}
	var found int
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".csv") || strings.HasSuffix(path, ".csv.gz")) {
			found++
			t.Run(filepath.Base(path), func(t *testing.T) { importCatalogue(t, readCatalogue(t, path)) })
		}
		return err
	})
	if err != nil || found == 0 {
		t.Fatalf("%d catalogues in %s: %v", found, folder, err)
	}
}

func readCatalogue(t *testing.T, path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(bytes.NewReader(raw))
		if err == nil {
			raw, err = io.ReadAll(unpacked)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(raw)
}

func importCatalogue(t *testing.T, csv string) {
	h := open(t, imports.Config{}, catalog.Unlimited{})
	for _, which := range []string{"first", "again"} {
		peak, stop := watchMemory()
		counted, count := postgres.Counting(h.ctx)
		ctx := h.ctx
		h.ctx = counted
		started := time.Now()
		id := h.ask(csv)
		for _, j := range h.jobs() {
			for next := []job{j}; len(next) > 0; next = h.slices() {
				if err := h.do(next[0], 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		took := time.Since(started)
		stop()
		h.ctx = ctx
		o := h.operation(id)
		if o.State != "succeeded" || o.Progress.Done != o.Progress.Total || len(o.rows) != o.Progress.Total || o.Counts.Failed*100 > o.Progress.Total {
			t.Errorf("%s %+v %+v", o.State, o.Progress, o.Error)
		}
		t.Logf("%s: %v, %d rows %+v, %d statements, at most %d MB of heap", which, took.Round(10*time.Millisecond), o.Progress.Total, o.Counts, count.Statements.Load(), peak.Load()>>20)
		t.Logf("products %d, variants %d, images pending %d, categories %d, stock %d", value[int](h, `select count(*) from products`), value[int](h, `select count(*) from variants`),
			value[int](h, `select count(*) from images`), value[int](h, `select count(*) from categories`), value[int](h, `select coalesce(sum(stock), 0) from variants`))
		told := map[string]int{}
		for _, r := range o.rows {
			for _, m := range r.Messages {
				key := fmt.Sprintf("%s %s", m.Severity, m.Code)
				if told[key]++; told[key] <= 3 && m.Code != "unchanged" {
					t.Logf("line %d %s: %s", r.Line, key, m.Detail)
				}
			}
		}
		t.Logf("told: %v, columns not used: %d", told, len(o.Messages))
	}
	exported := h.export()
	second := open(t, imports.Config{}, catalog.Unlimited{})
	id := second.ask(exported)
	for list := second.slices(); len(list) > 0; list = second.slices() {
		if err := second.do(list[0], 1); err != nil {
			t.Fatal(err)
		}
	}
	if o := second.operation(id); o.State != "succeeded" || o.Counts.Failed+o.Counts.Skipped > 0 {
		t.Errorf("what was exported, into a second store: %s %+v", o.State, o.Counts)
	}
	if value[string](h, cataloguetest.Content) != value[string](second, cataloguetest.Content) {
		t.Error("the second store has another content")
	}
}

// export exports the products to the end.
func (h *house) export() string {
	service := exports.New(h.db, h.operations, h.files, exports.Config{})
	var id string
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = service.Create(ctx, tx, exports.Products, exports.Selection{Format: exports.CSV}, "https://shop.example.com")
		return err
	})
	peak, stop := watchMemory()
	began := time.Now()
	for range 100 {
		if err == nil && h.operation(id).State != "succeeded" {
			err = service.Work(h.ctx, id, 1)
		}
	}
	stop()
	var out strings.Builder
	if err == nil {
		err = h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error {
			file, err := service.Find(ctx, tx, id)
			if err != nil {
				return err
			}
			return file.WriteTo(ctx, &out)
		})
	}
	if err != nil {
		h.Fatal(err)
	}
	h.Logf("exported: %v, %d KB, at most %d MB of heap", time.Since(began).Round(10*time.Millisecond), out.Len()>>10, peak.Load()>>20)
	return out.String()
}

// slices are the store's jobs that go on with an import; pictures are left alone.
func (h *house) slices() (list []job) {
	for _, j := range h.jobs() {
		if j.kind == imports.JobWork {
			list = append(list, j)
		}
	}
	return list
}

// watchMemory measures how large the heap becomes.
func watchMemory() (*atomic.Uint64, func()) {
	var peak atomic.Uint64
	done := make(chan struct{})
	runtime.GC()
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			}
		}
	}()
	return &peak, func() { close(done) }
}
