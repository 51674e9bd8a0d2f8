package stores

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/redis"
)

// Maker makes and unmakes schemas; migrations.Runner does.
type Maker interface {
	Make(ctx context.Context, cell string) (postgres.StoreRef, error)
	Drop(ctx context.Context, ref postgres.StoreRef) error
	Sweep(ctx context.Context) (int, error)
}

// Files are the files of all stores; platform/files keeps them.
type Files interface {
	DeletePrefix(ctx context.Context, prefix string) error
}

// Traces are what a store leaves outside of Postgres and of the files: its keys in
// Redis.
type Traces interface {
	// Erase removes everything that is kept of a store. It can be repeated.
	Erase(ctx context.Context, storeID string) error
}

// Config is what the stores are kept with. DB, Maker, Bus and Log must be set.
type Config struct {
	DB     *postgres.DB
	Maker  Maker
	Bus    *redis.Bus // tells the replicas of changes
	Files  Files      // nil when there are none
	Traces Traces     // nil when there are none
	Log    *slog.Logger

	// Grace is how long a deleted store can be restored; 30 days when zero.
	Grace time.Duration
	// Orphaned is after how long a schema that was taken for a store which did not come
	// to be is taken away again; 15 minutes when zero. It must be longer than any birth.
	Orphaned time.Duration
	// Looked is told each look-up of a store, and Dropped each time that something is to be
	// read anew, for metrics; they may be nil.
	Looked  func(hit bool)
	Dropped func()
	// Changed has what depends on a side's settings follow a change of them, in its transaction;
	// may be nil.
	Changed func(ctx context.Context, tx *postgres.Tx, before, after Settings) error
	// Reached is told of each step of a birth and of an end. Tests kill there; may be nil.
	Reached func(step string)
}

// Service is all stores of the platform.
type Service struct {
	config Config
	db     *postgres.DB
	known  *redis.Memory[*known]

	mu      sync.Mutex
	down    map[string]time.Time // cells that did not answer, and when they may be asked again
	exports chan struct{}        // bounds how many exports run at once
}

// maxExports is how many exports one process runs at once. Each holds a connection of
// its cell's login for as long as the client takes.
const maxExports = 2

// New makes the service.
func New(config Config) *Service {
	if config.Grace == 0 {
		config.Grace = 30 * 24 * time.Hour
	}
	if config.Orphaned == 0 {
		config.Orphaned = 15 * time.Minute
	}
	if config.Reached == nil {
		config.Reached = func(string) {}
	}
	return &Service{
		config: config, db: config.DB,
		known:   redis.NewMemory[*known](config.Bus, "stores", redis.MemoryOptions{Size: 50_000, Looked: config.Looked, Dropped: config.Dropped}),
		down:    map[string]time.Time{},
		exports: make(chan struct{}, maxExports),
	}
}
