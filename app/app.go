// Package app joins the parts into the program: what starts, in which order, and who is
// handed what. It is the only package that knows all others, and the only one that reads
// the configuration.
package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/jobs"
)

// App is the whole program.
type App struct {
	*machinery
	*services

	workers *jobs.Workers
	keeper  *keeping.Keeper
	server  *httpserver.Server
	ops     *observability.Ops
}

// New joins the parts. It neither listens nor works yet, and waits for no database.
func New(ctx context.Context, config Config, build Build, log io.Writer) (*App, error) {
	m, err := openMachinery(ctx, config, build, log)
	if err != nil {
		return nil, err
	}
	return join(ctx, m, newOps(m), build)
}

// join joins the parts on what they stand on, which it closes when they cannot be.
func join(ctx context.Context, m *machinery, ops *observability.Ops, build Build) (a *App, err error) {
	a = &App{machinery: m, ops: ops}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(context.WithoutCancel(ctx)))
		}
	}()
	if a.services, err = newServices(ctx, m); err != nil {
		return nil, err
	}
	if a.keeper, err = newKeeper(ctx, m, a.services, build); err != nil {
		return nil, err
	}
	a.workers = newWorkers(m, a.services, a.keeper)
	handler, err := newHandler(m, a.services, a.workers)
	if err != nil {
		return nil, err
	}
	a.server = a.newServer(handler)
	return a, nil
}

func (a *App) newServer(handler http.Handler) *httpserver.Server {
	c := a.config.HTTP
	return httpserver.New(httpserver.Config{
		Addr: c.Addr, TrustedProxies: c.TrustedProxies, ReadTimeout: c.ReadTimeout, RequestTimeout: c.RequestTimeout,
		IdleTimeout: c.IdleTimeout, MaxBody: c.MaxBody, DrainDelay: c.DrainDelay, DrainTimeout: c.DrainTimeout,
	}, handler, httpserver.Hooks{
		Log: a.log, Traffic: a.metrics.HTTP, Unmatched: a.metrics.HTTP.Operation("unmatched"), Tracing: a.tracing,
		Served:   a.metrics.Stores.Count,
		Draining: func() { a.ops.SetDraining(true) },
	})
}

// Roles say what this process does.
type Roles struct {
	Serve bool
	Work  bool
	// Ready is called once all is running, before Run waits for the end; may be nil.
	Ready func(context.Context) error
}

// Run does what the roles say until ctx ends, then ends it in order: readiness first,
// then what is under way, then the connections.
func (a *App) Run(ctx context.Context, roles Roles) (err error) {
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, a.Close(closing))
	}()
	if a.ops.Addr() == "" { // it may be started while the database is waited for
		if err := a.ops.Start(ctx); err != nil {
			return err
		}
	}
	// What runs beside the roles outlasts them, so that nothing that they still do while
	// they end is missed.
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	group, background := errgroup.WithContext(background)
	defer func() {
		stopBackground()
		err = errors.Join(err, group.Wait())
	}()
	a.background(background, group, roles)
	if err := a.layDown(background, group); err != nil {
		return err
	}
	if roles.Work {
		a.workers.Start(ctx)
		defer func() {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.HTTP.DrainTimeout)
			defer cancel()
			err = errors.Join(err, a.workers.Stop(ending))
		}()
	}
	ended := make(<-chan struct{})
	if roles.Serve {
		collectSeldom()
		if err := a.server.Start(ctx); err != nil {
			return err
		}
		ended = a.server.Done()
		defer func() { err = errors.Join(err, a.server.Stop(context.WithoutCancel(ctx))) }()
	}
	a.running.Store(true)
	if roles.Ready != nil {
		if err := roles.Ready(ctx); err != nil && ctx.Err() == nil { // else it was broken off by the end
			return err
		}
	}
	a.log.InfoContext(ctx, "running", "serve", roles.Serve, "work", roles.Work, "http", a.Addr(), "ops", a.ops.Addr())
	select {
	case <-ctx.Done():
		a.log.InfoContext(ctx, "stopping")
		return nil
	case <-ended:
		return a.server.Err()
	}
}

// collectSeldom lets garbage grow to three times of what is in use, and not only to once,
// before it is collected, unless GOGC says otherwise. Much of what is in use is the contract, which
// never changes, and would be looked through again for each few megabytes of garbage.
func collectSeldom() {
	if usual := debug.SetGCPercent(300); usual != 100 {
		debug.SetGCPercent(usual)
	}
}

// Addr is where the program listens, once it does.
func (a *App) Addr() string { return a.server.Addr() }

// OpsAddr is where the operations server listens, once it does.
func (a *App) OpsAddr() string { return a.ops.Addr() }

// Close ends all connections, of a program that runs no more.
func (a *App) Close(ctx context.Context) error {
	return errors.Join(a.ops.Stop(ctx), a.close(ctx))
}
