package observability

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"
)

// OpsConfig says where the operations server listens. It is for operators alone: keep
// its port inside the installation.
type OpsConfig struct {
	Addr         string        // host:port; port 0 takes a free one
	CheckTimeout time.Duration // for each check of readiness; two seconds when zero
}

// Ops is the operations server: /healthz says that the process lives, /readyz whether
// it should get traffic, /metrics what it counts and /debug/pprof what it does.
type Ops struct {
	config   OpsConfig
	log      *slog.Logger
	server   *http.Server
	addr     string
	checks   []*check
	draining atomic.Bool
	done     chan struct{}
}

// NewOps makes a server that is not started yet. Add the checks before Start.
func NewOps(c OpsConfig, m *Metrics, log *slog.Logger) *Ops {
	if c.CheckTimeout <= 0 {
		c.CheckTimeout = 2 * time.Second
	}
	o := &Ops{config: c, log: log, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", o.index)
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", m.Handler(log))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	o.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// No WriteTimeout: a profile or trace takes as long as it was asked for.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return o
}

// Require adds a check without which the process is not ready, such as the control
// database. run must honour its context; one that does not is given up after the
// timeout and reported as failed until it returns.
func (o *Ops) Require(name string, run func(context.Context) error) {
	o.checks = append(o.checks, &check{name: name, required: true, run: run})
}

// Inform adds a check that is shown but does not make the process unready, such as one
// cell of many, or Redis: without them it still serves others.
func (o *Ops) Inform(name string, run func(context.Context) error) {
	o.checks = append(o.checks, &check{name: name, run: run})
}

// SetDraining makes /readyz answer 503, so that no new traffic comes, while the process
// finishes what it has begun.
func (o *Ops) SetDraining(draining bool) { o.draining.Store(draining) }

// Start listens and serves in the background.
func (o *Ops) Start(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.config.Addr)
	if err != nil {
		return fmt.Errorf("operations server on %s: %w", o.config.Addr, err)
	}
	o.addr = l.Addr().String()
	go func() {
		defer close(o.done)
		if err := o.server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			o.log.Error("operations server ended", "error", err)
		}
	}()
	return nil
}

// Addr is the address that it listens on, known after Start.
func (o *Ops) Addr() string { return o.addr }

// Stop ends the server: gently as long as ctx allows, then at once. Stopping what was
// never started does nothing.
func (o *Ops) Stop(ctx context.Context) error {
	if o.addr == "" {
		return nil
	}
	if err := o.server.Shutdown(ctx); err != nil {
		if err := o.server.Close(); err != nil {
			return fmt.Errorf("stop operations server: %w", err)
		}
	}
	<-o.done
	return nil
}

func (o *Ops) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "/healthz\n/readyz\n/metrics\n/debug/pprof/")
}

func (o *Ops) healthz(w http.ResponseWriter, _ *http.Request) {
	o.answer(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readiness is what /readyz answers.
type readiness struct {
	Status string        `json:"status"` // ready, unready or draining
	Checks []checkResult `json:"checks"`
}

func (o *Ops) readyz(w http.ResponseWriter, r *http.Request) {
	results := runChecks(r.Context(), o.checks, o.config.CheckTimeout)
	answer := readiness{Status: "ready", Checks: results}
	for _, result := range results {
		if result.Required && !result.OK {
			answer.Status = "unready"
		}
	}
	if o.draining.Load() {
		answer.Status = "draining"
	}
	status := http.StatusOK
	if answer.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	o.answer(w, status, answer)
}

func (o *Ops) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		o.log.Debug("operations answer not sent", "error", err)
	}
}
