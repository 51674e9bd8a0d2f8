package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/stoacommerce/stoa/platform/problem"
)

// ErrNoRows is returned when a statement of one row gave none.
var ErrNoRows = pgx.ErrNoRows

// enterQuery does what "set local role" and "set local search_path" do, as one statement
// that can stand in a pipeline.
const enterQuery = `select set_config('role', $1, true), set_config('search_path', $2, true), set_config('transaction_read_only', 'on', true)`

// JSON reads one value behind the wall of the context's store with one statement and in
// one round trip: entering the store and the statement travel together, in the implicit
// transaction of a pipeline, which is read-only. The statement gives one row with one
// text or JSON column; ErrNoRows when it gives none, nil when the value is null.
// Arguments are strings, integers, booleans, times, slices of strings and of int64, and nil; the statement
// casts them where Postgres cannot tell their type.
func (db *DB) JSON(ctx context.Context, query string, args ...any) ([]byte, error) {
	return db.JSONWithin(ctx, 0, query, args...)
}

// Columns reads one row in one round trip, as JSON does, with its columns in Postgres' binary
// form, which Int8s and Texts read: for many values, which cost less than as text. Postgres
// ends the statement when it takes longer than within; it is then as unavailable as if the
// store could not be reached.
func (db *DB) Columns(ctx context.Context, within time.Duration, query string, args ...any) ([][]byte, error) {
	return db.row(ctx, within, pgx.BinaryFormatCode, query, args)
}

// JSONWithin is JSON for a statement that Postgres ends when it takes longer, as Columns does.
func (db *DB) JSONWithin(ctx context.Context, within time.Duration, query string, args ...any) ([]byte, error) {
	row, err := db.row(ctx, within, pgx.TextFormatCode, query, args)
	if err != nil || len(row[0]) == 0 {
		return nil, err
	}
	return row[0], nil
}

// row is the one row of a statement, with its columns in a format; within may be zero.
func (db *DB) row(ctx context.Context, within time.Duration, format int16, query string, args []any) ([][]byte, error) {
	if db.within != nil {
		rows, err := db.within.Query(ctx, query, append([]any{pgx.QueryResultFormats{format}}, args...)...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([][]byte, error) { return cloned(row.RawValues()), nil })
	}
	ref, p, err := db.storePool(ctx)
	if err != nil {
		return nil, err
	}
	values, err := texts(args)
	if err != nil {
		return nil, err
	}
	conn, err := p.sql.Conn(ctx)
	if err != nil {
		return nil, translate(ctx, fmt.Errorf("connect to %s: %w", p.name, err))
	}
	defer conn.Close()

	var row [][]byte
	var raw *pgx.Conn
	err = conn.Raw(func(driverConn any) error {
		raw = driverConn.(*stdlib.Conn).Conn()
		end := traced(ctx, raw, query)
		var err error
		row, err = pipelined(ctx, raw.PgConn(), ref, within, format, query, values)
		end(err)
		return err
	})
	if err != nil && !errors.Is(err, ErrNoRows) {
		discard(conn, raw)
		return nil, translate(ctx, err)
	}
	return row, err
}

// cloned are values that belong to the caller, and not to a connection's buffer.
func cloned(values [][]byte) [][]byte {
	own := make([][]byte, len(values))
	for i, v := range values {
		own[i] = bytes.Clone(v)
	}
	return own
}

func pipelined(ctx context.Context, conn *pgconn.PgConn, ref StoreRef, within time.Duration, format int16, query string, values [][]byte) (row [][]byte, err error) {
	pipeline := conn.StartPipeline(ctx)
	entering, door := enterQuery, [][]byte{
		[]byte(RoleName(ref.Cell, ref.Schema)),
		[]byte(`"` + SchemaName(ref.Schema) + `", ext`),
	}
	if within > 0 {
		entering += `, set_config('statement_timeout', $3, true)`
		door = append(door, strconv.AppendInt(nil, within.Milliseconds(), 10))
	}
	pipeline.SendQueryParams(entering, door, nil, nil, nil)
	pipeline.SendQueryParams(query, values, nil, nil, []int16{format})
	defer func() {
		if closed := pipeline.Close(); err == nil {
			err = closed
		}
	}()
	if err := pipeline.Sync(); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	results, err := pipeline.GetResults()
	if err != nil {
		return nil, fmt.Errorf("enter store: %w", err)
	}
	if _, err := results.(*pgconn.ResultReader).Close(); err != nil {
		return nil, fmt.Errorf("enter store: %w", err)
	}
	if results, err = pipeline.GetResults(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	reader := results.(*pgconn.ResultReader)
	for reader.NextRow() {
		row = cloned(reader.Values())
	}
	if _, err := reader.Close(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if row == nil {
		return nil, ErrNoRows
	}
	return row, nil
}

// texts writes arguments in Postgres's text form.
func texts(args []any) ([][]byte, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case nil:
		case string:
			values[i] = []byte(v)
		case []byte:
			values[i] = v
		case int:
			values[i] = strconv.AppendInt(nil, int64(v), 10)
		case int64:
			values[i] = strconv.AppendInt(nil, v, 10)
		case bool:
			values[i] = strconv.AppendBool(nil, v)
		case time.Time:
			values[i] = v.AppendFormat(nil, time.RFC3339Nano)
		case []string:
			values[i] = arrayText(v)
		case []int64:
			values[i] = arrayNumbers(v)
		default:
			return nil, fmt.Errorf("argument %d: a %T cannot be sent", i+1, arg)
		}
	}
	return values, nil
}

// arrayText writes a text array, as in {"a","b"}.
func arrayText(items []string) []byte {
	out := []byte{'{'}
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		for j := range len(item) {
			if item[j] == '"' || item[j] == '\\' {
				out = append(out, '\\')
			}
			out = append(out, item[j])
		}
		out = append(out, '"')
	}
	return append(out, '}')
}

// arrayNumbers writes an array of numbers, as in {1,2}.
func arrayNumbers(items []int64) []byte {
	out := []byte{'{'}
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, item, 10)
	}
	return append(out, '}')
}

// Must is for reads by ID: a missing row becomes the problem that there is no such thing.
func Must(body []byte, err error, what string) ([]byte, error) {
	if errors.Is(err, ErrNoRows) || (err == nil && body == nil) {
		return nil, problem.Missing(what)
	}
	return body, err
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
