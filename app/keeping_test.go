//go:build rehearse

package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/platform/backups/backupstest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/files"
)

// insured is a program with backups, and shoppers in it.
type insured struct {
	*apptest.Process
	t       *testing.T
	binary  string
	cluster *backupstest.Cluster
	market  *market
	steps   []rehearsal.Step
}

// pictureOf stores a picture of a market's store, and gives its key.
func (k *insured) pictureOf(m *market) string {
	k.t.Helper()
	disk, err := files.OpenDisk(k.Config.Files.Dir)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	key := m.storeID + "/test/products/img_1/960.jpg"
	if _, err := disk.Put(k.t.Context(), key, strings.NewReader("a picture"), "image/jpeg"); err != nil {
		k.t.Fatal(err)
	}
	return key
}

// isBack opens a picture that was stored before all was lost.
func (k *insured) isBack(picture string) {
	k.t.Helper()
	disk, err := files.OpenDisk(k.Config.Files.Dir)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	f, err := disk.Open(k.t.Context(), picture)
	if err != nil {
		k.t.Fatalf("a picture is not back: %v", err)
	}
	_ = f.Close()
}

// command runs a command of the program as it is delivered, and gives what it printed.
func (k *insured) command(args ...string) (string, error) {
	command := exec.Command(k.binary, args...)
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	for name, value := range k.Env {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Env = append(command.Env, "PATH="+os.Getenv("PATH"))
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("stoa %s: %w: %s", strings.Join(args, " "), err, faults.String())
	}
	return out.String(), nil
}

// does runs a command that has to do its work, and writes down what it took.
func (k *insured) does(what, lost string, args ...string) string {
	k.t.Helper()
	began := time.Now()
	out, err := k.command(args...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.step(what, began, "`stoa "+strings.Join(args[:min(2, len(args))], " ")+"`", lost)
	return out
}

func (k *insured) step(what string, began time.Time, came, lost string) {
	k.steps = append(k.steps, rehearsal.Step{Done: what, Took: time.Since(began), Came: came, Lost: lost})
}

// metric is the value of a metric, by its name and labels as they are written.
func (k *insured) metric(name string) float64 {
	k.t.Helper()
	response, err := http.Get(k.OpsURL + "/metrics")
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				k.t.Fatal(err)
			}
			return v
		}
	}
	return -1
}

// openKept is such a program. What is written is archived after some time at the latest.
func openKept(t *testing.T, archived time.Duration) *insured {
	k := &insured{t: t, binary: apptest.Build(t), cluster: backupstest.Start(t, map[string]string{"archive_timeout": fmt.Sprint(archived.Seconds())})}
	database, err := k.cluster.Database(t.Context(), "stoa")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	k.Process = apptest.Spawn(t, k.binary, apptest.Env{
		"STOA_DATABASE_URL": database, "STOA_BACKUP_STANZAS": backupstest.Stanza, "STOA_BACKUP_REPOSITORY": k.cluster.Repository.Config,
		"STOA_BACKUP_DIR": filepath.Join(k.cluster.Folder, "archives"), "STOA_BACKUP_SCRATCH": filepath.Join(k.cluster.Folder, "scratch"),
		"STOA_BACKUP_RECIPIENT": identity.Recipient().String(), "STOA_BACKUP_IDENTITY": identity.String(), "STOA_BACKUP_STORES_EVERY": "10m",
	})
	k.market = openMarket(t, []int64{1_000_000}, k.Program)
	return k
}

