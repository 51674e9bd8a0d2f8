package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/child"
)

// Restored is a server on a data directory that came out of a backup, for looking into it:
// reached by a socket that only its user can open, without a password, and archiving
// nothing. The directory stays when it is stopped.
type Restored struct {
	process *child.Process
	dir     string // of its socket, log and rules
	url     *url.URL
}

// DatabaseUser is whom a server and what works on its files run as: ourselves, nil, or the
// first of the users that there is when we are root.
func DatabaseUser(names ...string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	a, err := lookupAccount(names)
	return a.credential(), err
}

// inRestored are the settings of a server that only looks: none of the living one's that
// would have it wait for a standby, archive, listen or load.
var inRestored = []string{
	"listen_addresses=", "archive_mode=off", "hot_standby=off", "synchronous_standby_names=", "shared_preload_libraries=",
	"ssl=off", "fsync=off", "autovacuum=off", "max_connections=50", "max_locks_per_transaction=512", "log_min_messages=warning", "timezone=UTC",
}

// StartRestored starts a server on pgdata and returns when it has played its log up to the
// target that was set when it was restored, and can be written to. ctx bounds that.
func StartRestored(ctx context.Context, pgdata string) (r *Restored, err error) {
	r = &Restored{}
	as, err := DatabaseUser("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	version, err := os.ReadFile(filepath.Join(pgdata, "PG_VERSION"))
	if err != nil {
		return nil, fmt.Errorf("start a restored Postgres: %w", err)
	}
	found, err := chooseRelease(ctx, strings.TrimSpace(string(version)), "", "", "")
	if err != nil {
		return nil, fmt.Errorf("start a restored Postgres: %w", err)
	}
	if r.dir, err = os.MkdirTemp(reachableTemp(), "stoa-restored-"); err != nil {
		return nil, fmt.Errorf("start a restored Postgres: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start a restored Postgres: %w", err), r.Stop())
		}
	}()
	if err := os.Chmod(r.dir, 0o711); err != nil { //nolint:gosec // the server's user must pass through
		return nil, err
	}
	socket, rules := filepath.Join(r.dir, "socket"), filepath.Join(r.dir, "rules")
	empty := filepath.Join(r.dir, "settings")
	if err := errors.Join(os.Mkdir(socket, 0o700), os.WriteFile(rules, []byte("local all all trust\n"), 0o644), os.WriteFile(empty, nil, 0o644)); err != nil { //nolint:gosec // they hold nothing
		return nil, err
	}
	if as != nil {
		if err := os.Chown(socket, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	args := []string{"-D", pgdata, "-c", "config_file=" + empty, "-c", "hba_file=" + rules, "-c", "unix_socket_directories=" + socket, "-c", "port=5432"}
	for _, setting := range inRestored {
		args = append(args, "-c", setting)
	}
	command := exec.Command(filepath.Join(found.bin, "postgres"), args...)
	command.Dir, command.Stdout, command.Stderr = pgdata, log, log
	if r.process, err = child.Start(command, child.Options{As: as, OnOurDeath: syscall.SIGINT}); err != nil {
		return nil, err
	}
	r.url = &url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: url.Values{"host": {socket}, "port": {strconv.Itoa(5432)}}.Encode()}
	return r, r.untilOpen(ctx)
}

// untilOpen waits until the log is played and the server takes writes.
func (r *Restored) untilOpen(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, r.URL("postgres"))
		if err == nil {
			var recovering bool
			err = conn.QueryRow(ctx, `select pg_is_in_recovery()`).Scan(&recovering)
			_ = conn.Close(ctx)
			if err == nil && !recovering {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", errors.Join(ctx.Err(), err))
		case <-r.process.Done():
			said, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			return fmt.Errorf("it ended: %w; its log ends:\n%s", r.process.Err(), lastLines(string(said), 8))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// URL is the address of a database of it, as the superuser.
func (r *Restored) URL(database string) string {
	u := *r.url
	u.Path = "/" + database
	return u.String()
}

// Stop ends the server.
func (r *Restored) Stop() error {
	var err error
	if r.process != nil {
		err = r.process.Stop(child.Step{Signal: syscall.SIGINT, Wait: 15 * time.Second}, child.Step{Signal: syscall.SIGQUIT, Wait: 5 * time.Second})
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}
