package observability

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// insufficientPrivilege is SQLSTATE 42501, how the wall between stores refuses.
const insufficientPrivilege = "42501"

// doorOfStores is the door where a refusal is one of the wall's.
const doorOfStores = "store"

// Tracer watches pgx connections of one door: it counts their statements, round trips
// and transactions and gives each a span below the request's. Round trips that pgx makes
// once a connection to describe a statement are not counted.
func (m *DatabaseMetrics) Tracer(door string) pgx.QueryTracer {
	return &sqlTracer{door: door, metrics: m, observer: m.Door(door)}
}

type sqlTracer struct {
	door     string
	metrics  *DatabaseMetrics
	observer *DoorObserver
}

var (
	_ pgx.QueryTracer = (*sqlTracer)(nil)
	_ pgx.BatchTracer = (*sqlTracer)(nil)
)

type sentKey struct{}

// sent is a statement or a batch under way.
type sent struct {
	began time.Time
	span  trace.Span
	verb  string // begin, commit and rollback are no statements of anybody's work
}

// TraceQueryStart implements pgx.QueryTracer.
func (t *sqlTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s := &sent{began: time.Now(), verb: transactionVerb(data.SQL)}
	ctx, s.span = StartStatement(ctx, t.door, data.SQL)
	return context.WithValue(ctx, sentKey{}, s)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t *sqlTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	s, ok := ctx.Value(sentKey{}).(*sent)
	if !ok {
		return
	}
	err := fault(data.Err)
	t.observer.RoundTrip()
	switch s.verb {
	case "":
		t.observer.Statement(time.Since(s.began), err != nil)
		t.noticeRefusal(err)
	case "commit":
		// Committing what has failed is answered with a ROLLBACK, not with an error.
		if err != nil || data.CommandTag.String() == "ROLLBACK" {
			t.observer.Transaction(RolledBack)
		} else {
			t.observer.Transaction(Committed)
		}
	case "rollback":
		t.observer.Transaction(RolledBack)
	}
	EndSpan(s.span, err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t *sqlTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	s := &sent{began: time.Now()}
	ctx, s.span = StartCall(ctx, "sql batch",
		attribute.String("db.system.name", "postgresql"),
		attribute.Int("db.operation.batch.size", data.Batch.Len()),
		attribute.String("stoa.door", t.door))
	return context.WithValue(ctx, sentKey{}, s)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t *sqlTracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	err := fault(data.Err)
	t.observer.count(err != nil)
	t.noticeRefusal(err)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (t *sqlTracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	s, ok := ctx.Value(sentKey{}).(*sent)
	if !ok {
		return
	}
	t.observer.RoundTrip()
	t.observer.duration.Observe(time.Since(s.began).Seconds())
	EndSpan(s.span, fault(data.Err))
}

func (t *sqlTracer) noticeRefusal(err error) {
	var answer *pgconn.PgError
	if t.door == doorOfStores && errors.As(err, &answer) && answer.Code == insufficientPrivilege {
		t.metrics.WallRefused()
	}
}

// fault leaves out the error that is an answer: that there is no such row.
func fault(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// transactionVerb is begin, commit or rollback where that is what sql does, else empty.
func transactionVerb(sql string) string {
	for _, verb := range []string{"begin", "commit", "rollback"} {
		if len(sql) >= len(verb) && strings.EqualFold(sql[:len(verb)], verb) {
			rest := sql[len(verb):]
			if rest == "" || rest[0] == ';' || (verb == "begin" && rest[0] == ' ') {
				return verb
			}
		}
	}
	return ""
}