// TestRehearseRestore goes through backups from the first to the loss of everything: a store
// is damaged and restored to the moment before while it sells, restoring is tested and fails
// when the repository is damaged, and then all is lost and built up again.
func TestRehearseRestore(t *testing.T) {
	k := openKept(t, time.Minute)
	m, schema := k.market, k.market.schema()
	const products = 5_000
	k.Exec(`insert into `+schema+`products (id, handle, title, status) select 'prod_x' || n, 'x-' || n, 'Bolt ' || n, 'active' from generate_series(1, $1) n`, products)
	k.Exec(`insert into ` + schema + `variants (id, product_id, position, title) select 'var_' || id, id, 0, 'one' from ` + schema + `products where id like 'prod_x%'`)
	k.Exec(`insert into ` + schema + `prices (variant_id, currency, amount) select id, 'EUR', 990 from ` + schema + `variants where id like 'var_prod_x%'`)
	picture := k.pictureOf(m)

	k.does("everything was backed up in full, encrypted", "nothing", "backup", "full")
	m.open(4, 50*time.Millisecond)
	m.untilSold(20, time.Minute)
	k.does("what had changed was backed up, while shoppers bought", "nothing", "backup", "differential")
	k.does("files and configuration were copied, sealed", "nothing", "backup", "files")
	k.does("restoring was tested: restored elsewhere, compared row by row", "nothing", "backup", "test")
	apptest.Eventually(t, time.Minute, "the test shows in the metrics", func() bool { return k.metric("stoa_restore_test_last_result") == 1 })
	for _, kind := range []string{"full", "differential", "wal", "files"} {
		if at := k.metric(`stoa_backup_last_success_timestamp_seconds{kind="` + kind + `"}`); at < float64(time.Now().Add(-10*time.Minute).Unix()) {
			t.Errorf("the last good backup of %s is of %v", kind, at)
		}
	}
	k.damage(products)
	m.close()
	m.reconcile([]int64{1_000_000})
	rehearsal.Publish(t, "store damaged", k.steps)

	k.steps = nil
	k.everything(picture)
	rehearsal.Publish(t, "all lost", k.steps)
}

// damage has a mass delete and wrong prices, while shoppers buy, and takes both back.
func (k *insured) damage(products int) {
	t, m, schema := k.t, k.market, k.market.schema()
	m.untilSold(5, time.Minute)
	time.Sleep(1100 * time.Millisecond)
	instant := time.Now()
	time.Sleep(1100 * time.Millisecond)
	k.Exec(`delete from ` + schema + `products where id like 'prod_x%' and id < 'prod_x3'`)
	k.Exec(`update ` + schema + `prices set amount = 1 where variant_id like 'var_prod_x%'`)
	m.untilSold(20, time.Minute)
	damaged := fmt.Sprint(products - apptest.Query[int](k.Program, `select count(*)::int from `+schema+`products where id like 'prod_x%'`)[0])

	shown := k.does(damaged+" of 5,000 products were deleted and all prices set to 0.01; the store was restored beside, to the second before", "nothing",
		"restore", "store", m.storeID, "--mode", "test", "--at", instant.UTC().Format(time.RFC3339Nano))
	if !strings.Contains(shown, "products") || !strings.Contains(shown, "ORDERS SINCE") {
		t.Errorf("the operator is shown:\n%s", shown)
	}
	t.Log("\n" + shown)
	m.untilSold(5, time.Minute)
	began := time.Now()
	after := k.does("it was swapped with the living one, while shoppers bought; what was sold since was carried over", "nothing: orders since, payments and stock are there",
		"restore", "swap", m.storeID, "--mode", "test", "--reason", "a wrong import")
	t.Log("\n" + after)
	m.untilSold(5, time.Minute)
	k.step("shoppers bought on", began, "the next five orders were placed", "no order; shoppers asked again: "+fmt.Sprint(m.stats))
	if n := apptest.Query[int](k.Program, `select count(*)::int from `+schema+`prices p join `+schema+`products x on 'var_' || x.id = p.variant_id where p.variant_id like 'var_prod_x%' and p.amount = 990`)[0]; n != products {
		t.Errorf("%d of %d products have their price again", n, products)
	}
	k.does("the swap was undone", "nothing", "restore", "swap", m.storeID, "--mode", "test", "--reason", "to see that it can be")
	if n := apptest.Query[int](k.Program, `select count(*)::int from `+schema+`prices where variant_id like 'var_prod_x%' and amount = 1`)[0]; n == 0 {
		t.Error("undone, the damage is not back")
	}
	k.does("and done again", "nothing", "restore", "swap", m.storeID, "--mode", "test", "--reason", "a wrong import")
	k.does("the damaged one was discarded", "the damage", "restore", "discard", m.storeID, "--mode", "test")
	if n := apptest.Query[int](k.Program, `select count(*)::int from `+schema+`prices where variant_id like 'var_prod_x%' and amount = 990`)[0]; n != products {
		t.Errorf("%d of %d products have their price in the end", n, products)
	}
}

