package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/child"
)

// PostgresOptions say which Postgres to start. The zero value is a database with a free
// port in a temporary directory that Stop, or our death, deletes.
type PostgresOptions struct {
	// Dir keeps the data, the password, the port and the log. When the user that
	// Postgres runs as cannot reach it, the data goes elsewhere and Dir remembers where.
	Dir string
	// Port on 127.0.0.1; 0 takes the port of the last start when it is free, else any.
	Port int
	// Socket listens on a Unix socket in Dir instead of a port.
	Socket bool
	// Fast gives up everything that only matters after a crash, for tests.
	Fast bool
	// MaxConnections is 200 unless set.
	MaxConnections int
	// Settings are further lines of postgresql.conf.
	Settings map[string]string
	// User to run as when the program is root; postgres unless set, nobody if there is none.
	User string
	// Binaries is the folder of initdb and postgres; found unless set.
	Binaries string
	// Repository downloads the binaries from this Maven repository, installed or not.
	Repository string
	// Logger is told what happens; slog's default unless set.
	Logger *slog.Logger
}

// Postgres is a running server.
type Postgres struct {
	home     *home
	process  *child.Process
	sweeper  *child.Sweeper
	release  release
	url      *url.URL
	stopping sync.Once
}

// superuser is the only user of an embedded Postgres.
const superuser = "postgres"

// startTimeout bounds one start, recovery after a crash included.
const startTimeout = time.Minute

// StartPostgres starts a server and returns when it answers. ctx bounds the starting
// alone; the server runs until Stop, or until the program ends in whatever way.
func StartPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	p, err := startPostgres(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start an embedded Postgres: %w", err)
	}
	return p, nil
}

func startPostgres(ctx context.Context, o PostgresOptions) (_ *Postgres, err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	h, err := openHome(o.Dir, cmp.Or(o.User, "postgres"), "nobody")
	if err != nil {
		return nil, err
	}
	p := &Postgres{home: h}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.clearLeftovers(); err != nil {
		return nil, err
	}
	if p.release, err = chooseRelease(ctx, p.dataVersion(), o.Binaries, p.cache(), o.Repository); err != nil {
		return nil, err
	}
	password, err := p.initialise(ctx)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err := p.launch(ctx, o, password)
		if err == nil {
			break
		}
		if try == 3 || !addressInUse(err.Error()) || o.Port != 0 {
			return nil, err
		}
	}
	if h.temporary {
		if p.sweeper, err = child.SweepAfter(h.dir, p.PID()); err != nil {
			_ = p.process.Stop()
			return nil, err
		}
	}
	cmp.Or(o.Logger, slog.Default()).DebugContext(ctx, "embedded Postgres is ready", "version", p.release.major, "data", p.pgdata(), "took", time.Since(began))
	return p, nil
}

// pgdata is Postgres's own directory; it appears only once it is complete.
func (p *Postgres) pgdata() string { return filepath.Join(p.home.data, "postgres") }

// cache is where downloaded binaries are kept, beside the data so that whoever may read
// the one may read the other.
func (p *Postgres) cache() string { return filepath.Join(p.home.data, "release") }

// dataVersion is the major version that made the data; empty when there is none.
func (p *Postgres) dataVersion() string {
	b, _ := os.ReadFile(filepath.Join(p.pgdata(), "PG_VERSION"))
	return strings.TrimSpace(string(b))
}

// clearLeftovers ends a server that a killed program left running, and removes the file
// that names it where that number is now somebody else's: Postgres would refuse to start.
func (p *Postgres) clearLeftovers() error {
	main := mainProcess(p.home)
	if err := child.StopLeftovers(p.home.data, main); err != nil {
		return err
	}
	if main > 0 && syscall.Kill(main, 0) != syscall.ESRCH {
		if err := os.Remove(filepath.Join(p.pgdata(), "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a stale file: %w", err)
		}
	}
	return nil
}

// initialise makes the data directory unless it is there. It is made under another name
// first, so that a kill half-way leaves nothing that looks complete.
func (p *Postgres) initialise(ctx context.Context) (password string, err error) {
	if password, err = keptSecret(p.home.path("password")); err != nil {
		return "", err
	}
	if p.dataVersion() != "" {
		return password, nil
	}
	unfinished := p.pgdata() + ".new"
	passwordFile := filepath.Join(p.home.data, "password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		return "", fmt.Errorf("hand over the password: %w", err)
	}
	defer func() { _ = os.Remove(passwordFile) }()
	if a := p.home.account; a != nil {
		if err := os.Chown(passwordFile, int(a.uid), int(a.gid)); err != nil {
			return "", fmt.Errorf("hand over the password: %w", err)
		}
	}

	var faults []error
	for _, locale := range []string{"C.UTF-8", "en_US.UTF-8", "C"} {
		if err := os.RemoveAll(unfinished); err != nil {
			return "", fmt.Errorf("clear an unfinished start: %w", err)
		}
		var out strings.Builder
		cmd := exec.Command(filepath.Join(p.release.bin, "initdb"), "--pgdata="+unfinished,
			"--username="+superuser, "--pwfile="+passwordFile, "--auth=scram-sha-256",
			"--encoding=UTF8", "--locale="+locale, "--no-sync", "--no-instructions")
		cmd.Dir, cmd.Stdout, cmd.Stderr = p.home.data, &out, &out
		if err = child.Run(ctx, cmd, child.Options{As: p.home.account.credential()}); err == nil {
			break
		}
		faults = append(faults, fmt.Errorf("initdb: %w: %s", err, lastLines(out.String(), 4)))
		if !strings.Contains(out.String(), "invalid locale") {
			break
		}
	}
	if err != nil {
		return "", errors.Join(faults...)
	}
	if err := os.Rename(unfinished, p.pgdata()); err != nil {
		return "", fmt.Errorf("finish the data directory: %w", err)
	}
	return password, nil
}

