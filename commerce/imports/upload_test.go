package imports_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestWhatIsNoCatalogue(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{MaxBytes: 100 << 10}, catalog.Unlimited{})
	long := strings.Repeat("x", 200) + "\n"
	for name, c := range map[string]struct{ file, code, says string }{
		"empty":          {"", "file_invalid", "empty"},
		"only a header":  {"Handle,Title\n", "file_invalid", "nothing below"},
		"other columns":  {"Name,Title\na,A\n", "file_invalid", `no column "Handle"`},
		"semicolons":     {"Handle;Title\na;A\n", "file_invalid", "separated by"},
		"a workbook":     {"PK\x03\x04rest", "file_invalid", "spreadsheet"},
		"UTF-16":         {"\xff\xfeH\x00", "file_invalid", "UTF-16"},
		"packed":         {"\x1f\x8b\x08", "file_invalid", "compressed"},
		"bytes":          {"Handle\x00,Title\n", "file_invalid", "not a text"},
		"Latin-1":        {"Handle,Title\na,A\nb,Caf\xe9\n", "file_invalid", "line 3"},
		"late bytes":     {"Handle,Title\n" + strings.Repeat("a,"+long, 400) + "b,Caf\xe9\n", "file_invalid", "line 402"},
		"half at end":    {"Handle,Title\na,Caf\xc3", "file_invalid", "line 2"},
		"a broken quote": {"\"Handle,Title\n", "file_invalid", "does not name the columns"},
		"too large":      {"Handle,Title\n" + strings.Repeat("a,"+long, 1000), "file_too_large", "larger"},
	} {
		_, err := h.service.Receive(h.ctx, strings.NewReader(c.file), imports.As{})
		if why := problem.As(err); why == nil || why.Code != c.code || !strings.Contains(why.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := io.MultiReader(strings.NewReader("Handle,Title\n"), iotest.ErrReader(errors.New("gone away")))
	if _, err := h.service.Receive(h.ctx, broken, imports.As{}); !errors.Is(err, imports.ErrBroken) {
		t.Errorf("broken off: %v", err)
	}
	if _, err := h.service.Receive(context.Background(), strings.NewReader("x"), imports.As{}); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
	// Characters may be divided anywhere.
	u, err := h.service.Receive(h.ctx, iotest.OneByteReader(strings.NewReader("\xef\xbb\xbfHandle,Title\na,Café 日本 🙂\n")), imports.As{})
	if err != nil || len(u.SHA256) != 32 {
		t.Fatal(err)
	}
	if err := h.service.Remove(h.ctx, u); err != nil {
		t.Fatal(err)
	}
	h.noFiles()
}

// A file that cannot be read to its end changes nothing at all.
func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{MaxRows: 3}, catalog.Unlimited{})
	o := h.run("Handle,Title\na,A\nb,\"" + strings.Repeat("no end\n", 500_000))
	if o.State != "failed" || o.Error == nil || o.Error.Code != "file_invalid" || !strings.Contains(o.Error.Detail, "quotation mark") {
		t.Errorf("%s %+v", o.State, o.Error)
	}
	o = h.run("Handle,Title\na,A\nb,B\nc,C\nd,D\n")
	if o.State != "failed" || o.Error == nil || !strings.Contains(o.Error.Detail, "more than 3 rows") {
		t.Errorf("%s %+v", o.State, o.Error)
	}
	id := h.ask("Handle,Title\na,A\n")
	ref, _ := postgres.StoreFrom(h.ctx)
	if err := h.files.Delete(h.ctx, ref.ID+"/live/imports/"+id+".csv"); err != nil {
		t.Fatal(err)
	}
	h.work()
	if o = h.operation(id); o.State != "failed" || o.Error.Code != "file_missing" {
		t.Errorf("%s %+v", o.State, o.Error)
	}
	if n := value[int](h, `select count(*) from products`); n != 0 {
		t.Errorf("%d products", n)
	}
	if n := value[int](h, `select count(*) from events where type = 'import.failed'`); n != 3 {
		t.Errorf("%d events", n)
	}
	h.noFiles()
}

// When a job is given up, whoever waits for the import is told.
func TestTheLastTry(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	id := h.ask("Handle,Title\na,A\n")
	h.jobs()
	h.exec(`update operations set input = jsonb_set(input, '{key}', '"not a key"')`)
	if err := h.service.Work(h.ctx, id, 1); err == nil || h.operation(id).State != "running" {
		t.Errorf("first try: %v", err)
	}
	if err := h.service.Work(h.ctx, id, jobs.MaxAttempts); err == nil {
		t.Error("the last try's error is not told")
	}
	if o := h.operation(id); o.State != "failed" || o.Error.Code != "internal_error" {
		t.Errorf("%s %+v", o.State, o.Error)
	}
	if err := h.service.Work(h.ctx, ids.New("op"), 1); err != nil {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestWhatIsSwept(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	old := h.run("Handle,Title\na,A\n")
	h.exec(`update operations set finished_at = now() - interval '91 days'`)
	orphan, err := h.service.Receive(h.ctx, strings.NewReader("Handle,Title\nb,B\n"), imports.As{})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := h.service.Receive(h.ctx, strings.NewReader("Handle,Title\nb,B\n"), imports.As{})
	if err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(h.root, orphan.Key), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	h.run("Handle,Title\nc,C\n")
	if _, err := operations.Get(h.ctx, h.db, old.ID); !problem.Is(err, "not_found") {
		t.Errorf("the old operation: %v", err)
	}
	if n := value[int](h, `select count(*) from operation_rows`); n != 1 {
		t.Errorf("%d rows are kept", n)
	}
	var left []string
	ref, _ := postgres.StoreFrom(h.ctx)
	for key := range h.files.Keys(h.ctx, ref.ID+"/live/imports/") {
		left = append(left, key)
	}
	if len(left) != 1 || left[0] != fresh.Key {
		t.Errorf("left: %v", left)
	}
}
