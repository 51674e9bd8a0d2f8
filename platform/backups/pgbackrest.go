// Package backups drives pgBackRest, which keeps whole database clusters: full and
// differential backups, and the write-ahead log between them, in a repository on a disk or
// in a bucket. Where the repository is, how it is encrypted and for how long it is kept
// stands in pgBackRest's own configuration (deploy/backup); this package reads nothing of it
// but which stanzas it has.
//
// It runs where pgBackRest can: on the host of the database, or on one that pgBackRest's
// configuration leads from to it.
package backups

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stoacommerce/stoa/platform/child"
)

// Type is how much of a cluster a backup copies.
type Type string

// The types of backups.
const (
	Full         Type = "full"         // everything; it stands by itself
	Differential Type = "differential" // what has changed since the last full one
	Incremental  Type = "incremental"  // what has changed since the last one of any type
)

// flags are pgBackRest's names of the types.
var flags = map[Type]string{Full: "full", Differential: "diff", Incremental: "incr"}

// Repository is where pgBackRest keeps its backups, as its configuration says.
type Repository struct {
	Config  string              // pgBackRest's configuration file
	Program string              // pgbackrest where empty
	As      *syscall.Credential // whom it runs as; ourselves when nil
}

// Backup is one backup of a cluster.
type Backup struct {
	Label   string
	Type    Type
	Stanza  string
	Started time.Time
	Stopped time.Time
	Size    int64 // bytes of the database
	Stored  int64 // bytes that it added to the repository
	Error   bool  // a page's checksum was wrong
}

// Stanza is one cluster as the repository knows it.
type Stanza struct {
	Name    string
	Message string // "ok", or what is wrong
	OK      bool
	Cipher  string   // "none" where the repository is not encrypted
	Backups []Backup // the oldest first
	First   string   // the oldest segment of the write-ahead log that is kept
	Last    string   // the latest
}

// Newest is the latest backup; false when there is none.
func (s Stanza) Newest() (Backup, bool) {
	if len(s.Backups) == 0 {
		return Backup{}, false
	}
	return s.Backups[len(s.Backups)-1], true
}

// info is pgBackRest's answer, the parts of it that are read.
type info struct {
	Name   string
	Cipher string
	Status struct {
		Code    int
		Message string
	}
	Backup []struct {
		Label     string
		Type      string
		Error     bool
		Timestamp struct{ Start, Stop int64 }
		Info      struct {
			Size       int64
			Repository struct{ Delta int64 }
		}
	}
	Archive []struct{ Min, Max string }
}

// Info says what the repository holds, of each stanza.
func (r Repository) Info(ctx context.Context) ([]Stanza, error) {
	out, err := r.run(ctx, nil, "info", "--output=json")
	if err != nil {
		return nil, err
	}
	var read []info
	if err := json.Unmarshal([]byte(out), &read); err != nil {
		return nil, fmt.Errorf("read pgbackrest info: %w", err)
	}
	types := map[string]Type{}
	for t, name := range flags {
		types[name] = t
	}
	var list []Stanza
	for _, i := range read {
		s := Stanza{Name: i.Name, Message: i.Status.Message, OK: i.Status.Code == 0, Cipher: i.Cipher}
		for _, b := range i.Backup {
			s.Backups = append(s.Backups, Backup{
				Label: b.Label, Type: types[b.Type], Stanza: i.Name, Size: b.Info.Size, Stored: b.Info.Repository.Delta, Error: b.Error,
				Started: time.Unix(b.Timestamp.Start, 0).UTC(), Stopped: time.Unix(b.Timestamp.Stop, 0).UTC(),
			})
		}
		if n := len(i.Archive); n > 0 {
			s.First, s.Last = i.Archive[0].Min, i.Archive[n-1].Max
		}
		list = append(list, s)
	}
	return list, nil
}

// Stanza says what the repository holds of one.
func (r Repository) Stanza(ctx context.Context, name string) (Stanza, error) {
	all, err := r.Info(ctx)
	if err != nil {
		return Stanza{}, err
	}
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
	}
	return Stanza{}, fmt.Errorf("the repository knows no stanza %q", name)
}

// section is how a stanza begins in pgBackRest's configuration: "[stoa]", or "[stoa:backup]"
// for one of its commands.
var section = regexp.MustCompile(`(?m)^[ \t]*\[([^\]:]+)(?::[^\]]*)?\][ \t]*\r?$`)

