package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// The databases of an embedded Postgres. The cell has one of its own, as in production.
const (
	embeddedControl = "stoa_control"
	embeddedCell    = "stoa_cell_main"
)

// What the program keeps in DataDir, and Reset deletes.
const (
	postgresDir    = "postgres"
	redisDir       = "redis"
	filesDir       = "files"
	secretKeysFile = "secret-keys"
	devFile        = "dev.json"
)

// Embedded are the services that the program runs for itself because no addresses were
// given. They end with it.
type Embedded struct {
	Postgres *embedded.Postgres // nil when an address was given
	Redis    *embedded.Redis    // nil when an address was given
}

// StartEmbedded starts what c gives no address of, and writes the addresses into c. It
// returns embedded.ErrInUse when another program runs on the same DataDir.
func StartEmbedded(ctx context.Context, c *Config, log *slog.Logger) (*Embedded, error) {
	s := &Embedded{}
	group, within := errgroup.WithContext(ctx)
	var control, cell string
	if c.Database.Embedded() {
		group.Go(func() (err error) {
			s.Postgres, err = embedded.StartPostgres(within, embedded.PostgresOptions{Dir: filepath.Join(c.DataDir, postgresDir), Logger: log})
			if err != nil {
				return err
			}
			if control, err = s.Postgres.Database(within, embeddedControl); err != nil {
				return err
			}
			cell, err = s.Postgres.Database(within, embeddedCell)
			return err
		})
	}
	if c.Redis.Embedded() {
		group.Go(func() (err error) {
			s.Redis, err = embedded.StartRedis(within, embedded.RedisOptions{Dir: filepath.Join(c.DataDir, redisDir), Logger: log})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		err = errors.Join(err, s.Stop())
		if errors.Is(err, embedded.ErrInUse) {
			return nil, fmt.Errorf("stoa is running already, with its data in %s; end it first, or set STOA_DATA_DIR: %w", c.DataDir, err)
		}
		return nil, err
	}
	if s.Postgres != nil {
		c.Database.URL = secrets.Redact(control)
		c.Database.Cells = []CellConfig{{Name: "main", URL: secrets.Redact(cell)}}
	}
	if s.Redis != nil {
		c.Redis.URL = secrets.Redact(s.Redis.URL())
	}
	return s, nil
}

// Stop ends the services, for which everything that uses them has to have ended.
func (s *Embedded) Stop() error {
	var faults []error
	if s.Redis != nil {
		faults = append(faults, s.Redis.Stop())
	}
	if s.Postgres != nil {
		faults = append(faults, s.Postgres.Stop())
	}
	return errors.Join(faults...)
}

// Reset deletes everything that a development machine keeps: the embedded services' data,
// uploaded files, generated keys. It refuses anywhere else, and while the program runs.
func Reset(c Config) error {
	if c.Env != Development {
		return fmt.Errorf("reset: only in development; STOA_ENV is %s", c.Env)
	}
	for _, service := range []string{postgresDir, redisDir} {
		err := embedded.Remove(filepath.Join(c.DataDir, service))
		if errors.Is(err, embedded.ErrInUse) {
			return fmt.Errorf("reset: stoa is running; end it first: %w", err)
		}
		if err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	for _, name := range []string{filesDir, secretKeysFile, devFile} {
		if err := os.RemoveAll(filepath.Join(c.DataDir, name)); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	// What else is in the folder is not ours, and keeps it.
	_ = os.Remove(c.DataDir)
	return nil
}
