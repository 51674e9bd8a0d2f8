package limits

import (
	"context"
	"sync"
	"time"

	"github.com/ulule/limiter/v3"
)

// localSize bounds the counters of one process. Beyond it some are lost, which lets a
// few requests more through; memory matters more then.
const localSize = 200_000

// localStore counts in this process, by the same windows and rules as RedisStore. It
// knows nothing of what was counted in Redis or in other processes: each starts with
// an empty window when Redis is lost, so that together they admit at most the limit
// once more, times the number of processes.
type localStore struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[string]localCount
	swept  time.Time
}

type localCount struct {
	count int64
	end   time.Time
}

var _ limiter.Store = (*localStore)(nil)

func newLocalStore(now func() time.Time) *localStore {
	return &localStore{now: now, counts: map[string]localCount{}}
}

// take counts cost in all windows or, when one refuses, in none.
func (s *localStore) take(now time.Time, cost int64, windows []window) (refused bool, counts []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now, len(windows))
	counts = make([]int64, len(windows))
	for i, w := range windows {
		counts[i] = s.counts[w.name(now)].count
		refused = refused || w.limit >= 0 && counts[i]+cost > w.limit
	}
	if refused || cost == 0 {
		return refused, counts
	}
	for i, w := range windows {
		name := w.name(now)
		_, end := span(now, w.period)
		counts[i] = s.counts[name].count + cost // read again: two windows may be the same
		s.counts[name] = localCount{counts[i], end}
	}
	return false, counts
}

// sweep drops what is over, at most once a minute or when there is no more room.
func (s *localStore) sweep(now time.Time, more int) {
	full := len(s.counts)+more > localSize
	if !full && now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for name, c := range s.counts {
		if !c.end.After(now) {
			delete(s.counts, name)
		}
	}
	for name := range s.counts {
		if len(s.counts)+more <= localSize*9/10 || !full {
			return
		}
		delete(s.counts, name)
	}
}

// Get counts one in the key's window.
func (s *localStore) Get(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 1, rate)
}

// Increment counts any number in the key's window, beyond its limit as well.
func (s *localStore) Increment(_ context.Context, key string, count int64, rate limiter.Rate) (limiter.Context, error) {
	now := s.now()
	_, counts := s.take(now, count, []window{{key, countOnly, rate.Period}})
	return state(now, rate, counts[0]), nil
}

// Peek tells the state of the key's window without counting.
func (s *localStore) Peek(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 0, rate)
}

// Reset empties the key's window.
func (s *localStore) Reset(_ context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	now := s.now()
	s.mu.Lock()
	delete(s.counts, window{key, 0, rate.Period}.name(now))
	s.mu.Unlock()
	return state(now, rate, 0), nil
}
