package observability

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// textHandler writes "15:04:05.000 INFO  message key=value …". The attributes are
// formatted by slog's own text handler into a buffer shared by all descendants, which
// is why one lock guards the whole of Handle.
type textHandler struct {
	shared *textOutput
	attrs  slog.Handler
	color  bool
}

type textOutput struct {
	mu  sync.Mutex
	buf bytes.Buffer
	to  io.Writer
}

func newTextHandler(w io.Writer, level slog.Level, color bool) *textHandler {
	out := &textOutput{to: w}
	attrs := slog.NewTextHandler(&out.buf, &slog.HandlerOptions{
		Level:       level,
		ReplaceAttr: dropBuiltIn,
	})
	return &textHandler{shared: out, attrs: attrs, color: color}
}

// dropBuiltIn removes time, level and message from the attributes: they stand at the
// line's beginning already.
func dropBuiltIn(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

func (h *textHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.attrs.Enabled(ctx, level)
}

func (h *textHandler) Handle(ctx context.Context, r slog.Record) error {
	h.shared.mu.Lock()
	defer h.shared.mu.Unlock()
	h.shared.buf.Reset()
	level := fmt.Sprintf("%-5s", r.Level)
	if h.color {
		level = "\x1b[" + levelColor(r.Level) + "m" + level + "\x1b[0m"
	}
	fmt.Fprintf(&h.shared.buf, "%s %s %s ", r.Time.Format("15:04:05.000"), level, r.Message)
	if err := h.attrs.Handle(ctx, r); err != nil {
		return fmt.Errorf("format log record: %w", err)
	}
	if _, err := h.shared.to.Write(h.shared.buf.Bytes()); err != nil {
		return fmt.Errorf("write log record: %w", err)
	}
	return nil
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &textHandler{shared: h.shared, attrs: h.attrs.WithAttrs(attrs), color: h.color}
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	return &textHandler{shared: h.shared, attrs: h.attrs.WithGroup(name), color: h.color}
}

// levelColor is the terminal's colour of a level: grey, blue, yellow, red.
func levelColor(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "31"
	case l >= slog.LevelWarn:
		return "33"
	case l >= slog.LevelInfo:
		return "34"
	}
	return "90"
}
