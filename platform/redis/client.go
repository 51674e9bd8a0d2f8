// Package redis is the way to Redis: one client whose calls are bounded and give up at
// once while Redis is known to be away (Client), a channel on which replicas tell each
// other what to forget and prove that it works (Bus), and a memory that trusts what it
// holds only as far as that channel is proven (Memory).
//
// Redis holds nothing that must not be lost: limits, sessions, hints. Everything here
// therefore starts and goes on while Redis is down, and callers say what that means
// for them.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/stoacommerce/stoa/observability"
)

// ErrUnavailable is what every error wraps that comes from Redis being away, frozen or
// unable to serve, as against an error in what was asked.
var ErrUnavailable = errors.New("redis is unavailable")

// Config says where Redis is and how long it may take.
type Config struct {
	// URL is redis://, rediss:// or unix://, as go-redis reads it.
	URL string
	// Prefix begins every key and channel, so that several installations can share a Redis.
	Prefix string
	// Quick bounds a call that stands in the way of every request; 40 ms when zero, so
	// that with what comes after it an answer is there within 50 ms.
	Quick time.Duration
	// Patient bounds a call that a request cannot do without; a second when zero.
	Patient time.Duration
	// PoolSize is the number of connections; ten a core when zero.
	PoolSize int
	// Log receives the changes of health; the default logger when nil.
	Log *slog.Logger
	// OnHealth is told each change of health, when not nil. It must return quickly.
	OnHealth func(up bool)
}

// Validate reports all faults at once.
func (c Config) Validate() error {
	var faults []error
	if _, err := goredis.ParseURL(c.URL); err != nil {
		// ParseURL's own text can hold the password, so it is not passed on.
		faults = append(faults, errors.New("redis URL: not of the form redis://[user:password@]host:port/db, rediss://… or unix:///path"))
	}
	if strings.ContainsAny(c.Prefix, " \t\n*?[]") {
		faults = append(faults, fmt.Errorf("redis prefix %q: blanks and wildcards are not allowed", c.Prefix))
	}
	if c.Quick < 0 || c.Patient < 0 || c.PoolSize < 0 {
		faults = append(faults, errors.New("redis bounds: must not be negative"))
	}
	return errors.Join(faults...)
}

// Client is a bounded way to one Redis. It is safe for use by many goroutines.
type Client struct {
	rdb    *goredis.Client
	bus    *goredis.Client // of its own, so that a full pool never silences the bus
	config Config
	health health
	close  sync.Once
}

// Open makes a client. It does not wait for Redis; an error means a faulty configuration.
func Open(config Config) (*Client, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Quick == 0 {
		config.Quick = 40 * time.Millisecond
	}
	if config.Patient == 0 {
		config.Patient = time.Second
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	c := &Client{
		rdb:    goredis.NewClient(config.options(config.PoolSize)),
		bus:    goredis.NewClient(config.options(4)),
		config: config,
	}
	c.health.start(c)
	return c, nil
}

// options are go-redis' for a pool of this size. The context bounds every call; the
// time-outs here are the outermost ones, for dialling and shaking hands.
func (c Config) options(poolSize int) *goredis.Options {
	o, err := goredis.ParseURL(c.URL)
	if err != nil {
		panic(err) // validated before
	}
	longest := max(c.Quick, c.Patient)
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = longest, longest, longest, longest
	o.DialerRetries = 1
	o.MaxRetries = -1 // a second try would not fit the bound, and counting twice is worse than not
	o.PoolSize = poolSize
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o
}

// Key is a name in Redis: the prefix and the parts joined by colons.
func (c *Client) Key(parts ...string) string {
	return c.config.Prefix + strings.Join(parts, ":")
}

// Quick runs fn bounded for what stands in the way of every request.
func (c *Client) Quick(ctx context.Context, fn func(context.Context, *goredis.Client) error) error {
	return c.do(ctx, c.config.Quick, false, fn)
}

// Patient runs fn bounded for what a request cannot do without.
func (c *Client) Patient(ctx context.Context, fn func(context.Context, *goredis.Client) error) error {
	return c.do(ctx, c.config.Patient, true, fn)
}

// do runs fn within bound, unless Redis is taken to be away, or with patience is known to be,
// and learns from its error.
func (c *Client) do(ctx context.Context, bound time.Duration, patiently bool, fn func(context.Context, *goredis.Client) error) error {
	if err := c.health.err(patiently); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	bounded, span := observability.StartCall(bounded, "redis")
	err := fn(bounded, c.rdb)
	if err == nil || ctx.Err() != nil || !away(err) {
		observability.EndSpan(span, nil)
		return err // the caller gave up, or asked something wrong: that says nothing about Redis
	}
	observability.EndSpan(span, err)
	c.health.lost(err)
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// Healthy says whether Redis is taken to be there.
func (c *Client) Healthy() bool { return c.health.err(false) == nil }

// Ping asks Redis itself, whatever is known of its health.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Patient)
	defer cancel()
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w: %w", ErrUnavailable, err)
	}
	return nil
}

// Stats are the pool's figures, for metrics.
func (c *Client) Stats() observability.PoolStats {
	s := c.rdb.PoolStats()
	return observability.PoolStats{
		Max: c.rdb.Options().PoolSize, InUse: int(s.TotalConns) - int(s.IdleConns), Idle: int(s.IdleConns),
		Waits: int64(s.WaitCount), Wait: time.Duration(s.WaitDurationNs),
	}
}

// Close ends all connections. Calls after it fail with ErrUnavailable.
func (c *Client) Close() error {
	var err error
	c.close.Do(func() {
		c.health.stop()
		err = errors.Join(c.rdb.Close(), c.bus.Close())
	})
	return err
}

// away says whether err means that Redis cannot serve, rather than that the command was
// wrong or found nothing.
func away(err error) bool {
	if errors.Is(err, goredis.Nil) {
		return false
	}
	var reply goredis.Error
	if !errors.As(err, &reply) {
		return true // no reply at all: refused, reset, too slow, pool exhausted
	}
	for _, state := range []string{"LOADING", "READONLY", "MASTERDOWN", "MISCONF", "OOM", "BUSY", "NOREPLICAS", "CLUSTERDOWN", "NOAUTH", "WRONGPASS", "ERR max number of clients"} {
		if strings.HasPrefix(reply.Error(), state) {
			return true
		}
	}
	return false
}

// go-redis' own log is turned off before there is any client: it repeats for each connection
// what health tells once.
func init() { goredis.SetLogger(silence{}) }

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
