package passwords

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/semaphore"
)

// DefaultCost takes a tenth to a fifth of a second of a core, which leaves a sign-up
// within its 400 ms. Passwords are long here, which counts for more than the cost.
const DefaultCost = 11

const (
	minCost = bcrypt.MinCost // for tests
	maxCost = 16             // four seconds: more would be a way to stop the platform
)

// scheme is before every hash: version 1 is bcrypt over the base64 of HMAC-SHA-256,
// keyed with a constant. bcrypt would ignore all after 72 bytes and stop at a zero byte;
// of the digest's 43 characters it takes all. The constant makes the digest one that
// occurs nowhere else, so that digests stolen elsewhere cannot be tried here.
const scheme = "v1"

// digestKey is no secret.
var digestKey = []byte("stoa password v1")

// ErrBadHash is what a stored hash is that this package did not make.
var ErrBadHash = errors.New("not a password hash")

// Hasher hashes passwords, at most one a core at a time. It is safe for concurrent use.
type Hasher struct {
	cost  int
	slots *semaphore.Weighted
	dummy string
}

// NewHasher makes a hasher of a bcrypt cost. Each step of the cost doubles the time.
func NewHasher(cost int) (*Hasher, error) {
	if cost < minCost || cost > maxCost {
		return nil, fmt.Errorf("password hashing cost %d is not between %d and %d", cost, minCost, maxCost)
	}
	h := &Hasher{cost: cost, slots: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
	var err error
	if h.dummy, err = h.Hash(context.Background(), rand.Text()); err != nil {
		return nil, err
	}
	return h, nil
}

// Cost is the cost of new hashes.
func (h *Hasher) Cost() int { return h.cost }

// Hash makes the hash of a password. It judges nothing: see Validate. It waits for its
// turn as long as ctx allows.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var sum []byte
	err := h.inTurn(ctx, func() (err error) {
		sum, err = bcrypt.GenerateFromPassword(digest(password), h.cost)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return scheme + string(sum), nil
}

// Verify says whether password is the one that was hashed and, if so, whether it should
// be hashed anew because the cost or the scheme has changed since. An error means that
// no answer was found: the turn did not come in time, or the hash is none.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, needsRehash bool, err error) {
	sum, found := strings.CutPrefix(hash, scheme)
	cost, err := bcrypt.Cost([]byte(sum))
	if !found || err != nil {
		return false, false, ErrBadHash
	}
	err = h.inTurn(ctx, func() error { return bcrypt.CompareHashAndPassword([]byte(sum), digest(password)) })
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	return true, cost != h.cost, nil
}

// DummyVerify takes as long as Verify does with a hash of the present cost, and tells
// nothing. Call it where there is no account, so that its absence cannot be timed.
func (h *Hasher) DummyVerify(ctx context.Context, password string) error {
	_, _, err := h.Verify(ctx, h.dummy, password)
	return err
}

// inTurn runs f once a core is free for it.
func (h *Hasher) inTurn(ctx context.Context, f func() error) error {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for a free core: %w", err)
	}
	defer h.slots.Release(1)
	return f()
}

// digest is what bcrypt gets to hash: 43 characters, whatever the password.
func digest(password string) []byte {
	m := hmac.New(sha256.New, digestKey)
	m.Write([]byte(normalize(password)))
	return []byte(base64.RawStdEncoding.EncodeToString(m.Sum(nil)))
}
