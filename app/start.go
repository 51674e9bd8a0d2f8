package app

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/problem"
)

// lookAgain is how long a process rests before it looks again whether it can start.
const lookAgain = time.Second

// start runs the program in its roles until ctx ends. At a first start it may come before
// the database, or before the migrations of it, which run beside it: then it waits for them,
// alive and not ready, and says on the operations port what for.
func start(ctx context.Context, config Config, build Build, log io.Writer, roles Roles) error {
	m, err := openMachinery(ctx, config, build, log)
	if err != nil {
		return err
	}
	ops := newOps(m)
	ending := func(err error) error {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return errors.Join(err, ops.Stop(closing), m.close(closing))
	}
	if err := ops.Start(ctx); err != nil {
		return ending(err)
	}
	if !m.await(ctx) {
		return ending(nil)
	}
	a, err := join(ctx, m, ops, build)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	return a.Run(ctx, roles)
}

// await waits until the control database is there and was migrated, by whatever version of
// the program: what is to be said of another version, readiness says. It is false when ctx
// ended first.
func (m *machinery) await(ctx context.Context) bool {
	told, began := "", time.Now()
	for {
		err := m.runner.Check(ctx, "")
		why := ""
		switch {
		case errors.Is(err, migrations.ErrNone):
			why = "the database is not migrated yet: it waits for stoa migrate"
		case unreached(err):
			why = "the database cannot be reached: it waits for it"
		}
		if why == "" {
			if told != "" {
				m.log.InfoContext(ctx, "the database is there", "waited", time.Since(began).Round(time.Millisecond))
			}
			return ctx.Err() == nil
		}
		if why != told && ctx.Err() == nil {
			told = why
			m.log.WarnContext(ctx, why, "error", err)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lookAgain):
		}
	}
}

// unreached says whether err tells that a database does not answer.
func unreached(err error) bool {
	p := problem.As(err)
	return errors.Is(err, context.DeadlineExceeded) || p != nil && (p.Kind == problem.Unavailable || p.Kind == problem.DeadlineExceeded)
}

// newOps makes the operations server, which says how what everything stands on is.
func newOps(m *machinery) *observability.Ops {
	ops := observability.NewOps(observability.OpsConfig{Addr: m.config.Ops.Addr}, m.metrics, m.log)
	ops.Require("process", func(context.Context) error {
		if !m.running.Load() {
			return errors.New("it is starting")
		}
		return nil
	})
	ops.Require("control", func(ctx context.Context) error { return m.runner.Check(ctx, "") })
	ops.Inform("redis", m.redis.Ping)
	for _, cell := range m.db.Cells() {
		ops.Inform("cell "+cell, func(ctx context.Context) error { return m.runner.Check(ctx, cell) })
	}
	return ops
}
