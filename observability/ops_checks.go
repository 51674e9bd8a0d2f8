package observability

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// check is one question of readiness.
type check struct {
	name     string
	required bool
	run      func(context.Context) error

	mu      sync.Mutex
	running *checkRun // nil when none is under way
}

// checkRun is one run of a check; err may be read once ended is closed.
type checkRun struct {
	ended chan struct{}
	err   error
}

// checkResult is a check's answer, as /readyz shows it.
type checkResult struct {
	Name     string  `json:"name"`
	OK       bool    `json:"ok"`
	Required bool    `json:"required"`
	Millis   float64 `json:"duration_ms"`
	Error    string  `json:"error,omitempty"`
}

// runChecks runs all checks side by side and answers within about the timeout, whatever
// they do.
func runChecks(ctx context.Context, checks []*check, timeout time.Duration) []checkResult {
	results := make([]checkResult, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			began := time.Now()
			err := c.try(ctx, timeout)
			results[i] = checkResult{
				Name: c.name, OK: err == nil, Required: c.required,
				Millis: float64(time.Since(began).Microseconds()) / 1000,
			}
			if err != nil {
				results[i].Error = err.Error()
			}
		})
	}
	wg.Wait()
	return results
}

// try waits for the check's run: the one under way, if there is one, else a new one. So
// a dependency that hangs gathers one goroutine, not one a probe, and probes that come
// at the same time share an answer.
func (c *check) try(ctx context.Context, timeout time.Duration) error {
	run := c.begin(ctx, timeout)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-run.ended:
		return run.err
	case <-timer.C:
		return fmt.Errorf("no answer within %s", timeout)
	}
}

func (c *check) begin(ctx context.Context, timeout time.Duration) *checkRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return c.running
	}
	run := &checkRun{ended: make(chan struct{})}
	c.running = run
	// The run outlives the probe that began it, for another may wait for it too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				run.err = fmt.Errorf("check panicked: %v", p)
			}
			c.mu.Lock()
			c.running = nil
			c.mu.Unlock()
			close(run.ended)
		}()
		run.err = c.run(ctx)
	}()
	return run
}
