package limits

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/problem"
)

// QuotaExceeded is the type of the problem that a refused request is answered with.
const QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// Violated lists the policies that refused.
func (d Decision) Violated() []State {
	var violated []State
	for _, s := range d.States {
		if s.Violated {
			violated = append(violated, s)
		}
	}
	return violated
}

// Tightest is the policy that clients are told of: of those that refused the one that
// takes longest to admit again, else the one with the least remaining. It is nil when
// there is none to tell of.
func (d Decision) Tightest() *State {
	var found *State
	for i := range d.States {
		s := &d.States[i]
		if s.Observe {
			continue
		}
		if found == nil || tighter(s, found) {
			found = s
		}
	}
	return found
}

func tighter(a, b *State) bool {
	if a.Violated != b.Violated {
		return a.Violated
	}
	if a.Remaining != b.Remaining && !a.Violated {
		return a.Remaining < b.Remaining
	}
	return a.Reset.After(b.Reset)
}

// after is the time from the decision to the state's reset, in whole seconds, rounded up.
func (d Decision) after(s State) int64 {
	return max(1, int64((s.Reset.Sub(d.at)+time.Second-1)/time.Second))
}

// RetryAfter is how long a refused request should wait; zero when it was not refused.
func (d Decision) RetryAfter() time.Duration {
	var seconds int64
	for _, s := range d.Violated() {
		seconds = max(seconds, d.after(s))
	}
	return time.Duration(seconds) * time.Second
}

// limitHeaders are the names of what every client is told, in their canonical form.
var limitHeaders = [...]string{"Ratelimit-Policy", "Ratelimit", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"}

// Headers tells a client of its limits: RateLimit-Policy and RateLimit as in the IETF's
// draft-ietf-httpapi-ratelimit-headers-10, X-RateLimit-* for older clients, and
// Retry-After when refused, never earlier than RateLimit's t.
func (d Decision) Headers(h http.Header) {
	tightest := d.Tightest()
	if tightest == nil {
		return
	}
	var policies strings.Builder
	for _, s := range d.States {
		if s.Observe {
			continue
		}
		if policies.Len() > 0 {
			policies.WriteString(", ")
		}
		policies.WriteString(`"` + s.Name + `";q=` + strconv.FormatInt(s.Limit, 10) + ";w=" + strconv.FormatInt(int64(s.Window/time.Second), 10))
	}
	remaining := strconv.FormatInt(tightest.Remaining, 10)
	if tightest.Violated {
		remaining = "0" // what is left does not suffice for the cost
	}
	// As Header.Set does, whose time goes into finding the names' form and a slice for each.
	values := []string{
		policies.String(),
		`"` + tightest.Name + `";r=` + remaining + ";t=" + strconv.FormatInt(d.after(*tightest), 10),
		strconv.FormatInt(tightest.Limit, 10),
		remaining,
		strconv.FormatInt(tightest.Reset.Unix(), 10),
	}
	for i, name := range limitHeaders {
		h[name] = values[i : i+1 : i+1]
	}
	if wait := d.RetryAfter(); wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(wait/time.Second), 10))
	}
}

// Problem is what a refused request is answered with; nil when it was not refused.
func (d Decision) Problem() *problem.Problem {
	if d.Allowed {
		return nil
	}
	var names []string
	for _, s := range d.Violated() {
		names = append(names, s.Name)
	}
	wait := d.RetryAfter()
	p := problem.New(problem.Limited, "rate_limited", "Too many requests. Try again in %d s.", int64(wait/time.Second)).
		With("violated-policies", names)
	p.Type = QuotaExceeded
	p.RetryAfter = wait
	return p
}
