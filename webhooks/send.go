package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/signing"
)

// The bounds of an attempt, and what is kept of an answer.
const (
	deliveryTimeout = 15 * time.Second
	maxAnswer       = 64 << 10
	keptAnswer      = 1000
)

// deliverer sends signed events.
type deliverer struct{ client *http.Client }

// send makes one try. after is how long the receiver asked us to wait, if it did.
func (d deliverer) send(ctx context.Context, url string, event Event, secrets []string) (attempt Attempt, after time.Duration) {
	started := clock.Now()
	attempt.At = started
	defer func() { attempt.DurationMS = time.Since(started).Milliseconds() }()
	body, err := json.Marshal(event)
	if err != nil {
		attempt.Error = "The event cannot be written."
		return attempt, 0
	}
	request, err := signing.Request(ctx, url, event.ID, started, body, secrets...)
	if err != nil {
		attempt.Error = "The event cannot be signed."
		return attempt, 0
	}
	ctx, span := observability.StartCall(ctx, "webhook", attribute.String("server.address", request.URL.Hostname()), attribute.String("stoa.event", event.Type))
	observability.PropagateTrace(ctx, request.Header)
	defer func() { endSpan(span, attempt) }()
	response, err := d.client.Do(request)
	if err != nil {
		attempt.Error = egress.Explain(err)
		var timeout net.Error
		attempt.Blocked = errors.Is(err, egress.ErrRefused)
		attempt.TimedOut = errors.As(err, &timeout) && timeout.Timeout()
		return attempt, 0
	}
	defer response.Body.Close()
	attempt.Status = response.StatusCode
	answer, err := io.ReadAll(io.LimitReader(response.Body, keptAnswer))
	if err != nil && !attempt.succeeded() {
		attempt.Error = egress.Explain(err)
	}
	attempt.Excerpt = strings.ToValidUTF8(strings.ReplaceAll(string(answer), "\x00", ""), "\uFFFD")
	if !attempt.succeeded() && attempt.Error == "" {
		attempt.Error = fmt.Sprintf("The endpoint answered %d.", attempt.Status)
	}
	return attempt, retryAfter(response.Header.Get("Retry-After"), clock.Now())
}

// retryAfter is how long a receiver asked us to wait, in seconds or as a date; at most a
// day.
func retryAfter(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

// endSpan says what came of an attempt as its merchant may read it: an error of the client
// would tell the endpoint's whole address.
func endSpan(span trace.Span, attempt Attempt) {
	var failed error
	if !attempt.succeeded() {
		failed = errors.New(attempt.Error)
	}
	span.SetAttributes(attribute.Int("http.response.status_code", attempt.Status))
	observability.EndSpan(span, failed)
}
