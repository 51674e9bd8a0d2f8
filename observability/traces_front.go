package observability

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// FrontHeader is how a proxy that sends no spans, as Debian's Nginx, says what its own would be:
// its ID, the time in seconds since 1970, and for how many seconds it has had the request by then,
// such as "b7ad6b7169203331 1764475200.123 0.004".
const FrontHeader = "Stoa-Front"

// longestFront is how long a proxy may have had a request that it passes on.
const longestFront = 10 * time.Minute

// front begins, in a proxy's place, the span of which its FrontHeader tells, between the caller's
// span in ctx, if that is another, and the program's. It is nil where there is nothing to tell.
func (t *Tracing) front(ctx context.Context, h http.Header, name string) (context.Context, trace.Span) {
	told, caller := h.Get(FrontHeader), trace.SpanContextFromContext(ctx)
	if told == "" || t.proxy == nil || !caller.IsValid() {
		return ctx, nil
	}
	var hex string
	var at, had float64
	if n, err := fmt.Sscanf(told, "%16s %f %f", &hex, &at, &had); n != 3 || err != nil {
		return ctx, nil
	}
	id, err := trace.SpanIDFromHex(hex)
	if err != nil {
		return ctx, nil
	}
	now := time.Now()
	began := time.UnixMilli(int64((at - had) * 1000))
	if age := now.Sub(began); age < 0 || age > longestFront {
		began = now // its clock is another
	}
	ctx = context.WithValue(ctx, givenKey{}, caller.WithSpanID(id))
	if caller.SpanID() == id {
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // the trace begins there
	}
	return t.proxy.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began))
}

// given has spans of the ID that somebody else has given them.
type given struct{}

type givenKey struct{}

func (given) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	g, _ := ctx.Value(givenKey{}).(trace.SpanContext)
	return g.TraceID(), g.SpanID()
}

func (g given) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	_, id := g.NewIDs(ctx)
	return id
}

// fronted is a request's span, which ends together with the one of the proxy before it. What a slow
// client takes longer stands in the proxy's log.
type fronted struct {
	trace.Span
	front trace.Span
}

func (s fronted) End(options ...trace.SpanEndOption) {
	s.Span.End(options...)
	s.front.End(options...)
}
