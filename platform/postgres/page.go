package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Page is a page of a list as Postgres wrote it: a JSON array, and the position after
// which the next page begins, empty at the end.
type Page struct {
	Data []byte
	Next string
}

// Page reads a page of a list by one statement and in one round trip, as JSON does. The
// statement's one column is the next page's position, a line feed, and the JSON array:
//
//	select coalesce(max(id) filter (where n > $2), '') || E'\n' || coalesce(json_agg(…), '[]')
func (db *DB) Page(ctx context.Context, query string, args ...any) (Page, error) {
	raw, err := db.JSON(ctx, query, args...)
	if err != nil {
		return Page{}, err
	}
	next, data, found := bytes.Cut(raw, []byte("\n"))
	if !found {
		return Page{}, fmt.Errorf("read a page: the statement gives no position")
	}
	return Page{Data: data, Next: string(next)}, nil
}

// Object is one thing as Postgres wrote it: its JSON, and its version for those who
// change it.
type Object struct {
	Data    []byte
	Version int
}

// Source is where a single thing is read: the database, or a transaction that has just
// changed it.
type Source interface {
	Object(ctx context.Context, query string, args ...any) (Object, error)
}

// Found is what reading a thing, or what belongs to it, gave: a problem that says so where
// there is no such thing, and an error that says what was read where reading failed.
func Found[T any](o T, err error, what string) (T, error) {
	switch {
	case errors.Is(err, ErrNoRows):
		return o, problem.Missing(what)
	case err != nil:
		return o, fmt.Errorf("read %s: %w", what, err)
	}
	return o, nil
}

// Object reads one thing by one statement and in one round trip, as JSON does. The
// statement's one column is the version, a line feed, and the JSON. ErrNoRows when there
// is no row; an empty Object when the column is null.
//
//	select version || E'\n' || json_build_object(…) from …
func (db *DB) Object(ctx context.Context, query string, args ...any) (Object, error) {
	raw, err := db.JSON(ctx, query, args...)
	if err != nil || raw == nil {
		return Object{}, err
	}
	return parseObject(raw)
}

// Object reads one thing as DB.Object does, as the transaction sees it.
func (tx *Tx) Object(ctx context.Context, query string, args ...any) (Object, error) {
	var raw []byte
	if err := tx.QueryRow(ctx, query, args...).Scan(&raw); err != nil || raw == nil {
		return Object{}, err
	}
	return parseObject(raw)
}

func parseObject(raw []byte) (Object, error) {
	version, data, found := bytes.Cut(raw, []byte("\n"))
	n, err := strconv.Atoi(string(version))
	if !found || err != nil {
		return Object{}, fmt.Errorf("read an object: the statement gives no version")
	}
	return Object{Data: data, Version: n}, nil
}

// UTC is the SQL that writes a time as the API shows times: RFC 3339, in UTC, ending "Z".
// It is for statements that build JSON; column is part of the program's text, never input.
func UTC(column string) string {
	return `to_char(` + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

// List describes a page of rows for Page. All of it is SQL of the program's own.
type List struct {
	From     string // the rows, called t, up to a condition: "tax_rates t where true"
	Each     string // what each row is written as
	Order    string // "t.position, t.id"
	After    string // the condition of rows after the position $2: "t.id > $2"
	Position string // the position of a row, as text
}

// SQL is the statement. $1 is the size of the page and $2 the position after which it
// begins, empty for the first; whatever else the parts use begins at $3.
func (l List) SQL() string {
	return `
with page as (
	select t.*, row_number() over (order by ` + l.Order + `) as n from ` + l.From + ` and ($2 = '' or ` + l.After + `)
	order by ` + l.Order + ` limit $1::int + 1
)
select case when count(*) > $1::int then max(` + l.Position + `) filter (where t.n = $1::int) else '' end || E'\n' ||
	coalesce(json_agg(` + l.Each + ` order by t.n) filter (where t.n <= $1::int), '[]')::text
from page t`
}
