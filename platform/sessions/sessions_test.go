package sessions

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

var browser = Meta{Stamp: "v1", IP: "203.0.113.7", UserAgent: "Mozilla/5.0"}

func signIn(t *testing.T, m *Manager, accountID string) (Session, string) {
	t.Helper()
	s, token, err := m.SignIn(t.Context(), "", accountID, browser)
	if err != nil {
		t.Fatal(err)
	}
	return s, token
}

// expect resolves a token and checks what comes of it: a session's ID, or a problem's code.
func expect(t *testing.T, m *Manager, token, want string) {
	t.Helper()
	s, err := m.Resolve(t.Context(), token)
	got := s.ID
	if p := problem.As(err); p != nil {
		got = p.Code
	} else if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("resolved to %q, not %q", got, want)
	}
}

func TestSignInAndOut(t *testing.T) {
	for name, client := range map[string]*redis.Client{
		"redis":     redistest.Client(t),
		"miniredis": redistest.Open(t, "redis://"+miniredis.RunT(t).Addr(), 5*time.Second, 5*time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			m, account := New(client, Config{}), ids.New("acc")
			opened, token := signIn(t, m, account)
			s, err := m.Resolve(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			opened.ExpiresAt = opened.ExpiresAt.UTC().Truncate(time.Microsecond)
			if s != opened {
				t.Errorf("resolved %+v\nopened   %+v", s, opened)
			}
			if !ids.Valid("ses", s.ID) || s.AccountID != account || s.Stamp != "v1" || s.IP != browser.IP || s.UserAgent != browser.UserAgent ||
				time.Since(s.CreatedAt) > time.Minute || time.Until(s.ExpiresAt) < 13*24*time.Hour {
				t.Errorf("session %+v", s)
			}
			if err := m.SignOut(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			expect(t, m, token, "invalid_session")
			if err := m.SignOut(t.Context(), token); err != nil {
				t.Errorf("out a second time: %v", err)
			}
			for _, wrong := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 100_000), s.ID} {
				expect(t, m, wrong, "invalid_session")
			}
		})
	}
}

// TestTokenIsRenewed holds that signing in over a session ends it, whoever's it was.
func TestTokenIsRenewed(t *testing.T) {
	m := New(redistest.Client(t), Config{})
	_, old := signIn(t, m, "acc_1")
	s, token, err := m.SignIn(t.Context(), old, "acc_2", browser)
	if err != nil || token == old {
		t.Fatalf("token %v, %v", token == old, err)
	}
	expect(t, m, old, "invalid_session")
	expect(t, m, token, s.ID)
	if left, err := m.List(t.Context(), "acc_1"); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
	if _, _, err := m.SignIn(t.Context(), "planted-by-someone", "acc_3", browser); err != nil {
		t.Errorf("over a token that is none: %v", err)
	}
}

func TestNothingInRedisOpens(t *testing.T) {
	client := redistest.Client(t)
	m := New(client, Config{})
	_, token := signIn(t, m, "acc_1")
	pending, err := m.Begin(t.Context(), Pending{AccountID: "acc_1"})
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		keys := rdb.Keys(ctx, client.Key("*")).Val()
		if len(keys) != 3 {
			t.Errorf("keys %q", keys)
		}
		for _, key := range keys {
			dump := key + rdb.Dump(ctx, key).Val() + fmt.Sprint(rdb.HGetAll(ctx, key).Val(), rdb.Get(ctx, key).Val())
			if strings.Contains(dump, token) || strings.Contains(dump, pending) {
				t.Errorf("%s holds a token", key)
			}
			if ttl := rdb.TTL(ctx, key).Val(); ttl <= 0 {
				t.Errorf("%s lives %v", key, ttl)
			}
		}
		return nil
	})
}

func TestListAndRevoke(t *testing.T) {
	m := New(redistest.Client(t), Config{})
	var opened []Session
	var tokens []string
	for range 4 {
		s, token := signIn(t, m, "acc_1")
		opened, tokens = append(opened, s), append(tokens, token)
	}
	other, otherToken := signIn(t, m, "acc_2")
	listed := func(want ...Session) {
		t.Helper()
		got, err := m.List(t.Context(), "acc_1")
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d sessions, not %d, %v", len(got), len(want), err)
		}
		for i := range got {
			want[i].ExpiresAt = want[i].ExpiresAt.UTC().Truncate(time.Microsecond)
			if got[i] != want[i] {
				t.Errorf("%d: %+v, not %+v", i, got[i], want[i])
			}
		}
	}
	listed(opened[3], opened[2], opened[1], opened[0])
	if err := m.Revoke(t.Context(), "acc_1", opened[1].ID); err != nil {
		t.Fatal(err)
	}
	expect(t, m, tokens[1], "invalid_session")
	listed(opened[3], opened[2], opened[0])
	for _, id := range []string{opened[1].ID, other.ID, "", "nonsense"} {
		if err := m.Revoke(t.Context(), "acc_1", id); !problem.Is(err, "not_found") {
			t.Errorf("revoking %q: %v", id, err)
		}
	}
	expect(t, m, otherToken, other.ID)
	if err := m.RevokeOthers(t.Context(), "acc_1", opened[2].ID); err != nil {
		t.Fatal(err)
	}
	listed(opened[2])
	expect(t, m, tokens[2], opened[2].ID)
	expect(t, m, tokens[3], "invalid_session")
	if err := m.RevokeOthers(t.Context(), "acc_1", ""); err != nil {
		t.Fatal(err)
	}
	listed()
	expect(t, m, tokens[2], "invalid_session")
	expect(t, m, otherToken, other.ID)
}

