package keys

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// uses collects when keys were used, until it is written down. Its zero value is ready.
type uses struct {
	mu     sync.Mutex
	latest map[string]time.Time // by the key's ID
}

func (u *uses) note(id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.latest == nil {
		u.latest = map[string]time.Time{}
	}
	if at.After(u.latest[id]) {
		u.latest[id] = at
	}
}

// take gives all that was collected and begins anew.
func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.latest
	u.latest = nil
	return taken
}

// noteUses locks the rows in the order of their keys, as all replicas do, so that none
// waits for another in a circle.
const noteUses = `
with used as (select * from unnest($1::text[], $2::timestamptz[]) as u(id, at)),
held as (select k.id from api_keys k where k.id = any($1::text[]) order by k.id for no key update)
update api_keys k set last_used_at = greatest(k.last_used_at, used.at)
from used join held using (id) where k.id = used.id`

// Flush writes down when keys were used last. What cannot be written is kept for the next
// time.
func (s *Service) Flush(ctx context.Context) error {
	latest := s.used.take()
	if len(latest) == 0 {
		return nil
	}
	ids, at := make([]string, 0, len(latest)), make([]time.Time, 0, len(latest))
	for id, t := range latest {
		ids, at = append(ids, id), append(at, t)
	}
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, noteUses, ids, at)
		return err
	})
	if err != nil {
		for id, t := range latest {
			s.used.note(id, t)
		}
		return fmt.Errorf("note the use of %d keys: %w", len(latest), err)
	}
	return nil
}

const (
	// flushEvery is how often a process writes down which keys were used.
	flushEvery = 10 * time.Second
	// lastFlush bounds the last time, when the process ends.
	lastFlush = 2 * time.Second
)

// Run writes down when keys were used last, from time to time and at the end, until ctx
// ends. Each process that serves requests runs it.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
			defer cancel()
			s.flushed(last)
			return
		case <-ticker.C:
			s.flushed(ctx)
		}
	}
}

func (s *Service) flushed(ctx context.Context) {
	if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
		s.config.Log.WarnContext(ctx, "the use of keys could not be noted; it will be tried again", "error", err)
	}
}
