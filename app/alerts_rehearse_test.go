//go:build rehearse

package app_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/observability/promtest"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// quicker is by what every duration of the rules is divided: an hour is two minutes.
const quicker = 30

// rehearsed is the platform with everything around it that alerts are about: two processes, a
// cell on a Postgres of its own with a standby, a Redis, Nginx, all exporters, Prometheus and
// Alertmanager.
type rehearsed struct {
	t        *testing.T // of the rehearsal that is under way
	binary   string
	server   *apptest.Process // answers requests
	worker   *apptest.Process
	merchant *merchant
	schema   string // of its store, in the cell
	variant  string
	cellName string
	cell     *pgxpool.Pool
	postgres *embedded.Postgres
	standby  *standby
	redis    *redistest.Server
	front    *nginx.Server
	frontDir string // of its files
	redisExp promtest.Exporter
	disk     string // a small file system
	names    *catest.Names
	certify  *catest.Authority
	alarms   *promtest.Alertmanager
	prom     *promtest.Prometheus
}

// TestRehearseAlerts causes what each alert is about, and sees it arrive.
func TestRehearseAlerts(t *testing.T) {
	r := &rehearsed{t: t}
	r.start()
	r.watch()
	for _, group := range r.causes() {
		t.Run(group.name, func(t *testing.T) {
			var steps []rehearsal.Step
			for _, cause := range group.causes {
				t.Run(cause.alert, func(t *testing.T) { steps = append(steps, r.rehearse(t, cause)) })
			}
			rehearsal.Publish(t, "alerts "+group.name, steps)
		})
	}
}

// group are causes that belong together.
type group struct {
	name   string
	causes []cause
}

// cause is a fault that is to raise an alert.
type cause struct {
	alert string
	done  string // in Markdown
	fault func()
	mend  func() // nil where there is nothing to mend, or it ends by itself
}

// within is how long an alert may take to arrive, shortened as it is.
const within = 5 * time.Minute

func (r *rehearsed) rehearse(t *testing.T, c cause) rehearsal.Step {
	r.t = t
	began := time.Now()
	c.fault()
	var told promtest.Told
	there := soon(within, func() (yes bool) {
		told, yes = r.alarms.Told(c.alert, began, r.ours)
		return yes
	})
	if c.mend != nil {
		c.mend()
	}
	if !there {
		firing, err := r.prom.Query(t.Context(), `ALERTS`)
		var names []string
		for _, s := range firing {
			names = append(names, s.Labels["alertname"]+" "+s.Labels["of"]+" "+s.Labels["alertstate"])
		}
		t.Fatalf("%s does not arrive within %s; there are %q (%v)", c.alert, within, names, err)
	}
	t.Logf("%s arrived as a %s after %s: %s", c.alert, told.How, told.At.Sub(began), told.Summary)
	return rehearsal.Step{Done: "`" + c.alert + "`: " + c.done, Took: told.At.Sub(began), Came: "a " + told.How + " arrived", Lost: "—"}
}

// ours leaves out what is said of this machine's own disks, which others fill.
func (r *rehearsed) ours(told promtest.Told) bool {
	mountpoint, ofDisk := told.Labels["mountpoint"]
	return !ofDisk || mountpoint == r.disk
}

func (r *rehearsed) start() {
	t := r.t
	var err error
	cell := embedded.PostgresOptions{Dir: t.TempDir(), MaxConnections: 100, Settings: map[string]string{"wal_level": "replica", "max_wal_senders": "4"}}
	if r.postgres, err = embedded.StartPostgres(context.Background(), cell); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.postgres.Stop() })
	r.redis = redistest.Start(t)
	r.cellName = "east" + run()
	env := apptest.NewEnv(t, apptest.Env{
		"STOA_CELLS": r.cellName + "=" + r.postgres.URL(), "STOA_REDIS_URL": r.redis.URL(), "STOA_WITH_WORKER": "false",
		"STOA_LOG_FORMAT": "json", "STOA_LOG_LEVEL": "info",
	})
	r.names = catest.StartNames(t)
	r.certify = catest.Start(t, r.names, 80)
	trusted := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.certify.Site.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	env["STOA_DOMAINS_ADDRESSES"], env["STOA_DNS_SERVER"], env["STOA_ACME_DIRECTORY"], env["SSL_CERT_FILE"] = here, r.names.Addr, r.certify.Directory, trusted
	r.binary = apptest.Build(t)
	r.server = apptest.Spawn(t, r.binary, env)
	work := beside(t, env)
	work["STOA_WITH_WORKER"] = "true"
	r.worker = apptest.Spawn(t, r.binary, work)
	if r.cell, err = pgxpool.New(t.Context(), r.postgres.URL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.cell.Close)
	r.standby = follow(t, r.postgres.URL())

	r.merchant = openShop(t, r.server.Program)
	r.server.Exec(`update stores set plan = 'scale' where id = $1`, r.merchant.id)
	r.schema = schemaOf(r.server.Program, r.merchant.id)
	r.merchant.flow(t, "sell", nil)
	made := r.merchant.call(t, "POST", "/v1/products", r.merchant.secret, map[string]any{
		"title": "Much of it", "status": "active", "variants": []map[string]any{{"prices": []map[string]any{{"amount": 100, "currency": "EUR"}}, "stock_quantity": 10000}},
	}, http.StatusCreated)
	r.variant = made["variants"].([]any)[0].(map[string]any)["id"].(string)

	starting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r.frontDir = t.TempDir()
	if r.front, err = nginx.Start(starting, r.frontDir, []string{env["STOA_HTTP_ADDR"]}, []string{"localhost", "*.localhost"}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.front.Stop() })
	r.disk = smallDisk(t)
}

