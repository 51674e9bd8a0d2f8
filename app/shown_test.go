package app_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/files"
)

// TestOperatorsAreShownWhatFillsAndWhatNothingOwns runs the commands of the runbooks.
func TestOperatorsAreShownWhatFillsAndWhatNothingOwns(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, apptest.Env{"STOA_CELL_MAX_BYTES": "1GB"})
	said := func(command app.Command) string {
		t.Helper()
		var out bytes.Buffer
		if err := command(context.Background(), p.Config, app.Build{Version: "test"}, app.Terminal{Out: &out, Err: io.Discard}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	cell := p.Config.Database.Cells[0].Name
	apptest.Eventually(t, time.Minute, "the cell was measured, which it is at the start", func() bool {
		return apptest.Query[bool](p, `select exists (select from cell_sizes)`)[0]
	})
	p.Exec(`delete from cell_sizes`)
	p.Exec(`insert into cell_sizes (cell, day, schemas, bytes, connections, connections_max)
		select $1, current_date - n, 4, (512 - 64 * n) * 1048576::bigint, 7, 97 from generate_series(0, 5) n`, cell)
	if text := said(app.ListCells); !regexp.MustCompile(cell + ` +true .* 512\.0 MB of 1\.0 GB +7 of 97 +8 days, of bytes\n`).MatchString(text) {
		t.Errorf("of its cells is shown\n%s", text)
	}
	disk, err := files.OpenDisk(p.Config.Files.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	const key = "sto_unknown/live/products/img_1/480.jpg"
	if _, err := disk.Put(t.Context(), key, strings.NewReader("12345"), "image/jpeg"); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-31 * 24 * time.Hour)
	if err := os.Chtimes(filepath.Join(p.Config.Files.Dir, key), long, long); err != nil {
		t.Fatal(err)
	}
	if text := said(app.ListOrphans); !strings.Contains(text, key) || !strings.Contains(text, "744h") {
		t.Errorf("of what nothing owns is shown\n%s", text)
	}
	said(app.RunTask("keeping.orphans"))
	apptest.Eventually(t, time.Minute, "a worker sweeps it", func() bool {
		_, err := os.Stat(filepath.Join(p.Config.Files.Dir, key))
		return os.IsNotExist(err)
	})
	if text := said(app.ListOrphans); strings.Contains(text, key) {
		t.Errorf("swept, it is still shown\n%s", text)
	}
}
