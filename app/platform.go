package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// Build says which build of the program this is.
type Build struct {
	Version string
	Commit  string
	// Stores are the migrations of stores that it brings; those of the source when nil.
	// Tests run programs of two versions beside each other by it.
	Stores []migrations.Step
}

// machinery is what everything else stands on: the log, the databases, Redis, files.
type machinery struct {
	config  Config
	log     *slog.Logger
	metrics *observability.Metrics
	tracing *observability.Tracing
	ring    *secrets.Ring
	db      *postgres.DB
	runner  *migrations.Runner
	redis   *redis.Client
	bus     *redis.Bus
	files   files.Store

	committed []func(*postgres.Tx) // told of each committed transaction of a store
	running   atomic.Bool          // all that its roles ask for has begun, so that it may be asked
}

// openMachinery connects to nothing that has to be there: a database or a Redis that is
// down is met when it is needed.
func openMachinery(ctx context.Context, config Config, build Build, out io.Writer) (m *machinery, err error) {
	m = &machinery{config: config}
	m.log, err = observability.NewLogger(out, observability.LogConfig{Level: config.Log.Level.String(), Format: config.Log.Format})
	if err != nil {
		return nil, err
	}
	m.metrics = observability.NewMetrics(observability.MetricsConfig{Version: build.Version, Commit: build.Commit})
	trace := observability.TraceConfig{SampleRatio: config.Trace.Ratio, Version: build.Version, Environment: string(config.Env)}
	if config.Trace.Endpoint != nil {
		trace.Endpoint = config.Trace.Endpoint.String()
	}
	if m.tracing, err = observability.NewTracing(ctx, trace, m.log); err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	if m.ring, err = openRing(config); err != nil {
		return nil, err
	}
	cells := map[string]string{}
	for _, cell := range config.Database.Cells {
		cells[cell.Name] = cell.URL.Reveal()
	}
	m.db, err = postgres.Open(postgres.Config{
		Control: config.Database.URL.Reveal(), Cells: cells,
		LoginConns: config.Database.CellConnections, AdminConns: config.Database.Connections,
		Sealer: m.ring, Tracer: m.metrics.Database.Tracer,
		Committed: func(tx *postgres.Tx) {
			for _, told := range m.committed {
				told(tx)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	for _, door := range []string{"control", "cell", "store"} {
		m.metrics.Database.Door(door)
	}
	for cell := range cells {
		m.metrics.Cells.Cell(cell)
	}
	m.metrics.Database.Pools(func() map[observability.PoolName]observability.PoolStats { return poolStats(m.db.Stats()) })
	m.runner = migrations.New(m.db, m.log)
	if build.Stores != nil {
		m.runner = migrations.NewWith(m.db, m.log, build.Stores)
	}
	m.runner.Logins, m.runner.MaxStores = config.Database.CellLogins, config.Database.CellMaxStores
	m.db.OnEnter(m.runner.Enter)
	m.redis, err = redis.Open(redis.Config{URL: config.Redis.URL.Reveal(), Prefix: "stoa", Log: m.log})
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	m.metrics.Database.Pools(func() map[observability.PoolName]observability.PoolStats {
		return map[observability.PoolName]observability.PoolStats{{Cell: "redis", Pool: "redis"}: m.redis.Stats()}
	})
	m.bus = redis.OpenBus(m.redis)
	if m.files, err = openFiles(config.Files); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	return m, nil
}

// openTime bounds how long the program waits at its start for the bucket of files.
const openTime = 30 * time.Second

// openFiles opens the bucket where files lie, or their folder.
func openFiles(config FilesConfig) (files.Store, error) {
	if config.URL.Empty() {
		return files.OpenDisk(config.Dir)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	return files.OpenS3(ctx, config.URL.Reveal())
}

// close ends all connections.
func (m *machinery) close(ctx context.Context) error {
	m.bus.Close()
	return errors.Join(m.db.Close(), m.redis.Close(), m.files.Close(), m.tracing.Stop(ctx))
}

// openRing reads the key ring. In development, where none is given, one is made and kept
// beside the data.
func openRing(config Config) (*secrets.Ring, error) {
	text := config.Security.Keys.Reveal()
	if text != "" {
		return secrets.ParseRing(text)
	}
	file := filepath.Join(config.DataDir, "secret-keys")
	kept, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		key, err := secrets.NewKey("dev")
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(config.DataDir, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(key.Reveal()+"\n"), 0o600); err != nil {
			return nil, err
		}
		return secrets.ParseRing(key.Reveal())
	}
	if err != nil {
		return nil, err
	}
	return secrets.ParseRing(strings.TrimSpace(string(kept)))
}

// poolStats names the pools as the metrics do.
func poolStats(all map[string]sql.DBStats) map[observability.PoolName]observability.PoolStats {
	named := map[observability.PoolName]observability.PoolStats{}
	for name, stats := range all {
		pool := observability.PoolName{Cell: "control", Pool: "control"}
		if kind, cell, found := strings.Cut(name, ":"); found {
			pool = observability.PoolName{Cell: cell, Pool: kind}
		}
		named[pool] = observability.PoolStatsOf(stats)
	}
	return named
}

// queueObserver counts what the workers do.
type queueObserver struct{ metrics *observability.Metrics }

func (o queueObserver) Ran(_, kind string, err error, setAside bool, delay, took time.Duration) {
	outcome := observability.JobDone
	switch {
	case jobs.Snoozed(err):
		outcome = observability.JobSnoozed
	case setAside:
		outcome = observability.JobSetAside
	case err != nil:
		outcome = observability.JobFailed
	}
	o.metrics.Queue.Kind(kind).Ran(outcome, delay, took)
}

func (o queueObserver) Relayed(cell string, rows int) { o.metrics.Queue.Cell(cell).Relayed(rows) }

func (o queueObserver) Measured(cell string, m jobs.Measure) {
	o.metrics.Queue.Cell(cell).Measured(observability.QueueState{
		OutboxDepth: m.Outbox, OutboxOldest: m.OutboxOldest, Waiting: m.Waiting, SetAside: m.SetAside,
	})
}
