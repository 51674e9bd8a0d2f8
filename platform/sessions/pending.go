package sessions

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // for attempt.lua
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// pendingFor is how long a second factor may be outstanding.
	pendingFor = 5 * time.Minute
	// pendingAttempts is how many codes may be tried before the password is asked again.
	pendingAttempts = 5
)

//go:embed attempt.lua
var attemptText string

var attemptScript = goredis.NewScript(attemptText)

// Pending is a sign-in whose password was right and whose second factor is outstanding.
type Pending struct {
	AccountID string `json:"account"`
	Stamp     string `json:"stamp"` // as in Session
}

// Begin remembers that the password was right, for five minutes and five attempts. The
// token is for the one who gave it, and is no session.
func (m *Manager) Begin(ctx context.Context, p Pending) (token string, err error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("begin a second factor: %w", err)
	}
	token = rand.Text()
	key := m.pendingKey(token)
	err = m.store.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		_, err := rdb.TxPipelined(ctx, func(tx goredis.Pipeliner) error {
			tx.HSet(ctx, key, "data", data)
			tx.PExpire(ctx, key, pendingFor)
			return nil
		})
		return err
	})
	if err != nil {
		return "", m.fault(ctx, "begin a second factor", err)
	}
	return token, nil
}

// Attempt opens what is outstanding for one attempt at the second factor, right or wrong.
// It is the problem invalid_session when nothing is, or not any more.
func (m *Manager) Attempt(ctx context.Context, token string) (Pending, error) {
	var data string
	err := m.store.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
		data, err = attemptScript.Run(ctx, rdb, []string{m.pendingKey(token)}, pendingAttempts).Text()
		return err
	})
	if errors.Is(err, goredis.Nil) {
		return Pending{}, invalid()
	}
	if err != nil {
		return Pending{}, m.fault(ctx, "attempt a second factor", err)
	}
	var p Pending
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return Pending{}, fmt.Errorf("attempt a second factor: %w", err)
	}
	return p, nil
}

// Finish ends what was outstanding, before the session of a right second factor is opened.
func (m *Manager) Finish(ctx context.Context, token string) error {
	err := m.store.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Del(ctx, m.pendingKey(token)).Err()
	})
	if err != nil {
		return m.fault(ctx, "finish a second factor", err)
	}
	return nil
}

// pendingKey holds a hash of the token, so that who reads Redis cannot go on with it.
func (m *Manager) pendingKey(token string) string {
	hash := sha256.Sum256([]byte(token))
	return m.store.client.Key("second-factor", base64.RawURLEncoding.EncodeToString(hash[:]))
}
