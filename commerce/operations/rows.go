package operations

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Row is a row of an operation whose rows are known from the start: a thing, and what is
// or was done to it.
type Row struct {
	Line     int             `json:"line"`
	ObjectID string          `json:"object_id"`
	Input    json.RawMessage `json:"input"` // what is to be done, where that is the row's own
	Outcome  Outcome         `json:"outcome"`
	Messages []Message       `json:"messages"`
	Undo     json.RawMessage `json:"undo"` // what undoes it, when it can be undone
}

// List gives an operation its rows, in their order.
func (s *Service) List(ctx context.Context, tx *postgres.Tx, id string, rows []Row) error {
	raw, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("list the rows of %s: %w", id, err)
	}
	_, err = s.Select(ctx, tx, id, `select object_id, input
		from rows from (jsonb_to_recordset($2::jsonb) as (object_id text, input jsonb)) with ordinality as x(object_id, input, n) order by n`, string(raw))
	return err
}

// Select gives an operation the rows that a query finds, in its order, and says how many
// they are. The query gives an object_id and an input; its parameters begin at $2.
func (s *Service) Select(ctx context.Context, tx *postgres.Tx, id, query string, args ...any) (int, error) {
	tag, err := tx.Exec(ctx, `insert into operation_rows (operation_id, line, object_id, outcome, input)
		select $1, row_number() over (), object_id, '`+string(Pending)+`', nullif(input, 'null') from (`+query+`) x`, append([]any{id}, args...)...)
	if err == nil {
		_, err = tx.Exec(ctx, `update operations set total = $2 where id = $1`, id, tag.RowsAffected())
	}
	if err != nil {
		return 0, fmt.Errorf("select the rows of %s: %w", id, err)
	}
	return int(tag.RowsAffected()), nil
}

// Next are the rows of an operation after its checkpoint, so many at most.
func (o *Operation) Next(ctx context.Context, tx *postgres.Tx, most int) ([]Row, error) {
	rows, err := tx.Query(ctx, `select line, object_id, input from operation_rows where operation_id = $1 and line > $2 order by line limit $3`, o.ID, o.Checkpoint, most)
	if err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", o.ID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Row, err error) {
		return r, row.Scan(&r.Line, &r.ObjectID, &r.Input)
	})
	if err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", o.ID, err)
	}
	return list, nil
}

// Record writes down what became of rows, and that the operation, which is locked, goes on
// after them.
func (o *Operation) Record(ctx context.Context, tx *postgres.Tx, rows []Row) error {
	for i := range rows {
		if rows[i].Messages == nil {
			rows[i].Messages = []Message{}
		}
		o.Counts.Count(rows[i].Outcome, rows[i].Messages)
	}
	raw, err := json.Marshal(rows)
	if err == nil {
		_, err = tx.Exec(ctx, `update operation_rows r set outcome = x.outcome, messages = x.messages, undo = nullif(x.undo, 'null'), input = null
			from jsonb_to_recordset($2::jsonb) as x(line int, outcome text, messages jsonb, undo jsonb) where r.operation_id = $1 and r.line = x.line`, o.ID, string(raw))
	}
	if err != nil {
		return fmt.Errorf("record the rows of %s: %w", o.ID, err)
	}
	o.Done += len(rows)
	o.Checkpoint = int64(rows[len(rows)-1].Line)
	return o.Save(ctx, tx)
}
