// Package apptest runs the whole program for tests, against a real Postgres and a real
// Redis: in this process (Start), or as a process of its own that can be killed (Spawn).
// It configures it as for development, with databases and ports of the test's own.
package apptest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// Env is the environment that a program is configured by.
type Env map[string]string

// List is the environment in the form of os.Environ.
func (e Env) List() []string {
	var lines []string
	for name, value := range e {
		lines = append(lines, name+"="+value)
	}
	return lines
}

// Shared is what all processes of an installation have alike: databases, Redis, secrets and files.
func (e Env) Shared() Env {
	shared := Env{}
	for _, name := range []string{"STOA_DATABASE_URL", "STOA_CELLS", "STOA_REDIS_URL", "STOA_SECRET_KEYS", "STOA_DATA_DIR"} {
		shared[name] = e[name]
	}
	return shared
}

// NewEnv is the environment of a program with a database, a Redis and ports of the test's
// own. What change sets wins: a database or a Redis that it names is used as it is.
func NewEnv(t testing.TB, change Env) Env {
	t.Helper()
	key, err := secrets.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	env := Env{
		"STOA_ENV": "development", "STOA_DATA_DIR": t.TempDir(), "STOA_SECRET_KEYS": key.Reveal(),
		"STOA_HTTP_ADDR": addr, "STOA_OPS_ADDR": FreeAddr(t), "STOA_BASE_DOMAIN": "localhost", "STOA_PUBLIC_URL": "http://localhost:" + port,
		"STOA_TRUSTED_PROXIES": "127.0.0.1", "STOA_BCRYPT_COST": "4", "STOA_LOG_LEVEL": "warn",
		"STOA_CELL_LOGINS": "2", "STOA_CELL_MAX_STORES": "500", "STOA_CELL_CONNECTIONS": "6", "STOA_READY_STORES": "2",
	}
	for name, value := range change {
		env[name] = value
	}
	if env["STOA_DATABASE_URL"] == "" {
		env["STOA_DATABASE_URL"] = testenv.Database(t)
	}
	if env["STOA_REDIS_URL"] == "" {
		env["STOA_REDIS_URL"] = testenv.Redis(t)
	}
	if env["STOA_CELLS"] == "" {
		// Roles belong to the whole server, so the cell has a name that no other test's has.
		id := ids.New("c")
		cell := "c" + id[len(id)-12:]
		env["STOA_CELLS"] = cell + "=" + env["STOA_DATABASE_URL"]
		t.Cleanup(func() { dropRoles(t, env["STOA_DATABASE_URL"], cell) })
	}
	return env
}

// FreeAddr is an address that nobody listens on.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// dropRoles leaves nothing of a cell's stores and logins on the server. It runs before
// the database is dropped. Where that is gone already, so are they.
func dropRoles(t testing.TB, database, cell string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	roles, err := pgx.CollectRows(queryRows(conn.Query(ctx, `select rolname from pg_roles where rolname like $1 || '\_%'`, cell)), pgx.RowTo[string])
	if err != nil {
		t.Logf("roles of cell %s are left behind: %v", cell, err)
		return
	}
	var drop strings.Builder
	for _, role := range roles {
		name := pgx.Identifier{role}.Sanitize()
		fmt.Fprintf(&drop, "drop owned by %s; drop role %s;", name, name)
	}
	if _, err := conn.Exec(ctx, drop.String()); err != nil {
		t.Logf("roles of cell %s are left behind: %v", cell, err)
	}
}

// queryRows lets a query's error come up where its rows are read.
func queryRows(rows pgx.Rows, _ error) pgx.Rows { return rows }

// Program is a running program, wherever it runs.
type Program struct {
	URL    string // of the API and the platform's own pages
	OpsURL string // of health, metrics and profiles
	Env    Env
	Config app.Config
	Probe  *probe.Probe

	t     testing.TB
	admin *pgxpool.Pool
	redis *redis.Client
	log   *lockedBuffer
}

