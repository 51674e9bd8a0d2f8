package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// fate is a row of operation_rows in a statement's argument.
type fate struct {
	Line     int             `json:"line"`
	Handle   string          `json:"handle"`
	Outcome  Outcome         `json:"outcome"`
	ObjectID string          `json:"object_id"`
	Messages []Message       `json:"messages"`
	Undo     json.RawMessage `json:"undo,omitempty"`
	Input    json.RawMessage `json:"input,omitempty"`
}

// record writes down the fates of the rows of groups, and that the operation goes on
// after them.
func record(ctx context.Context, tx *postgres.Tx, o *operations.Operation, groups []group) error {
	var fates []fate
	for _, g := range groups {
		for _, r := range g.rows {
			if r.messages == nil {
				r.messages = []Message{}
			}
			fates = append(fates, fate{r.line, r.handle, r.outcome, r.objectID, r.messages, r.undo, r.input})
			o.Counts.Count(r.outcome, r.messages)
		}
	}
	raw, err := json.Marshal(fates)
	if err != nil {
		return fmt.Errorf("record fates: %w", err)
	}
	_, err = tx.Exec(ctx, `insert into operation_rows (operation_id, line, handle, outcome, object_id, messages, undo, input)
		select $1, x.line, x.handle, x.outcome, x.object_id, x.messages, x.undo, x.input
		from jsonb_to_recordset($2::jsonb) as x(line int, handle text, outcome text, object_id text, messages jsonb, undo jsonb, input jsonb)`, o.ID, string(raw))
	if err != nil {
		return fmt.Errorf("record fates: %w", err)
	}
	o.Done += len(fates)
	o.Checkpoint = groups[len(groups)-1].end()
	return o.Save(ctx, tx)
}

// messagesText are messages as they are kept.
func messagesText(messages []Message) string {
	if len(messages) == 0 {
		return "[]"
	}
	raw, err := json.Marshal(messages)
	if err != nil { // texts and nothing else
		return "[]"
	}
	return string(raw)
}

// remark adds a warning to a row whose fate is recorded, and counts it. The operation is
// locked.
func remark(ctx context.Context, tx *postgres.Tx, o *operations.Operation, line int, m Message) error {
	var warned bool
	err := tx.QueryRow(ctx, `
		with was as (
			select line, messages @> '[{"severity": "warning"}]' as warned from operation_rows where operation_id = $1 and line = $2
		)
		update operation_rows r set messages = r.messages || $3::jsonb from was where r.operation_id = $1 and r.line = was.line
		returning was.warned`, o.ID, line, messagesText([]Message{m})).Scan(&warned)
	if err != nil {
		return fmt.Errorf("remark on row %d of %s: %w", line, o.ID, err)
	}
	if warned {
		return nil
	}
	o.Counts.Warnings++
	return o.Save(ctx, tx)
}
