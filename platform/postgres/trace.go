package postgres

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Count is what a piece of work cost in statements, over all transactions and databases.
// Beginning, entering and ending a transaction are counted apart.
type Count struct {
	Statements   atomic.Int64
	RoundTrips   atomic.Int64 // of statements: a batch or a pipeline is one
	Transactions atomic.Int64
}

type countKey struct{}

// Counting returns a context in which statements are counted.
func Counting(ctx context.Context) (context.Context, *Count) {
	count := &Count{}
	return context.WithValue(ctx, countKey{}, count), count
}

// Uncounted returns a context in which nothing is counted: for what a process does once,
// whoever happens to be the first to need it.
func Uncounted(ctx context.Context) context.Context {
	return context.WithValue(ctx, countKey{}, (*Count)(nil))
}

func countOf(ctx context.Context) *Count {
	count, _ := ctx.Value(countKey{}).(*Count)
	return count
}

// tracer counts statements and passes them on.
type tracer struct{ next pgx.QueryTracer }

func newTracer(next pgx.QueryTracer) pgx.QueryTracer { return tracer{next} }

func (t tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if count := countOf(ctx); count != nil {
		switch {
		case strings.HasPrefix(data.SQL, "begin"):
			count.Transactions.Add(1)
		case data.SQL == "commit", data.SQL == "rollback":
		default:
			count.Statements.Add(1)
			count.RoundTrips.Add(1)
		}
	}
	if t.next != nil {
		return t.next.TraceQueryStart(ctx, conn, data)
	}
	return ctx
}

func (t tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if t.next != nil {
		t.next.TraceQueryEnd(ctx, conn, data)
	}
}

func (t tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if count := countOf(ctx); count != nil {
		count.RoundTrips.Add(1)
	}
	if batch, ok := t.next.(pgx.BatchTracer); ok {
		return batch.TraceBatchStart(ctx, conn, data)
	}
	return ctx
}

func (t tracer) TraceBatchQuery(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchQueryData) {
	if count := countOf(ctx); count != nil {
		count.Statements.Add(1)
	}
	if batch, ok := t.next.(pgx.BatchTracer); ok {
		batch.TraceBatchQuery(ctx, conn, data)
	}
}

func (t tracer) TraceBatchEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	if batch, ok := t.next.(pgx.BatchTracer); ok {
		batch.TraceBatchEnd(ctx, conn, data)
	}
}

// traced reports a statement that was sent below pgx's own tracing.
func traced(ctx context.Context, conn *pgx.Conn, query string) func(error) {
	t, _ := conn.Config().Tracer.(tracer)
	if count := countOf(ctx); count != nil {
		count.Transactions.Add(1)
	}
	ctx = t.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: query})
	return func(err error) { t.TraceQueryEnd(ctx, conn, pgx.TraceQueryEndData{Err: err}) }
}