// newProgram opens what tests look at a program with.
func newProgram(t testing.TB, env Env) *Program {
	t.Helper()
	config, err := app.LoadConfig(env.List(), nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{
		URL: "http://" + env["STOA_HTTP_ADDR"], OpsURL: "http://" + env["STOA_OPS_ADDR"], Env: env, Config: config,
		t: t, log: &lockedBuffer{},
	}
	p.Probe = probe.New(doc, p.URL)
	if p.admin, err = pgxpool.New(context.Background(), env["STOA_DATABASE_URL"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.admin.Close)
	options, err := redis.ParseURL(env["STOA_REDIS_URL"])
	if err != nil {
		t.Fatal(err)
	}
	p.redis = redis.NewClient(options)
	t.Cleanup(func() { _ = p.redis.Close() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the program's log:\n%s", p.log.last(20_000))
		}
	})
	return p
}

// At looks at a program that somebody else runs with this environment, as a container does.
func At(t testing.TB, env Env) *Program {
	t.Helper()
	return newProgram(t, env)
}

// Start runs the program in this process until the test ends: serving, and working on
// jobs.
func Start(t testing.TB, change Env) *Program {
	t.Helper()
	p := newProgram(t, NewEnv(t, change))
	if err := app.Migrate(context.Background(), p.Config, build, app.Terminal{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	p.run(build)
	return p
}

// build is the build of the programs that tests run.
var build = app.Build{Version: "test", Commit: "none"}

// Beside runs a program of another build in this process, on the databases of p as they are.
func (p *Program) Beside(t testing.TB, build app.Build) *Program {
	t.Helper()
	other := newProgram(t, NewEnv(t, p.Env.Shared()))
	other.run(build)
	return other
}

// run serves and works on jobs until the test ends.
func (p *Program) run(build app.Build) {
	t := p.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.New(ctx, p.Config, build, p.log)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- a.Run(ctx, app.Roles{Serve: true, Work: true, Ready: func(context.Context) error {
			close(ready)
			return nil
		}})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the program ended with: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the program does not end")
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("the program ended at once: %v\n%s", err, p.log.last(20_000))
	}
}

// OperatorKey makes an operator's key, as the command does.
func (p *Program) OperatorKey(role string) string {
	p.t.Helper()
	var out bytes.Buffer
	make := app.CreateOperatorKey("On Call", role, 1)
	if err := make(context.Background(), p.Config, build, app.Terminal{Out: &out, Err: io.Discard}); err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// Query reads rows of the program's databases as their administrator.
func Query[T any](p *Program, statement string, args ...any) []T {
	p.t.Helper()
	rows, err := p.admin.Query(context.Background(), statement, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		p.t.Fatalf("%s: %v", statement, err)
	}
	return list
}

// Exec changes the program's databases behind its back.
func (p *Program) Exec(statement string, args ...any) {
	p.t.Helper()
	if _, err := p.admin.Exec(context.Background(), statement, args...); err != nil {
		p.t.Fatalf("%s: %v", statement, err)
	}
}

// ForgetLimits gives everybody their whole allowance back.
func (p *Program) ForgetLimits() {
	p.t.Helper()
	ctx := context.Background()
	for _, pattern := range []string{"stoa*limit*", "stoa*guard*"} {
		keys := p.redis.Scan(ctx, 0, pattern, 1000).Iterator()
		for keys.Next(ctx) {
			if err := p.redis.Del(ctx, keys.Val()).Err(); err != nil {
				p.t.Fatal(err)
			}
		}
		if err := keys.Err(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// RedisKeys are the names of what is kept in the Redis of the program and of those beside it,
// but for those of some rooms.
func (p *Program) RedisKeys(but ...string) []string {
	p.t.Helper()
	ctx := context.Background()
	var names []string
	keys := p.redis.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		room, _, _ := strings.Cut(strings.TrimPrefix(keys.Val(), "stoa"), ":")
		if !slices.Contains(but, room) {
			names = append(names, keys.Val())
		}
	}
	if err := keys.Err(); err != nil {
		p.t.Fatal(err)
	}
	return names
}

// WipeRedis takes everything from the Redis of the program and of those beside it.
func (p *Program) WipeRedis() {
	p.t.Helper()
	if err := p.redis.FlushDB(context.Background()).Err(); err != nil {
		p.t.Fatal(err)
	}
}

// Eventually waits for something to become true, and fails the test when it does not.
func Eventually(t testing.TB, bound time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(bound); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", bound, what)
		}
	}
}

// Log is what the program has logged so far, or the last of it.
func (p *Program) Log() string { return p.log.last(1 << 30) }

// lockedBuffer is a buffer that several may write to. Of very much it keeps the last.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const mostLog = 16 << 20

func (b *lockedBuffer) Write(piece []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > mostLog {
		b.buf.Next(mostLog / 2)
	}
	return b.buf.Write(piece)
}

func (b *lockedBuffer) last(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buf.String()
	return text[max(0, len(text)-n):]
}

// Client is one of the program's visitors, with cookies of their own.
func (p *Program) Client() *http.Client { return probe.NewClient(30 * time.Second) }

// Browser is a visitor who finds every shop, whatever the machine makes of its host's name.
func (p *Program) Browser() *http.Client {
	client := p.Client()
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, p.Env["STOA_HTTP_ADDR"])
	}
	return client
}

// Host is the address of a store's shop, by the first label of its host name.
func (p *Program) Host(label string) *url.URL { return p.Config.Site.StoreURL(label) }