// watch has exporters, Prometheus and Alertmanager look at the platform, and somebody use it.
func (r *rehearsed) watch() {
	t := r.t
	r.alarms = promtest.Manage(t)
	r.redisExp = promtest.Redis(t, r.redis.URL())
	database := &apptest.Program{Env: apptest.Env{"STOA_DATABASE_URL": r.postgres.URL()}}
	r.prom = promtest.Run(t, promtest.Config{
		Interval: 2 * time.Second, Faster: quicker, Alertmanager: r.alarms.Address, History: usualOrders(),
		Jobs: []promtest.Job{
			{Name: promtest.Program, Address: strings.TrimPrefix(r.server.OpsURL, "http://")},
			{Name: promtest.Program, Address: strings.TrimPrefix(r.worker.OpsURL, "http://")},
			promtest.Postgres(t, exporterOf(t, r.server.Program), "control").Job,
			promtest.Postgres(t, exporterOf(t, database), r.cellName).Job, promtest.Postgres(t, r.standby.exporter(t), r.cellName).Job,
			r.redisExp.Job, promtest.Nginx(t, r.front.Status()).Job, promtest.Host(t).Job,
			promtest.FrontDoor(t, "https://"+r.front.HTTPS+"/", "localhost", filepath.Join(r.frontDir, "tls.crt")).Job,
		},
	})
	r.traffic()
}

// usualOrders are what was sold at this hour in each of the last three weeks, as long as weeks are
// here.
func usualOrders() string {
	var b strings.Builder
	b.WriteString("# TYPE stoa:orders:increase1h gauge\n")
	week, now := 7*24*time.Hour/quicker, time.Now()
	for at := now.Add(-3*week - time.Minute); at.Before(now.Add(-week + time.Hour)); at = at.Add(30 * time.Second) {
		fmt.Fprintf(&b, "stoa:orders:increase1h 40 %d\n", at.Unix())
	}
	b.WriteString("# EOF\n")
	return b.String()
}

// traffic is what goes on all the time: pages and calls, a few a second.
func (r *rehearsed) traffic() {
	ended, done := make(chan struct{}), make(chan struct{})
	r.t.Cleanup(func() { close(ended); <-done })
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if n%25 == 0 {
				r.hit("GET", r.server.URL+"/v1/plans", "")
			}
			r.hit("GET", r.server.URL+"/v1/products?limit=3", r.merchant.secret)
		}
	}()
}

// hit asks for something, whatever the answer.
func (r *rehearsed) hit(method, address, key string, body ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", run())
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.1.%d.%d", time.Now().Second(), time.Now().Nanosecond()%250))
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if answer, err := http.DefaultClient.Do(request); err == nil {
		_ = answer.Body.Close()
	}
}

// sql changes the cell behind the program's back.
func (r *rehearsed) sql(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.cell.Exec(context.Background(), statement, args...); err != nil {
		r.t.Errorf("%s: %v", statement, err)
	}
}

// standby is a second server that follows a first one.
type standby struct {
	process *exec.Cmd
	url     string
}

// follow makes a standby of a server by pg_basebackup and lets it stream, until the test ends.
func follow(t *testing.T, primary string) *standby {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup")
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no pg_basebackup (%v)", err)
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "standby")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	asPostgres := func(command string, args ...string) *exec.Cmd {
		if os.Geteuid() == 0 { // which Postgres does not run as
			return exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", command}, args...)...)
		}
		return exec.Command(command, args...)
	}
	if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil && os.Geteuid() == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	data := filepath.Join(dir, "data")
	if out, err := asPostgres(filepath.Join(bin, "pg_basebackup"), "-d", primary, "-D", data, "-R", "-X", "stream", "-c", "fast").CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	address := apptest.FreeAddr(t)
	_, port, _ := strings.Cut(address, ":")
	s := &standby{process: asPostgres(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1",
		"-c", "max_locks_per_transaction=512", "-c", "max_connections=200")} // no fewer than the primary's, or it ends at once
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	own, err := url.Parse(primary)
	if err != nil {
		t.Fatal(err)
	}
	own.Host = address
	s.url = own.String()
	if !soon(patience, func() bool { return exec.Command("psql", s.url, "-q", "-c", "select").Run() == nil }) {
		t.Fatal("the standby does not answer")
	}
	return s
}

// exporter is how the exporter logs in, whose role has come from the primary.
func (s *standby) exporter(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	address.User, address.RawQuery = url.UserPassword("stoa_exporter", exporterPassword), "sslmode=disable"
	return address.String()
}

// stop ends the standby; it may have ended.
func (s *standby) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// sql asks the standby for something.
func (s *standby) sql(t *testing.T, statement string) {
	t.Helper()
	out, err := exec.Command("psql", s.url, "-q", "-c", statement).CombinedOutput()
	if err != nil {
		t.Errorf("%s on the standby: %v\n%s", statement, err, out)
	}
}

// goesOn has the standby replay again, which may cancel, as a query there, the very one that asks for it.
func (s *standby) goesOn() {
	_ = exec.Command("psql", s.url, "-q", "-c", "select pg_wal_replay_resume()").Run()
}

// smallDisk is a file system of 64 MB, which only root can make.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	image, at := filepath.Join(dir, "image"), filepath.Join(dir, "disk")
	for _, command := range [][]string{
		{"truncate", "-s", "64M", image}, {"mkfs.ext4", "-q", image}, {"mkdir", at}, {"mount", "-o", "loop", image, at},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("a small disk cannot be made (root and a loop device are needed): %s: %v\n%s", command[0], err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return at
}