func TestRunOut(t *testing.T) {
	client := redistest.Client(t)
	idle := New(client, Config{Idle: 1500 * time.Millisecond, SeenEvery: 50 * time.Millisecond})
	s, token := signIn(t, idle, "acc_1")
	for range 20 { // in use for longer than it may be idle
		time.Sleep(100 * time.Millisecond)
		expect(t, idle, token, s.ID)
	}
	if again, _ := idle.Resolve(t.Context(), token); !again.LastSeen.After(s.LastSeen) || again.CreatedAt != s.CreatedAt {
		t.Errorf("seen %v, opened %v", again.LastSeen, s.LastSeen)
	}
	time.Sleep(1600 * time.Millisecond)
	expect(t, idle, token, "invalid_session")
	if left, err := idle.List(t.Context(), "acc_1"); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}

	short := New(client, Config{Lifetime: 300 * time.Millisecond, SeenEvery: 10 * time.Millisecond})
	_, token = signIn(t, short, "acc_2")
	redistest.Eventually(t, 10*time.Second, "it ends in spite of use", func() bool {
		_, err := short.Resolve(t.Context(), token)
		return problem.Is(err, "invalid_session")
	})
}

// TestRunOutWithoutRedisClock holds that sessions run out though the time of Redis stands.
func TestRunOutWithoutRedisClock(t *testing.T) {
	m := New(redistest.Open(t, "redis://"+miniredis.RunT(t).Addr(), 5*time.Second, 5*time.Second), Config{Idle: 100 * time.Millisecond})
	_, token := signIn(t, m, "acc_1")
	time.Sleep(150 * time.Millisecond)
	expect(t, m, token, "invalid_session")
}

func TestOldestGiveWay(t *testing.T) {
	m := New(redistest.Client(t), Config{MaxPerAccount: 3})
	var opened []Session
	var tokens []string
	for range 5 {
		s, token := signIn(t, m, "acc_1")
		opened, tokens = append(opened, s), append(tokens, token)
	}
	for i := range 5 {
		want := opened[i].ID
		if i < 2 {
			want = "invalid_session"
		}
		expect(t, m, tokens[i], want)
	}
}