// Reached are the stanzas that the configuration has, sorted: the clusters that pgBackRest
// can back up from here. The repository may hold others, which other hosts look after.
func (r Repository) Reached() ([]string, error) {
	text, err := os.ReadFile(r.Config)
	if err != nil {
		return nil, fmt.Errorf("read pgbackrest's configuration: %w", err)
	}
	var names []string
	for _, found := range section.FindAllStringSubmatch(string(text), -1) {
		if found[1] != "global" {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Create makes a stanza in the repository, once; an existing one is left as it is.
func (r Repository) Create(ctx context.Context, stanza string) error {
	_, err := r.run(ctx, nil, "stanza-create", "--stanza="+stanza)
	return err
}

// Check sees that the write-ahead log arrives in the repository, by having a segment end
// and waiting for it.
func (r Repository) Check(ctx context.Context, stanza string) error {
	_, err := r.run(ctx, nil, "check", "--stanza="+stanza)
	return err
}

// copied is how pgBackRest tells of a file that it has copied, and how far it is.
var copied = regexp.MustCompile(`backup file .*, ([0-9.]+)%\)`)

// Backup makes a backup, and throws away what the configuration's retention lets go of. It
// tells progress the share that is copied, from 0 to 1. One that was broken off is taken
// up where it was, by pgBackRest itself, when the next of its type begins.
func (r Repository) Backup(ctx context.Context, stanza string, t Type, progress func(share float64)) (Backup, error) {
	flag, known := flags[t]
	if !known {
		return Backup{}, fmt.Errorf("there is no backup of the type %q", t)
	}
	watch := func(line string) {
		if m := copied.FindStringSubmatch(line); m != nil && progress != nil {
			var percent float64
			if _, err := fmt.Sscan(m[1], &percent); err == nil {
				progress(percent / 100)
			}
		}
	}
	if _, err := r.run(ctx, watch, "backup", "--stanza="+stanza, "--type="+flag, "--log-level-console=detail"); err != nil {
		return Backup{}, err
	}
	s, err := r.Stanza(ctx, stanza)
	if err != nil {
		return Backup{}, err
	}
	made, ok := s.Newest()
	if !ok {
		return Backup{}, fmt.Errorf("pgbackrest made a backup of %s and knows of none", stanza)
	}
	if made.Error {
		return made, fmt.Errorf("backup %s of %s has pages whose checksums are wrong: see pgbackrest --stanza=%s --set=%s info", made.Label, stanza, stanza, made.Label)
	}
	return made, nil
}

// Target says up to where a cluster is restored. The zero value is the end of what was
// archived.
type Target struct {
	At    time.Time // everything that was committed by then; zero for none
	Point string    // a restore point, by its name; empty for none
	Aside bool      // beside the living cluster, whose log its own must not get into
}

// Restore restores a cluster into dir, which must not be there or be empty, from the
// latest backup that lies before the target. Started, the server plays the log up to the
// target and then opens for writing; its own log goes to the repository again, unless it is
// restored aside.
func (r Repository) Restore(ctx context.Context, stanza, dir string, to Target) error {
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return fmt.Errorf("restore into %s: it is not empty", dir)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("restore into %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("restore into %s: %w", dir, err)
	}
	if r.As != nil {
		if err := os.Chown(dir, int(r.As.Uid), int(r.As.Gid)); err != nil {
			return fmt.Errorf("restore into %s: %w", dir, err)
		}
	}
	args := []string{"restore", "--stanza=" + stanza, "--pg1-path=" + dir}
	if to.Aside {
		args = append(args, "--archive-mode=off")
	}
	switch {
	case to.Point != "":
		args = append(args, "--type=name", "--target="+to.Point, "--target-action=promote")
	case !to.At.IsZero():
		args = append(args, "--type=time", "--target="+to.At.UTC().Format("2006-01-02 15:04:05.000000+00"), "--target-action=promote")
	}
	_, err := r.run(ctx, nil, args...)
	return err
}

// run runs pgBackRest to its end, telling watch each line of its output.
func (r Repository) run(ctx context.Context, watch func(line string), args ...string) (string, error) {
	program := r.Program
	if program == "" {
		program = "pgbackrest"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("pgbackrest %s: %w (Debian's package is pgbackrest)", args[0], err)
	}
	out := &lines{tell: watch}
	command := exec.Command(path, append([]string{"--config=" + r.Config, "--log-level-file=off"}, args...)...)
	command.Dir, command.Stdout, command.Stderr = filepath.Dir(r.Config), out, out
	if err := child.Run(ctx, command, child.Options{As: r.As}); err != nil {
		return "", fmt.Errorf("pgbackrest %s: %w: %s", args[0], err, out.faults())
	}
	return out.text.String(), nil
}

// lines keeps what a program says and tells it line by line.
type lines struct {
	text strings.Builder
	rest string
	tell func(string)
}

func (l *lines) Write(piece []byte) (int, error) {
	l.text.Write(piece)
	if l.tell != nil {
		parts := strings.Split(l.rest+string(piece), "\n")
		l.rest = parts[len(parts)-1]
		for _, line := range parts[:len(parts)-1] {
			l.tell(line)
		}
	}
	return len(piece), nil
}

// faults are the lines in which pgBackRest says what is wrong, or its last ones.
func (l *lines) faults() string {
	all := strings.Split(strings.TrimSpace(l.text.String()), "\n")
	for i, line := range all {
		if _, fault, found := strings.Cut(line, "ERROR: "); found {
			return strings.Join(append([]string{fault}, all[i+1:]...), "\n")
		}
	}
	return strings.Join(all[max(0, len(all)-3):], "\n")
}
