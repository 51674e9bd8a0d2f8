package sessions

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	goredis "github.com/redis/go-redis/v9"
)

// Challenge keeps what a browser was asked to sign until it answers, for as long as a second
// factor may be outstanding. The token is for whoever was asked.
func (m *Manager) Challenge(ctx context.Context, asked []byte) (token string, err error) {
	token = rand.Text()
	err = m.store.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Set(ctx, m.challengeKey(token), asked, pendingFor).Err()
	})
	if err != nil {
		return "", m.fault(ctx, "keep a challenge", err)
	}
	return token, nil
}

// Answered gives what the browser with this token was asked, once. It is the problem
// invalid_session when that was long ago, or answered before.
func (m *Manager) Answered(ctx context.Context, token string) (asked []byte, err error) {
	err = m.store.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
		asked, err = rdb.GetDel(ctx, m.challengeKey(token)).Bytes()
		return err
	})
	if errors.Is(err, goredis.Nil) {
		return nil, invalid()
	}
	if err != nil {
		return nil, m.fault(ctx, "take a challenge", err)
	}
	return asked, nil
}

// challengeKey holds a hash of the token, so that who reads Redis cannot go on with it.
func (m *Manager) challengeKey(token string) string {
	hash := sha256.Sum256([]byte(token))
	return m.store.client.Key("challenge", base64.RawURLEncoding.EncodeToString(hash[:]))
}
