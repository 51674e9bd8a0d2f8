package redis

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// probeEvery is the pause between two attempts to find a lost Redis again.
const probeEvery = 100 * time.Millisecond

// health remembers that Redis is away, so that only the calls under way when it goes
// wait for it. From the first failure on all calls fail at once, until a probe beside
// them has written to Redis; so none of them is ever spent on finding out. Patient ones
// go on until a probe has failed too, as one answer that is slow is no loss.
type health struct {
	failure atomic.Pointer[failure] // nil while Redis is taken to be there
	probe   func(context.Context) error
	log     *slog.Logger
	tell    func(up bool)

	ctx    context.Context
	cancel context.CancelFunc
	probes sync.WaitGroup
	mu     sync.Mutex // guards the start of a probe against stop
}

type failure struct {
	err     error
	since   time.Time
	certain atomic.Bool // a probe has failed, too
}

func (h *health) start(c *Client) {
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.log, h.tell = c.config.Log, c.config.OnHealth
	if h.tell == nil {
		h.tell = func(bool) {}
	}
	h.probe = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.config.Quick)
		defer cancel()
		// A write, because a Redis that is full or a replica answers pings as well.
		return c.rdb.Set(ctx, c.Key("probe"), 1, time.Minute).Err()
	}
}

func (h *health) stop() {
	h.mu.Lock()
	h.cancel()
	ended := &failure{err: context.Canceled, since: time.Now()}
	ended.certain.Store(true)
	h.failure.CompareAndSwap(nil, ended)
	h.mu.Unlock()
	h.probes.Wait()
}

// err is why Redis is taken to be away, or, of what is certain, why it is; or nil.
func (h *health) err(certain bool) error {
	if f := h.failure.Load(); f != nil && (!certain || f.certain.Load()) {
		return f.err
	}
	return nil
}

// lost takes note that Redis is away and starts looking for it.
func (h *health) lost(err error) {
	f := &failure{err: err, since: time.Now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil || !h.failure.CompareAndSwap(nil, f) {
		return
	}
	h.probes.Go(func() {
		// The first probe comes at once: a connection that broke or one slow answer is
		// no reason to do without Redis, nor to alarm anyone.
		if h.probe(h.ctx) == nil {
			h.failure.Store(nil)
			return
		}
		f.certain.Store(true)
		h.log.Warn("redis lost", "error", err)
		h.tell(false)
		for {
			select {
			case <-h.ctx.Done():
				return
			case <-time.After(probeEvery):
			}
			if h.probe(h.ctx) == nil {
				h.failure.Store(nil)
				h.log.Info("redis found again", "lost_for", time.Since(f.since))
				h.tell(true)
				return
			}
		}
	})
}