// launch starts the postmaster and waits until it takes connections.
func (p *Postgres) launch(ctx context.Context, o PostgresOptions, password string) error {
	port, err := choosePort(o.Port, p.home.path("port"))
	if err != nil {
		return err
	}
	settings := p.settings(o, port)
	args := []string{"-D", p.pgdata()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	log, err := os.Create(p.home.path("log"))
	if err != nil {
		return fmt.Errorf("open its log: %w", err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(filepath.Join(p.release.bin, "postgres"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.home.data, log, log
	if p.process, err = child.Start(cmd, child.Options{As: p.home.account.credential(), OnOurDeath: syscall.SIGINT}); err != nil {
		return err
	}
	if err := p.untilReady(ctx); err != nil {
		_ = p.process.Stop(child.Step{Signal: syscall.SIGQUIT, Wait: 3 * time.Second})
		return fmt.Errorf("%w; its log ends:\n%s", err, p.home.endOfLog())
	}
	p.url = &url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/postgres", RawQuery: "sslmode=disable",
	}
	if o.Socket {
		p.url.Host, p.url.RawQuery = "", url.Values{"host": {p.socketDir()}, "port": {strconv.Itoa(port)}}.Encode()
	}
	if err := os.WriteFile(p.home.path("port"), []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
		return fmt.Errorf("remember the port: %w", err)
	}
	return nil
}

// settings of the server. Locks are many because one transaction may touch the tables
// of a whole store, and a migration those of several.
func (p *Postgres) settings(o PostgresOptions, port int) map[string]string {
	s := map[string]string{
		"listen_addresses":          "127.0.0.1",
		"port":                      strconv.Itoa(port),
		"unix_socket_directories":   "",
		"max_connections":           strconv.Itoa(cmp.Or(o.MaxConnections, 200)),
		"max_locks_per_transaction": "512",
		"shared_buffers":            "128MB",
		"max_wal_size":              "2GB",
		"jit":                       "off", // our statements are short
		"timezone":                  "UTC",
		"log_timezone":              "UTC",
		"log_min_messages":          "warning",
		"log_checkpoints":           "off",
	}
	if o.Socket {
		s["listen_addresses"], s["unix_socket_directories"] = "", p.socketDir()
	}
	if o.Fast {
		maps.Copy(s, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"wal_level": "minimal", "max_wal_senders": "0", "checkpoint_timeout": "30min",
		})
	}
	maps.Copy(s, o.Settings)
	return s
}

// socketDir is the folder of the Unix socket: the data directory, unless its name is
// too long for the address of a socket, which has 107 characters at most.
func (p *Postgres) socketDir() string {
	if len(p.home.data) <= 80 {
		return p.home.data
	}
	return os.TempDir()
}

// untilReady waits for the line in the postmaster's file that says it takes connections.
func (p *Postgres) untilReady(ctx context.Context) error {
	own := strconv.Itoa(p.PID())
	for {
		b, _ := os.ReadFile(filepath.Join(p.pgdata(), "postmaster.pid"))
		lines := strings.Split(string(b), "\n")
		if len(lines) >= 8 && lines[0] == own && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", ctx.Err())
		case <-p.process.Done():
			return fmt.Errorf("it ended: %w", p.process.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// mainProcess is the postmaster that a killed program left in this home, or 0.
func mainProcess(h *home) int {
	b, err := os.ReadFile(filepath.Join(h.data, "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// URL is the address of the database "postgres", as the superuser.
func (p *Postgres) URL() string { return p.url.String() }

// Version is the major version of the server.
func (p *Postgres) Version() int { return p.release.major }

// PID is the process that a test may stop, freeze or kill.
func (p *Postgres) PID() int { return p.process.PID() }

// Done is closed when the server has ended, asked for or not.
func (p *Postgres) Done() <-chan struct{} { return p.process.Done() }

// Database makes sure that there is a database of this name and gives its address.
func (p *Postgres) Database(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return "", fmt.Errorf("make database %s: %w", name, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&exists); err != nil {
		return "", fmt.Errorf("look for database %s: %w", name, err)
	}
	if !exists {
		if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
			return "", fmt.Errorf("make database %s: %w", name, err)
		}
	}
	u := *p.url
	u.Path = "/" + name
	return u.String(), nil
}

// Stop ends the server in order, breaking off what its clients are doing. A second
// call does nothing.
func (p *Postgres) Stop() (err error) {
	p.stopping.Do(func() {
		err = p.process.Stop(child.Step{Signal: syscall.SIGINT, Wait: 15 * time.Second}, child.Step{Signal: syscall.SIGQUIT, Wait: 5 * time.Second})
		p.home.close()
		p.sweeper.Release()
	})
	if err != nil {
		return fmt.Errorf("stop the embedded Postgres: %w", err)
	}
	return nil
}

// DataDir is the server's own directory, which its user alone can read.
func (p *Postgres) DataDir() string { return p.pgdata() }

// Port is where the server listens.
func (p *Postgres) Port() string { return p.url.Port() }
