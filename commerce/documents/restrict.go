package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// KeepYears is how long a document is kept, sealed, of whom nothing else is kept.
const KeepYears = 10

// sealed is what a restricted document says.
type sealed struct {
	Content json.RawMessage `json:"content"`
	PDF     []byte          `json:"pdf"`
}

func binding(store postgres.StoreRef, id string) string {
	return secrets.Bind(postgres.RoleName(store.Cell, store.Schema), "documents.sealed", id)
}

// Restrict seals the documents of orders: they are kept as they are for as long as the law
// says, and nobody reads them without a reason. It gives how many there were.
func Restrict(ctx context.Context, tx *postgres.Tx, sealer postgres.Sealer, orderIDs []string) (int64, error) {
	rows, err := tx.Query(ctx, `select id, content, pdf from documents where order_id = any($1) and sealed is null for update`, orderIDs)
	if err != nil {
		return 0, err
	}
	type row struct {
		ID      string
		Content json.RawMessage
		PDF     []byte
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return 0, err
	}
	for _, d := range list {
		raw, err := json.Marshal(sealed{d.Content, d.PDF})
		if err != nil {
			return 0, err
		}
		box, err := sealer.Seal(raw, binding(tx.Store, d.ID))
		if err != nil {
			return 0, err
		}
		// The taxes are what a credit note looks up of its invoice.
		_, err = tx.Exec(ctx, `update documents set content = jsonb_build_object('taxes', coalesce(content->'taxes', '[]')), pdf = null, sealed = $2,
			kept_until = (issued_at at time zone 'UTC')::date + make_interval(years => $3) where id = $1`, d.ID, box, KeepYears)
		if err != nil {
			return 0, err
		}
	}
	return int64(len(list)), nil
}

// Disclose opens a restricted document for somebody who has a reason, which the audit keeps.
func (s *Service) Disclose(ctx context.Context, tx *postgres.Tx, sealer postgres.Sealer, id, reason string) (File, error) {
	var number string
	var box []byte
	err := tx.QueryRow(ctx, `select number, sealed from documents where id = $1`, id).Scan(&number, &box)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return File{}, problem.Missing("document")
	case err != nil:
		return File{}, fmt.Errorf("read document %s: %w", id, err)
	case box == nil:
		return File{}, problem.New(problem.Conflict, "document_not_restricted", "The document is not restricted: download it.")
	}
	raw, err := sealer.Open(box, binding(tx.Store, id))
	if err != nil {
		return File{}, fmt.Errorf("open document %s: %w", id, err)
	}
	var was sealed
	if err := json.Unmarshal(raw, &was); err != nil {
		return File{}, fmt.Errorf("read document %s: %w", id, err)
	}
	file := File{Name: fileName(number), Data: was.PDF}
	if file.Data == nil {
		var c Content
		if err := json.Unmarshal(was.Content, &c); err != nil {
			return file, fmt.Errorf("read document %s: %w", id, err)
		}
		if file.Data, err = layOut(s.Fonts, c); err != nil {
			return file, fmt.Errorf("print document %s: %w", id, err)
		}
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "document.disclose", ObjectID: id, Reason: reason})
	return file, nil
}

// Reseal seals the restricted documents of a store anew.
func Reseal(ctx context.Context, tx *postgres.Tx, ref postgres.StoreRef, again func(box []byte, binding string) []byte) error {
	rows, err := tx.Query(ctx, `select id, sealed from documents where sealed is not null for update`)
	if err != nil {
		return err
	}
	type row struct {
		ID  string
		Box []byte
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return err
	}
	for _, d := range list {
		if _, err := tx.Exec(ctx, `update documents set sealed = $2 where id = $1`, d.ID, again(d.Box, binding(ref, d.ID))); err != nil {
			return err
		}
	}
	return nil
}
