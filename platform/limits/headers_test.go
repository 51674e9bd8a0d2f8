package limits

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

func TestHeaders(t *testing.T) {
	clock := clockAt(noon) // 19 seconds past: 41 to the minute's end
	l := newLimiter(redistest.Client(t), Hooks{}, quiet, clock.now)
	watched := perDay("watched", "sto_1", 1)
	watched.Observe = true
	request := Request{Policies: []Policy{perMinute("key", "key_1", 3), perDay("store-day", "sto_1", 100_000), watched}}
	check := func(d Decision, want map[string]string) {
		t.Helper()
		h := http.Header{}
		d.Headers(h)
		if len(h) != len(want) {
			t.Errorf("headers %v", h)
		}
		for name, value := range want {
			// Direct look-ups would need the canonical spelling, which clients do not care for.
			if h.Get(name) != value {
				t.Errorf("%s: %q, not %q", name, h.Get(name), value)
			}
		}
	}
	policies := `"key";q=3;w=60, "store-day";q=100000;w=86400`
	reset := "1795348860" // 2026-11-22 12:01:00 UTC
	d := take(t, l, request)
	check(d, map[string]string{"RateLimit-Policy": policies, "RateLimit": `"key";r=2;t=41`,
		"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": reset})
	if d.Problem() != nil || d.RetryAfter() != 0 {
		t.Error("an admitted request has a problem")
	}
	take(t, l, request)
	take(t, l, request)
	clock.forward(500 * time.Millisecond) // 40.5 seconds left are 41 to a client
	d = take(t, l, request)
	check(d, map[string]string{"RateLimit-Policy": policies, "RateLimit": `"key";r=0;t=41`,
		"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, "Retry-After": "41"})
	p := d.Problem()
	names, _ := p.Extra["violated-policies"].([]string)
	if p.Kind != problem.Limited || p.Code != "rate_limited" || p.Type != QuotaExceeded || p.RetryAfter != 41*time.Second || !slices.Equal(names, []string{"key"}) {
		t.Errorf("problem %+v", p)
	}

	// Two that refuse: the client waits for the later one.
	both := Request{Policies: []Policy{perMinute("a", "x", 0), {Name: "b", Subject: "x", Limit: 0, Window: time.Hour}, perMinute("c", "x", 9)}}
	d = take(t, l, both)
	if d.Allowed || len(d.Violated()) != 2 || d.Tightest().Name != "b" || d.RetryAfter() < 59*time.Minute {
		t.Errorf("two that refuse: %+v", d)
	}

	check(take(t, l, Request{Policies: []Policy{watched}}), nil)
}

// TestRetryAfter holds that waiting as told is waiting enough.
func TestRetryAfter(t *testing.T) {
	clock := clockAt(noon)
	l := newLimiter(redistest.Client(t), Hooks{}, quiet, clock.now)
	for i := range 20 {
		clock.forward(time.Duration(i) * 137 * time.Millisecond)
		request := Request{Policies: []Policy{perMinute("key", "key_1", 1)}}
		take(t, l, request)
		d := take(t, l, request)
		if d.Allowed {
			continue // the minute ended in between
		}
		clock.forward(d.RetryAfter())
		if !take(t, l, request).Allowed {
			t.Fatalf("refused after waiting %v", d.RetryAfter())
		}
	}
}

func TestRules(t *testing.T) {
	rules := StrictRules()
	for class, list := range rules {
		for _, r := range list {
			p := Policy{r.Name, "x", r.Limit, r.Window, false}
			if _, err := (Request{Cost: 1, Policies: []Policy{p}}).windows(); err != nil || r.Limit == 0 {
				t.Errorf("%s: %v", class, err)
			}
		}
	}
	names := func(policies []Policy) (names []string) {
		for _, p := range policies {
			names = append(names, p.Name+" "+p.Subject)
		}
		return names
	}
	for _, c := range []struct {
		class, address, subject string
		want                    []string
	}{
		{Payment, "2001:db8:1:2:3::4", "sto_1", []string{"payment-address 2001:db8:1:2::/64", "payment-store sto_1"}},
		{Reset, "", "acc_1", []string{"reset-account acc_1"}},
		{Reset, "203.0.113.7", "", []string{"reset-address 203.0.113.7"}},
		{"read", "203.0.113.7", "sto_1", nil},
	} {
		if got := names(rules.Policies(c.class, c.address, c.subject)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.class, got)
		}
	}
}

func TestAddress(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.7":        "203.0.113.7",
		"::ffff:203.0.113.7": "203.0.113.7",
		"2001:db8:1:2:3::4":  "2001:db8:1:2::/64",
		"2001:db8:1:2:ff::9": "2001:db8:1:2::/64",
		"fe80::1%eth0":       "fe80::/64",
		"":                   "",
		"nonsense":           "nonsense",
	} {
		if got := Address(ip); got != want {
			t.Errorf("%q is counted as %q, not %q", ip, got, want)
		}
	}
}
