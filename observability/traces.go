package observability

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope names this program's instrumentation in every span.
const scope = "github.com/stoacommerce/stoa"

// TraceConfig says where traces go. Without an Endpoint tracing is off and costs a few
// nanoseconds a span.
type TraceConfig struct {
	// Endpoint is the URL of an OTLP/HTTP receiver, such as http://collector:4318. The
	// path /v1/traces is added when it has none.
	Endpoint string
	// Headers are sent with every export, for instance a credential.
	Headers map[string]string
	// SampleRatio is the share of requests that are traced, from 0 to 1. The decision
	// follows from the trace's ID, so services with one ratio decide alike; a caller's
	// own wish to be sampled does not count, for anyone could have it.
	SampleRatio float64

	Version     string
	Environment string // development, staging or production
}

// Validate names everything that is wrong.
func (c TraceConfig) Validate() error {
	if c.Endpoint == "" {
		return nil
	}
	var faults []error
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		faults = append(faults, fmt.Errorf("trace endpoint %q: must be an http or https URL", c.Endpoint))
	}
	if !(c.SampleRatio >= 0 && c.SampleRatio <= 1) {
		faults = append(faults, fmt.Errorf("trace sample ratio %v: must be from 0 to 1", c.SampleRatio))
	}
	return errors.Join(faults...)
}

// Tracing begins the traces of requests and jobs. Everything below them needs only
// StartCall or StartStatement, and the context. A nil Tracing traces nothing.
type Tracing struct {
	tracer trace.Tracer
	proxy  trace.Tracer // of the spans that are told of by FrontHeader; nil where tracing is off
	stop   func(context.Context) error
}

// NewTracing prepares tracing; nothing is dialled. Spans leave in the background, and
// are dropped when the receiver cannot follow: a request never waits for it.
// Failures of the exporter go to log, for which OpenTelemetry has only a global hook.
func NewTracing(ctx context.Context, c TraceConfig, log *slog.Logger) (*Tracing, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Endpoint == "" {
		return &Tracing{
			tracer: noop.NewTracerProvider().Tracer(scope),
			stop:   func(context.Context) error { return nil },
		}, nil
	}
	target, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("trace endpoint: %w", err)
	}
	if target.Path == "" || target.Path == "/" {
		target.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(target.String()),
		otlptracehttp.WithHeaders(c.Headers),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces could not be sent", "error", err)
	}))
	byRatio := sdktrace.TraceIDRatioBased(c.SampleRatio)
	batches := sdktrace.NewBatchSpanProcessor(exporter, sdktrace.WithMaxQueueSize(4096), sdktrace.WithBatchTimeout(2*time.Second))
	provider := func(service string, attrs []attribute.KeyValue, more ...sdktrace.TracerProviderOption) *sdktrace.TracerProvider {
		return sdktrace.NewTracerProvider(append(more,
			sdktrace.WithSpanProcessor(batches),
			sdktrace.WithSampler(sdktrace.ParentBased(byRatio,
				sdktrace.WithRemoteParentSampled(byRatio), sdktrace.WithRemoteParentNotSampled(byRatio))),
			sdktrace.WithResource(resource.NewSchemaless(append(attrs,
				attribute.String("service.name", service),
				attribute.String("deployment.environment.name", c.Environment))...)))...)
	}
	own := provider("stoa", []attribute.KeyValue{attribute.String("service.version", c.Version)})
	proxy := provider("nginx", nil, sdktrace.WithIDGenerator(given{}))
	return &Tracing{tracer: own.Tracer(scope), proxy: proxy.Tracer(scope), stop: own.Shutdown}, nil
}

// Stop sends what is left, as long as ctx allows.
func (t *Tracing) Stop(ctx context.Context) error {
	if err := t.stop(ctx); err != nil {
		return fmt.Errorf("stop tracing: %w", err)
	}
	return nil
}

// Request begins the span of an incoming request, continuing the trace that its
// traceparent names, and below the one that a FrontHeader tells of: of strangers it has to be
// gone from h. End it with EndRequest.
func (t *Tracing) Request(ctx context.Context, h http.Header, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil {
		return ctx, unrecorded
	}
	ctx, front := t.front(w3c.Extract(ctx, propagation.HeaderCarrier(h)), h, name)
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attrs...))
	if front != nil {
		span = fronted{span, front}
	}
	return ctx, span
}

// Job begins the span of a job's run, continuing the trace of the request that asked
// for it when traceparent (what TraceParent gave there) is known. End it with EndSpan.
func (t *Tracing) Job(ctx context.Context, traceparent, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil {
		return ctx, unrecorded
	}
	if traceparent != "" {
		ctx = w3c.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attrs...))
}
