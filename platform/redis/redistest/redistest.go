// Package redistest gives tests a Redis: a share of a running one (Client), or a server
// of their own that they may freeze, kill, restart and wipe (Server).
package redistest

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
)

// Client is a client of the Redis at STOA_TEST_REDIS_URL, or of a server of its own when
// that is not set, with a prefix that no other test has. Its bounds are wide, so that
// a busy machine does not look like a lost Redis.
func Client(t testing.TB) *redis.Client {
	t.Helper()
	url := os.Getenv("STOA_TEST_REDIS_URL")
	if url == "" {
		url = Start(t).URL()
	}
	return Open(t, url, 5*time.Second, 5*time.Second)
}

// Open is a client of the Redis at url with these bounds and a prefix of its own.
func Open(t testing.TB, url string, quick, patient time.Duration) *redis.Client {
	t.Helper()
	return OpenWith(t, redis.Config{URL: url, Prefix: Prefix(), Quick: quick, Patient: patient})
}

// Prefix is one that no other test has.
func Prefix() string { return "test-" + rand.Text()[:10] + ":" }

// OpenWith is a client so configured, without a log, that is closed with the test.
func OpenWith(t testing.TB, config redis.Config) *redis.Client {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	c, err := redis.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Server is a redis-server of a test's own.
type Server struct {
	t    testing.TB
	port int
	dir  string

	mu     sync.Mutex
	cmd    *exec.Cmd
	frozen bool
}

// Start runs a redis-server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s := &Server{t: t, port: port, dir: t.TempDir()}
	t.Cleanup(s.Kill)
	s.Restart()
	return s
}

// URL is where the server listens.
func (s *Server) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d", s.port) }

// Restart starts the server again, with nothing in it, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("redis-server is not installed: ", err)
	}
	cmd := exec.Command(path, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"))
	// The server must not outlive a test that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal("start redis-server: ", err)
	}
	s.mu.Lock()
	s.cmd, s.frozen = cmd, false
	s.mu.Unlock()
	s.do(func(ctx context.Context, c *goredis.Client) error { return c.Ping(ctx).Err() })
}

// Freeze stops the server's process, so that it accepts connections and never answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP, true) }

// Thaw lets a frozen server go on with what has come in meanwhile.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT, false) }

// Kill ends the server without a farewell, and with it all that it held.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Wipe deletes all that the server holds.
func (s *Server) Wipe() {
	s.t.Helper()
	s.do(func(ctx context.Context, c *goredis.Client) error { return c.FlushAll(ctx).Err() })
}

// Disconnect closes all clients' connections.
func (s *Server) Disconnect() {
	s.t.Helper()
	s.do(func(ctx context.Context, c *goredis.Client) error {
		return c.Do(ctx, "client", "kill", "skipme", "yes").Err()
	})
}

func (s *Server) signal(sig syscall.Signal, frozen bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil || s.frozen == frozen {
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal("signal redis-server: ", err)
	}
	s.frozen = frozen
}

// do runs one command on a connection of its own until it works.
func (s *Server) do(fn func(context.Context, *goredis.Client) error) {
	s.t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port), DialerRetries: 1})
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		err := fn(ctx, c)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatal("redis-server does not serve: ", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Eventually waits for condition to hold and fails the test when it does not within bound.
func Eventually(t testing.TB, bound time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(bound)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", bound, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
