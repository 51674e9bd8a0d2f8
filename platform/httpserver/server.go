// Package httpserver is the outermost layer of everything that is served over HTTP: it
// bounds what a client may cost (time, headers, body), says who the client is, gives
// each request its ID, sets the headers that protect answers, survives panics, logs and
// counts, and ends without breaking off what is under way. What a request means is for
// the handler within.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/stoacommerce/stoa/observability"
)

// Config bounds the server. The zero value listens on a free port of the machine itself
// and trusts no proxy.
type Config struct {
	Addr           string         // host:port; port 0 takes a free one
	TrustedProxies []netip.Prefix // whose X-Forwarded-* and Request-Id are believed
	ReadTimeout    time.Duration  // for receiving a request, body included; 30 s unless set
	RequestTimeout time.Duration  // the deadline in the request's context; 30 s unless set
	IdleTimeout    time.Duration  // 75 s unless set
	MaxBody        int64          // 1 MB unless set; AllowBody raises it for one request
	DrainDelay     time.Duration  // between withdrawing readiness and closing the door
	DrainTimeout   time.Duration  // for what is under way then; 25 s unless set
}

func (c Config) withDefaults() Config {
	for field, value := range map[*time.Duration]time.Duration{
		&c.ReadTimeout: 30 * time.Second, &c.RequestTimeout: 30 * time.Second,
		&c.IdleTimeout: 75 * time.Second, &c.DrainTimeout: 25 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	return c
}

// Limits that nothing needs to change. A client has readHeaderTimeout to say what it
// wants, and answerGrace beyond the request's deadline to take in the answer.
const (
	readHeaderTimeout = 10 * time.Second
	answerGrace       = 15 * time.Second
	maxHeaderBytes    = 32 << 10
)

// Hooks are what the server tells others. Each may be left out.
type Hooks struct {
	Log *slog.Logger
	// Traffic is told of requests under way and of panics.
	Traffic Traffic
	// Unmatched counts the requests for which nobody set Exchange.Observer.
	Unmatched Observer
	// Served is told of each request of a store: how it was answered, and after what time.
	Served func(store string, status int, took time.Duration)
	// Tracing begins each request's span.
	Tracing *observability.Tracing
	// Draining is called when the server wants no more traffic, before it closes.
	Draining func()
	// Failed answers a request whose handler panicked; a generic problem unless set. It
	// must not tell what happened.
	Failed http.HandlerFunc
}

// Traffic counts requests under way.
type Traffic interface {
	Enter()
	Leave()
	Panicked()
}

// Observer counts answered requests of one operation.
type Observer interface {
	Observe(status int, plan string, took time.Duration)
}

// Server serves a handler.
type Server struct {
	config   Config
	hooks    Hooks
	handler  http.Handler
	server   *http.Server
	listener net.Listener
	draining atomic.Bool
	active   atomic.Int64
	done     chan struct{}
	failure  error
}

// New makes a server that does not listen yet.
func New(c Config, handler http.Handler, hooks Hooks) *Server {
	if hooks.Log == nil {
		hooks.Log = slog.Default()
	}
	if hooks.Failed == nil {
		hooks.Failed = answerFailed
	}
	s := &Server{config: c.withDefaults(), hooks: hooks, handler: handler, done: make(chan struct{})}
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       s.config.ReadTimeout,
		WriteTimeout:      s.config.RequestTimeout + answerGrace,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(hooks.Log.Handler(), slog.LevelDebug), // only clients' own faults
	}
	return s
}

// Start listens and serves in the background.
func (s *Server) Start(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Addr, err)
	}
	s.listener = l
	go func() {
		defer close(s.done)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failure = fmt.Errorf("serve on %s: %w", l.Addr(), err)
		}
	}()
	return nil
}

// Addr is the address that it listens on, known after Start.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Done is closed when the server no longer serves, for whatever reason; Err then says
// why, and is nil after Stop.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is why the server ended by itself.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.failure
	default:
		return nil
	}
}

// Stop withdraws readiness, goes on serving for DrainDelay so that balancers notice,
// then takes no more connections and waits for what is under way, at most DrainTimeout.
// The end of ctx shortens both. The error says how many requests were broken off.
func (s *Server) Stop(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	if s.draining.CompareAndSwap(false, true) && s.hooks.Draining != nil {
		s.hooks.Draining()
	}
	select {
	case <-time.After(s.config.DrainDelay):
	case <-ctx.Done():
	case <-s.done:
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.DrainTimeout)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		cut := s.active.Load()
		_ = s.server.Close()
		<-s.done
		return fmt.Errorf("stop serving: %d request(s) broken off: %w", cut, err)
	}
	<-s.done
	return nil
}
