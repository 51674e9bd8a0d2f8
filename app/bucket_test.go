//go:build rehearse

package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/platform/backups/backupstest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/files/filestest"
)

// divided is a platform whose cells lie on two servers, each with a worker beside it that
// alone can back it up; all backups go to one server of buckets.
type divided struct {
	*insured
	bucket  *filestest.Server
	second  *backupstest.Cluster // beside insured's cluster, where control and north are
	worker  *apptest.Process     // beside the second
	markets [2]*market           // one in each cell: north, south
	south   string               // the address of its database
}

// Buckets of the rehearsal.
const (
	repositoryBucket = "repository"
	archivesBucket   = "archives"
)

func openDivided(t *testing.T) *divided {
	s := &divided{insured: &insured{t: t, binary: apptest.Build(t)}, bucket: filestest.StartServer(t)}
	repository := backupstest.InBucket(t, s.bucket, repositoryBucket)
	settings := map[string]string{"archive_timeout": "60"}
	s.cluster = backupstest.StartStanza(t, "first", settings, repository...)
	s.second = backupstest.StartStanza(t, "second", settings, repository...)
	database := func(c *backupstest.Cluster, name string) string {
		address, err := c.Database(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	north := database(s.cluster, "stoa")
	s.south = database(s.second, "south")
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, s.bucket.Authority, 0o600); err != nil {
		t.Fatal(err)
	}
	env := apptest.Env{
		"STOA_DATABASE_URL": north, "STOA_CELLS": "north=" + north + ",south=" + s.south,
		"STOA_BACKUP_STANZAS": "control=first,north=first,south=second", "STOA_BACKUP_URL": s.bucket.Bucket(t, archivesBucket) + "/stoa?region=eu-central-1",
		"STOA_BACKUP_RECIPIENT": identity.Recipient().String(), "STOA_BACKUP_IDENTITY": identity.String(), "STOA_BACKUP_STORES_EVERY": "10m", "SSL_CERT_FILE": authority,
	}
	beside := func(c *backupstest.Cluster, env apptest.Env) *apptest.Process {
		env = maps.Clone(env)
		env["STOA_BACKUP_REPOSITORY"], env["STOA_BACKUP_SCRATCH"] = c.Repository.Config, filepath.Join(c.Folder, "scratch")
		return apptest.Spawn(t, s.binary, env)
	}
	s.Process = beside(s.cluster, env)
	for _, shared := range []string{"STOA_REDIS_URL", "STOA_SECRET_KEYS", "STOA_DATA_DIR"} {
		env[shared] = s.Env[shared]
	}
	s.worker = beside(s.second, env)
	for range 4 { // new stores go to the emptiest cell
		m := openMarket(t, []int64{1_000_000}, s.Program)
		if i := slices.Index([]string{"north", "south"}, s.cellOf(m)); s.markets[i] == nil {
			s.markets[i] = m
		}
	}
	if s.markets[0] == nil || s.markets[1] == nil {
		t.Fatal("four stores are in one cell")
	}
	return s
}

func (s *divided) cellOf(m *market) string {
	return apptest.Query[string](s.Program, `select cell from schemas where store_id = $1 and mode = 'test' and state = 'taken'`, m.storeID)[0]
}

// within does something with a connection to the database where a market's store lies.
func (s *divided) within(m *market, do func(conn *pgx.Conn) error) {
	s.t.Helper()
	address := s.Env["STOA_DATABASE_URL"]
	if m == s.markets[1] {
		address = s.south
	}
	conn, err := pgx.Connect(s.t.Context(), address)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(do(conn), conn.Close(s.t.Context())); err != nil {
		s.t.Fatal(err)
	}
}

// list is a column of a market's store.
func (s *divided) list(m *market, column, from string) (list []string) {
	s.t.Helper()
	s.within(m, func(conn *pgx.Conn) error {
		rows, err := conn.Query(s.t.Context(), `select `+column+` from `+m.schema()+from)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	return list
}

// sell lets shoppers buy in both stores until so many more orders are placed in each.
func (s *divided) sell(orders int) {
	for _, m := range s.markets {
		m.untilSold(orders, time.Minute)
	}
}

func (s *divided) open() {
	for _, m := range s.markets {
		m.stop = make(chan struct{})
		m.open(2, 50*time.Millisecond)
	}
}

func (s *divided) close() {
	for _, m := range s.markets {
		m.close()
	}
}

// TestRehearseBucket has all backups in a bucket and the cells on two servers, and loses both
// servers and all files.
func TestRehearseBucket(t *testing.T) {
	s := openDivided(t)
	picture := s.pictureOf(s.markets[1])
	s.backUp()
	s.letGo()
	s.oneStore()
	s.loseAll(picture)
	rehearsal.Publish(t, "bucket", s.steps)
}

// backUp makes every kind of backup and looks for it in the buckets.
func (s *divided) backUp() {
	t := s.t
	s.does("both servers were backed up in full, each by the worker beside it", "nothing", "backup", "full")
	s.open()
	s.sell(10)
	s.does("what had changed was backed up, while shoppers bought in both cells", "nothing", "backup", "differential")
	if checked := s.does("the log was seen to arrive", "nothing", "backup", "check"); !strings.Contains(checked, "aes-256-cbc") || !strings.Contains(checked, "another host") {
		t.Errorf("checked: %s", checked)
	}
	s.does("files and configuration were copied, sealed", "nothing", "backup", "files")
	for _, m := range s.markets {
		s.does("the store in "+s.cellOf(m)+" was archived, sealed", "nothing", "backup", "store", m.storeID)
		if len(s.bucket.Keys(t, archivesBucket, "stoa/stores/"+m.storeID+"/live-")) == 0 {
			t.Error("the archive is not in the bucket")
		}
	}
	s.does("restoring was tested: both servers restored elsewhere, compared row by row", "nothing", "backup", "test")
	for _, stanza := range []string{"first", "second"} {
		for _, of := range []string{"stoa/backup/" + stanza + "/", "stoa/archive/" + stanza + "/"} {
			keys := s.bucket.Keys(t, repositoryBucket, of)
			if len(keys) == 0 {
				t.Errorf("nothing is below %s", of)
			}
			for _, key := range keys {
				if !bytes.HasPrefix(s.bucket.Read(t, repositoryBucket, key), []byte("Salted__")) {
					t.Errorf("%s is not encrypted", key)
				}
			}
		}
	}
	for _, kind := range []string{"full", "differential", "wal", "files"} {
		apptest.Eventually(t, time.Minute, "the metric of "+kind, func() bool {
			return s.metric(`stoa_backup_last_success_timestamp_seconds{kind="`+kind+`"}`) > float64(time.Now().Add(-10*time.Minute).Unix())
		})
	}
}

// letGo makes full backups until the first one is let go of, and sees the bucket rid of it.
func (s *divided) letGo() {
	t := s.t
	known, err := s.cluster.Repository.Info(t.Context())
	if err != nil || len(known) != 2 {
		t.Fatalf("the repository knows %+v: %v", known, err)
	}
	s.does("another full backup of both", "nothing", "backup", "full")
	s.does("and another, by which the first ones are let go of", "nothing", "backup", "full")
	for _, stanza := range known {
		if left := s.bucket.Keys(t, repositoryBucket, "stoa/backup/"+stanza.Name+"/"+stanza.Backups[0].Label); len(left) > 0 {
			t.Errorf("of a backup that was let go of, the bucket has %v", left)
		}
	}
}

// oneStore damages the store in the south. The command is given beside the first server.
func (s *divided) oneStore() {
	t, m := s.t, s.markets[1]
	s.sell(3)
	time.Sleep(1100 * time.Millisecond)
	instant := time.Now()
	time.Sleep(1100 * time.Millisecond)
	s.within(m, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `update `+m.schema()+`products set title = 'Wrong'`)
		return err
	})
	s.does("all products of the store in south were renamed; asked for beside the first server, the worker beside the second restored it, to the second before", "nothing",
		"restore", "store", m.storeID, "--mode", "test", "--at", instant.UTC().Format(time.RFC3339Nano))
	s.does("it was swapped with the living one, while shoppers bought", "nothing: orders since, payments and stock are there",
		"restore", "swap", m.storeID, "--mode", "test", "--reason", "a wrong import")
	if wrong := s.list(m, "id", `products where title = 'Wrong'`); len(wrong) > 0 {
		t.Errorf("%d products are still wrong", len(wrong))
	}
	if all, kept := m.sold(), s.list(m, "id", `orders where state = 'open'`); len(kept) < all {
		t.Errorf("of %d orders %d are there", all, len(kept))
	}
	s.does("the damaged one was discarded", "the damage", "restore", "discard", m.storeID, "--mode", "test")
	archives := s.bucket.Keys(t, archivesBucket, "stoa/stores/"+m.storeID+"/live-")
	s.does("its other side was restored from its archive in the bucket", "nothing", "restore", "store", m.storeID, "--archive", strings.TrimPrefix(archives[0], "stoa/"))
	s.does("and that was discarded", "nothing", "restore", "discard", m.storeID)
}

// loseAll loses both servers and all files, and rebuilds them to one instant.
func (s *divided) loseAll(picture string) {
	t := s.t
	s.sell(5)
	time.Sleep(1100 * time.Millisecond)
	instant := time.Now()
	time.Sleep(1100 * time.Millisecond)
	late := openMarket(t, []int64{1}, s.Program)
	s.sell(5)
	s.close()
	for _, c := range []*backupstest.Cluster{s.cluster, s.second} {
		if err := c.Repository.Check(t.Context(), c.Stanza); err != nil { // as a minute does
			t.Fatal(err)
		}
	}
	s.Kill()
	s.worker.Kill()
	for _, c := range []*backupstest.Cluster{s.cluster, s.second} {
		if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		_ = c.Stop() // it was killed
		if err := os.RemoveAll(c.DataDir()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(s.Config.Files.Dir); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, c := range []*backupstest.Cluster{s.cluster, s.second} {
		s.rebuild(c, instant)
	}
	s.does("the files were put back", "nothing", "restore", "files")
	again := time.Now()
	s.Restart()
	s.worker.Restart()
	s.step("the program was started", again, "it answers", "")
	s.isBack(picture)
	before, since := 0, 0
	for _, m := range s.markets {
		kept := s.list(m, "id", "orders")
		for id, at := range m.orders {
			there := slices.Contains(kept, id)
			switch {
			case at.Before(instant) && !there:
				t.Errorf("order %s of %v before the instant is lost", id, instant.Sub(at))
			case at.After(instant.Add(time.Second)) && there:
				t.Errorf("order %s of %v after the instant is there", id, at.Sub(instant))
			}
			if there {
				before++
			} else {
				since++
			}
		}
		m.orders = map[string]time.Time{}
	}
	if n := apptest.Query[int](s.Program, `select count(*)::int from stores where id = $1`, late.storeID)[0]; n != 0 {
		t.Error("a store that was born after the instant is there")
	}
	s.open()
	s.sell(10)
	s.step("all in all, from nothing until ten more orders were placed in both cells", began, fmt.Sprintf("all %d orders of before the instant are there, both cells agree, and they sell", before),
		fmt.Sprintf("what came after the instant, as was asked: %d orders and a store", since))
	s.does("a new full backup was made, of what was restored", "nothing", "backup", "full")
	s.does("and its log was seen to arrive", "nothing", "backup", "check")
	s.close()
	s.aftermath()
}

// rebuild restores a cluster into the place that it had, and starts it.
func (s *divided) rebuild(c *backupstest.Cluster, instant time.Time) {
	t := s.t
	at := s.Env["STOA_BACKUP_REPOSITORY"]
	s.Env["STOA_BACKUP_REPOSITORY"] = c.Repository.Config
	s.does("the "+c.Stanza+" server, lost as the other and all files, was restored to the same instant", "", "restore", "all",
		"--stanza", c.Stanza, "--to", c.DataDir(), "--at", instant.UTC().Format(time.RFC3339Nano))
	s.Env["STOA_BACKUP_REPOSITORY"] = at
	settings, err := os.ReadFile(filepath.Join(c.DataDir(), "postgresql.auto.conf"))
	if err != nil || bytes.Contains(settings, []byte("archive_mode")) {
		t.Errorf("what is restored does not archive its log (%v): %s", err, settings)
	}
	played := time.Now()
	server, err := embedded.StartPostgres(t.Context(), c.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	c.Postgres = server
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	apptest.Eventually(t, time.Minute, "the log is played", func() bool {
		var recovering bool
		err := conn.QueryRow(t.Context(), `select pg_is_in_recovery()`).Scan(&recovering)
		return err == nil && !recovering
	})
	s.step("Postgres was started on it and played the log", played, "it takes writes", "")
}

// aftermath looks into the ledger of what was done where.
func (s *divided) aftermath() {
	var detail struct{ Label string }
	for _, stanza := range []string{"first", "second"} {
		raw := apptest.Query[[]byte](s.Program, `select detail from keeping_runs where kind = 'full' and subject = $1 and state = 'succeeded' order by finished_at desc limit 1`, stanza)
		if len(raw) == 0 || json.Unmarshal(raw[0], &detail) != nil || len(s.bucket.Keys(s.t, repositoryBucket, "stoa/backup/"+stanza+"/"+detail.Label+"/")) == 0 {
			s.t.Errorf("the ledger's last full backup of %s is not in the bucket: %s", stanza, raw)
		}
	}
	if failed := apptest.Query[string](s.Program, `select kind || ' of ' || subject || ': ' || error from keeping_runs where state = 'failed'`); len(failed) > 0 {
		s.t.Errorf("failed: %q", failed)
	}
}
