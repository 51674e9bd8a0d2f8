package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Part is a table whose rows go with a thing, and come back with it: rows whole, as they are,
// whatever their columns are.
type Part struct {
	Table string
	Of    string // which rows x are the thing's, whose ID is $1
	Back  string // which rows r are brought back; all when empty
}

// Keep reads the rows of a thing, by which it can be brought back once it is deleted.
func (tx *Tx) Keep(ctx context.Context, id string, parts ...Part) (kept json.RawMessage, err error) {
	list := ""
	for i, p := range parts {
		if i > 0 {
			list += ", "
		}
		list += `'` + p.Table + `', (select coalesce(jsonb_agg(to_jsonb(x)), '[]') from ` + p.Table + ` x where ` + p.Of + `)`
	}
	if err := tx.QueryRow(ctx, `select jsonb_build_object(`+list+`)`, id).Scan(&kept); err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", id, err)
	}
	return kept, nil
}

// Restore inserts the rows that were kept of a thing.
func (tx *Tx) Restore(ctx context.Context, kept json.RawMessage, parts ...Part) error {
	all := "[" + string(kept) + "]"
	var tables []string
	for _, p := range parts {
		tables = append(tables, p.Table)
	}
	of, err := tx.KeptColumns(ctx, tables, all)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if of[p.Table] == "" {
			continue // there are no rows of it
		}
		back := p.Back
		if back == "" {
			back = "true"
		}
		_, err := tx.Exec(ctx, `insert into `+p.Table+` (`+of[p.Table]+`) select `+of[p.Table]+`
			from jsonb_populate_recordset(null::`+p.Table+`, $1::jsonb->0->'`+p.Table+`') r where `+back, all)
		if err != nil {
			return fmt.Errorf("restore %s: %w", p.Table, err)
		}
	}
	return nil
}

// keptColumnsSQL are the columns of tables $1 that rows kept of them in $2 have, and that are
// not worked out from others. What was added to a table since has its default.
const keptColumnsSQL = `select t.name, string_agg(quote_ident(a.attname), ', ' order by a.attnum)
	from unnest($1::text[]) t(name) join pg_attribute a on a.attrelid = t.name::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
	where (select d->t.name->0 from jsonb_array_elements($2::jsonb) d where d->t.name->0 is not null limit 1) ? a.attname
	group by t.name`

// KeptColumns are the columns that rows have which were kept of tables, by table. Kept is a
// list of what was kept of things.
func (tx *Tx) KeptColumns(ctx context.Context, tables []string, kept string) (map[string]string, error) {
	rows, err := tx.Query(ctx, keptColumnsSQL, tables, kept)
	if err != nil {
		return nil, fmt.Errorf("read columns: %w", err)
	}
	found := map[string]string{}
	var table, list string
	_, err = pgx.ForEachRow(rows, []any{&table, &list}, func() error {
		found[table] = list
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read columns: %w", err)
	}
	return found, nil
}
