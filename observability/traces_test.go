package observability_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/observability/tracetest"
)

// receiver is an OTLP/HTTP receiver that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	spans    map[string]*tracepb.Span
	resource map[string]string
	headers  http.Header
	path     string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{spans: map[string]*tracepb.Span{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := r.take(q); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(q *http.Request) error {
	export, err := tracetest.Read(q)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers, r.path = q.Header, q.URL.Path
	for _, resource := range export.GetResourceSpans() {
		r.resource = tracetest.Texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans[span.GetName()] = span
			}
		}
	}
	return nil
}

func newTracing(t *testing.T, c observability.TraceConfig) *observability.Tracing {
	t.Helper()
	tracing, err := observability.NewTracing(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return tracing
}

const (
	callerTrace  = "0af7651916cd43dd8448eb211c80319c"
	callerSpan   = "b7ad6b7169203331"
	callerParent = "00-" + callerTrace + "-" + callerSpan + "-01"
)

func TestSpansReachTheReceiver(t *testing.T) {
	r := newReceiver(t)
	tracing := newTracing(t, observability.TraceConfig{
		Endpoint: r.URL, SampleRatio: 1, Version: "1.2.3", Environment: "staging",
		Headers: map[string]string{"X-Credential": "c"},
	})
	ctx, request := tracing.Request(t.Context(), http.Header{"Traceparent": {callerParent}}, "getOrder",
		attribute.String("http.request.method", "GET"))
	child, span := observability.StartCall(ctx, "orders.get", attribute.String("order", "ord_1"))
	_, statement := observability.StartStatement(child, "store", "-- what's hot\nSELECT id FROM orders WHERE id = $1 AND note = 'it''s hidden' OR x = ''")
	observability.EndSpan(statement, nil)
	_, call := observability.StartCall(child, "provider")
	observability.EndSpan(call, errors.New("no route"))
	observability.EndSpan(span, nil)
	kept := observability.TraceParent(ctx)
	observability.EndRequest(request, 503)

	jobCtx, job := tracing.Job(t.Context(), kept, "mail.send")
	observability.EndSpan(job, nil)
	if observability.TraceParent(jobCtx) == kept {
		t.Error("the job's traceparent is still the request's")
	}
	if err := tracing.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path != "/v1/traces" || r.headers.Get("X-Credential") != "c" {
		t.Errorf("exported to %s with %v", r.path, r.headers)
	}
	if r.resource["service.name"] != "stoa" || r.resource["service.version"] != "1.2.3" || r.resource["deployment.environment.name"] != "staging" {
		t.Errorf("resource is %v", r.resource)
	}
	if len(r.spans) != 5 {
		t.Fatalf("%d spans arrived: %v", len(r.spans), r.spans)
	}
	for _, want := range []struct {
		name   string
		parent string
		kind   tracepb.Span_SpanKind
		failed bool
	}{
		{"getOrder", "", tracepb.Span_SPAN_KIND_SERVER, true},
		{"orders.get", "getOrder", tracepb.Span_SPAN_KIND_CLIENT, false},
		{"sql select", "orders.get", tracepb.Span_SPAN_KIND_CLIENT, false},
		{"provider", "orders.get", tracepb.Span_SPAN_KIND_CLIENT, true},
		{"mail.send", "getOrder", tracepb.Span_SPAN_KIND_CONSUMER, false},
	} {
		span := r.spans[want.name]
		if span == nil {
			t.Errorf("%s did not arrive", want.name)
			continue
		}
		if got := trace.TraceID(span.GetTraceId()).String(); got != callerTrace {
			t.Errorf("%s is in trace %s, want the caller's", want.name, got)
		}
		parent := callerSpan
		if want.parent != "" {
			parent = trace.SpanID(r.spans[want.parent].GetSpanId()).String()
		}
		if got := trace.SpanID(span.GetParentSpanId()).String(); got != parent {
			t.Errorf("%s has parent %s, want %s", want.name, got, parent)
		}
		if span.GetKind() != want.kind {
			t.Errorf("%s is of kind %s", want.name, span.GetKind())
		}
		if failed := span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; failed != want.failed {
			t.Errorf("%s failed: %v", want.name, failed)
		}
	}
	sql := tracetest.Texts(r.spans["sql select"].GetAttributes())
	if sql["db.system.name"] != "postgresql" || sql["stoa.door"] != "store" || !strings.HasSuffix(sql["db.query.text"], "id = $1 AND note = '…''…' OR x = '…'") {
		t.Errorf("statement's attributes are %v", sql)
	}
}

// TestTheProxysSpanIsSent sends it between the caller's and the program's, or as the first of a
// trace that begins there, and takes no nonsense for one.
func TestTheProxysSpanIsSent(t *testing.T) {
	const proxySpan = "c0ffee0123456789"
	now := time.Now().Truncate(time.Millisecond)
	seconds := fmt.Sprintf("%.3f", float64(now.UnixMilli())/1000)
	for _, c := range []struct {
		name, caller, told  string
		parent, grandparent string // of the program's span and of the proxy's; none where there is none
		began               time.Duration
	}{
		{"below the caller's", callerSpan, proxySpan + " " + seconds + " 0.250", proxySpan, callerSpan, -250 * time.Millisecond},
		{"the first", proxySpan, proxySpan + " " + seconds + " 0.000", proxySpan, "0000000000000000", 0},
		{"nonsense", callerSpan, "c0ffee", callerSpan, "", 0},
		{"no ID", callerSpan, "zz00000123456789 " + seconds + " 0.250", callerSpan, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t)
			tracing := newTracing(t, observability.TraceConfig{Endpoint: r.URL, SampleRatio: 1})
			_, request := tracing.Request(t.Context(), http.Header{"Traceparent": {"00-" + callerTrace + "-" + c.caller + "-01"}, observability.FrontHeader: {c.told}}, "GET")
			request.SetName("getOrder")
			observability.EndRequest(request, 200)
			if err := tracing.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			own, proxy := r.spans["getOrder"], r.spans["GET"]
			if got := trace.SpanID(own.GetParentSpanId()).String(); got != c.parent || trace.TraceID(own.GetTraceId()).String() != callerTrace {
				t.Errorf("the program's span has parent %s, want %s", got, c.parent)
			}
			if c.grandparent == "" {
				if proxy != nil {
					t.Errorf("a span is sent for %q", c.told)
				}
				return
			}
			var parent trace.SpanID
			copy(parent[:], proxy.GetParentSpanId())
			if trace.SpanID(proxy.GetSpanId()).String() != proxySpan || trace.TraceID(proxy.GetTraceId()).String() != callerTrace || parent.String() != c.grandparent {
				t.Errorf("the proxy's span is %v", proxy)
			}
			if began := time.Unix(0, int64(proxy.GetStartTimeUnixNano())).Sub(now); (began - c.began).Abs() > 2*time.Millisecond {
				t.Errorf("it begins %s from now, want %s", began, c.began)
			}
			if proxy.GetEndTimeUnixNano() < own.GetEndTimeUnixNano() {
				t.Error("it ends before the program's")
			}
		})
	}
}

