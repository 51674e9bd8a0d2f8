package backups_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/backups/backupstest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/files/filestest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestAClusterIsBackedUpAndRestoredToAnInstant goes the whole way: full, differential, log;
// encrypted; restored to a point between. The repository is in a folder or in a bucket.
func TestAClusterIsBackedUpAndRestoredToAnInstant(t *testing.T) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		c := backupstest.Start(t, nil)
		backedUp(t, c)
		err := filepath.WalkDir(filepath.Join(c.Folder, "repository"), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(b), "only here") {
				t.Errorf("%s is not encrypted", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		server := filestest.StartServer(t)
		c := backupstest.Start(t, nil, backupstest.InBucket(t, server, "repository")...)
		backedUp(t, c)
		lets(t, c, server)
	})
}

// lets makes backups until the first ones are let go of, and looks into the bucket.
func lets(t *testing.T, c *backupstest.Cluster, server *filestest.Server) {
	before, err := c.Repository.Stanza(t.Context(), backupstest.Stanza)
	if err != nil {
		t.Fatal(err)
	}
	first := before.Backups[0].Label
	below := "stoa/backup/" + backupstest.Stanza + "/" + first
	if len(server.Keys(t, "repository", below+"/")) < 3 {
		t.Fatalf("the bucket has of the first backup only %v", server.Keys(t, "repository", below))
	}
	for range 2 { // two full ones are kept
		if _, err := c.Repository.Backup(t.Context(), backupstest.Stanza, backups.Full, nil); err != nil {
			t.Fatal(err)
		}
	}
	after, err := c.Repository.Stanza(t.Context(), backupstest.Stanza)
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Backups) != 2 || after.First <= before.First {
		t.Errorf("kept are %+v", after)
	}
	if left := server.Keys(t, "repository", below); len(left) > 0 {
		t.Errorf("of a backup that was let go of, the bucket has %v", left)
	}
}

// backedUp takes a cluster through full, differential, log and back.
func backedUp(t *testing.T, c *backupstest.Cluster) {
	conn := connect(t, c.URL())
	exec(t, conn, `create table sales as select n, repeat('only here ', 20) as text from generate_series(1, 20000) n`)
	var seen []float64
	full, err := c.Repository.Backup(t.Context(), backupstest.Stanza, backups.Full, func(share float64) { seen = append(seen, share) })
	if err != nil {
		t.Fatal(err)
	}
	if full.Type != backups.Full || full.Size < 1<<20 || full.Stored == 0 || full.Stored >= full.Size {
		t.Errorf("the full backup is %+v", full)
	}
	if len(seen) < 10 || seen[len(seen)-1] < 0.99 {
		t.Errorf("progress was told %d times, at last %v", len(seen), seen[max(0, len(seen)-1):])
	}
	exec(t, conn, `insert into sales values (0, 'late')`)
	differential, err := c.Repository.Backup(t.Context(), backupstest.Stanza, backups.Differential, nil)
	if err != nil {
		t.Fatal(err)
	}
	if differential.Type != backups.Differential || differential.Stored >= full.Stored {
		t.Errorf("the differential backup is %+v, after %+v", differential, full)
	}
	exec(t, conn, `insert into sales values (-1, 'good')`)
	exec(t, conn, `select pg_create_restore_point('before')`)
	exec(t, conn, `delete from sales`)
	if err := c.Repository.Check(t.Context(), backupstest.Stanza); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.Folder, "restored")
	if err := c.Repository.Restore(t.Context(), backupstest.Stanza, dir, backups.Target{Point: "before", Aside: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Repository.Restore(t.Context(), backupstest.Stanza, dir, backups.Target{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restored over what is there: %v", err)
	}
	server, err := embedded.StartRestored(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	var rows, good int
	if err := connect(t, server.URL("postgres")).QueryRow(t.Context(), `select count(*), count(*) filter (where n = -1) from sales`).Scan(&rows, &good); err != nil {
		t.Fatal(err)
	}
	if rows != 20_002 || good != 1 {
		t.Errorf("restored %d rows, of the last one %d", rows, good)
	}
	stanza, err := c.Repository.Stanza(t.Context(), backupstest.Stanza)
	if err != nil || stanza.Cipher != "aes-256-cbc" || len(stanza.Backups) != 2 {
		t.Errorf("the repository knows %+v (%v)", stanza, err)
	}
}

func TestTheStanzasOfAConfiguration(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "pgbackrest.conf")
	text := "[global]\nrepo1-path=/x\n[global:archive-push]\ncompress-level=3\n#[off]\n [west]\npg1-path=/w\r\n[west:backup]\r\nprocess-max=2\n[east]\npg1-path=/e\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := (backups.Repository{Config: config}).Reached(); err != nil || !slices.Equal(got, []string{"east", "west"}) {
		t.Errorf("reached are %q (%v)", got, err)
	}
	if _, err := (backups.Repository{Config: config + ".not"}).Reached(); err == nil || !strings.Contains(err.Error(), ".not") {
		t.Errorf("a configuration that is not there: %v", err)
	}
}

func TestWhatPgBackRestSaysIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "pgbackrest.conf")
	if err := os.WriteFile(config, []byte("[global]\nrepo1-path="+filepath.Dir(config)+"\n[stoa]\npg1-path=/nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := backups.Repository{Config: config}
	if _, err := r.Backup(t.Context(), "other", backups.Full, nil); err == nil || !strings.Contains(err.Error(), "pg1-path") {
		t.Errorf("a stanza that is not configured: %v", err)
	}
	if _, err := r.Backup(t.Context(), "stoa", "half", nil); err == nil || !strings.Contains(err.Error(), "half") {
		t.Errorf("a type that there is not: %v", err)
	}
	if _, err := r.Stanza(t.Context(), "stoa"); err == nil {
		t.Error("a stanza that was never made is known")
	}
}