// TestRevokedStaysRevoked revokes sessions amid requests that use them.
func TestRevokedStaysRevoked(t *testing.T) {
	m := New(redistest.Client(t), Config{SeenEvery: time.Nanosecond}) // every request writes
	for round := range 30 {
		s, token := signIn(t, m, "acc_1")
		var using sync.WaitGroup
		for range 4 {
			using.Go(func() {
				for {
					if _, err := m.Resolve(context.Background(), token); problem.Is(err, "invalid_session") {
						return
					} else if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		var err error
		if round%2 == 0 {
			err = m.Revoke(t.Context(), "acc_1", s.ID)
		} else {
			err = m.RevokeOthers(t.Context(), "acc_1", "")
		}
		if err != nil {
			t.Fatal(err)
		}
		using.Wait()
		expect(t, m, token, "invalid_session")
		if left, err := m.List(t.Context(), "acc_1"); err != nil || len(left) != 0 {
			t.Fatalf("left: %+v, %v", left, err)
		}
	}
}

// TestRedisLost holds that nobody is signed out while Redis is away, and that a wiped one
// signs out and does nothing else.
func TestRedisLost(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Open(t, server.URL(), 100*time.Millisecond, 250*time.Millisecond)
	m := New(client, Config{})
	var s Session
	var token string
	redistest.Eventually(t, 20*time.Second, "signed in", func() (ok bool) {
		var err error
		s, token, err = m.SignIn(t.Context(), "", "acc_1", browser)
		return err == nil
	})

	away := func(name string) {
		t.Helper()
		start := time.Now()
		calls := map[string]func() error{
			"resolve": func() error { _, err := m.Resolve(t.Context(), token); return err },
			"resolve nothing": func() error {
				_, err := m.Resolve(t.Context(), strings.Repeat("A", 43))
				return err
			},
			"sign in":       func() error { _, _, err := m.SignIn(t.Context(), "", "acc_1", browser); return err },
			"sign in over":  func() error { _, _, err := m.SignIn(t.Context(), token, "acc_1", browser); return err },
			"sign out":      func() error { return m.SignOut(t.Context(), token) },
			"list":          func() error { _, err := m.List(t.Context(), "acc_1"); return err },
			"revoke":        func() error { return m.Revoke(t.Context(), "acc_1", s.ID) },
			"revoke others": func() error { return m.RevokeOthers(t.Context(), "acc_1", "") },
			"begin":         func() error { _, err := m.Begin(t.Context(), Pending{}); return err },
			"attempt":       func() error { _, err := m.Attempt(t.Context(), "x"); return err },
			"finish":        func() error { return m.Finish(t.Context(), "x") },
		}
		for call, do := range calls {
			p := problem.As(do())
			if p == nil || p.Code != "sessions_unavailable" || p.Kind != problem.Unavailable || p.RetryAfter == 0 {
				t.Errorf("%s, %s: %v", name, call, p)
			}
		}
		if took := time.Since(start); took > 10*time.Duration(len(calls))*250*time.Millisecond {
			t.Errorf("%s: %v", name, took)
		}
	}
	server.Freeze()
	away("frozen")
	server.Thaw()
	redistest.Eventually(t, 20*time.Second, "Redis", client.Healthy)
	// What was asked while Redis was frozen may have been done afterwards, revocations
	// too; so the session to go on with is a new one.
	redistest.Eventually(t, 20*time.Second, "signed in again", func() (ok bool) {
		var err error
		s, token, err = m.SignIn(t.Context(), "", "acc_1", browser)
		return err == nil
	})
	expect(t, m, token, s.ID)

	server.Kill()
	away("down")
	server.Restart() // with nothing in it
	redistest.Eventually(t, 20*time.Second, "Redis", client.Healthy)
	redistest.Eventually(t, 20*time.Second, "signed out", func() bool {
		_, err := m.Resolve(t.Context(), token)
		return problem.Is(err, "invalid_session")
	})
	s, token = signIn(t, m, "acc_1")
	expect(t, m, token, s.ID)
}

func TestCallerGivesUp(t *testing.T) {
	m := New(redistest.Client(t), Config{})
	_, token := signIn(t, m, "acc_1")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Resolve(cancelled, token); err == nil || problem.As(err) != nil {
		t.Errorf("resolved with %v", err)
	}
}

func TestCookies(t *testing.T) {
	h := http.Header{}
	h.Add("Set-Cookie", Cookie("tok", time.Now().Add(time.Hour)).String())
	h.Add("Set-Cookie", NoCookie().String())
	for i, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name != "__Host-stoa_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%+v", c)
		}
		if i == 0 && (c.Value != "tok" || c.MaxAge < 3590 || c.MaxAge > 3600) || i == 1 && (c.Value != "" || c.MaxAge != -1) {
			t.Errorf("%+v", c)
		}
	}
}

func TestLongUserAgent(t *testing.T) {
	m := New(redistest.Client(t), Config{})
	s, _, err := m.SignIn(t.Context(), "", "acc_1", Meta{UserAgent: strings.Repeat("ü", 400) + "\xff"})
	if err != nil || s.UserAgent != strings.Repeat("ü", 256) {
		t.Errorf("%d bytes, %v", len(s.UserAgent), err)
	}
	if s, _, _ = m.SignIn(t.Context(), "", "acc_1", Meta{UserAgent: strings.Repeat("€", 400)}); s.UserAgent != strings.Repeat("€", 170) {
		t.Errorf("cut within a character: %q", s.UserAgent[len(s.UserAgent)-6:])
	}
}

func TestSecondFactor(t *testing.T) {
	client := redistest.Client(t)
	m := New(client, Config{})
	p := Pending{AccountID: "acc_1", Stamp: "v1"}
	token, err := m.Begin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, m, token, "invalid_session") // it is no session
	for i := range pendingAttempts {
		if got, err := m.Attempt(t.Context(), token); err != nil || got != p {
			t.Errorf("attempt %d: %+v, %v", i, got, err)
		}
	}
	if _, err := m.Attempt(t.Context(), token); !problem.Is(err, "invalid_session") {
		t.Errorf("an attempt too many: %v", err)
	}

	token, _ = m.Begin(t.Context(), p)
	if err := m.Finish(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Attempt(t.Context(), token); !problem.Is(err, "invalid_session") {
		t.Errorf("after the end: %v", err)
	}

	token, _ = m.Begin(t.Context(), p)
	_ = client.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		if ttl := rdb.PTTL(ctx, m.pendingKey(token)).Val(); ttl <= 4*time.Minute || ttl > pendingFor {
			t.Errorf("outstanding for %v", ttl)
		}
		return nil
	})
	var opened int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := m.Attempt(context.Background(), token); err == nil {
				mu.Lock()
				opened++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if opened != pendingAttempts {
		t.Errorf("%d attempts at the same time", opened)
	}
}

func BenchmarkResolve(b *testing.B) {
	m := New(redistest.Client(b), Config{})
	_, token, err := m.SignIn(b.Context(), "", "acc_1", browser)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Resolve(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
