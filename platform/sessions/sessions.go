// Package sessions keeps who is signed in, in Redis, by scs. It owns the session's token
// and its cookie, how long a session lasts, and an account's list of sessions; it knows
// nothing of accounts but their IDs.
//
// While Redis is away nobody is signed out: every call answers that sessions are not to be
// had for the moment (503), and cookies stay. A Redis that was wiped signs everybody out,
// and does nothing else.
package sessions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
)

// CookieName is the cookie that carries a session's token. Browsers take a cookie of this
// prefix only if it is secure, for this host alone and for all its paths.
const CookieName = "__Host-stoa_session"

// Config says how long sessions last. Zero values mean the usual.
type Config struct {
	Idle          time.Duration // without a request; 12 hours
	Lifetime      time.Duration // in all; 14 days
	SeenEvery     time.Duration // how exactly LastSeen is kept; a minute
	MaxPerAccount int           // beyond it the oldest end; 100
}

// Session is one sign-in of an account.
type Session struct {
	ID        string // ses_…, may be shown; it opens nothing
	AccountID string
	// Stamp is what the account's credentials were when it signed in, as the caller of
	// SignIn said. A session whose stamp is not the account's any more must not be
	// honoured: so a change of password ends sessions even if Redis could not be told.
	Stamp     string
	IP        string
	UserAgent string
	CreatedAt time.Time
	LastSeen  time.Time
	ExpiresAt time.Time // at the latest; earlier when idle
}

// Meta is what a sign-in tells of itself.
type Meta struct {
	Stamp     string
	IP        string
	UserAgent string
}

// Manager signs in and out. It is safe for use by many goroutines.
type Manager struct {
	scs    *scs.SessionManager
	store  *store
	config Config
}

// New makes a manager. It does not wait for Redis.
func New(client *redis.Client, config Config) *Manager {
	if config.Idle == 0 {
		config.Idle = 12 * time.Hour
	}
	if config.Lifetime == 0 {
		config.Lifetime = 14 * 24 * time.Hour
	}
	if config.SeenEvery == 0 {
		config.SeenEvery = time.Minute
	}
	if config.MaxPerAccount == 0 {
		config.MaxPerAccount = 100
	}
	s := &store{client: client, list: config.Lifetime + time.Hour, maxPerAccount: config.MaxPerAccount}
	manager := scs.New()
	manager.Store = s
	manager.Codec = codec{}
	manager.IdleTimeout = config.Idle
	manager.Lifetime = config.Lifetime
	manager.HashTokenInStore = true
	return &Manager{scs: manager, store: s, config: config}
}

// SignIn opens a session for an account, with a new token; the session that the browser
// came with, if any, ends. The token is the cookie's value and is told to nobody else.
func (m *Manager) SignIn(ctx context.Context, oldToken, accountID string, meta Meta) (Session, string, error) {
	if oldToken != "" {
		if err := m.SignOut(ctx, oldToken); err != nil {
			return Session{}, "", err
		}
	}
	now := clock.Now()
	s := Session{
		ID: ids.New("ses"), AccountID: accountID, Stamp: meta.Stamp, IP: meta.IP, UserAgent: shorten(meta.UserAgent, 512),
		CreatedAt: now, LastSeen: now,
	}
	ctx = context.WithValue(ctx, committingKey{}, committing{accountID: accountID, id: s.ID})
	data, err := m.scs.Load(ctx, "")
	if err == nil {
		err = m.scs.RenewToken(data)
	}
	if err != nil {
		return Session{}, "", m.fault(ctx, "sign in", err)
	}
	m.put(data, s)
	token, _, err := m.scs.Commit(data)
	if err != nil {
		return Session{}, "", m.fault(ctx, "sign in", err)
	}
	s.ExpiresAt = m.scs.Deadline(data).UTC().Truncate(time.Microsecond)
	return s, token, nil
}

// Resolve finds the session of a token and takes note that it was seen. It is the problem
// invalid_session when there is none, sessions_unavailable when nobody can tell.
func (m *Manager) Resolve(ctx context.Context, token string) (Session, error) {
	s, data, err := m.load(ctx, token)
	if err != nil {
		return Session{}, err
	}
	if time.Since(s.LastSeen) < m.config.SeenEvery {
		return s, nil
	}
	s.LastSeen = clock.Now()
	data = context.WithValue(data, committingKey{}, committing{accountID: s.AccountID, id: s.ID, seen: true})
	m.put(data, s)
	if _, _, err := m.scs.Commit(data); errors.Is(err, errEnded) {
		return Session{}, invalid()
	}
	// Any other error costs only the note: the session itself was found.
	return s, nil
}

