package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
)

// Bounds of what a process puts into Redis, which holds other things too and must never be
// full: with the life of things they bound how much of it there is at any time.
const (
	sharedAtMost    = 256 << 10 // bytes of one thing
	sharedPerSecond = 2 << 20   // bytes that a process puts there
)

// Shared keeps things for all replicas in Redis: what one of them has made, the others need
// not. A thing is found under its whole key, which is compared, and no longer than whoever made
// it would keep it. Without Redis nothing is found and nothing kept.
type Shared struct {
	client *redis.Client
	name   string
	now    func() time.Time

	mu     sync.Mutex
	second int64
	put    int
}

// NewShared makes room for things by a name in Redis.
func NewShared(client *redis.Client, name string) *Shared {
	return &Shared{client: client, name: name, now: time.Now}
}

// place is where the thing under a key is. Keys hold what people look for, and are long.
func (s *Shared) place(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.client.Key("cache", s.name, hex.EncodeToString(sum[:16]))
}

// get is what is kept under a key, and until when. A thing begins with both, and with its own digest.
func (s *Shared) get(ctx context.Context, key string) (thing []byte, until time.Time, ok bool) {
	var raw []byte
	err := s.client.Quick(ctx, func(ctx context.Context, r *goredis.Client) (err error) {
		raw, err = r.Get(ctx, s.place(key)).Bytes()
		return err
	})
	const head = 8 + sha256.Size
	if err != nil || len(raw) < head {
		return nil, until, false
	}
	until = time.UnixMilli(int64(binary.BigEndian.Uint64(raw)))
	thing, ok = bytes.CutPrefix(raw[head:], append([]byte(key), 0))
	sum := digest(raw[:8], raw[head:])
	return thing, until, ok && bytes.Equal(sum, raw[8:head]) && s.now().Before(until)
}

// set keeps a thing. What there is no room for is not kept.
func (s *Shared) set(ctx context.Context, key string, thing []byte, until time.Time) {
	life := until.Sub(s.now())
	if life < time.Second || !s.room(len(key)+len(thing)) {
		return
	}
	at := binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli()))
	rest := append(append([]byte(key), 0), thing...)
	raw := append(append(bytes.Clone(at), digest(at, rest)...), rest...)
	//nolint:errcheck // unkept it is made again
	_ = s.client.Quick(ctx, func(ctx context.Context, r *goredis.Client) error {
		return r.Set(ctx, s.place(key), raw, life).Err()
	})
}

func (s *Shared) room(size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now().Unix(); now != s.second {
		s.second, s.put = now, 0
	}
	if size > sharedAtMost || s.put+size > sharedPerSecond {
		return false
	}
	s.put += size
	return true
}

func digest(parts ...[]byte) []byte {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(part)
	}
	return sum.Sum(nil)
}
