package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Tx is an open transaction: pgx's, with Bun as another way to speak in it. It is used by
// one goroutine at a time and is over when the function it was given to returns.
type Tx struct {
	pgx.Tx
	Bun   Bun
	Store StoreRef // zero outside of a store

	values       map[any]any
	beforeCommit []func(context.Context, *Tx) error
	afterCommit  []func()
	discard      bool
}

// Bun builds queries that run within the transaction.
type Bun struct {
	db   *bun.DB
	conn bun.IConn
}

// NewSelect starts a SELECT.
func (b Bun) NewSelect() *bun.SelectQuery { return b.db.NewSelect().Conn(b.conn) }

// NewInsert starts an INSERT.
func (b Bun) NewInsert() *bun.InsertQuery { return b.db.NewInsert().Conn(b.conn) }

// NewUpdate starts an UPDATE.
func (b Bun) NewUpdate() *bun.UpdateQuery { return b.db.NewUpdate().Conn(b.conn) }

// NewDelete starts a DELETE.
func (b Bun) NewDelete() *bun.DeleteQuery { return b.db.NewDelete().Conn(b.conn) }

// NewRaw starts a query from text.
func (b Bun) NewRaw(query string, args ...any) *bun.RawQuery {
	return b.db.NewRaw(query, args...).Conn(b.conn)
}

// Value gives what SetValue kept on the transaction under key, or nil.
func (tx *Tx) Value(key any) any { return tx.values[key] }

// SetValue keeps something for as long as the transaction lasts.
func (tx *Tx) SetValue(key, value any) {
	if tx.values == nil {
		tx.values = map[any]any{}
	}
	tx.values[key] = value
}

// BeforeCommit has fn run once the work is done and before it is committed; its error
// undoes everything.
func (tx *Tx) BeforeCommit(fn func(context.Context, *Tx) error) {
	tx.beforeCommit = append(tx.beforeCommit, fn)
}

// AfterCommit has fn run when the transaction is committed, and not at all otherwise.
// A process that dies in between never runs it: use it for what only hurries things on.
func (tx *Tx) AfterCommit(fn func()) { tx.afterCommit = append(tx.afterCommit, fn) }

// Discard has the transaction rolled back at its end, without an error: a dry run.
func (tx *Tx) Discard() { tx.discard = true }

// Discarding says whether nothing will come of the transaction: what a rollback does not take
// back, such as the next value of a sequence, is not to be done in it.
func (tx *Tx) Discarding() bool { return tx.discard }

// InStore runs fn in a transaction behind the wall of the context's store. It commits
// when fn returns nil, and rolls back on an error or a panic.
func (db *DB) InStore(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if db.within != nil {
		return db.within.nested(ctx, fn)
	}
	ref, p, err := db.storePool(ctx)
	if err != nil {
		return err
	}
	return p.run(ctx, ref, "begin; "+enter(ref), fn)
}

// InControl runs fn in a transaction on the platform's own database.
func (db *DB) InControl(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return db.control.run(ctx, StoreRef{}, "begin", fn)
}

// InCell runs fn in a transaction on a cell's own tables, as the cell's administrator.
// It is for the relay, the workers and the runner of migrations; no request uses it on
// behalf of a store.
func (db *DB) InCell(ctx context.Context, name string, fn func(context.Context, *Tx) error) error {
	p, err := db.cell(name)
	if err != nil {
		return err
	}
	return p.run(ctx, StoreRef{}, "begin", fn)
}

// enter is the text that takes a store's role and schema until the transaction ends.
func enter(ref StoreRef) string {
	return fmt.Sprintf(`set local role "%s"; set local search_path to "%s", ext`,
		RoleName(ref.Cell, ref.Schema), SchemaName(ref.Schema))
}

func (p *pool) run(ctx context.Context, ref StoreRef, begin string, fn func(context.Context, *Tx) error) (err error) {
	conn, err := p.sql.Conn(ctx)
	if err != nil {
		return translate(ctx, fmt.Errorf("connect to %s: %w", p.name, err))
	}
	defer conn.Close()

	tx := &Tx{Store: ref, Bun: Bun{db: p.bun, conn: oneTrip{conn}}}
	var raw *pgx.Conn
	err = conn.Raw(func(driverConn any) error {
		raw = driverConn.(*stdlib.Conn).Conn()
		begun, err := raw.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
		tx.Tx = begun
		return err
	})
	if err != nil {
		discard(conn, raw)
		return translate(ctx, fmt.Errorf("enter %s: %w", p.name, err))
	}

	committed := false
	defer func() {
		if committed {
			return
		}
		// The request may be over already; the connection still has to be given back clean.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = tx.Rollback(clean)
		discard(conn, raw)
	}()

	if err := fn(ctx, tx); err != nil {
		return translate(ctx, err)
	}
	for i := 0; i < len(tx.beforeCommit); i++ { // a hook may add another
		if err := tx.beforeCommit[i](ctx, tx); err != nil {
			return translate(ctx, err)
		}
	}
	if tx.discard {
		return nil
	}
	if err := tx.Commit(ctx); err != nil {
		return translate(ctx, fmt.Errorf("commit: %w", err))
	}
	committed = true
	for _, hook := range tx.afterCommit {
		hook()
	}
	if p.committed != nil && ref.Schema > 0 {
		p.committed(tx)
	}
	return nil
}

// discard takes a connection that is not plainly idle out of its pool.
func discard(conn *sql.Conn, raw *pgx.Conn) {
	if raw != nil && !raw.IsClosed() && raw.PgConn().TxStatus() == 'I' {
		return
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// translate gives faults of the database's being reached a problem of their own, so that
// they are answered with a 503 or 504; everything else stays as it is.
func translate(ctx context.Context, err error) error {
	if problem.As(err) != nil {
		return err
	}
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return problem.New(problem.DeadlineExceeded, "deadline_exceeded", "The request took too long.").Because(err)
		}
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	if Unreachable(err) || cancelled(err) {
		return unavailable(err)
	}
	return err
}

// cancelled says whether the server has cancelled a statement: of a request that is not over,
// it was not the request that wanted it, but a server on its way out, or an operator.
func cancelled(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "57014"
}

func unavailable(err error) error {
	p := problem.New(problem.Unavailable, "store_unavailable", "The store cannot be reached at the moment. Try again shortly.")
	p.RetryAfter = time.Second
	return p.Because(err)
}

// Unreachable says whether err tells that a database could not be reached, as opposed
// to having refused something.
func Unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var answer *pgconn.PgError
	switch {
	case errors.As(err, &answer):
		// 57P01–57P03: shutting down, crashed, starting up; 53300: too many connections.
		return answer.Code == "57P01" || answer.Code == "57P02" || answer.Code == "57P03" || answer.Code == "53300"
	case errors.As(err, &connect), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return true
	case errors.As(err, &network):
		return true
	default:
		return pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) || isEOF(err)
	}
}

// oneTrip sends bun's queries, whose arguments bun has written into the text already,
// unprepared: one round trip each, nothing cached by their ever-changing text.
type oneTrip struct{ conn *sql.Conn }

func (c oneTrip) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.conn.QueryContext(ctx, query, append([]any{pgx.QueryExecModeExec}, args...)...)
}

func (c oneTrip) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.conn.QueryRowContext(ctx, query, append([]any{pgx.QueryExecModeExec}, args...)...)
}

func (c oneTrip) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.conn.ExecContext(ctx, query, append([]any{pgx.QueryExecModeExec}, args...)...)
}
