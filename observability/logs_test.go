package observability_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/stoacommerce/stoa/observability"
)

func logger(t *testing.T, w *bytes.Buffer, c observability.LogConfig) *slog.Logger {
	t.Helper()
	log, err := observability.NewLogger(w, c)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func tracedContext(t *testing.T) context.Context {
	t.Helper()
	traceID, err := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
	if err != nil {
		t.Fatal(err)
	}
	spanID, err := trace.SpanIDFromHex("b7ad6b7169203331")
	if err != nil {
		t.Fatal(err)
	}
	return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID}))
}

func TestLogRecordsCarryTheirContext(t *testing.T) {
	ctx := observability.WithStore(observability.WithRequest(tracedContext(t), "req_1"), "store_1")
	for name, log := range map[string]func(*slog.Logger){
		"plain":      func(l *slog.Logger) { l.InfoContext(ctx, "hello", "n", 1) },
		"with attrs": func(l *slog.Logger) { l.With("n", 1).InfoContext(ctx, "hello") },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log(logger(t, &out, observability.LogConfig{}))
			got := decode(t, out.Bytes())
			for key, want := range map[string]any{
				"msg": "hello", "level": "INFO", "n": 1.0,
				"request_id": "req_1", "store": "store_1",
				"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
			} {
				if got[key] != want {
					t.Errorf("%s = %v, want %v", key, got[key], want)
				}
			}
			if at, _ := got["time"].(string); !strings.HasSuffix(at, "Z") {
				t.Errorf("time %q is not in UTC", at)
			}
		})
	}
}

func TestContextStaysAtTheTopBelowGroups(t *testing.T) {
	var out bytes.Buffer
	ctx := observability.WithRequest(t.Context(), "req_1")
	base := logger(t, &out, observability.LogConfig{}).With("a", 1)
	base.WithGroup("inner").With("b", 2).InfoContext(ctx, "hello", "c", 3)
	got := decode(t, out.Bytes())
	if got["request_id"] != "req_1" || got["a"] != 1.0 {
		t.Errorf("top level is %v", got)
	}
	inner, _ := got["inner"].(map[string]any)
	if inner["b"] != 2.0 || inner["c"] != 3.0 || len(inner) != 2 {
		t.Errorf("inner is %v", inner)
	}
}

func TestSiblingLoggersDoNotShareAttributes(t *testing.T) {
	var out bytes.Buffer
	base := logger(t, &out, observability.LogConfig{}).With("a", 1).WithGroup("g")
	one, two := base.With("one", 1), base.With("two", 2)
	ctx := observability.WithRequest(t.Context(), "req_1")
	one.InfoContext(ctx, "one")
	first := out.String()
	out.Reset()
	two.InfoContext(ctx, "two")
	if strings.Contains(first, `"two":2`) || strings.Contains(out.String(), `"one":1`) {
		t.Errorf("attributes leak between siblings:\n%s%s", first, out.String())
	}
}

func TestWithoutContextNothingIsAdded(t *testing.T) {
	var out bytes.Buffer
	logger(t, &out, observability.LogConfig{}).Info("hello")
	if got := decode(t, out.Bytes()); len(got) != 3 {
		t.Errorf("record has %v, want time, level and msg alone", got)
	}
}

func TestLogLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "": 3, "info": 3, "WARN": 2, "error": 1} {
		var out bytes.Buffer
		log := logger(t, &out, observability.LogConfig{Level: level})
		log.Debug("x")
		log.Info("x")
		log.Warn("x")
		log.Error("x")
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("level %q wrote %d records, want %d", level, got, want)
		}
	}
}

func TestTextIsForPeople(t *testing.T) {
	var out bytes.Buffer
	ctx := observability.WithRequest(t.Context(), "req_1")
	log := logger(t, &out, observability.LogConfig{Format: observability.LogText}).With("part", "web")
	log.WarnContext(ctx, "slow page", "path", "/a b")
	fields := strings.SplitN(strings.TrimSuffix(out.String(), "\n"), " ", 3)
	if len(fields) != 3 || len(fields[0]) != len("15:04:05.000") {
		t.Fatalf("line %q does not begin with a time", out.String())
	}
	if fields[1] != "WARN" || strings.TrimSpace(fields[2]) != `slow page part=web path="/a b" request_id=req_1` {
		t.Errorf("line is %q", out.String())
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colour without being asked for")
	}
	out.Reset()
	logger(t, &out, observability.LogConfig{Format: observability.LogText, Color: true}).Error("x")
	if !strings.Contains(out.String(), "\x1b[31mERROR\x1b[0m") {
		t.Errorf("no red error in %q", out.String())
	}
}

func TestWrongLogConfigIsNamed(t *testing.T) {
	for want, c := range map[string]observability.LogConfig{
		`log level "loud"`: {Level: "loud"},
		`log format "xml"`: {Format: "xml"},
	} {
		if _, err := observability.NewLogger(&bytes.Buffer{}, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that names %s", err, want)
		}
	}
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var record map[string]any
	if err := json.Unmarshal(line, &record); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return record
}
