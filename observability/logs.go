package observability

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// The forms in which logs are written.
const (
	LogJSON = "json" // one JSON object a line, for machines
	LogText = "text" // short lines, for the eyes of a developer
)

// LogConfig says what is logged, and how. The zero value is JSON from info up.
type LogConfig struct {
	Level  string // debug, info, warn or error; info when empty
	Format string // LogJSON or LogText; LogJSON when empty
	Color  bool   // colour the levels of LogText
}

// Validate names the first value that is wrong.
func (c LogConfig) Validate() error {
	if _, err := c.level(); err != nil {
		return err
	}
	if c.Format != "" && c.Format != LogJSON && c.Format != LogText {
		return fmt.Errorf("log format %q: must be %q or %q", c.Format, LogJSON, LogText)
	}
	return nil
}

func (c LogConfig) level() (slog.Level, error) {
	switch strings.ToLower(c.Level) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level %q: must be debug, info, warn or error", c.Level)
}

// NewLogger makes a logger writing to w. Every record logged with a context
// (InfoContext and its like) carries the context's request_id, store, trace_id and
// span_id.
func NewLogger(w io.Writer, c LogConfig) (*slog.Logger, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	level, err := c.level()
	if err != nil {
		return nil, err
	}
	var h slog.Handler
	if c.Format == LogText {
		h = newTextHandler(w, level, c.Color)
	} else {
		h = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	return slog.New(&contextHandler{root: h, bound: h}), nil
}

type (
	requestKey struct{}
	storeKey   struct{}
)

// WithRequest returns a context whose log records carry request_id.
func WithRequest(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// WithStore returns a context whose log records carry store.
func WithStore(ctx context.Context, store string) context.Context {
	return context.WithValue(ctx, storeKey{}, store)
}

// RequestID is the request's ID given by WithRequest, or empty.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Store is the store given by WithStore, or empty.
func Store(ctx context.Context) string {
	store, _ := ctx.Value(storeKey{}).(string)
	return store
}

// contextHandler adds what the context knows to every record. It keeps these
// attributes at the top level, where log searches expect them, even below a
// WithGroup: there it binds the logger's own attributes anew after the context's.
type contextHandler struct {
	root    slog.Handler                      // the handler without any attributes or groups
	bound   slog.Handler                      // root with all that was bound
	steps   []func(slog.Handler) slog.Handler // how bound was made from root
	grouped bool                              // whether a group is open in bound
}

func (h *contextHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.root.Enabled(ctx, level)
}

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = r.Time.UTC()
	attrs := contextAttrs(ctx)
	if len(attrs) == 0 {
		return h.bound.Handle(ctx, r)
	}
	if !h.grouped {
		r = r.Clone()
		r.AddAttrs(attrs...)
		return h.bound.Handle(ctx, r)
	}
	to := h.root.WithAttrs(attrs)
	for _, step := range h.steps {
		to = step(to)
	}
	return to.Handle(ctx, r)
}

func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(h.grouped, func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h *contextHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(true, func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *contextHandler) with(grouped bool, step func(slog.Handler) slog.Handler) slog.Handler {
	return &contextHandler{
		root:    h.root,
		bound:   step(h.bound),
		steps:   append(slices.Clip(h.steps), step),
		grouped: grouped,
	}
}

func contextAttrs(ctx context.Context) []slog.Attr {
	var attrs []slog.Attr
	if id := RequestID(ctx); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if store := Store(ctx); store != "" {
		attrs = append(attrs, slog.String("store", store))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		attrs = append(attrs,
			slog.String("trace_id", span.TraceID().String()),
			slog.String("span_id", span.SpanID().String()))
	}
	return attrs
}