// everything has the repository's test fail by a damaged backup, makes a good one, and loses
// the databases and files.
func (k *insured) everything(picture string) {
	t, m := k.t, k.market
	k.breakRepository()
	k.does("a new full backup was made", "nothing", "backup", "full")
	lastBackup := time.Now()
	m.stop = make(chan struct{})
	m.open(4, 50*time.Millisecond)
	m.untilSold(60, 3*time.Minute)
	m.close()
	lost := time.Now()
	k.Kill()
	if err := syscall.Kill(k.cluster.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-k.cluster.Done()
	_ = k.cluster.Stop() // it was killed
	password, err := os.ReadFile(filepath.Join(k.cluster.Options.Dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{k.cluster.Options.Dir, k.Config.Files.Dir} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	options := k.cluster.Options
	options.Dir = filepath.Join(k.cluster.Folder, "rebuilt")
	if err := os.MkdirAll(filepath.Join(options.Dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	k.cluster.Own(t, filepath.Join(options.Dir, "data"))
	k.does("Postgres's server and all files were lost; the databases were restored", "", "restore", "all", "--to", filepath.Join(options.Dir, "data", "postgres"))
	// The superuser's password is the operator's to know.
	if err := os.WriteFile(filepath.Join(options.Dir, "password"), password, 0o600); err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(k.Env["STOA_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	if options.Port, err = strconv.Atoi(address.Port()); err != nil {
		t.Fatal(err)
	}
	played := time.Now()
	server, err := embedded.StartPostgres(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	apptest.Eventually(t, time.Minute, "the log is played", func() bool {
		return !apptest.Query[bool](k.Program, `select pg_is_in_recovery()`)[0]
	})
	k.step("Postgres was started on them and played the log", played, "it takes writes", "")
	k.does("the files were put back", "nothing", "restore", "files")
	again := time.Now()
	k.Restart()
	k.step("the program was started", again, "it answers", "")
	k.isBack(picture)

	var gone, newest int
	var last time.Time
	for id, at := range m.orders {
		if len(apptest.Query[string](k.Program, `select id from `+m.schema()+`orders where id = $1`, id)) == 0 {
			gone++
			if last.IsZero() || at.Before(last) {
				last = at
			}
		} else {
			newest++
		}
		if at.Before(lastBackup) && len(apptest.Query[string](k.Program, `select id from `+m.schema()+`orders where id = $1`, id)) == 0 {
			t.Errorf("order %s was there when the backup was made, and is lost", id)
		}
	}
	window := time.Duration(0)
	if gone > 0 {
		window = lost.Sub(last)
	}
	if window > 75*time.Second {
		t.Errorf("orders of %v are lost; archive_timeout is a minute", window)
	}
	sold := len(m.orders)
	m.orders = map[string]time.Time{}
	m.stop = make(chan struct{})
	m.open(2, 50*time.Millisecond)
	m.untilSold(10, time.Minute)
	m.close()
	k.step("all in all, from nothing until ten more orders were placed", began, fmt.Sprintf("%d of %d orders are there, and it sells", newest, sold),
		fmt.Sprintf("%d orders, those of the last %v: what had not been archived yet (archive_timeout is 60 s)", gone, window.Round(time.Second)))
}

// breakRepository damages a file of the last backup, and sees that the test of restoring says so.
func (k *insured) breakRepository() {
	t := k.t
	stanza, err := k.cluster.Repository.Stanza(t.Context(), backupstest.Stanza)
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	err = filepath.WalkDir(filepath.Join(k.cluster.Folder, "repository", "backup", backupstest.Stanza), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.Contains(path, "/base/") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) < 5000 {
			return err
		}
		b[len(b)/2] ^= 1
		broken++
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || broken == 0 {
		t.Fatalf("%d files of %d backups were damaged: %v", broken, len(stanza.Backups), err)
	}
	began := time.Now()
	out, err := k.command("backup", "test")
	if err == nil {
		t.Fatalf("restoring from a damaged repository is tested, and good: %s", out)
	}
	t.Log(err)
	apptest.Eventually(t, time.Minute, "the failed test shows in the metrics", func() bool { return k.metric("stoa_restore_test_last_result") == 0 })
	k.step("one bit of each larger file of the repository was turned; restoring was tested", began, "the test failed, and `stoa_restore_test_last_result` is 0", "nothing yet")
}
