// Package guard slows down the guessing of passwords and codes. It owns how often an
// account may be tried from where; it knows nothing of passwords.
//
// Three things are counted, in Redis, or within the process while Redis is away:
//
//   - The pair of account and address: after a few free tries each next one waits twice
//     as long as the one before.
//   - The address: failures over all accounts, against those who try one password on many.
//   - The account: failures from addresses that it never signed in from. Beyond a threshold
//     the account counts as under attack, and each stranger has fewer tries and longer
//     waits.
//
// No account is ever locked. The counts of others only shorten what a stranger may try,
// never to nothing: who comes from a new address has their free tries in the midst of an
// attack. And who comes from an address that the account has signed in from does not
// notice the attack at all; for them counts the pair alone, with waits of a minute at most.
package guard

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
)

// Pace is how a pair of account and address is slowed down.
type Pace struct {
	Free    int           // tries without a wait
	First   time.Duration // the wait after them, doubled with each try
	Longest time.Duration
}

// Config says how much may be tried. Usual gives sensible values.
type Config struct {
	Stranger Pace // from an address unknown to the account
	Known    Pace // from an address that the account signed in from
	Attacked Pace // from an unknown address, while the account is under attack
	// AddressLimit is how many failures an address may have within AddressWindow.
	AddressLimit  int
	AddressWindow time.Duration
	// AttackedFrom is beyond how many failures by strangers within AttackWindow an account
	// is under attack, until the window ends.
	AttackedFrom int
	AttackWindow time.Duration
	// PairKept is how long tries of a pair are remembered, KnownFor how long an address.
	PairKept, KnownFor time.Duration
	// AlarmEvery is how often an attack on an account is told at most.
	AlarmEvery time.Duration
}

// Usual is the configuration for passwords and authenticators' codes.
func Usual() Config {
	return Config{
		Stranger:     Pace{5, time.Second, 15 * time.Minute},
		Known:        Pace{10, time.Second, time.Minute},
		Attacked:     Pace{2, time.Minute, time.Hour},
		AddressLimit: 30, AddressWindow: 10 * time.Minute,
		AttackedFrom: 30, AttackWindow: time.Hour,
		PairKept: 24 * time.Hour, KnownFor: 90 * 24 * time.Hour,
		AlarmEvery: 24 * time.Hour,
	}
}

// Guard counts attempts. It is safe for use by many goroutines.
type Guard struct {
	redis  *redisStore
	local  *localStore
	config Config
	log    *slog.Logger
	now    func() time.Time
}

// New makes a guard. It does not wait for Redis.
func New(client *redis.Client, config Config, log *slog.Logger) *Guard {
	return &Guard{redis: &redisStore{client}, local: newLocalStore(), config: config, log: log, now: time.Now}
}

// store is where is counted.
type store interface {
	begin(ctx context.Context, s subject, now time.Time, c Config) (verdict, error)
	end(ctx context.Context, s subject, stranger, trust bool, c Config) error
}

// subject is what an attempt is counted for, by names for keys.
type subject struct{ pair, known, address, account, alarm string }

// verdict is a store's answer.
type verdict struct {
	wait                   time.Duration // zero when admitted
	attacked, alarm, known bool
}

// Attempt is one admitted attempt. It counts as failed unless it is told otherwise.
type Attempt struct {
	// UnderAttack says that many strangers try this account.
	UnderAttack bool
	// Alarm is UnderAttack for the first time in a day, to tell the account's owner.
	Alarm bool

	guard   *Guard
	store   store
	subject subject
	known   bool
}

// Begin admits or refuses an attempt on an account from an address, before anything is
// compared. account is what was given as its name, an e-mail for instance, whether
// there is such an account or not. A refusal is the problem rate_limited.
func (g *Guard) Begin(ctx context.Context, account, address string) (*Attempt, error) {
	now := g.now()
	s := g.subject(account, address, now)
	var from store = g.redis
	v, err := from.begin(ctx, s, now, g.config)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("begin an attempt: %w", ctx.Err())
		}
		if !errors.Is(err, redis.ErrUnavailable) {
			g.log.ErrorContext(ctx, "sign-ins are guarded within this process", "error", err)
		}
		from = g.local
		v, _ = from.begin(ctx, s, now, g.config) // cannot fail
	}
	if v.wait > 0 {
		return nil, refusal(v.wait)
	}
	return &Attempt{UnderAttack: v.attacked, Alarm: v.alarm, guard: g, store: from, subject: s, known: v.known}, nil
}

// Succeeded takes the attempt back, forgets the failures before it, and makes the address
// known to the account. It is for a sign-in that is complete, second factor included.
func (a *Attempt) Succeeded(ctx context.Context) { a.end(ctx, true) }

// Forgive takes the attempt back and changes nothing else: for a right password whose
// second factor is outstanding, or an attempt that could not be judged.
func (a *Attempt) Forgive(ctx context.Context) { a.end(ctx, false) }

func (a *Attempt) end(ctx context.Context, trust bool) {
	// That the caller has gone is no reason to count a success as a failure.
	err := a.store.end(context.WithoutCancel(ctx), a.subject, !a.known, trust, a.guard.config)
	if err != nil {
		a.guard.log.WarnContext(ctx, "a sign-in stays counted as failed", "error", err)
	}
}

// Trust makes an address known to an account by other proof than a sign-in, such as a
// link from a mail to its owner.
func (g *Guard) Trust(ctx context.Context, account, address string) {
	a := Attempt{guard: g, store: g.redis, subject: g.subject(account, address, g.now()), known: true}
	a.Succeeded(ctx)
}

// subject names what is counted. Accounts are hashed, for names may be people's addresses
// and of any length. Windows begin at full multiples, by this process' clock.
func (g *Guard) subject(account, address string, now time.Time) subject {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(account))))
	hash := base64.RawURLEncoding.EncodeToString(sum[:16])
	address = limits.Address(address)
	window := func(d time.Duration) string { return fmt.Sprint(now.UnixNano() / int64(d)) }
	return subject{
		pair:    "pair:" + hash + ":" + address,
		known:   "known:" + hash + ":" + address,
		address: "address:" + address + ":" + window(g.config.AddressWindow),
		account: "account:" + hash + ":" + window(g.config.AttackWindow),
		alarm:   "alarm:" + hash,
	}
}

// rest is the time to the end of the window that now lies in.
func rest(now time.Time, window time.Duration) time.Duration {
	return window - time.Duration(now.UnixNano()%int64(window))
}

func refusal(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	p := problem.New(problem.Limited, "rate_limited", "Too many failed attempts. Try again in %d s.", seconds).
		With("violated-policies", []string{"sign-in"})
	p.Type = limits.QuotaExceeded
	p.RetryAfter = time.Duration(seconds) * time.Second
	return p
}
