package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// devFile is where a running stoa dev says where to click and which keys to use.
func devFile(config Config) string { return filepath.Join(config.DataDir, "dev.json") }

// Dev runs the whole platform on this machine: with a Postgres and a Redis of its own,
// unless others are configured, migrated and with two demo stores.
func Dev(ctx context.Context, config Config, build Build, term Terminal) (err error) {
	if config.Env != Development {
		return fmt.Errorf("stoa dev is for STOA_ENV=development; in %s run stoa migrate, stoa serve and stoa work", config.Env)
	}
	started := time.Now()
	release, err := holdDataDir(config)
	if err != nil {
		return err
	}
	defer release()
	stop, err := startEmbedded(ctx, &config)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	a, err := New(ctx, config, build, term.Err)
	if err != nil {
		return err
	}
	if err := a.migrate(ctx, term); err != nil {
		return errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	return a.Run(ctx, Roles{Serve: true, Work: true, Ready: func(ctx context.Context) error {
		demo, err := a.seedDemo(ctx)
		if err != nil {
			return fmt.Errorf("demo stores: %w", err)
		}
		if err := writeJSON(devFile(config), demo); err != nil {
			return err
		}
		fmt.Fprint(term.Out, demo.banner(time.Since(started)))
		return nil
	}})
}

// Reset throws away what stoa dev keeps. It refuses while that runs.
func Reset(_ context.Context, config Config, _ Build, term Terminal) error {
	if config.Env != Development {
		return fmt.Errorf("stoa reset is for STOA_ENV=development, not %s", config.Env)
	}
	if _, err := os.Stat(config.DataDir); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(term.Out, "There is nothing to throw away.")
		return nil
	}
	release, err := holdDataDir(config)
	if err != nil {
		return err
	}
	defer release()
	// Postgres may have had to keep its data elsewhere, and knows where.
	for _, dir := range []string{"postgres", "redis"} {
		if err := embedded.Remove(filepath.Join(config.DataDir, dir)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(config.DataDir); err != nil {
		return err
	}
	fmt.Fprintln(term.Out, "Thrown away:", config.DataDir)
	return nil
}

// errRunning is wrapped by the error of a second start.
var errRunning = errors.New("stoa dev is running already")

// holdDataDir takes the data folder for this process. The lock goes with the process,
// however that ends.
func holdDataDir(config Config) (release func(), err error) {
	if err := os.MkdirAll(config.DataDir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(config.DataDir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := os.ReadFile(path)
		return nil, errors.Join(fmt.Errorf("%w: %s. Stop it with Ctrl-C there, or set STOA_DATA_DIR and STOA_HTTP_ADDR for a second one",
			errRunning, strings.TrimSpace(string(who))), file.Close())
	}
	text := fmt.Sprintf("process %d, %s\n", os.Getpid(), config.Site.PublicURL)
	if err := file.Truncate(0); err == nil {
		_, err = file.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil // closing gives up the lock
}

// startEmbedded starts what is not configured, and configures it. What it gives stops it
// again, whether or not there is an error.
func startEmbedded(ctx context.Context, config *Config) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var errs []error
		for _, one := range stops {
			errs = append(errs, one())
		}
		return errors.Join(errs...)
	}
	quiet := slog.New(slog.DiscardHandler)
	if config.Database.Embedded() {
		server, err := embedded.StartPostgres(ctx, embedded.PostgresOptions{Dir: filepath.Join(config.DataDir, "postgres"), Logger: quiet})
		if err != nil {
			return stop, fmt.Errorf("embedded Postgres: %w", err)
		}
		stops = append(stops, server.Stop)
		control, err := server.Database(ctx, "stoa")
		if err != nil {
			return stop, err
		}
		config.Database.URL = secrets.Redact(control)
		if len(config.Database.Cells) == 0 {
			cell, err := server.Database(ctx, "stoa_main")
			if err != nil {
				return stop, err
			}
			config.Database.Cells = []CellConfig{{Name: "main", URL: secrets.Redact(cell)}}
		}
	}
	if config.Redis.Embedded() {
		server, err := embedded.StartRedis(ctx, embedded.RedisOptions{Dir: filepath.Join(config.DataDir, "redis"), Logger: quiet})
		if err != nil {
			return stop, fmt.Errorf("embedded Redis: %w", err)
		}
		stops = append(stops, server.Stop)
		config.Redis.URL = secrets.Redact(server.URL())
	}
	return stop, nil
}

// writeJSON writes a file that only its owner may read, whole or not at all.
func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
