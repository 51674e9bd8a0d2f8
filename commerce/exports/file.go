package exports

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// all is where a store's exports lie.
func all(ref postgres.StoreRef) string { return fmt.Sprintf("%s/%s/exports/", ref.ID, ref.Mode) }

// folder is where the parts of an export's file lie.
func folder(ref postgres.StoreRef, id string) string { return all(ref) + id + "/" }

// ended has the file go when it has been kept long enough; at once where it is not whole.
func (s *Service) ended(_ context.Context, tx *postgres.Tx, o *operations.Operation) error {
	at := clock.Now()
	if o.State == operations.Succeeded {
		at = o.File.ExpiresAt
	}
	journal.JobAt(tx, at, JobExpire, operations.Args{OperationID: o.ID})
	return nil
}

// Expire removes the file of an export that has ended. It can be done again.
func (s *Service) Expire(ctx context.Context, id string) error {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return postgres.ErrNoStore
	}
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update operations set file = null where id = $1`, id)
		return err
	})
	if err == nil {
		err = s.files.DeletePrefix(ctx, folder(ref, id))
	}
	if err != nil {
		return fmt.Errorf("remove the file of %s: %w", id, err)
	}
	return nil
}

// sweep has files removed that no operation has any more: what a worker stored that was
// killed before it noted it, or that went on with what had ended.
func (s *Service) sweep(ctx context.Context, tx *postgres.Tx) error {
	var stored []string
	for key, err := range s.files.Keys(ctx, all(tx.Store)) {
		if err != nil {
			return fmt.Errorf("sweep the files of exports: %w", err)
		}
		if id, _, _ := strings.Cut(strings.TrimPrefix(key, all(tx.Store)), "/"); !slices.Contains(stored, id) {
			stored = append(stored, id)
		}
	}
	rows, err := tx.Query(ctx, `select id from unnest($1::text[]) s(id) where not exists (select from operations o where o.id = s.id and o.file is not null)`, stored)
	if err != nil {
		return fmt.Errorf("sweep the files of exports: %w", err)
	}
	gone, err := collect(rows)
	if err != nil {
		return fmt.Errorf("sweep the files of exports: %w", err)
	}
	for _, id := range gone {
		journal.Job(tx, JobExpire, operations.Args{OperationID: id})
	}
	return nil
}

// Personal gives the kinds of exports whose files tell of persons. Who erases a person
// withdraws them.
func Personal() (kinds []string) {
	for kind, of := range things {
		if of.personal {
			kinds = append(kinds, string(kind))
		}
	}
	return kinds
}

// Withdraw has all files go that tell of persons: nobody can open them from now on, and they
// are deleted once that is committed. An export that is under way is cancelled. It gives how
// many there were.
func (s *Service) Withdraw(ctx context.Context, tx *postgres.Tx) (int, error) {
	rows, err := tx.Query(ctx, `select id from operations where kind = any($1) and file is not null order by id for update`, Personal())
	if err != nil {
		return 0, fmt.Errorf("withdraw exports: %w", err)
	}
	list, err := collect(rows)
	if err != nil {
		return 0, fmt.Errorf("withdraw exports: %w", err)
	}
	for _, id := range list {
		o, err := operations.Read(ctx, tx, id, true)
		if err != nil {
			return 0, err
		}
		if !o.Final() {
			if err := s.operations.End(ctx, tx, o, operations.Cancelled, nil); err != nil {
				return 0, err
			}
		}
		journal.Job(tx, JobExpire, operations.Args{OperationID: id})
	}
	if _, err := tx.Exec(ctx, `update operations set file = null where id = any($1)`, list); err != nil {
		return 0, fmt.Errorf("withdraw exports: %w", err)
	}
	return len(list), nil
}

// Download is a file to be taken away.
type Download struct {
	Kind  Kind
	File  operations.File
	store *Service
}

// Find finds the file of an export of the context's store, in a transaction that notes who
// takes it.
func (s *Service) Find(ctx context.Context, tx *postgres.Tx, id string) (Download, error) {
	o, err := operations.Read(ctx, tx, id, false)
	if err != nil {
		return Download{}, err
	}
	switch {
	case things[Kind(o.Kind)].noun == "":
		return Download{}, problem.Missing("file")
	case !o.Final():
		return Download{}, problem.New(problem.Conflict, "operation_running", "The file is still written.")
	case o.File == nil || o.File.ExpiresAt.IsZero() || !clock.Now().Before(o.File.ExpiresAt):
		return Download{}, problem.Missing("file")
	}
	return Download{Kind(o.Kind), *o.File, s}, nil
}

// Taken notes that somebody takes a file away.
func (d Download) Taken(ctx context.Context, tx *postgres.Tx, id string) {
	journal.Audit(ctx, tx, journal.Entry{Action: "export.download", ObjectID: id, After: map[string]any{"kind": d.Kind, "bytes": d.File.Bytes}})
}

// WriteTo writes the whole file, part by part.
func (d Download) WriteTo(ctx context.Context, w io.Writer) error {
	for _, key := range d.File.Parts {
		if err := d.copy(ctx, w, key); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
	}
	return nil
}

func (d Download) copy(ctx context.Context, w io.Writer, key string) error {
	file, err := d.store.files.Open(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	_, err = io.Copy(w, file)
	return err
}

// Reads is the permission without which nobody exports a kind of things, or takes its file.
func (k Kind) Reads() string { return things[k].noun + ":read" }
