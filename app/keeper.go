package app

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// How often the platform is kept.
const (
	scheduleEvery   = time.Minute
	cataloguesEvery = time.Hour
	measureEvery    = time.Hour
	rotationEvery   = 24 * time.Hour
	orphansEvery    = 6 * time.Hour
	standEvery      = 30 * time.Second
)

// newKeeper makes the keeper of the platform, of which this process does what it is
// configured to.
func newKeeper(ctx context.Context, m *machinery, s *services, build Build) (*keeping.Keeper, error) {
	b := m.config.Backup
	c := keeping.Config{
		DB: m.db, Runner: m.runner, Stores: s.stores, Ring: m.ring, Files: m.files, Log: m.log, Program: build.Version,
		Databases: map[string]secrets.Redacted{"control": m.config.Database.URL}, Scratch: b.Scratch,
		FullEvery: b.FullEvery, DifferentialEvery: b.DifferentialEvery, StoresEvery: b.StoresEvery, TestEvery: b.TestEvery, Keep: b.Keep,
		Settings:  func() []byte { return m.config.kept() },
		CellBytes: m.config.cellBytesOf,
	}
	for _, cell := range m.config.Database.Cells {
		c.Databases[cell.Name] = cell.URL
	}
	var err error
	if c.Stanzas, err = m.config.stanzasOf(); err != nil {
		return nil, fmt.Errorf("STOA_BACKUP_STANZAS %w", err)
	}
	if b.Repository != "" {
		as, err := embedded.DatabaseUser("postgres")
		if err != nil {
			return nil, err
		}
		c.Repository = &backups.Repository{Config: b.Repository, As: as}
	}
	switch {
	case !b.URL.Empty():
		opening, cancel := context.WithTimeout(ctx, openTime)
		defer cancel()
		c.Archives, err = files.OpenS3(opening, b.URL.Reveal())
	case b.Dir != "":
		c.Archives, err = files.OpenDisk(b.Dir)
	}
	if err != nil {
		// Shops sell without it. The regular task goes on to fail, which alerts.
		c.Archives, c.Unreached = nil, fmt.Errorf("where backups are kept is not reached, and is looked for at the next start: %w", err)
		m.log.ErrorContext(ctx, "archives and copies are not made", "error", c.Unreached)
	}
	if b.Recipient != nil {
		c.Recipient = b.Recipient
	}
	if !b.Identity.Empty() {
		if c.Identity, err = age.ParseX25519Identity(b.Identity.Reveal()); err != nil {
			return nil, fmt.Errorf("STOA_BACKUP_IDENTITY: %w", err)
		}
	}
	return keeping.New(c), nil
}

// kept is the configuration as it is backed up: as an environment, with its secrets only
// where it will be sealed.
func (c *Config) kept() []byte {
	var text bytes.Buffer
	open := map[string]secrets.Redacted{
		"STOA_DATABASE_URL": c.Database.URL, "STOA_REDIS_URL": c.Redis.URL, "STOA_FILES_URL": c.Files.URL, "STOA_SMTP_URL": c.Mail.SMTP,
		"STOA_SECRET_KEYS": c.Security.Keys, "STOA_STRIPE_SECRET_KEY": c.Stripe.Secret, "STOA_STRIPE_TEST_SECRET_KEY": c.Stripe.TestSecret,
		"STOA_STRIPE_WEBHOOK_SECRETS": c.Stripe.WebhookSecrets, "STOA_BACKUP_URL": c.Backup.URL,
	}
	var cells []string
	for _, cell := range c.Database.Cells {
		cells = append(cells, cell.Name+"="+cell.URL.Reveal())
	}
	open["STOA_CELLS"] = secrets.Redact(strings.Join(cells, ","))
	for _, s := range c.Settings {
		value := s.Value
		if secret, ok := open[s.Variable]; ok && c.Backup.Recipient != nil && s.Source != "default" {
			value = secret.Reveal()
		}
		if s.Source != "default" {
			fmt.Fprintf(&text, "%s=%s\n", s.Variable, value)
		}
	}
	return text.Bytes()
}

// registerKeeping has the workers look after the platform.
func registerKeeping(w *jobs.Workers, k *keeping.Keeper, m *machinery) {
	w.Every(keeping.TaskSchedule, scheduleEvery, k.Schedule)
	w.Every("keeping.forget", rotationEvery, k.Forget)
	w.Every("keeping.catalogues", cataloguesEvery, func(ctx context.Context) error {
		n, err := k.Catalogues(ctx)
		if n > 0 {
			m.log.InfoContext(ctx, "catalogues were vacuumed", "tables", n)
		}
		return err
	})
	w.Every("keeping.capacity", measureEvery, k.Measure)
	for _, kind := range keeping.OrphanKinds {
		m.metrics.Keeping.Swept(kind, 0, 0)
	}
	w.Every(keeping.TaskOrphans, orphansEvery, func(ctx context.Context) error {
		swept, err := k.Sweep(ctx)
		for kind, s := range swept {
			m.metrics.Keeping.Swept(kind, s.Count, s.Bytes)
			if s.Count > 0 {
				m.log.InfoContext(ctx, "swept what nothing owned", "kind", kind, "count", s.Count, "bytes", s.Bytes)
			}
		}
		return err
	})
	w.Every("keeping.rotation", rotationEvery, func(ctx context.Context) error {
		due, err := k.Due(ctx)
		if due.OlderKeys > 0 {
			m.log.WarnContext(ctx, "secrets are sealed under an older key than the newest: run stoa secrets rotate", "values", due.OlderKeys)
		}
		if len(due.Expiring) > 0 {
			m.log.WarnContext(ctx, "operators' keys expire within 30 days", "names", due.Expiring)
		}
		return err
	})
}

// showKeeping reads how backups and regular tasks stand, for the metrics.
func (a *App) showKeeping(ctx context.Context) {
	now, err := a.standing(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "how backups stand cannot be read", "error", err)
		}
		return // what was shown last stays
	}
	a.metrics.Keeping.Stands(now)
}

func (a *App) standing(ctx context.Context) (now observability.Keeping, err error) {
	stand, err := a.keeper.Stand(ctx)
	if err != nil {
		return now, err
	}
	shown := []keeping.Kind{}
	if a.keeper.Backups() {
		shown = append(shown, keeping.Full, keeping.Differential)
		now.Backups = append(now.Backups, observability.BackupState{Kind: "wal", LastGood: stand.WALArchive, Size: -1})
	}
	if a.keeper.Archives != nil {
		shown = append(shown, keeping.Store, keeping.Files)
	}
	for _, kind := range shown {
		now.Backups = append(now.Backups, observability.BackupState{Kind: string(kind), LastGood: stand.LastGood[kind], Size: stand.Size[kind]})
	}
	if stand.Tested {
		now.Test = &observability.RestoreTestState{LastGood: stand.LastGood[keeping.RestoreTest], Good: stand.TestGood}
	}
	tasks, err := jobs.Tasks(ctx, a.db)
	if err != nil {
		return now, err
	}
	for _, t := range tasks {
		state := observability.TaskState{Name: t.Name, Took: t.Took, Failures: t.Failures}
		if t.Succeeded != nil {
			state.LastGood = *t.Succeeded
		}
		now.Tasks = append(now.Tasks, state)
	}
	capacity, err := a.keeper.Capacity(ctx)
	for _, c := range capacity {
		now.Cells = append(now.Cells, observability.CapacityState{Cell: c.Cell, By: c.By, Used: c.Used, Most: c.Most, Full: c.Full})
	}
	return now, err
}
