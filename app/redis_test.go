package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// fallback is how soon a limit of the process takes the place of Redis's, ten times over.
const fallback = 10 * 50 * time.Millisecond

// TestSellingGoesOnWithoutRedis takes Redis away from the whole program, frozen at first
// and then killed, while shoppers buy.
func TestSellingGoesOnWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := apptest.Start(t, apptest.Env{"STOA_REDIS_URL": server.URL()})
	stocks := []int64{1_000_000}
	m := openMarket(t, stocks, p)
	signIn := probe.Call{Operation: "signIn", Header: headers(""), Body: body(map[string]any{"email": m.email, "password": password})}
	staff := p.Client()
	status := func(client *http.Client, call probe.Call) int {
		t.Helper()
		call.Header = call.Header.Clone()
		if call.Header.Get("X-Forwarded-For") == "" {
			call.Header.Set("X-Forwarded-For", anywhere())
		}
		answer, err := p.Probe.Do(t.Context(), client, call)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Broken != nil {
			t.Error(answer.Broken)
		}
		return answer.Status
	}
	seen := probe.Call{Operation: "getSession", Header: http.Header{}}
	if got := status(staff, signIn); got != 201 {
		t.Fatalf("signed in: %d", got)
	}

	m.open(4, 20*time.Millisecond)
	m.untilSold(30, time.Minute)
	usual, _ := m.pace()
	t.Logf("with Redis a request takes %v", usual)

	for _, lost := range []struct {
		how      string
		off, on  func()
		sessions int // what staff are answered when Redis is back
	}{
		{"frozen", server.Freeze, server.Thaw, 200},
		{"killed", server.Kill, server.Restart, 401}, // it comes back empty, which signs everybody out
	} {
		lost.off()
		m.untilSold(30, time.Minute)
		typical, longest := m.pace()
		t.Logf("%s: a request takes %v, the longest took %v", lost.how, typical, longest)
		if typical > usual+fallback {
			t.Errorf("%s: a request takes %v instead of %v", lost.how, typical, usual)
		}
		if got := status(staff, seen); got != 503 {
			t.Errorf("%s: staff are answered %d", lost.how, got)
		}
		if got := status(p.Client(), signIn); got != 503 {
			t.Errorf("%s: who signs in is answered %d", lost.how, got)
		}
		guesser, visitor := anywhere(), anywhere()
		guarded(t, lost.how, func() int {
			wrong := signIn
			wrong.Header = headers("", "X-Forwarded-For", guesser)
			wrong.Body = body(map[string]any{"email": m.email, "password": "not the one that it should be"})
			return status(p.Client(), wrong)
		}, 401, 15)
		guarded(t, lost.how, func() int {
			return status(m.client, probe.Call{Operation: "listPlans", Header: http.Header{"X-Forwarded-For": {visitor}}})
		}, 200, 2*120+1) // the limit of a minute, of which one may end meanwhile
		if !degraded(t, p) {
			t.Errorf("%s: the limiter says that nothing is wrong", lost.how)
		}

		lost.on()
		apptest.Eventually(t, 30*time.Second, lost.how+": staff are known again", func() bool { return status(staff, seen) == lost.sessions })
		apptest.Eventually(t, 30*time.Second, lost.how+": the limiter counts in Redis again", func() bool { return !degraded(t, p) })
		apptest.Eventually(t, 30*time.Second, lost.how+": one signs in again", func() bool { return status(staff, signIn) == 201 })
		m.untilSold(10, time.Minute)
		m.pace()
	}
	m.close()
	if len(m.stats) > 0 {
		t.Errorf("shoppers had to ask again: %v", m.stats)
	}
	m.reconcile(stocks)
}

// guarded has something tried so often, which is answered as usual until it is limited.
func guarded(t *testing.T, how string, try func() int, usual, most int) {
	t.Helper()
	for n := range most {
		switch got := try(); {
		case got == http.StatusTooManyRequests && n > 0:
			return
		case got != usual:
			t.Errorf("%s: try %d is answered %d", how, n+1, got)
			return
		}
	}
	t.Errorf("%s: %d tries, and no limit", how, most)
}

// degraded says whether the limiter counts within the process, by the program's metrics.
func degraded(t *testing.T, p *apptest.Program) bool {
	t.Helper()
	response, err := http.Get(p.OpsURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nstoa_limiter_degraded ") {
		t.Fatal("there is no such metric")
	}
	return strings.Contains(string(text), "\nstoa_limiter_degraded 1")
}
