package guard

import (
	"context"
	_ "embed" // for the scripts
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
)

//go:embed begin.lua
var beginText string

//go:embed end.lua
var endText string

var (
	beginScript = goredis.NewScript(beginText)
	endScript   = goredis.NewScript(endText)
)

// redisStore counts in Redis, each attempt in one round trip.
type redisStore struct{ client *redis.Client }

func (r *redisStore) keys(s subject) []string {
	return []string{
		r.client.Key("guard", s.pair), r.client.Key("guard", s.known), r.client.Key("guard", s.address),
		r.client.Key("guard", s.account), r.client.Key("guard", s.alarm),
	}
}

func (r *redisStore) begin(ctx context.Context, s subject, now time.Time, c Config) (verdict, error) {
	args := []any{
		now.UnixMilli(), c.AddressLimit, ms(rest(now, c.AddressWindow)), c.AttackedFrom, ms(rest(now, c.AttackWindow)),
	}
	for _, p := range []Pace{c.Stranger, c.Known, c.Attacked} {
		args = append(args, p.Free, ms(p.First), ms(p.Longest))
	}
	args = append(args, ms(c.PairKept), ms(c.AlarmEvery))
	var answer []int64
	err := r.client.Quick(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
		answer, err = beginScript.Run(ctx, rdb, r.keys(s), args...).Int64Slice()
		return err
	})
	if err != nil {
		return verdict{}, fmt.Errorf("count an attempt in Redis: %w", err)
	}
	if len(answer) != 4 {
		return verdict{}, fmt.Errorf("count an attempt in Redis: %d values", len(answer))
	}
	return verdict{time.Duration(answer[0]) * time.Millisecond, answer[1] == 1, answer[2] == 1, answer[3] == 1}, nil
}

func (r *redisStore) end(ctx context.Context, s subject, stranger, trust bool, c Config) error {
	mode, counted := "forgive", 0
	if trust {
		mode = "trust"
	}
	if stranger {
		counted = 1
	}
	err := r.client.Quick(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return endScript.Run(ctx, rdb, r.keys(s), mode, ms(c.KnownFor), counted).Err()
	})
	if err != nil {
		return fmt.Errorf("take an attempt back in Redis: %w", err)
	}
	return nil
}

// ms is a duration in whole milliseconds, at least one, for Redis refuses to keep
// something for none.
func ms(d time.Duration) int64 { return max(1, d.Milliseconds()) }
