package limits

import (
	"context"
	_ "embed" // for take.lua
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/common"

	"github.com/stoacommerce/stoa/platform/redis"
)

//go:embed take.lua
var takeText string

var takeScript = goredis.NewScript(takeText)

// window is one counter as it is asked for: a key in a span of time.
type window struct {
	key    string
	limit  int64 // -1: count, never refuse
	period time.Duration
}

// countOnly is the limit of a window that never refuses.
const countOnly = -1

// span is the window of a period that now lies in. Windows are aligned to the clock, so
// that their name says when they end: minutes begin with the minute, days at midnight UTC.
func span(now time.Time, period time.Duration) (index int64, end time.Time) {
	index = now.UnixNano() / int64(period)
	return index, time.Unix(0, (index+1)*int64(period))
}

// name is the window's name at an instant.
func (w window) name(now time.Time) string {
	index, _ := span(now, w.period)
	return w.key + ":" + strconv.FormatInt(int64(w.period/time.Second), 10) + ":" + strconv.FormatInt(index, 10)
}

// RedisStore counts in Redis, any number of windows in one round trip. It is a store
// for ulule/limiter, whose own would take one round trip a window.
//
// The instant comes from this process' clock. Replicas whose clocks differ begin a new
// window that much apart; what each window admits is exact all the same.
type RedisStore struct {
	client *redis.Client
	now    func() time.Time
}

var _ limiter.Store = (*RedisStore)(nil)

// NewRedisStore makes a store. It does not wait for Redis.
func NewRedisStore(client *redis.Client) *RedisStore {
	return &RedisStore{client: client, now: time.Now}
}

// take counts cost in all windows or, when one refuses, in none, and notes usage when it
// is not nil. counts are those of the windows afterwards.
func (s *RedisStore) take(ctx context.Context, now time.Time, cost int64, windows []window, usage *usageNote) (refused bool, counts []int64, err error) {
	keys := make([]string, 0, len(windows)+1)
	args := make([]any, 0, 2+2*len(windows)+5)
	args = append(args, len(windows), cost)
	for _, w := range windows {
		keys = append(keys, s.client.Key("limit", w.name(now)))
		_, end := span(now, w.period)
		// A little longer than the window, for replicas whose clocks are behind.
		args = append(args, w.limit, (end.Sub(now) + 10*time.Second).Milliseconds())
	}
	if usage != nil {
		keys = append(keys, s.client.Key("usage", usage.day))
		args = append(args, usage.field, usage.requests, refusedMark+usage.field, usage.refused, int64(usageKept/time.Second))
	}
	var answer []int64
	err = s.client.Quick(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
		answer, err = takeScript.Run(ctx, rdb, keys, args...).Int64Slice()
		return err
	})
	if err != nil {
		return false, nil, fmt.Errorf("count in Redis: %w", err)
	}
	if len(answer) != 1+len(windows) {
		return false, nil, fmt.Errorf("count in Redis: %d values for %d windows", len(answer), len(windows))
	}
	return answer[0] == 1, answer[1:], nil
}

// Get counts one in the key's window.
func (s *RedisStore) Get(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 1, rate)
}

// Increment counts any number in the key's window, beyond its limit as well.
func (s *RedisStore) Increment(ctx context.Context, key string, count int64, rate limiter.Rate) (limiter.Context, error) {
	now := s.now()
	_, counts, err := s.take(ctx, now, count, []window{{key, countOnly, rate.Period}}, nil)
	if err != nil {
		return limiter.Context{}, err
	}
	return state(now, rate, counts[0]), nil
}

// Peek tells the state of the key's window without counting.
func (s *RedisStore) Peek(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 0, rate)
}

// Reset empties the key's window.
func (s *RedisStore) Reset(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	now := s.now()
	err := s.client.Quick(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Del(ctx, s.client.Key("limit", window{key, 0, rate.Period}.name(now))).Err()
	})
	if err != nil {
		return limiter.Context{}, fmt.Errorf("reset %s in Redis: %w", key, err)
	}
	return state(now, rate, 0), nil
}

// state is a window's count in ulule's words.
func state(now time.Time, rate limiter.Rate, count int64) limiter.Context {
	_, end := span(now, rate.Period)
	return common.GetContextFromState(now, rate, end, count)
}
