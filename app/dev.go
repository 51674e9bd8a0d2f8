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

	"github.com/stoacommerce/stoa/app/demo"
	"github.com/stoacommerce/stoa/web/admin"
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
		return unlessEnded(ctx, err)
	}
	defer func() { err = errors.Join(err, services.Stop()) }()
	if err := Migrate(ctx, config, build, term); err != nil {
		return unlessEnded(ctx, err)
	}
	a, err := New(ctx, config, build, term.Err)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	(&demo.Painter{DB: a.db, Catalog: a.catalog, Pictures: a.pictures}).Register(a.workers)
	err = a.Run(ctx, Roles{Serve: true, Work: true, Ready: func(ctx context.Context) error {
		told, err := a.seed(ctx)
		if err != nil {
			return fmt.Errorf("demo stores: %w", err)
		}
		_, err = fmt.Fprint(term.Out, told.banner(filepath.Join(config.DataDir, devFile), time.Since(started)))
		return err
	}})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: end what listens there, or set STOA_HTTP_ADDR and STOA_OPS_ADDR", err)
	}
	return err
}

// unlessEnded is the error of a start, and none where it was Ctrl-C that broke it off.
func unlessEnded(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// told is what stoa dev tells on the terminal and, the same, in dev.json.
type told struct {
	URL     string `json:"url"`
	Admin   string `json:"admin_url"`
	Docs    string `json:"docs_url"`
	Mailbox string `json:"mailbox_url"`
	Ops     string `json:"ops_url"`
	demo.Told

	// Environment are the addresses under which other commands reach the same services.
	Environment map[string]string `json:"environment"`
}

// seed makes what is missing of the demo stores, and writes down what there is to tell.
func (a *App) seed(ctx context.Context) (*told, error) {
	file, site := filepath.Join(a.config.DataDir, devFile), strings.TrimSuffix(a.config.Site.PublicURL.String(), "/")
	t := &told{URL: site, Admin: site + admin.Path, Docs: site + "/docs", Mailbox: site + "/mailbox", Ops: "http://" + a.OpsAddr(), Environment: a.config.services()}
	// What cannot be read any more is made anew.
	var kept told
	if raw, err := os.ReadFile(file); err == nil && json.Unmarshal(raw, &kept) != nil {
		kept = told{}
	}
	seeder := demo.Seeder{
		DB: a.db, Accounts: a.accounts, Stores: a.stores, Keys: a.keys, Operators: a.operators, Catalog: a.catalog,
		Pepper: a.pepper.Derive("demo"), ShopURL: a.config.Site.ShopURL,
	}
	var err error
	if t.Told, err = seeder.Seed(ctx, kept.Told); err != nil {
		return nil, err
	}
	return t, writeJSON(file, t)
}

// services are the settings by which commands find the services that the program uses.
func (c *Config) services() map[string]string {
	var cells []string
	for _, cell := range c.Database.Cells {
		cells = append(cells, cell.Name+"="+cell.URL.Reveal())
	}
	return map[string]string{
		"STOA_DATA_DIR":     c.DataDir, // where the keys are that secrets are sealed with
		"STOA_DATABASE_URL": c.Database.URL.Reveal(), "STOA_CELLS": strings.Join(cells, ","), "STOA_REDIS_URL": c.Redis.URL.Reveal(),
	}
}

// banner tells where to click, and with which keys.
func (t *told) banner(file string, took time.Duration) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\nStoa is ready after %.1f s.\n\n", took.Seconds())
	fmt.Fprintf(&text, "  platform      %s\n  back office   %s as %s with %s\n", t.URL, t.Admin, t.Email, t.Password)
	fmt.Fprintf(&text, "  API           %s\n  mails sent    %s\n  metrics       %s/metrics\n  operator key  %s\n", t.Docs, t.Mailbox, t.Ops, t.OperatorKey)
	for _, store := range t.Stores {
		fmt.Fprintf(&text, "\n  %s: %s\n", store.Name, store.ShopURL)
		fmt.Fprintf(&text, "    live key      %s\n                  %s\n", store.LiveSecret, store.LivePublishable)
		fmt.Fprintf(&text, "    sandbox key   %s\n                  %s\n", store.TestSecret, store.TestPublishable)
	}
	if t.Undrawn > 0 {
		fmt.Fprintf(&text, "\n%d pictures are being drawn and come into the shops within the next half minute.\n", t.Undrawn)
	}
	fmt.Fprintf(&text, "\nThe same stands in %s. Ctrl-C ends all of it; the state stays until make reset.\n\n", file)
	return text.String()
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
