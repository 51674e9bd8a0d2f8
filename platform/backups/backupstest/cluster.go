// Package backupstest gives tests a Postgres that pgBackRest backs up.
package backupstest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/files/filestest"
)

// Stanza is the name of a cluster in its repository, where a test has only one.
const Stanza = "stoa"

// Cluster is a running Postgres and the repository that its log goes to.
type Cluster struct {
	*embedded.Postgres
	Stanza     string
	Repository backups.Repository
	Options    embedded.PostgresOptions // that it was started with
	Folder     string                   // that the server's user can write to
	As         *syscall.Credential
}

// Start starts a Postgres whose log goes to an encrypted repository, until the test ends.
// settings are further ones of the server, repository further lines of pgBackRest's
// configuration in place of those for a repository in a folder.
func Start(t testing.TB, settings map[string]string, repository ...string) *Cluster {
	t.Helper()
	return StartStanza(t, Stanza, settings, repository...)
}

// StartStanza starts one of several clusters that share a repository.
func StartStanza(t testing.TB, stanza string, settings map[string]string, repository ...string) *Cluster {
	t.Helper()
	c := &Cluster{Folder: Folder(t), Stanza: stanza}
	var err error
	if c.As, err = embedded.DatabaseUser("postgres"); err != nil {
		t.Fatal(err)
	}
	name := "postgres"
	if c.As == nil {
		name = os.Getenv("USER")
	}
	socket, rules := filepath.Join(c.Folder, "socket"), filepath.Join(c.Folder, "rules")
	config := filepath.Join(c.Folder, "pgbackrest.conf")
	if len(repository) == 0 {
		repository = []string{"repo1-path=" + filepath.Join(c.Folder, "repository")}
	}
	own := map[string]string{
		"hba_file": rules, "unix_socket_directories": socket, "archive_mode": "on", "wal_level": "replica", "max_wal_senders": "10",
		"archive_command": "pgbackrest --config=" + config + " --stanza=" + stanza + " archive-push %p", "fsync": "off",
	}
	maps.Copy(own, settings)
	c.Options = embedded.PostgresOptions{Dir: filepath.Join(c.Folder, "server"), MaxConnections: 100, Settings: own}
	// Who the server runs as comes in without a password, by the socket alone.
	c.Write(t, rules, "local all postgres peer map=owner\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n")
	c.Write(t, filepath.Join(c.Folder, "map"), "owner "+name+" postgres\n")
	own["ident_file"] = filepath.Join(c.Folder, "map")
	if err := os.Mkdir(socket, 0o700); err != nil {
		t.Fatal(err)
	}
	c.Own(t, socket)
	c.Postgres, err = embedded.StartPostgres(t.Context(), c.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() }) // a test may have killed it
	c.Write(t, config, fmt.Sprintf(`[global]
%s
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=only-for-tests-of-backups
repo1-retention-full=2
compress-type=zst
start-fast=y
archive-timeout=60
log-path=%[2]s/log
lock-path=%[2]s/lock
spool-path=%[2]s/spool

[%[3]s]
pg1-path=%[4]s
pg1-socket-path=%[5]s
pg1-port=%[6]s
`, strings.Join(repository, "\n"), c.Folder, stanza, c.DataDir(), socket, c.Port()))
	c.Repository = backups.Repository{Config: config, As: c.As}
	if err := c.Repository.Create(t.Context(), stanza); err != nil {
		t.Fatal(err)
	}
	return c
}

// InBucket are the lines of pgBackRest's configuration for a repository in a bucket of a server
// of the test's. The server's authority is written into a folder that the server's user reaches.
func InBucket(t testing.TB, s *filestest.Server, bucket string) []string {
	t.Helper()
	s.Bucket(t, bucket)
	authority := filepath.Join(Folder(t), "authority.pem")
	if err := os.WriteFile(authority, s.Authority, 0o644); err != nil { //nolint:gosec // it is no secret
		t.Fatal(err)
	}
	return []string{
		"repo1-type=s3", "repo1-path=/stoa", "repo1-s3-bucket=" + bucket, "repo1-s3-endpoint=localhost", "repo1-storage-port=" + s.Port,
		"repo1-s3-region=eu-central-1", "repo1-s3-key=" + filestest.AccessKey, "repo1-s3-key-secret=" + filestest.Secret,
		"repo1-s3-uri-style=path", "repo1-storage-ca-file=" + authority, "repo1-bundle=y",
	}
}

// Folder is a folder that the server's user can write to, until the test ends.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "stoa-backups-") // a socket's address is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the server's user writes to it
		t.Fatal(err)
	}
	return dir
}

// Write writes a file that the server's user can read.
func (c *Cluster) Write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Own(t, path)
}

// Own gives a file or folder to the server's user.
func (c *Cluster) Own(t testing.TB, path string) {
	t.Helper()
	if c.As == nil {
		return
	}
	if err := os.Chown(path, int(c.As.Uid), int(c.As.Gid)); err != nil {
		t.Fatal(err)
	}
}
