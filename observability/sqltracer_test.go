package observability_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
)

func connect(t *testing.T, m *observability.Metrics, door string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Tracer = m.Database.Tracer(door)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestTracerCountsStatementsAndTransactions(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	conn := connect(t, m, "store")
	exec(t, conn, "begin; set local work_mem to '8MB'")
	exec(t, conn, "create temp table beginners (n int)")
	exec(t, conn, "commit")
	if err := conn.QueryRow(t.Context(), "select n from beginners").Scan(new(int)); err == nil {
		t.Fatal("a row in an empty table")
	}
	exec(t, conn, "begin")
	if _, err := conn.Exec(t.Context(), "select 1/0"); err == nil {
		t.Fatal("no error from a division by zero")
	}
	exec(t, conn, "commit") // answered with a ROLLBACK
	exec(t, conn, "begin")
	exec(t, conn, "rollback")

	batch := &pgx.Batch{}
	batch.Queue("select 1")
	batch.Queue("select 2")
	batch.Queue("select no_such_column")
	if err := conn.SendBatch(t.Context(), batch).Close(); err == nil {
		t.Fatal("no error from a batch with a fault")
	}

	expect(t, m, 4, "stoa_db_statements_total", "door", "store", "outcome", "ok")
	expect(t, m, 2, "stoa_db_statements_total", "door", "store", "outcome", "error")
	expect(t, m, 1, "stoa_db_transactions_total", "door", "store", "outcome", "committed")
	expect(t, m, 2, "stoa_db_transactions_total", "door", "store", "outcome", "rolled_back")
	expect(t, m, 10, "stoa_db_round_trips_total", "door", "store")
	expect(t, m, 4, "stoa_db_statement_duration_seconds", "door", "store") // the batch is one
	expect(t, m, 0, "stoa_db_wall_refusals_total")
}

func TestTracerNoticesTheWallAtTheDoorOfStoresAlone(t *testing.T) {
	m := observability.NewMetrics(observability.MetricsConfig{})
	for _, door := range []string{"control", "store"} {
		conn := connect(t, m, door)
		exec(t, conn, "begin; set local role pg_monitor")
		if _, err := conn.Exec(t.Context(), "select * from pg_authid"); err == nil {
			t.Fatal("the role may read passwords")
		}
		exec(t, conn, "rollback")
	}
	expect(t, m, 1, "stoa_db_wall_refusals_total")
	expect(t, m, 1, "stoa_db_statements_total", "door", "control", "outcome", "error")
}

func TestTracerGivesStatementsSpans(t *testing.T) {
	r := newReceiver(t)
	tracing := newTracing(t, observability.TraceConfig{Endpoint: r.URL, SampleRatio: 1})
	conn := connect(t, observability.NewMetrics(observability.MetricsConfig{}), "store")
	ctx, request := tracing.Request(t.Context(), http.Header{}, "getOrder")
	var n int
	if err := conn.QueryRow(ctx, "select 1 where $1::int = 7", 7).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "delete from nowhere"); err == nil {
		t.Fatal("no error from a table that is not there")
	}
	batch := &pgx.Batch{}
	batch.Queue("select 1")
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
	observability.EndRequest(request, 200)
	if err := tracing.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, failed := range map[string]bool{"sql select": false, "sql delete": true, "sql batch": false} {
		span := r.spans[name]
		if span == nil {
			t.Errorf("%s did not arrive", name)
			continue
		}
		if string(span.GetParentSpanId()) != string(r.spans["getOrder"].GetSpanId()) {
			t.Errorf("%s is not below the request", name)
		}
		if got := span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; got != failed {
			t.Errorf("%s failed: %v", name, got)
		}
	}
}
