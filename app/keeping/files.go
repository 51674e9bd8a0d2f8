package keeping

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Where copies lie. Files never change under their key, so each is copied once; a list says
// which there were at an instant.
const (
	copies         = "files/"
	lists          = "lists/"
	configurations = "configuration/"
)

// Copied is what the ledger has of a copy of the files.
type Copied struct {
	List  string `json:"list"`  // its key
	Files int    `json:"files"` // that there are
	New   int    `json:"new"`   // of them, copied this time
	Gone  int    `json:"gone"`  // copies that no list needs any more, thrown away
}

// storeIDs are the stores that there are, purged ones not.
func (k *Keeper) storeIDs(ctx context.Context) (ids []string, err error) {
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select id from stores where status <> 'purged' order by id`)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return ids, err
}

// keys are all keys of a store of files below a prefix.
func keys(ctx context.Context, in files.Store, prefix string) (list []string, err error) {
	for key, err := range in.Keys(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	slices.Sort(list)
	return list, nil
}

// copyFiles copies the files of stores that are not copied yet, and the configuration.
func (k *Keeper) copyFiles(ctx context.Context, progress func(float64)) (outcome, error) {
	owners, err := k.storeIDs(ctx)
	if err != nil {
		return outcome{}, err
	}
	var came Copied
	var bytes int64
	var all []string
	for i, id := range owners {
		there, err := keys(ctx, k.Files, id+"/")
		if err != nil {
			return outcome{}, fmt.Errorf("list the files of store %s: %w", id, err)
		}
		copied, err := keys(ctx, k.Archives, copies+id+"/")
		if err != nil {
			return outcome{}, fmt.Errorf("list the copies of store %s: %w", id, err)
		}
		for _, key := range there {
			if _, done := slices.BinarySearch(copied, k.copyOf(key)); !done {
				n, err := k.copyFile(ctx, key)
				if errors.Is(err, files.ErrNotFound) {
					continue // deleted meanwhile
				}
				if err != nil {
					return outcome{}, err
				}
				came.New++
				bytes += n
			}
			all = append(all, key)
		}
		progress(float64(i+1) / float64(len(owners)))
	}
	at := clock.Now().UTC().Format(stamp)
	came.Files, came.List = len(all), lists+at+".txt"
	if _, err := k.Archives.Put(ctx, came.List, strings.NewReader(strings.Join(all, "\n")), "text/plain"); err != nil {
		return outcome{}, err
	}
	if k.Settings != nil {
		_, n, err := k.put(ctx, configurations+at+".txt", func(out io.Writer) error {
			_, err := out.Write(k.Settings())
			return err
		})
		if err != nil {
			return outcome{}, err
		}
		bytes += n
	}
	came.Gone, err = k.forgetCopies(ctx)
	return outcome{bytes, came}, err
}

// copyOf is the key of a file's copy.
func (k *Keeper) copyOf(key string) string {
	if k.Recipient != nil {
		key += sealed
	}
	return copies + key
}

func (k *Keeper) copyFile(ctx context.Context, key string) (int64, error) {
	f, err := k.Files.Open(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", key, err)
	}
	defer func() { _ = f.Close() }()
	_, n, err := k.put(ctx, copies+key, func(out io.Writer) error {
		_, err := io.Copy(out, f)
		return err
	})
	return n, err
}

// forgetCopies throws away lists that are old enough, the newest never, and the copies that
// none of those left has.
func (k *Keeper) forgetCopies(ctx context.Context) (gone int, err error) {
	there, err := keys(ctx, k.Archives, lists)
	if err != nil {
		return 0, err
	}
	oldest := clock.Now().UTC().Add(-k.Keep).Format(stamp)
	needed := map[string]bool{}
	for i, list := range there {
		if i < len(there)-1 && strings.TrimPrefix(list, lists) < oldest {
			configuration := configurations + strings.TrimPrefix(list, lists)
			for _, key := range []string{list, configuration, configuration + sealed} {
				if err := k.Archives.Delete(ctx, key); err != nil {
					return 0, err
				}
			}
			continue
		}
		names, err := k.readList(ctx, list)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			needed[copies+name] = true
		}
	}
	kept, err := keys(ctx, k.Archives, copies)
	if err != nil {
		return 0, err
	}
	for _, key := range kept {
		if !needed[strings.TrimSuffix(key, sealed)] {
			if err := k.Archives.Delete(ctx, key); err != nil {
				return gone, err
			}
			gone++
		}
	}
	return gone, nil
}

func (k *Keeper) readList(ctx context.Context, key string) (names []string, err error) {
	f, err := k.Archives.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if lines.Text() != "" {
			names = append(names, lines.Text())
		}
	}
	return names, lines.Err()
}

// RestoreFiles puts the files of an instant back that are missing: those of the last list
// that is not younger, of one store where prefix names it as "sto_…/". It gives how many
// there are by the list, and how many were put back. What is there is left alone.
func (k *Keeper) RestoreFiles(ctx context.Context, at time.Time, prefix string) (listed, restored int, err error) {
	there, err := keys(ctx, k.Archives, lists)
	if err != nil {
		return 0, 0, fmt.Errorf("restore files: %w", err)
	}
	list := ""
	for _, key := range there {
		if name := strings.TrimSuffix(strings.TrimPrefix(key, lists), ".txt"); at.IsZero() || name <= at.UTC().Format(stamp) {
			list = key
		}
	}
	if list == "" {
		return 0, 0, errors.New("restore files: no copy is as old as that")
	}
	names, err := k.readList(ctx, list)
	if err != nil {
		return 0, 0, fmt.Errorf("restore files: %w", err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		listed++
		f, err := k.Files.Open(ctx, name)
		if err == nil {
			_ = f.Close() // it was only looked for
			continue
		}
		if !errors.Is(err, files.ErrNotFound) {
			return listed, restored, fmt.Errorf("restore files: %w", err)
		}
		if err := k.restoreFile(ctx, name); err != nil {
			return listed, restored, fmt.Errorf("restore files: %w", err)
		}
		restored++
	}
	return listed, restored, nil
}

func (k *Keeper) restoreFile(ctx context.Context, name string) error {
	in, closer, err := k.open(ctx, copies+name)
	if errors.Is(err, files.ErrNotFound) {
		in, closer, err = k.open(ctx, copies+name+sealed)
	}
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	contentType, _ := files.ContentType(name)
	_, err = k.Files.Put(ctx, name, in, contentType)
	return err
}
