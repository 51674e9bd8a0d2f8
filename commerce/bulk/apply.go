package bulk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// apply does what an operation is to do to things, and gives their rows their outcomes.
func (s *Service) apply(ctx context.Context, tx *postgres.Tx, o *operations.Operation, rows []operations.Row) error {
	var done []catalog.Done
	var err error
	outcome := operations.Updated
	switch o.Kind {
	case UpdateProducts:
		done, err = edited(ctx, tx, o, rows, s.catalog.EditProducts)
	case UpdateVariants:
		done, err = edited(ctx, tx, o, rows, s.catalog.EditVariants)
	case DeleteProducts:
		outcome = operations.Deleted
		done, err = s.catalog.RemoveProducts(ctx, tx, objects[catalog.ProductID](rows))
	case DeleteVariants:
		outcome = operations.Deleted
		done, err = s.catalog.RemoveVariants(ctx, tx, objects[catalog.VariantID](rows))
	case Undo:
		return s.undo(ctx, tx, o, rows)
	default:
		return fmt.Errorf("operation %s is of no kind that is known: %s", o.ID, o.Kind)
	}
	if err != nil {
		return err
	}
	for i := range rows {
		settle(&rows[i], done[i], outcome)
	}
	return nil
}

// objects are the things that rows are of.
func objects[ID ~string](rows []operations.Row) []ID {
	list := make([]ID, len(rows))
	for i, r := range rows {
		list[i] = ID(r.ObjectID)
	}
	return list
}

// edited edits the things that rows are of, each by its own edit or by the operation's.
func edited[ID ~string, E any](ctx context.Context, tx *postgres.Tx, o *operations.Operation, rows []operations.Row,
	edit func(context.Context, *postgres.Tx, []ID, []E) ([]catalog.Done, error)) ([]catalog.Done, error) {
	var in input
	if err := json.Unmarshal(o.Input, &in); err != nil {
		return nil, fmt.Errorf("read the input of %s: %w", o.ID, err)
	}
	edits := make([]E, len(rows))
	for i, r := range rows {
		raw := r.Input
		if raw == nil {
			raw = in.Edit
		}
		if err := json.Unmarshal(raw, &edits[i]); err != nil {
			return nil, fmt.Errorf("read the edit of %s: %w", r.ObjectID, err)
		}
	}
	return edit(ctx, tx, objects[ID](rows), edits)
}

// undo undoes what another operation did to things. What is undone is not kept any longer.
func (s *Service) undo(ctx context.Context, tx *postgres.Tx, o *operations.Operation, rows []operations.Row) error {
	other, err := operations.Read(ctx, tx, o.Undoes, true)
	if err != nil {
		return err
	}
	lines, kept, err := undos(ctx, tx, other.ID, rows)
	if err != nil {
		return err
	}
	var left []int // rows whose undo is still kept
	var of []operations.Row
	var docs []json.RawMessage
	for i := range rows {
		if doc := kept[lines[i]]; doc != nil {
			left, of, docs = append(left, i), append(of, rows[i]), append(docs, doc)
		} else {
			settle(&rows[i], catalog.Done{}, "")
		}
	}
	if len(left) == 0 {
		return nil
	}
	var done []catalog.Done
	outcome := operations.Updated
	switch other.Kind {
	case UpdateProducts:
		done, err = s.catalog.UneditProducts(ctx, tx, objects[catalog.ProductID](of), docs)
	case UpdateVariants:
		done, err = s.catalog.UneditVariants(ctx, tx, objects[catalog.VariantID](of), docs)
	case DeleteProducts:
		outcome = operations.Created
		done, err = s.catalog.RestoreProducts(ctx, tx, objects[catalog.ProductID](of), docs)
	case DeleteVariants:
		outcome = operations.Created
		done, err = s.catalog.RestoreVariants(ctx, tx, objects[catalog.VariantID](of), docs)
	case Import:
		done, err = s.catalog.Unrevise(ctx, tx, objects[catalog.ProductID](of), docs, o.ID)
	case ImportCustomers:
		done, err = untake(ctx, tx, of, docs)
	}
	if err != nil {
		return err
	}
	var undone []int
	for n, i := range left {
		done[n].Undo = nil
		became := outcome
		if done[n].Deleted {
			became = operations.Deleted
		}
		settle(&rows[i], done[n], became)
		if done[n].Err == nil {
			undone = append(undone, lines[i])
		}
	}
	if _, err := tx.Exec(ctx, `update operation_rows set undo = null where operation_id = $1 and line = any($2)`, other.ID, undone); err != nil {
		return fmt.Errorf("undo %s: %w", other.ID, err)
	}
	return nil
}

// untake undoes that customers were taken in, each by itself.
func untake(ctx context.Context, tx *postgres.Tx, rows []operations.Row, docs []json.RawMessage) ([]catalog.Done, error) {
	done := make([]catalog.Done, len(rows))
	for i, row := range rows {
		deleted, err := customers.Untake(ctx, tx, row.ObjectID, docs[i])
		if err != nil && problem.As(err) == nil {
			return nil, err
		}
		done[i] = catalog.Done{Err: err, Changed: true, Deleted: deleted}
	}
	return done, nil
}

// undos are the lines of another operation that rows are to undo, and what is kept to undo
// them by.
func undos(ctx context.Context, tx *postgres.Tx, other string, rows []operations.Row) ([]int, map[int]json.RawMessage, error) {
	lines := make([]int, len(rows))
	for i, r := range rows {
		var u undone
		if err := json.Unmarshal(r.Input, &u); err != nil {
			return nil, nil, fmt.Errorf("read what to undo of %s: %w", other, err)
		}
		lines[i] = u.Line
	}
	found, err := tx.Query(ctx, `select line, undo from operation_rows where operation_id = $1 and line = any($2) and undo is not null`, other, lines)
	if err != nil {
		return nil, nil, fmt.Errorf("read what undoes %s: %w", other, err)
	}
	kept := map[int]json.RawMessage{}
	var line int
	var doc json.RawMessage
	_, err = pgx.ForEachRow(found, []any{&line, &doc}, func() error {
		kept[line] = append(json.RawMessage(nil), doc...)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read what undoes %s: %w", other, err)
	}
	return lines, kept, nil
}
