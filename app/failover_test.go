//go:build rehearse

package app_test

import (
	"fmt"
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

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/backups/backupstest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// pair is a server and its standby.
type pair struct {
	primary, standby *embedded.Postgres
	url              string // of both, of which the one that takes writes is meant
}

// openPair starts a server and a standby that streams from it. Synchronous, no commit is
// acknowledged before the standby has it on its disk.
func openPair(t *testing.T, synchronous bool) *pair {
	t.Helper()
	folder := backupstest.Folder(t)
	settings := map[string]string{"wal_level": "replica", "max_wal_senders": "10", "hot_standby": "on"}
	primary := startPostgres(t, embedded.PostgresOptions{Dir: filepath.Join(folder, "first"), MaxConnections: 100, Settings: settings})
	t.Cleanup(func() { _ = primary.Stop() }) // it will have been killed
	database, err := primary.Database(t.Context(), "stoa")
	if err != nil {
		t.Fatal(err)
	}
	// initdb lets the superuser replicate from this machine by password.
	second := filepath.Join(folder, "second")
	if err := os.MkdirAll(filepath.Join(second, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	as, err := embedded.DatabaseUser("postgres")
	if err != nil {
		t.Fatal(err)
	}
	if as != nil {
		if err := os.Chown(filepath.Join(second, "data"), int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	source := strings.Replace(primary.URL(), "sslmode=disable", "sslmode=disable&application_name=standby", 1)
	copied := exec.Command(filepath.Join(binaries(t), "pg_basebackup"), "-d", source, "-D", filepath.Join(second, "data", "postgres"), "-R", "-X", "stream", "-c", "fast")
	copied.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	password, err := os.ReadFile(filepath.Join(folder, "first", "password"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second, "password"), password, 0o600); err != nil {
		t.Fatal(err)
	}
	standby := startPostgres(t, embedded.PostgresOptions{Dir: second, MaxConnections: 100, Settings: settings})
	t.Cleanup(func() { _ = standby.Stop() })
	if synchronous {
		execute(t, primary.URL(), `alter system set synchronous_standby_names = 'standby'`)
		execute(t, primary.URL(), `select pg_reload_conf()`)
	}
	first, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	first.Host += ",127.0.0.1:" + standby.Port()
	first.RawQuery = "sslmode=disable&target_session_attrs=read-write"
	return &pair{primary, standby, first.String()}
}

// binaries is the folder of Postgres's programs.
func binaries(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("pg_basebackup")
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(path)
	}
	return filepath.Dir(found[len(found)-1])
}

func execute(t *testing.T, address, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// lose ends all of a server's processes at once, as its machine's end would.
func lose(t *testing.T, server *embedded.Postgres) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	_ = syscall.Kill(server.PID(), syscall.SIGSTOP) // it starts nothing more
	for _, cwd := range processes {
		if at, err := os.Readlink(cwd); err == nil && at == server.DataDir() {
			if pid, err := strconv.Atoi(strings.Split(cwd, "/")[2]); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}
	if killed < 5 {
		t.Fatalf("only %d processes were killed", killed)
	}
	<-server.Done()
}

// TestRehearseFailover loses a cell's server while shoppers buy, and promotes its standby:
// with synchronous replication, which loses no order that was acknowledged, and without.
func TestRehearseFailover(t *testing.T) {
	binary := apptest.Build(t)
	var steps []rehearsal.Step
	for _, synchronous := range []bool{true, false} {
		how := "asynchronous"
		if synchronous {
			how = "synchronous"
		}
		t.Run(how, func(t *testing.T) {
			servers := openPair(t, synchronous)
			p := apptest.Spawn(t, binary, apptest.Env{"STOA_DATABASE_URL": servers.url})
			stocks := []int64{1_000_000}
			m := openMarket(t, stocks, p.Program)
			m.lossy = !synchronous
			m.open(8, 0)
			m.untilSold(60, 2*time.Minute)
			if !synchronous {
				// On one machine a standby is never behind. It is cut off, as by a network.
				execute(t, servers.standby.URL(), `alter system set primary_conninfo = ''`)
				execute(t, servers.standby.URL(), `select pg_reload_conf()`)
				m.untilSold(15, time.Minute)
				how += ", and the standby had been cut off for some moments"
			}
			lose(t, servers.primary)
			down := time.Now()
			last := m.sold()
			execute(t, servers.standby.URL(), `select pg_promote()`)
			promoted := time.Since(down)
			m.untilSold(1, time.Minute)
			sold := time.Since(down)
			m.untilSold(30, 2*time.Minute)
			m.close()
			lost := 0
			schema := m.schema()
			for id := range m.orders {
				if len(apptest.Query[string](p.Program, `select id from `+schema+`orders where id = $1 and state = 'open'`, id)) == 0 {
					lost++
				}
			}
			if synchronous {
				if lost > 0 {
					t.Errorf("%d orders that were acknowledged are lost", lost)
				}
				m.reconcile(stocks)
			} else {
				if lost == 0 {
					t.Error("a standby that was cut off had got everything")
				}
				// What was under way when it was cut off is ended by a job, half a minute later.
				apptest.Eventually(t, 3*time.Minute, "nothing is under way", func() bool {
					return len(apptest.Query[string](p.Program, `select id from `+schema+`payments where state = 'pending'`)) == 0
				})
				m.addsUp(stocks)
			}
			steps = append(steps, rehearsal.Step{
				Done: "the server was lost while 8 shoppers bought; replication was " + how + "; the standby was promoted", Took: sold,
				Came: fmt.Sprintf("promoted after %s, the next order %s after the loss; the program went on by itself", promoted.Round(time.Millisecond), sold.Round(time.Millisecond)),
				Lost: fmt.Sprintf("%d of %d acknowledged orders (%d before the loss)", lost, m.sold(), last),
			})
		})
	}
	rehearsal.Publish(t, "failover", steps)
}

// TestRehearseRedisLost kills Redis while shoppers buy and brings it back empty.
func TestRehearseRedisLost(t *testing.T) {
	server := redistest.Start(t)
	p := apptest.Spawn(t, apptest.Build(t), apptest.Env{"STOA_REDIS_URL": server.URL()})
	stocks := []int64{1_000_000, 40}
	m := openMarket(t, stocks, p.Program)
	staff := p.Client()
	status := func(operation string, in map[string]any) int {
		header := headers("", "X-Forwarded-For", anywhere())
		var raw []byte
		if in != nil {
			raw = body(in)
		}
		answer, err := p.Probe.Do(t.Context(), staff, probe.Call{Operation: operation, Header: header, Body: raw})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status
	}
	credentials := map[string]any{"email": m.email, "password": password}
	if got := status("signIn", credentials); got != 201 {
		t.Fatalf("signed in: %d", got)
	}
	m.open(4, 20*time.Millisecond)
	m.untilSold(30, time.Minute)
	var steps []rehearsal.Step

	server.Kill()
	began := time.Now()
	m.untilSold(1, time.Minute)
	next := time.Since(began)
	m.untilSold(30, time.Minute)
	during := status("getSession", nil)
	if during != 503 {
		t.Errorf("staff are answered %d while Redis is away", during)
	}
	steps = append(steps, rehearsal.Step{Done: "Redis was killed while 4 shoppers bought", Took: next,
		Came: "selling went on, with limits kept in each process; staff were answered 503", Lost: "no order; shoppers asked again: " + fmt.Sprint(m.stats)})

	server.Restart()
	began = time.Now()
	apptest.Eventually(t, time.Minute, "staff sign in again", func() bool { return status("signIn", credentials) == 201 })
	steps = append(steps, rehearsal.Step{Done: "it came back empty", Took: time.Since(began), Came: "staff signed in again; limits began anew",
		Lost: "sessions of staff, and what limits had counted"})
	m.untilSold(20, time.Minute)
	m.close()
	m.reconcile(stocks)
	steps = append(steps, rehearsal.Step{Done: "the books were compared", Came: fmt.Sprintf("each of %d orders is there once, paid once; of 40 scarce pieces none was sold twice", m.sold()), Lost: "nothing"})
	rehearsal.Publish(t, "redis lost", steps)
}
