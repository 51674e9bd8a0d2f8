package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Terminal is where a command prints: results to Out, everything else to Err.
type Terminal struct {
	Out io.Writer
	Err io.Writer
}

// Serve answers requests until ctx ends, and works on jobs too when so configured.
func Serve(ctx context.Context, config Config, build Build, term Terminal) error {
	if err := notEmbedded(config); err != nil {
		return err
	}
	return start(ctx, config, build, term.Err, Roles{Serve: true, Work: config.Jobs.WithWorker})
}

// Work works on jobs until ctx ends.
func Work(ctx context.Context, config Config, build Build, term Terminal) error {
	if err := notEmbedded(config); err != nil {
		return err
	}
	return start(ctx, config, build, term.Err, Roles{Work: true})
}

// migrateWorkers is how many stores are migrated at a time.
const migrateWorkers = 4

// Migrate brings the databases and all stores up to date, showing how far it is. It may
// be broken off and run again.
func Migrate(ctx context.Context, config Config, build Build, term Terminal) (err error) {
	if err := notEmbedded(config); err != nil {
		return err
	}
	m, err := openMachinery(ctx, config, build, term.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(context.WithoutCancel(ctx))) }()
	return m.migrate(ctx, term)
}

func (m *machinery) migrate(ctx context.Context, term Terminal) error {
	if err := m.runner.Platform(ctx); err != nil {
		return err
	}
	started, shown := time.Now(), time.Time{}
	failures, err := m.runner.Stores(ctx, migrateWorkers, func(done, total int, ref postgres.StoreRef, err error) {
		if err != nil {
			fmt.Fprintf(term.Err, "schema %d of cell %s failed: %v\n", ref.Schema, ref.Cell, err)
		}
		if done == total || time.Since(shown) > time.Second {
			shown = time.Now()
			fmt.Fprintf(term.Err, "migrated %d of %d stores, %.0f a second\n", done, total, float64(done)/time.Since(started).Seconds())
		}
	})
	if err != nil {
		return err
	}
	if len(failures) > 0 {
		return fmt.Errorf("%d stores could not be migrated; the others are up to date. Mend what is named above and run it again", len(failures))
	}
	return nil
}

// withApp runs a command within the whole program, without serving.
func withApp(do func(context.Context, *App, Terminal) error) Command {
	return func(ctx context.Context, config Config, build Build, term Terminal) (err error) {
		if err := notEmbedded(config); err != nil {
			return err
		}
		a, err := New(ctx, config, build, term.Err)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()
		return do(ctx, a, term)
	}
}

// notEmbedded refuses what needs services that run already.
func notEmbedded(config Config) error {
	var missing []string
	if config.Database.Embedded() {
		missing = append(missing, "STOA_DATABASE_URL and STOA_CELLS")
	}
	if config.Redis.Embedded() {
		missing = append(missing, "STOA_REDIS_URL")
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("only stoa dev starts services of its own: set %s (those of a running stoa dev stand in %s)",
		strings.Join(missing, " and "), filepath.Join(config.DataDir, devFile))
}
