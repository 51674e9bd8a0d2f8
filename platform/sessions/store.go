package sessions

import (
	"context"
	_ "embed" // for the scripts
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
)

//go:embed commit.lua
var commitText string

//go:embed revoke.lua
var revokeText string

var (
	commitScript = goredis.NewScript(commitText)
	revokeScript = goredis.NewScript(revokeText)
)

// errEnded says that a session was revoked or ran out while a request was using it.
var errEnded = errors.New("the session has ended")

// store keeps scs' sessions in Redis: goredisstore's, within the bounds of our client, and
// with a commit that keeps the account's list as well and revives nothing. The tokens
// that it gets are hashed already.
type store struct {
	client        *redis.Client
	list          time.Duration // how long an account's list is kept
	maxPerAccount int
}

var _ scs.CtxStore = (*store)(nil)

// committing is what CommitCtx must know beyond the session's data; it comes in the
// context of one scs call, for scs has no other way.
type committing struct {
	accountID, id string
	seen          bool // the session exists, and must still
}

type committingKey struct{}

func (s *store) prefix() string { return s.client.Key("session", "") }

func (s *store) listKey(accountID string) string { return s.client.Key("sessions-of", accountID) }

// FindCtx finds a session's data by its hash.
func (s *store) FindCtx(ctx context.Context, hash string) (data []byte, found bool, err error) {
	err = s.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		data, found, err = goredisstore.NewWithPrefix(rdb, s.prefix()).FindCtx(ctx, hash)
		return err
	})
	return data, found, err
}

// DeleteCtx deletes a session by its hash.
func (s *store) DeleteCtx(ctx context.Context, hash string) error {
	return s.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return goredisstore.NewWithPrefix(rdb, s.prefix()).DeleteCtx(ctx, hash)
	})
}

// CommitCtx writes a session and its place in its account's list.
func (s *store) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	c, ok := ctx.Value(committingKey{}).(committing)
	if !ok {
		return errors.New("commit a session: nobody said whose")
	}
	mode := "new"
	if c.seen {
		mode = "seen"
	}
	life := time.Until(expiry).Milliseconds()
	if life <= 0 {
		return errEnded
	}
	var written int
	err := s.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
		written, err = commitScript.Run(ctx, rdb, []string{s.prefix() + hash, s.listKey(c.accountID)},
			mode, data, life, c.id, hash, s.list.Milliseconds(), s.prefix(), s.maxPerAccount).Int()
		return err
	})
	if err == nil && written == 0 {
		return errEnded
	}
	return err
}

// revoke ends one session of an account, or all others.
func (s *store) revoke(ctx context.Context, accountID, which, id string) (ended int, err error) {
	err = s.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		ended, err = revokeScript.Run(ctx, rdb, []string{s.listKey(accountID)}, which, id, s.prefix()).Int()
		return err
	})
	return ended, err
}

// list is the data of an account's sessions, by public ID. Places of sessions that ran
// out are given up.
func (s *store) listOf(ctx context.Context, accountID string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := s.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		hashes, err := rdb.HGetAll(ctx, s.listKey(accountID)).Result()
		if err != nil || len(hashes) == 0 {
			return err
		}
		var ids, keys []string
		for id, hash := range hashes {
			ids, keys = append(ids, id), append(keys, s.prefix()+hash)
		}
		values, err := rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return err
		}
		var gone []string
		for i, value := range values {
			if data, ok := value.(string); ok {
				found[ids[i]] = []byte(data)
			} else {
				gone = append(gone, ids[i])
			}
		}
		if len(gone) > 0 {
			return rdb.HDel(ctx, s.listKey(accountID), gone...).Err()
		}
		return nil
	})
	return found, err
}

// Find, Commit and Delete are there for scs.Store; scs calls those with a context.

// Find is FindCtx without a context.
func (s *store) Find(hash string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), hash)
}

// Commit is CommitCtx without a context.
func (s *store) Commit(hash string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), hash, data, expiry)
}

// Delete is DeleteCtx without a context.
func (s *store) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }

// codec writes sessions as JSON. All our values are text.
type codec struct{}

type encoded struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode writes a session.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	e := encoded{deadline, map[string]string{}}
	for name, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("session value %s is a %T, not text", name, value)
		}
		e.Values[name] = text
	}
	return json.Marshal(e)
}

// Decode reads a session.
func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var e encoded
	if err := json.Unmarshal(data, &e); err != nil {
		return time.Time{}, nil, fmt.Errorf("read a session: %w", err)
	}
	values := map[string]any{}
	for name, text := range e.Values {
		values[name] = text
	}
	return e.Deadline, values, nil
}
