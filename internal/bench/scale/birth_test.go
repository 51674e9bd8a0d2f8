package scale

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
)

const (
	signUps = 60
	burst   = 8
	made    = 40
)

// births measures how long it takes from asking for a store to a shop that answers.
func births(b *testing.B, server *embedded.Postgres) report.Table {
	b.Helper()
	w := spawn(b, server, "births", apptest.Env{"STOA_BCRYPT_COST": "11"})
	defer w.Kill()
	hasher, err := passwords.NewHasher(passwords.DefaultCost)
	if err != nil {
		b.Fatal(err)
	}
	took := func(do func() error) float64 {
		began := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		return report.Milliseconds(time.Since(began))
	}
	signUp := func() error {
		_, _, err := w.signUp(b.Context())
		return err
	}
	var whole, hash, rush, ddl report.Samples
	for n := range signUps + 5 {
		w.filled(b)
		hashed := took(func() error { _, err := hasher.Hash(b.Context(), "seven purple lanterns at dusk"); return err })
		born := took(signUp)
		if n >= 5 { // the first ones open the connections
			hash, whole = append(hash, hashed), append(whole, born)
		}
	}
	for range 5 {
		w.filled(b)
		rush = append(rush, took(func() error {
			var group errgroup.Group
			for range burst {
				group.Go(signUp)
			}
			return group.Wait()
		}))
	}
	runner := w.runner(b, migrations.StoreSteps())
	for range made {
		ddl = append(ddl, took(func() error { _, err := runner.Make(b.Context(), w.cell); return err }))
	}

	rows := []report.Row{
		whole.Row("from sign-up to a shop that answers, p50", "%.0f ms"),
		report.Samples{percentile(whole, 95)}.AtMost("from sign-up to a shop that answers, p95", "%.0f ms", 400),
	}
	rows = append(rows, both("the password's hash by itself (cost 11)", hash)...)
	rows = append(rows, rush.Row("8 sign-ups at once, all of their shops answering", "%.0f ms"))
	rows = append(rows, both("making a schema: role, tables, grants", ddl)...)
	return report.Table{Title: "A store's birth", Rows: rows, Note: "One sign-up after the other, with schemas ready, over HTTP; then the shop's first page. " +
		"The hash by itself is measured in turns with them, so that what else the machine does meets both."}
}

// filled waits until as many schemas are ready as are kept.
func (w *town) filled(b *testing.B) {
	b.Helper()
	apptest.Eventually(b, time.Minute, "schemas are ready", func() bool {
		return apptest.Query[bool](w.Program, `select count(*) >= 3 from schemas where state = 'ready'`)[0]
	})
}

// runner is a runner of migrations at the town's databases.
func (w *town) runner(b *testing.B, steps []migrations.Step) *migrations.Runner {
	b.Helper()
	ring, err := secrets.ParseRing(w.Env["STOA_SECRET_KEYS"])
	if err != nil {
		b.Fatal(err)
	}
	db, err := postgres.Open(postgres.Config{Control: w.Env["STOA_DATABASE_URL"], Cells: map[string]string{w.cell: w.Env["STOA_DATABASE_URL"]}, Sealer: ring})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	runner := migrations.NewWith(db, slog.New(slog.DiscardHandler), steps)
	if err := db.Ping(context.Background()); err != nil {
		b.Fatal(err)
	}
	return runner
}
