package nginx_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestATraceBeginsHere has Nginx give each request a trace, but for those that bring one, and log it,
// and say what its own span is, whatever a stranger says of that.
func TestATraceBeginsHere(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	var traces []string
	for _, brought := range []string{"", "", own, "00-short-b7ad6b7169203331-01", own + "x"} {
		answer, text := ask(t, s.Client(true), "GET", "https://shops.test/v1/who", "", "Traceparent", brought, "Stoa-Front", "b7ad6b7169203331 0.000 0.000")
		var who told
		if err := json.Unmarshal([]byte(text), &who); err != nil {
			t.Fatalf("%d %s", answer.StatusCode, text)
		}
		got := who.Headers.Get("Traceparent")
		if !traceparent.MatchString(got) || len(who.Headers.Values("Traceparent")) != 1 || (got == own) != (brought == own) {
			t.Errorf("for %q the program gets %q", brought, got)
		}
		span := front.FindStringSubmatch(strings.Join(who.Headers.Values("Stoa-Front"), ", "))
		if span == nil || brought == "" && span[1] != got[36:52] {
			t.Errorf("for %q the program gets the trace %q, and of Nginx's own span %q", brought, got, who.Headers.Values("Stoa-Front"))
		}
		traces = append(traces, got[3:35])
	}
	slices.Sort(traces)
	if len(slices.Compact(slices.Clone(traces))) != len(traces) {
		t.Errorf("two requests have one trace: %q", traces)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		log := s.Log("access.log") // written at most a second later
		if !slices.ContainsFunc(traces, func(id string) bool { return !strings.Contains(log, `"trace_id":"`+id+`"`) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all of %q are in the log:\n%s", traces, log)
		}
	}
}

var (
	traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	front       = regexp.MustCompile(`^([0-9a-f]{16}) [0-9]{10}\.[0-9]{3} [0-9]+\.[0-9]{3}$`)
)