func TestSamplingIgnoresTheCallersWish(t *testing.T) {
	r := newReceiver(t)
	tracing := newTracing(t, observability.TraceConfig{Endpoint: r.URL, SampleRatio: 0})
	ctx, request := tracing.Request(t.Context(), http.Header{"Traceparent": {callerParent}}, "getOrder")
	_, span := observability.StartCall(ctx, "below")
	observability.EndSpan(span, nil)
	observability.EndRequest(request, 200)
	if got := trace.SpanContextFromContext(ctx).TraceID().String(); got != callerTrace {
		t.Errorf("logs would show trace %s, want the caller's", got)
	}
	if err := tracing.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.spans) != 0 {
		t.Errorf("%d spans arrived at a ratio of 0", len(r.spans))
	}
}

func TestTracingIsOffByDefault(t *testing.T) {
	tracing := newTracing(t, observability.TraceConfig{})
	ctx, request := tracing.Request(t.Context(), http.Header{"Traceparent": {callerParent}}, "getOrder")
	if request.IsRecording() {
		t.Error("a span is recorded")
	}
	below, span := observability.StartStatement(ctx, "store", "select 1")
	if below != ctx || span.IsRecording() {
		t.Error("a statement's span is recorded")
	}
	h := http.Header{}
	observability.PropagateTrace(ctx, h)
	if got := h.Get("Traceparent"); !strings.Contains(got, callerTrace) {
		t.Errorf("the caller's trace ends here: %q", got)
	}
	observability.EndSpan(span, errors.New("x"))
	observability.EndRequest(request, 500)
	if n := testing.AllocsPerRun(100, func() {
		_, span := observability.StartStatement(ctx, "store", "select 1")
		observability.EndSpan(span, nil)
	}); n != 0 {
		t.Errorf("%v allocations a statement", n)
	}
	if err := tracing.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADeadReceiverHoldsNobodyUp(t *testing.T) {
	var out bytes.Buffer
	var mu sync.Mutex
	log := slog.New(slog.NewJSONHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(p)
	}), nil))
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	tracing, err := observability.NewTracing(t.Context(), observability.TraceConfig{Endpoint: dead.URL, SampleRatio: 1}, log)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 20_000 {
		_, span := tracing.Request(t.Context(), nil, "getOrder")
		observability.EndRequest(span, 200)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("20,000 spans took %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = tracing.Stop(ctx)
	mu.Lock()
	defer mu.Unlock()
	if err == nil && !strings.Contains(out.String(), "traces could not be sent") {
		t.Error("nothing tells of the lost spans")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("stopping took until %s", took)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWrongTraceConfigIsNamed(t *testing.T) {
	for _, c := range []observability.TraceConfig{
		{Endpoint: "collector:4318", SampleRatio: 1},
		{Endpoint: "grpc://collector:4317", SampleRatio: 1},
		{Endpoint: "http://collector:4318", SampleRatio: 1.5},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	err := observability.TraceConfig{Endpoint: "x", SampleRatio: -1}.Validate()
	if err == nil || !strings.Contains(err.Error(), "endpoint") || !strings.Contains(err.Error(), "ratio") {
		t.Errorf("error %v does not name both faults", err)
	}
	if _, err := observability.NewTracing(t.Context(), observability.TraceConfig{Endpoint: "x"}, slog.Default()); err == nil {
		t.Error("a wrong endpoint is accepted")
	}
}
