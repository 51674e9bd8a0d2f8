package postgres

import (
	"bytes"
	"context"
	"fmt"
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
