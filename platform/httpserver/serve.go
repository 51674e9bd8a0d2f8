package httpserver

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stoacommerce/stoa/observability"
)

// ServeHTTP is the way of every request. Tests may call it without a listener.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	s.active.Add(1)
	if s.hooks.Traffic != nil {
		s.hooks.Traffic.Enter()
	}
	client, proxied := proxies(s.config.TrustedProxies).clientOf(r)
	if !proxied {
		r.Header.Del(observability.FrontHeader)
	}
	x := &Exchange{ID: requestID(r, proxied), Client: client, Agent: r.UserAgent(), Path: r.URL.Path}
	answer := &recorder{ResponseWriter: w}
	ctx := context.WithValue(observability.WithRequest(r.Context(), x.ID), exchangeKey{}, x)
	ctx, span := s.hooks.Tracing.Request(ctx, r.Header, r.Method, attribute.String("request_id", x.ID))
	ctx, cancel := context.WithTimeout(ctx, s.config.RequestTimeout)
	// Deferred, so that a request whose connection is aborted is accounted for too.
	defer func() {
		cancel()
		s.finish(ctx, r, x, answer, span, time.Since(began))
	}()

	r = r.WithContext(ctx)
	r.Host = client.Host
	if r.Body != nil && r.Body != http.NoBody {
		x.body = writerAndBody{w, r.Body}
		r.Body = http.MaxBytesReader(w, r.Body, s.config.MaxBody)
	}
	s.protect(w.Header(), x)
	s.survive(answer, r)
}

// survive calls the handler and answers in its place when it panics.
func (s *Server) survive(w *recorder, r *http.Request) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if fault == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is never wrapped
			w.brokenOff()
			panic(fault) // the handler's own wish
		}
		if s.hooks.Traffic != nil {
			s.hooks.Traffic.Panicked()
		}
		s.hooks.Log.ErrorContext(r.Context(), "panic while answering a request",
			"panic", fault, "operation", From(r.Context()).Operation, "stack", string(debug.Stack()))
		if w.status != 0 {
			// The answer has begun as something else; the client must not take it for whole.
			w.brokenOff()
			panic(http.ErrAbortHandler)
		}
		// What the handler had prepared belongs to the answer that it did not give.
		header := w.Header()
		for name := range header {
			delete(header, name)
		}
		s.protect(header, From(r.Context()))
		s.hooks.Failed(w, r)
	}()
	s.handler.ServeHTTP(w, r)
}

// finish tells of a request that was answered.
func (s *Server) finish(ctx context.Context, r *http.Request, x *Exchange, w *recorder, span trace.Span, took time.Duration) {
	s.active.Add(-1)
	status := w.status
	if status == 0 {
		status = http.StatusOK // what net/http answers for a handler that writes nothing
	}
	if s.hooks.Traffic != nil {
		s.hooks.Traffic.Leave()
	}
	observer := x.Observer
	if observer == nil {
		observer = s.hooks.Unmatched
	}
	if observer != nil {
		observer.Observe(status, x.Plan, took)
	}
	if x.Operation != "" {
		span.SetName(x.Operation)
	}
	if x.Store != "" {
		ctx = observability.WithStore(ctx, x.Store)
		span.SetAttributes(attribute.String("stoa.store", x.Store))
		if s.hooks.Served != nil {
			s.hooks.Served(x.Store, status, took)
		}
	}
	observability.EndRequest(span, status)
	if s.hooks.Log.Enabled(ctx, slog.LevelInfo) {
		s.hooks.Log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("host", r.Host), slog.String("path", x.Path),
			slog.String("operation", x.Operation), slog.Int("status", status), slog.Int64("bytes", w.bytes),
			slog.Duration("took", took), slog.String("client", x.Client.Addr.String()), slog.String("actor", x.Actor))
	}
}

// The headers that every answer has unless its handler replaces them: an answer is
// never taken for another type, framed, or read from another origin, and as a page it
// may load nothing at all.
var (
	nosniff     = []string{"nosniff"}
	noFrame     = []string{"DENY"}
	referrer    = []string{"strict-origin-when-cross-origin"}
	noContent   = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	noDevices   = []string{"accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"}
	sameOrigin  = []string{"same-origin"}
	httpsOnly   = []string{"max-age=31536000"}
	closeHeader = []string{"close"}
)

func (s *Server) protect(h http.Header, x *Exchange) {
	h["Request-Id"] = []string{x.ID}
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = noFrame
	h["Content-Security-Policy"] = noContent
	h["Referrer-Policy"] = referrer
	h["Permissions-Policy"] = noDevices
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if x.Client.Scheme == "https" {
		h["Strict-Transport-Security"] = httpsOnly
	}
	if s.draining.Load() {
		h["Connection"] = closeHeader // so that the client's next request goes elsewhere
	}
}

// answerFailed is the answer to a request whose handler panicked.
func answerFailed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusInternalServerError)
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that left cannot be told
		"type": "/docs/errors#internal_error", "title": http.StatusText(http.StatusInternalServerError),
		"status": http.StatusInternalServerError, "code": "internal_error", "instance": r.URL.Path,
		"detail": "Something went wrong on our side. The request ID tells us what.", "request_id": From(r.Context()).ID,
	})
}

// A recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader passes the status on; 1xx are only news on the way.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// brokenOff says that the client will not get the answer that was begun.
func (w *recorder) brokenOff() { w.status = http.StatusInternalServerError }

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom lets the kernel copy files to the connection.
func (w *recorder) ReadFrom(from io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, from)
	w.bytes += n
	return n, err
}

// Flush sends what was written so far.
func (w *recorder) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush needs none
}

// Unwrap is for http.ResponseController: deadlines and the like.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
