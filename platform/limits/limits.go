// Package limits decides how many requests there may be, and counts them. It knows
// windows, subjects and Redis, and nothing of plans: what the limits are comes with the
// request.
//
// All windows of a request, and the usage of its store, are counted by one script in one
// round trip. When Redis is away, the same limits are kept within the process (see
// localStore) from the first request on: the ones under way wait for the client's bound
// of 40 ms, later ones not at all.
package limits

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/stoacommerce/stoa/platform/redis"
)

// Policy is one limit: so many within a window, for a subject.
type Policy struct {
	// Name is what clients see, as in RateLimit-Policy; policies of one name and window
	// share their counts.
	Name string
	// Subject is who is counted: a key's or a store's ID, an address (see Address).
	Subject string
	Limit   int64
	// Window is a whole number of seconds. Windows begin at full minutes, hours, days (UTC).
	Window time.Duration
	// Observe counts without refusing, and without telling clients: a shop is not closed by
	// its own success, but someone should know.
	Observe bool
}

// Request is what is to be counted.
type Request struct {
	// Class is the operation's x-limit, for metrics.
	Class string
	// StoreID is whose usage this is; empty when it is nobody's. Of several Takes for
	// one request only one may name it.
	StoreID string
	// Cost is how much it counts; 1 when zero.
	Cost     int64
	Policies []Policy
}

// State is where a policy stands after a decision.
type State struct {
	Policy
	Remaining int64
	Reset     time.Time // when its window ends
	Violated  bool      // it refused
}

// Decision is whether a request may go on.
type Decision struct {
	Allowed bool
	// Degraded says that it was taken within this process, because Redis is away.
	Degraded bool
	States   []State
	at       time.Time
}

// Hooks tell of what happens, for metrics. Each may be nil.
type Hooks struct {
	Decided  func(class string, allowed bool, took time.Duration)
	FellBack func()              // a decision was taken within this process
	Degraded func(degraded bool) // decisions began or ceased to be
	Overrun  func(Policy)        // a policy that only observes is beyond its limit
}

// Limiter decides. It is safe for use by many goroutines.
type Limiter struct {
	redis    *RedisStore
	local    *localStore
	usage    *Usage
	hooks    Hooks
	log      *slog.Logger
	now      func() time.Time
	degraded atomic.Bool
}

// New makes a limiter. It does not wait for Redis.
func New(client *redis.Client, hooks Hooks, log *slog.Logger) *Limiter {
	return newLimiter(client, hooks, log, time.Now)
}

func newLimiter(client *redis.Client, hooks Hooks, log *slog.Logger, now func() time.Time) *Limiter {
	store := NewRedisStore(client)
	store.now = now
	l := &Limiter{redis: store, local: newLocalStore(now), usage: newUsage(client, now), hooks: hooks, log: log, now: now}
	if l.hooks.Decided == nil {
		l.hooks.Decided = func(string, bool, time.Duration) {}
	}
	if l.hooks.FellBack == nil {
		l.hooks.FellBack = func() {}
	}
	if l.hooks.Degraded == nil {
		l.hooks.Degraded = func(bool) {}
	}
	if l.hooks.Overrun == nil {
		l.hooks.Overrun = func(Policy) {}
	}
	return l
}

// Take counts a request in all its policies, or in none when one of them refuses. An
// error means that the request is faulty or that the caller gave up, never that Redis is
// away.
func (l *Limiter) Take(ctx context.Context, req Request) (Decision, error) {
	started := time.Now()
	if req.Cost == 0 {
		req.Cost = 1
	}
	windows, err := req.windows()
	if err != nil {
		return Decision{}, err
	}
	now := l.now()
	note := l.usage.note(req.StoreID, now)
	refused, counts, err := l.redis.take(ctx, now, req.Cost, windows, note)
	if err != nil && ctx.Err() != nil {
		return Decision{}, fmt.Errorf("limit a request: %w", ctx.Err())
	}
	fellBack := err != nil
	if fellBack {
		l.hooks.FellBack()
		refused, counts = l.local.take(now, req.Cost, windows)
	}
	l.tellDegraded(fellBack, err)
	d := Decision{Allowed: !refused, Degraded: fellBack, at: now, States: make([]State, len(windows))}
	for i, p := range req.Policies {
		_, end := span(now, p.Window)
		d.States[i] = State{
			Policy:    p,
			Remaining: max(0, p.Limit-counts[i]),
			Reset:     end,
			Violated:  refused && !p.Observe && counts[i]+req.Cost > p.Limit,
		}
		if p.Observe && counts[i] > p.Limit {
			l.hooks.Overrun(p)
		}
	}
	if refused {
		note.refuse()
	}
	l.hooks.Decided(req.Class, d.Allowed, time.Since(started))
	return d, nil
}

// Usage is what was counted for stores, for whoever writes it down.
func (l *Limiter) Usage() *Usage { return l.usage }

// tellDegraded tells each change between Redis and this process once.
func (l *Limiter) tellDegraded(degraded bool, err error) {
	if l.degraded.Load() == degraded || !l.degraded.CompareAndSwap(!degraded, degraded) {
		return
	}
	l.hooks.Degraded(degraded)
	if degraded {
		l.log.Warn("limits are kept within this process", "error", err)
	} else {
		l.log.Info("limits are kept in Redis again")
	}
}

// windows are the counters that a request asks for.
func (r Request) windows() ([]window, error) {
	windows := make([]window, len(r.Policies))
	for i, p := range r.Policies {
		if p.Name == "" || p.Window < time.Second || p.Window%time.Second != 0 || p.Limit < 0 || r.Cost < 0 {
			return nil, fmt.Errorf("limit a request: the policy %+v at a cost of %d makes no sense", p, r.Cost)
		}
		windows[i] = window{key: p.Name + ":" + p.Subject, limit: p.Limit, period: p.Window}
		if p.Observe {
			windows[i].limit = countOnly
		}
	}
	return windows, nil
}
