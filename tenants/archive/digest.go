package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Table is what a table of a schema held at an instant.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"` // those that are written; what is generated is made anew
	Rows    int64    `json:"rows"`
	Digest  string   `json:"digest"` // of all rows, in whatever order they lie
}

// plainText has values written as text the same way on every server.
const plainText = `set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local extra_float_digits = 1; set local bytea_output = 'hex'`

const selectTables = `
select c.relname,
	array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
	array(select distinct r.relname::text from pg_constraint f join pg_class r on r.oid = f.confrelid
		where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid)
from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' order by c.relname`

// tables lists a schema's tables so that each comes behind those that it refers to.
func tables(ctx context.Context, tx *postgres.Tx, schema string) ([]Table, error) {
	type entry struct {
		Table
		refers []string
	}
	waiting, err := pgx.CollectRows(queryRows(tx.Query(ctx, selectTables, schema)), func(row pgx.CollectableRow) (e entry, err error) {
		return e, row.Scan(&e.Name, &e.Columns, &e.refers)
	})
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", schema, err)
	}
	var list []Table
	for len(waiting) > 0 {
		n := len(list)
		waiting = slices.DeleteFunc(waiting, func(e entry) bool {
			for _, other := range e.refers {
				if !slices.ContainsFunc(list, func(t Table) bool { return t.Name == other }) {
					return false
				}
			}
			list = append(list, e.Table)
			return true
		})
		if len(list) == n {
			return nil, fmt.Errorf("tables of %s refer to each other in a circle: %s and others", schema, waiting[0].Name)
		}
	}
	return list, nil
}

// queryRows lets a query's error come up where its rows are read.
func queryRows(rows pgx.Rows, _ error) pgx.Rows { return rows }

// Digests says what each table of a schema holds, as tx sees it. Two schemas of the same
// version hold the same rows where their digests are the same: each row is digested by
// itself, and the digests are added up.
func Digests(ctx context.Context, tx *postgres.Tx, schema string) ([]Table, error) {
	list, err := tables(ctx, tx, schema)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, plainText); err != nil {
		return nil, err
	}
	for i := range list {
		if err := digest(ctx, tx, schema, &list[i]); err != nil {
			return nil, fmt.Errorf("digest %s.%s: %w", schema, list[i].Name, err)
		}
	}
	return list, nil
}

func digest(ctx context.Context, tx *postgres.Tx, schema string, t *Table) error {
	columns := make([]string, len(t.Columns))
	for i, name := range t.Columns {
		columns[i] = "t." + pgx.Identifier{name}.Sanitize()
	}
	row := `row(` + strings.Join(columns, ", ") + `)::text`
	return tx.QueryRow(ctx, `
		select count(*), coalesce(sum(hashtextextended(`+row+`, 0)::numeric), 0)::text || '/' || coalesce(sum(hashtextextended(`+row+`, 1)::numeric), 0)::text
		from `+pgx.Identifier{schema, t.Name}.Sanitize()+` t`).Scan(&t.Rows, &t.Digest)
}

// Differences names the tables whose rows differ between two lists, in words.
func Differences(want, have []Table) (list []string) {
	for _, w := range want {
		i := slices.IndexFunc(have, func(h Table) bool { return h.Name == w.Name })
		switch {
		case i < 0:
			list = append(list, w.Name+" is missing")
		case have[i].Rows != w.Rows:
			list = append(list, fmt.Sprintf("%s has %d rows, not %d", w.Name, have[i].Rows, w.Rows))
		case have[i].Digest != w.Digest:
			list = append(list, fmt.Sprintf("%s has %d rows, of which some are others", w.Name, w.Rows))
		}
	}
	return list
}
