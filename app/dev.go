package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Dev runs the whole platform on this machine: with a Postgres and a Redis of its own,
// unless others are configured, migrated and with two demo stores.
func Dev(ctx context.Context, config Config, build Build, term Terminal) (err error) {
	if config.Env != Development {
		return fmt.Errorf("stoa dev is for STOA_ENV=development; in %s run stoa migrate, stoa serve and stoa work", config.Env)
	}
	started := time.Now()
	services, err := StartEmbedded(ctx, &config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, services.Stop()) }()
	if err := Migrate(ctx, config, build, term); err != nil {
		return err
	}
	a, err := New(ctx, config, build, term.Err)
	if err != nil {
		return err
	}
	return a.Run(ctx, Roles{Serve: true, Work: true, Ready: func(ctx context.Context) error {
		demo, err := a.seedDemo(ctx)
		if err != nil {
			return fmt.Errorf("demo stores: %w", err)
		}
		_, err = fmt.Fprint(term.Out, demo.banner(time.Since(started)))
		return err
	}})
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
