package embedded

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/child"
)

// RedisOptions say which Redis to start. The zero value is one with a free port that
// keeps nothing.
type RedisOptions struct {
	// Dir keeps the data (an append-only file), the password, the port and the log.
	Dir string
	// Port on 127.0.0.1; 0 takes the port of the last start when it is free, else any.
	Port int
	// Databases is 16 unless set.
	Databases int
	// User to run as when the program is root; redis unless set, nobody if there is none.
	User string
	// InProcess takes the Redis written in Go, even where redis-server is installed.
	// It keeps nothing over a restart.
	InProcess bool
	// Logger is told what happens; slog's default unless set.
	Logger *slog.Logger
}

// Redis is a running server: the machine's redis-server, or miniredis in this process.
type Redis struct {
	home     *home
	process  *child.Process
	sweeper  *child.Sweeper
	mini     *miniredis.Miniredis
	ticking  chan struct{}
	stopping sync.Once
	url      *url.URL
}

// StartRedis starts a server and returns when it answers. ctx bounds the starting alone.
func StartRedis(ctx context.Context, o RedisOptions) (*Redis, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	r, err := startRedis(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start an embedded Redis: %w", err)
	}
	cmp.Or(o.Logger, slog.Default()).DebugContext(ctx, "embedded Redis is ready", "kind", r.Kind())
	return r, nil
}

func startRedis(ctx context.Context, o RedisOptions) (_ *Redis, err error) {
	binary, lookErr := exec.LookPath("redis-server")
	if o.InProcess || lookErr != nil {
		return startMiniredis(o)
	}
	h, err := openHome(o.Dir, cmp.Or(o.User, "redis"), "nobody")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	r := &Redis{home: h}
	if err := child.StopLeftovers(h.data, r.leftover()); err != nil {
		return nil, err
	}
	password, err := keptSecret(h.path("password"))
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err := r.launch(ctx, binary, o, password)
		if err == nil {
			break
		}
		if try == 3 || !addressInUse(err.Error()) || o.Port != 0 {
			return nil, err
		}
	}
	if h.temporary {
		if r.sweeper, err = child.SweepAfter(h.dir, r.PID()); err != nil {
			_ = r.process.Stop()
			return nil, err
		}
	}
	return r, nil
}

func (r *Redis) launch(ctx context.Context, binary string, o RedisOptions, password string) error {
	port, err := choosePort(o.Port, r.home.path("port"))
	if err != nil {
		return err
	}
	log, err := os.Create(r.home.path("log"))
	if err != nil {
		return fmt.Errorf("open its log: %w", err)
	}
	defer func() { _ = log.Close() }()
	// The configuration goes in by standard input, so that no other user of the machine
	// reads the password in the list of processes.
	config := []string{
		"bind 127.0.0.1", "port " + strconv.Itoa(port), "requirepass " + password,
		"databases " + strconv.Itoa(cmp.Or(o.Databases, 16)), `save ""`,
		"dir " + strconv.Quote(r.home.data), "daemonize no", "loglevel notice",
	}
	if o.Dir != "" {
		config = append(config, "appendonly yes", "appendfsync everysec")
	}
	cmd := exec.Command(binary, "-")
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.home.data, log, log
	cmd.Stdin = strings.NewReader(strings.Join(config, "\n") + "\n")
	if r.process, err = child.Start(cmd, child.Options{As: r.home.account.credential(), OnOurDeath: syscall.SIGTERM}); err != nil {
		return err
	}
	r.url = redisURL(port, password)
	if err := r.untilReady(ctx); err != nil {
		_ = r.process.Stop(child.Step{Signal: syscall.SIGTERM, Wait: 3 * time.Second})
		return fmt.Errorf("%w; its log ends:\n%s", err, r.home.endOfLog())
	}
	for name, value := range map[string]int{"port": port, "pid": r.PID()} {
		if err := os.WriteFile(r.home.path(name), []byte(strconv.Itoa(value)+"\n"), 0o600); err != nil {
			return fmt.Errorf("remember the %s: %w", name, err)
		}
	}
	return nil
}

func redisURL(port int, password string) *url.URL {
	return &url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/0"}
}

// untilReady waits until the server answers a PING, its data loaded.
func (r *Redis) untilReady(ctx context.Context) error {
	options, err := redis.ParseURL(r.URL())
	if err != nil {
		return fmt.Errorf("read our own address: %w", err)
	}
	options.MaxRetries, options.DialerRetries, options.PoolSize = -1, 1, 1
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	for {
		// The client would write each failure to dial to the log.
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.url.Host)
		if err == nil {
			_ = conn.Close()
			if client.Ping(ctx).Err() == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", ctx.Err())
		case <-r.process.Done():
			return fmt.Errorf("it ended: %w", r.process.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// leftover is the server that a killed program may have left in this home, or 0.
func (r *Redis) leftover() int {
	b, _ := os.ReadFile(filepath.Join(r.home.dir, "pid"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

// tick is how often miniredis is told that time has passed.
const tick = 50 * time.Millisecond

// startMiniredis starts the server written in Go. Its time stands still unless it is
// moved on, so that nothing would ever expire.
func startMiniredis(o RedisOptions) (*Redis, error) {
	port, err := choosePort(o.Port, "")
	if err != nil {
		return nil, err
	}
	password := randomSecret()
	r := &Redis{mini: miniredis.NewMiniRedis(), ticking: make(chan struct{}), url: redisURL(port, password)}
	r.mini.RequireAuth(password)
	if err := r.mini.StartAddr(r.url.Host); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	go func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-r.ticking:
				return
			case now := <-ticker.C:
				r.mini.SetTime(now)
				r.mini.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	return r, nil
}

// URL is the address of database 0, password included.
func (r *Redis) URL() string { return r.url.String() }

// Kind says what runs, for people: "redis-server" or "miniredis".
func (r *Redis) Kind() string {
	if r.mini != nil {
		return "miniredis"
	}
	return "redis-server"
}

// PID is the process that a test may stop, freeze or kill; 0 for miniredis.
func (r *Redis) PID() int {
	if r.process == nil {
		return 0
	}
	return r.process.PID()
}

// Stop ends the server; what it keeps is written first. A second call does nothing.
func (r *Redis) Stop() (err error) {
	r.stopping.Do(func() {
		if r.mini != nil {
			close(r.ticking)
			r.mini.Close()
			return
		}
		err = r.process.Stop(child.Step{Signal: syscall.SIGTERM, Wait: 10 * time.Second})
		r.home.close()
		r.sweeper.Release()
	})
	if err != nil {
		return fmt.Errorf("stop the embedded Redis: %w", err)
	}
	return nil
}
