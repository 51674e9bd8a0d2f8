package embedded

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func startPostgresIn(t *testing.T, o PostgresOptions) *Postgres {
	t.Helper()
	p, err := StartPostgres(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func TestPostgresKeepsDataPortAndPasswordOverARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "postgres")
	p := startPostgresIn(t, PostgresOptions{Dir: dir})
	address, err := p.Database(context.Background(), "stoa")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, address, "create table kept as select 42 as n")
	for setting, want := range map[string]string{
		"max_locks_per_transaction": "512", "max_connections": "200", "fsync": "on",
		"server_encoding": "UTF8", "timezone": "UTC", "listen_addresses": "127.0.0.1",
	} {
		if got := query[string](t, address, "select current_setting('"+setting+"')"); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if upper := query[string](t, address, "select upper('straßen-é')"); !strings.HasSuffix(upper, "É") {
		t.Errorf("upper() knows ASCII alone: %q", upper)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}

	again := startPostgresIn(t, PostgresOptions{Dir: dir})
	if again.URL() != p.URL() {
		t.Errorf("the address changed from %s to %s", p.URL(), again.URL())
	}
	address, err = again.Database(context.Background(), "stoa")
	if err != nil {
		t.Fatal(err)
	}
	if n := query[int](t, address, "select n from kept"); n != 42 {
		t.Errorf("kept %d, want 42", n)
	}
}

func TestPostgresAsksForAPassword(t *testing.T) {
	p := startPostgresIn(t, PostgresOptions{Fast: true})
	u, _ := url.Parse(p.URL())
	u.User = url.UserPassword("postgres", "guessed")
	if conn, err := pgx.Connect(context.Background(), u.String()); err == nil {
		_ = conn.Close(context.Background())
		t.Fatal("a wrong password was taken")
	}
	if fsync := query[string](t, p.URL(), "show fsync"); fsync != "off" {
		t.Errorf("Fast left fsync %s", fsync)
	}
}

func TestPostgresTemporaryLeavesNothing(t *testing.T) {
	p := startPostgresIn(t, PostgresOptions{Fast: true})
	if _, err := os.Stat(p.home.dir); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.home.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", p.home.dir, err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Done is open after Stop")
	}
}

func TestPostgresRefusesADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	startPostgresIn(t, PostgresOptions{Dir: dir, Fast: true})
	_, err := StartPostgres(context.Background(), PostgresOptions{Dir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Fatalf("the second start answered %v", err)
	}
	if err := Remove(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("Remove answered %v", err)
	}
}

func TestPostgresListensWhereAsked(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := StartPostgres(context.Background(), PostgresOptions{Port: port, Fast: true}); err == nil || !strings.Contains(err.Error(), "ddress already in use") {
		t.Errorf("a taken port: %v", err)
	}
	_ = l.Close()
	p := startPostgresIn(t, PostgresOptions{Port: port, Fast: true, MaxConnections: 33, Settings: map[string]string{"work_mem": "9MB"}})
	if !strings.Contains(p.URL(), ":"+strconv.Itoa(port)+"/") {
		t.Errorf("port %d was asked for, the address is %s", port, p.URL())
	}
	if got := query[string](t, p.URL(), "select current_setting('work_mem') || current_setting('max_connections')"); got != "9MB33" {
		t.Errorf("settings are %s", got)
	}

	socket := startPostgresIn(t, PostgresOptions{Socket: true, Fast: true})
	if family := query[bool](t, socket.URL(), "select inet_server_addr() is null"); !family {
		t.Error("a connection by the socket came over TCP")
	}
}

func TestPostgresSurvivesAKilledProgram(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, dir)
	execute(t, c.postgresURL, "create table kept as select 7 as n")
	c.kill(t)
	eventually(t, "the services end with the program", func() bool { return gone(c.postgresPID) && gone(c.redisID) })
	again := startPostgresIn(t, PostgresOptions{Dir: filepath.Join(dir, "postgres")})
	if n := query[int](t, again.URL(), "select n from kept"); n != 7 {
		t.Errorf("kept %d, want 7", n)
	}
}

func TestTemporaryDirectoriesGoWithAKilledProgram(t *testing.T) {
	c := startChild(t, "temporary")
	if _, err := os.Stat(c.home); err != nil {
		t.Fatal(err)
	}
	c.kill(t)
	eventually(t, c.home+" is deleted", func() bool {
		_, err := os.Stat(c.home)
		return errors.Is(err, os.ErrNotExist)
	})
}

// A server may outlive a kill all the same: one that was frozen, or whose kernel does
// not tell it. The next start ends it and takes its data over.
func TestPostgresEndsWhatWasLeftRunning(t *testing.T) {
	dir := t.TempDir()
	p := startPostgresIn(t, PostgresOptions{Dir: dir})
	execute(t, p.URL(), "create table kept as select 8 as n")
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(p.URL())
	orphan := exec.Command(filepath.Join(p.release.bin, "postgres"), "-D", p.pgdata(), "-c", "port="+u.Port(), "-c", "unix_socket_directories=")
	orphan.Dir = "/"
	orphan.SysProcAttr = &syscall.SysProcAttr{}
	if a := p.home.account; a != nil {
		orphan.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = orphan.Wait(); close(ended) }()
	eventually(t, "the orphan is up", func() bool { return mainProcess(p.home) == orphan.Process.Pid })

	again := startPostgresIn(t, PostgresOptions{Dir: dir})
	select {
	case <-ended:
	case <-time.After(time.Second):
		t.Fatal("the orphan still runs")
	}
	if n := query[int](t, again.URL(), "select n from kept"); n != 8 {
		t.Errorf("kept %d, want 8", n)
	}
	again.home.unlock() // as if we had died without ending it
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Remove ended the server", func() bool { return gone(again.PID()) })
	if _, err := os.Stat(p.home.data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", p.home.data, err)
	}
}

func TestPostgresIsNotKeptOutByAStaleFile(t *testing.T) {
	dir := t.TempDir()
	p := startPostgresIn(t, PostgresOptions{Dir: dir})
	stale, err := os.ReadFile(filepath.Join(p.pgdata(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	// A process that has nothing to do with it now bears the number in the file, and runs
	// as the same user, which is when Postgres itself would refuse.
	other := exec.Command("sleep", "60")
	other.SysProcAttr = &syscall.SysProcAttr{}
	if a := p.home.account; a != nil {
		other.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	other.Dir = "/"
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	_, rest, _ := strings.Cut(string(stale), "\n")
	file := filepath.Join(p.pgdata(), "postmaster.pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(other.Process.Pid)+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := p.home.account; a != nil {
		if err := os.Chown(file, int(a.uid), int(a.gid)); err != nil {
			t.Fatal(err)
		}
	}
	startPostgresIn(t, PostgresOptions{Dir: dir})
	if gone(other.Process.Pid) {
		t.Error("a stranger's process was ended")
	}
}

func TestPostgresStartGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if _, err := StartPostgres(ctx, PostgresOptions{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("answered %v", err)
	}
	startPostgresIn(t, PostgresOptions{Dir: dir}) // nothing half made stands in the way
	if _, err := chooseRelease(ctx, "", "", dir, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("the search for a release answered %v", err)
	}
}

func TestPostgresSaysWhichVersionIsMissing(t *testing.T) {
	dir := t.TempDir()
	p := startPostgresIn(t, PostgresOptions{Dir: dir})
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.pgdata(), "PG_VERSION"), []byte("9.6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := StartPostgres(context.Background(), PostgresOptions{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 9.6, which is not installed") {
		t.Fatalf("answered %v", err)
	}
}
