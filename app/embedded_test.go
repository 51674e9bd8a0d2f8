package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/embedded"
)

func developmentIn(t *testing.T, dir string, more ...string) Config {
	t.Helper()
	c, err := LoadConfig(append([]string{"STOA_DATA_DIR=" + dir}, more...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEmbeddedServicesFillInTheAddressesAndKeepTheirData(t *testing.T) {
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	dir := filepath.Join(t.TempDir(), "state")
	c := developmentIn(t, dir)
	s, err := StartEmbedded(ctx, &c, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	if c.Database.Embedded() || c.Redis.Embedded() || len(c.Database.Cells) != 1 || c.Database.Cells[0].Name != "main" ||
		c.Database.Cells[0].URL.Equal(c.Database.URL.Reveal()) {
		t.Fatalf("addresses are %+v, %+v", c.Database, c.Redis)
	}
	execute := func(address, sql string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	execute(c.Database.Cells[0].URL.Reveal(), "create table kept ()")

	second := developmentIn(t, dir)
	if _, err := StartEmbedded(ctx, &second, log); !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), "stoa is running already") {
		t.Errorf("a second start: %v", err)
	}
	if err := Reset(c); !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), "stoa is running") {
		t.Errorf("a reset while it runs: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}

	again := developmentIn(t, dir)
	if s, err = StartEmbedded(ctx, &again, log); err != nil {
		t.Fatal(err)
	}
	execute(again.Database.Cells[0].URL.Reveal(), "select from kept")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "not-ours")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Reset(again); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "not-ours" {
		t.Errorf("reset left %v (%v)", left, err)
	}
}

func TestGivenAddressesAreUsedAndNothingIsStarted(t *testing.T) {
	c := developmentIn(t, t.TempDir(), "STOA_DATABASE_URL=postgres://u@db/x", "STOA_REDIS_URL=redis://r/0")
	s, err := StartEmbedded(context.Background(), &c, nil)
	if err != nil || s.Postgres != nil || s.Redis != nil || c.Database.URL.Reveal() != "postgres://u@db/x" {
		t.Errorf("started %+v (%v)", s, err)
	}
	c.Env = Production
	if err := Reset(c); err == nil || !strings.Contains(err.Error(), "only in development") {
		t.Errorf("a reset in production: %v", err)
	}
}