// load finds the session of a token, and scs' context of it.
func (m *Manager) load(ctx context.Context, token string) (Session, context.Context, error) {
	if len(token) != 43 { // 32 bytes in base64, as scs makes them
		return Session{}, nil, invalid()
	}
	data, err := m.scs.Load(ctx, token)
	if err != nil {
		return Session{}, nil, m.fault(ctx, "find a session", err)
	}
	if m.scs.Token(data) == "" { // scs begins a new one when it finds none
		return Session{}, nil, invalid()
	}
	s := m.session(data)
	// Redis' own clock lets sessions run out as well, but need not be right.
	if s.ID == "" || time.Since(s.LastSeen) > m.config.Idle || time.Now().After(s.ExpiresAt) {
		return Session{}, nil, invalid()
	}
	return s, data, nil
}

// SignOut ends the session of a token. One that is no more is no error.
func (m *Manager) SignOut(ctx context.Context, token string) error {
	s, _, err := m.load(ctx, token)
	if problem.Is(err, "invalid_session") {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := m.store.revoke(ctx, s.AccountID, "one", s.ID); err != nil {
		return m.fault(ctx, "sign out", err)
	}
	return nil
}

// List is an account's sessions, the newest first.
func (m *Manager) List(ctx context.Context, accountID string) ([]Session, error) {
	found, err := m.store.listOf(ctx, accountID)
	if err != nil {
		return nil, m.fault(ctx, "list sessions", err)
	}
	sessions := []Session{}
	for _, data := range found {
		deadline, values, err := codec{}.Decode(data)
		if err != nil {
			return nil, err
		}
		get := func(name string) string { text, _ := values[name].(string); return text }
		sessions = append(sessions, read(get, deadline))
	}
	slices.SortFunc(sessions, func(a, b Session) int { return strings.Compare(b.ID, a.ID) })
	return sessions, nil
}

// Revoke ends one session of an account by its public ID, wherever it is used.
func (m *Manager) Revoke(ctx context.Context, accountID, id string) error {
	ended, err := m.store.revoke(ctx, accountID, "one", id)
	if err != nil {
		return m.fault(ctx, "revoke a session", err)
	}
	if ended == 0 {
		return problem.Missing("session")
	}
	return nil
}

// RevokeOthers ends all sessions of an account but the one with this public ID; all of
// them when it is empty.
func (m *Manager) RevokeOthers(ctx context.Context, accountID, exceptID string) error {
	if _, err := m.store.revoke(ctx, accountID, "others", exceptID); err != nil {
		return m.fault(ctx, "revoke sessions", err)
	}
	return nil
}

// Cookie is the cookie that carries a token until the session's end at the latest.
func Cookie(token string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: CookieName, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Expires: expires, MaxAge: max(1, int(time.Until(expires).Seconds())),
	}
}

// NoCookie makes a browser forget the cookie. It is for signing out, and never for an
// answer that sessions are unavailable.
func NoCookie() *http.Cookie {
	return &http.Cookie{Name: CookieName, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: time.Unix(1, 0), MaxAge: -1}
}

// fault turns what went wrong into what is answered: nobody is told to be signed out
// because Redis cannot be asked.
func (m *Manager) fault(ctx context.Context, doing string, err error) error {
	if ctx.Err() == nil && errors.Is(err, redis.ErrUnavailable) {
		p := problem.New(problem.Unavailable, "sessions_unavailable", "Sessions can't be looked up for the moment. Keep the cookie and ask again.").Because(fmt.Errorf("%s: %w", doing, err))
		p.RetryAfter = 2 * time.Second
		return p
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func invalid() error {
	return problem.New(problem.Unauthenticated, "invalid_session", "There is no such session, or it has ended. Sign in again.")
}

// put writes a session into scs' context.
func (m *Manager) put(data context.Context, s Session) {
	for name, value := range map[string]string{
		"id": s.ID, "account": s.AccountID, "stamp": s.Stamp, "ip": s.IP, "user_agent": s.UserAgent,
		"created": s.CreatedAt.Format(time.RFC3339Nano), "seen": s.LastSeen.Format(time.RFC3339Nano),
	} {
		m.scs.Put(data, name, value)
	}
}

// session reads a session from scs' context.
func (m *Manager) session(data context.Context) Session {
	return read(func(name string) string { return m.scs.GetString(data, name) }, m.scs.Deadline(data))
}

func read(get func(string) string, deadline time.Time) Session {
	created, _ := time.Parse(time.RFC3339Nano, get("created")) // written by put
	seen, _ := time.Parse(time.RFC3339Nano, get("seen"))
	return Session{
		ID: get("id"), AccountID: get("account"), Stamp: get("stamp"), IP: get("ip"), UserAgent: get("user_agent"),
		CreatedAt: created, LastSeen: seen, ExpiresAt: deadline.UTC().Truncate(time.Microsecond),
	}
}

// shorten cuts text to at most n bytes of valid UTF-8.
func shorten(text string, n int) string {
	return strings.ToValidUTF8(text[:min(n, len(text))], "")
}
