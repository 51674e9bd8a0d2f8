package observability

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// w3c is the only form in which traces cross from one process to another. Baggage is
// left out: it would carry strangers' words through the house.
var w3c propagation.TraceContext

// StartSpan begins a span below the one in ctx. Without one that is recorded, nothing
// is recorded either. End it with EndSpan.
func StartSpan(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return startSpan(ctx, name, trace.SpanKindInternal, attrs)
}

// StartCall begins a span below the one in ctx for a call to another process: Redis,
// a payment provider, a webhook's endpoint. End it with EndSpan.
func StartCall(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return startSpan(ctx, name, trace.SpanKindClient, attrs)
}

// StartStatement begins a span below the one in ctx for SQL sent through a door. The
// statement's text is recorded without its arguments, even where they were written into
// it. End it with EndSpan.
func StartStatement(ctx context.Context, door, sql string) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, unrecorded
	}
	return startSpan(ctx, "sql "+firstWord(sql), trace.SpanKindClient, []attribute.KeyValue{
		attribute.String("db.system.name", "postgresql"),
		attribute.String("db.query.text", withoutTexts(sql)),
		attribute.String("stoa.door", door),
	})
}

// EndSpan ends a span, as failed when err is not nil.
func EndSpan(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// EndRequest ends a request's span with the status of its answer, as failed from 500 on.
func EndRequest(span trace.Span, status int) {
	if span.IsRecording() {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
	}
	span.End()
}

// TraceParent is the W3C traceparent of the span in ctx, or empty: what an outbox row
// keeps so that its job can continue the trace.
func TraceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	w3c.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// PropagateTrace names the span in ctx in the headers of a request to another part of
// the same installation.
func PropagateTrace(ctx context.Context, h http.Header) {
	w3c.Inject(ctx, propagation.HeaderCarrier(h))
}

// unrecorded is the span of nothing: ending it, or giving it attributes, does nothing.
// It must not be the parent, which the callee would end too early.
var unrecorded = trace.SpanFromContext(context.Background())

// startSpan asks the parent for its tracer, so that no global one is needed.
func startSpan(ctx context.Context, name string, kind trace.SpanKind, attrs []attribute.KeyValue) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, unrecorded
	}
	return parent.TracerProvider().Tracer(scope).
		Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
}

// longestStatement is how much of a statement is recorded.
const longestStatement = 8 << 10

// withoutTexts leaves out what stands in quotes, and comments, in which a quote means
// nothing.
func withoutTexts(sql string) string {
	var kept strings.Builder
	for sql != "" && kept.Len() < longestStatement {
		at := strings.IndexByte(sql, '\'')
		comment := strings.Index(sql, "--")
		if comment >= 0 && (at < 0 || comment < at) {
			kept.WriteString(sql[:comment])
			_, sql, _ = strings.Cut(sql[comment:], "\n")
			continue
		}
		if at < 0 {
			kept.WriteString(sql)
			break
		}
		kept.WriteString(sql[:at] + "'…'")
		_, sql, _ = strings.Cut(sql[at+1:], "'")
	}
	return strings.ToValidUTF8(kept.String()[:min(kept.Len(), longestStatement)], "")
}

// firstWord is the statement's verb in lower case, for the span's name.
func firstWord(sql string) string {
	for line := range strings.Lines(sql) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		if end := strings.IndexAny(line, " \t(;"); end > 0 {
			line = line[:end]
		}
		return strings.ToLower(line)
	}
	return ""
}
