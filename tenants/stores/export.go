package stores

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	// exportTime bounds one export, exportRows how many rows are read at a time.
	exportTime = 15 * time.Minute
	exportRows = 200

	// oneInstant has all of an export see the store as of one instant.
	oneInstant = `set transaction isolation level repeatable read read only`

	selectTables = `
select c.relname from pg_class c where c.relnamespace = to_regnamespace(current_schema()) and c.relkind = 'r' order by c.relname`
)

// withheld are the columns that leave the house with nobody: what secrets and passwords
// could be tried on, or are sealed in. "*" is the whole table.
var withheld = map[string][]string{
	"customers":         {"password_hash"},
	"customer_tokens":   {"*"},
	"carts":             {"token_hash"},
	"orders":            {"token_hash"},
	"credit_accounts":   {"code_digest"},
	"settings":          {"shop_access"},
	"webhook_endpoints": {"secrets"},
	"payments":          {"attempt"},
	"refunds":           {"attempt"},
	"product_index":     {"*"},   // made of other tables
	"product_words":     {"*"},   // likewise
	"documents":         {"pdf"}, // likewise
}

// CanExport says whether there is room for another export in this process now.
func (s *Service) CanExport() error {
	if len(s.exports) == cap(s.exports) {
		p := problem.New(problem.Unavailable, "unavailable", "Others are exporting at the moment. Try again shortly.")
		p.RetryAfter = 10 * time.Second
		return p
	}
	return nil
}

// Export writes everything that the context's store holds, but secrets, as of one
// instant: a JSON object {"kind", "data"} a line, one for each row, and at last one of the
// kind "end". Without that line the export is not whole. It ends with the client's going
// away, that is when w fails, and not with the request's own deadline.
func (s *Service) Export(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTime)
	defer cancel()
	s.exports <- struct{}{}
	defer func() { <-s.exports }()
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Audit(ctx, tx, journal.Entry{Action: "store.export", ObjectID: tx.Store.ID})
		return nil
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	var rows int64
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, oneInstant); err != nil {
			return err
		}
		tables, err := pgx.CollectRows(queryRows(tx.Query(ctx, selectTables)), pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, table := range tables {
			written, err := exportTable(ctx, tx, table, out)
			rows += written
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if _, err := fmt.Fprintf(out, `{"kind":"end","data":{"rows":%d}}`+"\n", rows); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return out.Flush()
}

// queryRows lets a query's error come up where its rows are read.
func queryRows(rows pgx.Rows, _ error) pgx.Rows { return rows }

// exportTable writes one table's rows, read through a cursor so that none is too large
// for the memory.
func exportTable(ctx context.Context, tx *postgres.Tx, table string, out *bufio.Writer) (written int64, err error) {
	columns := withheld[table]
	if len(columns) == 1 && columns[0] == "*" {
		return 0, nil
	}
	if columns == nil {
		columns = []string{}
	}
	name := pgx.Identifier{table}.Sanitize()
	kind := pgx.Identifier{table}.Sanitize() // table names need no escaping in JSON either
	_, err = tx.Exec(ctx, `declare exported no scroll cursor for select (to_jsonb(t) - $1::text[])::text from `+name+` t`, pgx.QueryExecModeExec, columns)
	if err != nil {
		return 0, err
	}
	for {
		rows, err := tx.Query(ctx, fmt.Sprintf(`fetch %d from exported`, exportRows), pgx.QueryExecModeExec)
		if err != nil {
			return written, err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return written, err
		}
		for _, line := range lines {
			for _, part := range []string{`{"kind":`, kind, `,"data":`, line, "}\n"} {
				if _, err := out.WriteString(part); err != nil {
					return written, err
				}
			}
			written++
		}
		if len(lines) < exportRows {
			_, err := tx.Exec(ctx, `close exported`)
			return written, err
		}
	}
}
