package keeping

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// control is the name that the control database goes by, beside those of the cells.
const control = "control"

// Clusters are the stanzas that databases lie in, sorted.
func (k *Keeper) Clusters() []string {
	return slices.Compact(slices.Sorted(maps.Values(k.Stanzas)))
}

// in lists the databases of a stanza, sorted.
func (k *Keeper) in(stanza string) (names []string) {
	for name, of := range k.Stanzas {
		if of == stanza {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Reached are the stanzas that this process backs up and restores; those of other hosts are
// not among them.
func (k *Keeper) Reached() ([]string, error) {
	if k.Repository == nil {
		return nil, errors.New("this process cannot reach the repository: set STOA_BACKUP_REPOSITORY")
	}
	configured, err := k.Repository.Reached()
	if err != nil {
		return nil, err
	}
	reached := slices.DeleteFunc(k.Clusters(), func(stanza string) bool { return !slices.Contains(configured, stanza) })
	if len(reached) == 0 && k.Backups() {
		return nil, fmt.Errorf("%s has the stanzas %q, and STOA_BACKUP_STANZAS %q", k.Repository.Config, configured, k.Clusters())
	}
	return reached, nil
}

// elsewhere is what this process leaves to others.
func (k *Keeper) elsewhere() (not elsewhere, err error) {
	reached, err := k.Reached()
	if err != nil {
		return not, err
	}
	for _, stanza := range k.Clusters() {
		if !slices.Contains(reached, stanza) {
			not.stanzas, not.databases = append(not.stanzas, stanza), append(not.databases, k.in(stanza)...)
		}
	}
	return not, nil
}

// enter runs fn in a transaction on one of the databases of db.
func enter(ctx context.Context, db *postgres.DB, name string, fn func(context.Context, *postgres.Tx) error) error {
	if name == control {
		return db.InControl(ctx, fn)
	}
	return db.InCell(ctx, name, fn)
}

// flushLog has everything that was committed in a stanza until now arrive in the repository,
// and something after it, so that an instant that has just passed can be restored.
func (k *Keeper) flushLog(ctx context.Context, stanza string) error {
	for _, name := range k.in(stanza) {
		err := enter(ctx, k.DB, name, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `select txid_current()`) // a commit that the log tells of
			return err
		})
		if err != nil {
			return fmt.Errorf("write into %s: %w", name, err)
		}
	}
	return k.Repository.Check(ctx, stanza)
}

// scratch is a cluster that was restored for a while, and the databases of it.
type scratch struct {
	*postgres.DB
	server *embedded.Restored
	dir    string
}

// restoreScratch restores a stanza into a folder of its own and opens it.
func (k *Keeper) restoreScratch(ctx context.Context, stanza string, to backups.Target) (s *scratch, err error) {
	if err := os.MkdirAll(k.Scratch, 0o755); err != nil {
		return nil, err
	}
	s = &scratch{dir: filepath.Join(k.Scratch, ids.New("restored"))}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("restore %s for a while: %w", stanza, err), s.Close())
		}
	}()
	to.Aside = true
	if err := k.Repository.Restore(ctx, stanza, s.dir, to); err != nil {
		return s, err
	}
	if s.server, err = embedded.StartRestored(ctx, s.dir); err != nil {
		return s, err
	}
	config := postgres.Config{Control: s.server.URL("postgres"), Cells: map[string]string{}, AdminConns: 2, Sealer: k.Ring}
	for _, name := range k.in(stanza) {
		u, err := url.Parse(k.Databases[name].Reveal())
		if err != nil {
			return s, fmt.Errorf("read the address of %s", name) // the error would show it
		}
		address := s.server.URL(strings.TrimPrefix(u.Path, "/"))
		if name == control {
			config.Control = address
		} else {
			config.Cells[name] = address
		}
	}
	s.DB, err = postgres.Open(config)
	return s, err
}

// Close stops the server and removes all that was restored.
func (s *scratch) Close() error {
	var errs []error
	if s.DB != nil {
		errs = append(errs, s.DB.Close())
	}
	if s.server != nil {
		errs = append(errs, s.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// sweep removes what was restored for a while by processes that died: no run takes a day.
func (k *Keeper) sweep() error {
	left, err := os.ReadDir(k.Scratch)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range left {
		info, statErr := entry.Info()
		if statErr == nil && time.Since(info.ModTime()) > 24*time.Hour {
			err = errors.Join(err, os.RemoveAll(filepath.Join(k.Scratch, entry.Name())))
		}
	}
	return err
}
