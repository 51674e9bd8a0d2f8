package keeping

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/archive"
)

// sampled is how many stores of a cell a test looks into, drawn anew each time.
const sampled = 25

// Tested is what came of a test.
type Tested struct {
	Point    string   `json:"point"`  // the restore point that was restored
	Backup   string   `json:"backup"` // the newest one at that time
	Schemas  int      `json:"schemas"`
	Tables   int      `json:"tables"` // compared
	Rows     int64    `json:"rows"`   // of them
	Busy     int      `json:"busy"`   // tables that were written to at that very moment, and so could not be compared
	Differ   []string `json:"differ,omitempty"`
	Restored float64  `json:"restored_s"` // seconds until the restored cluster answered
}

// seen is what a schema of a database held.
type seen struct {
	database, schema string
	tables           []archive.Table
}

// testRestore proves that a stanza can be restored: rows are digested in the living
// databases, before and after a restore point is set, so that what is the same in both was
// so at the point; the cluster is restored to it elsewhere, from the newest backup and the
// log since, and digested there.
func (k *Keeper) testRestore(ctx context.Context, stanza string, progress func(float64)) (outcome, error) {
	came := Tested{Point: ids.New("point")}
	samples, err := k.sample(ctx, stanza)
	if err != nil {
		return outcome{}, err
	}
	before, err := look(ctx, k.DB, samples)
	if err != nil {
		return outcome{}, err
	}
	if err := k.setPoint(ctx, stanza, came.Point); err != nil {
		return outcome{}, err
	}
	after, err := look(ctx, k.DB, samples)
	if err != nil {
		return outcome{}, err
	}
	progress(0.2)
	known, err := k.Repository.Stanza(ctx, stanza)
	if err != nil {
		return outcome{}, err
	}
	newest, ok := known.Newest()
	if !ok {
		return outcome{}, fmt.Errorf("there is no backup of %s to test", stanza)
	}
	came.Backup = newest.Label
	if err := k.flushLog(ctx, stanza); err != nil {
		return outcome{}, err
	}
	progress(0.4)
	began := time.Now()
	restored, err := k.restoreScratch(ctx, stanza, backups.Target{Point: came.Point})
	if err != nil {
		return outcome{newest.Size, came}, err
	}
	came.Restored = time.Since(began).Seconds()
	progress(0.8)
	have, err := look(ctx, restored.DB, samples)
	err = errors.Join(err, restored.Close())
	if err != nil {
		return outcome{newest.Size, came}, err
	}
	came.compare(before, after, have)
	if len(came.Differ) > 0 {
		return outcome{newest.Size, came}, fmt.Errorf("what was restored of %s differs: %d tables, the first: %s", stanza, len(came.Differ), came.Differ[0])
	}
	if came.Tables == 0 {
		return outcome{newest.Size, came}, fmt.Errorf("nothing of %s could be compared: all of %d tables were being written to", stanza, came.Busy)
	}
	return outcome{newest.Size, came}, nil
}

// compare holds what was restored against what had stood still over the restore point.
func (t *Tested) compare(before, after, have []seen) {
	for i, b := range before {
		var still []archive.Table
		for _, table := range b.tables {
			if slices.ContainsFunc(after[i].tables, func(a archive.Table) bool {
				return a.Name == table.Name && a.Digest == table.Digest && a.Rows == table.Rows
			}) {
				still = append(still, table)
				t.Rows += table.Rows
			} else {
				t.Busy++
			}
		}
		t.Schemas++
		t.Tables += len(still)
		for _, difference := range archive.Differences(still, have[i].tables) {
			t.Differ = append(t.Differ, b.database+"/"+b.schema+"."+difference)
		}
	}
}

// sample chooses what is looked into: the control database as a whole, and of each cell its
// own tables and some stores.
func (k *Keeper) sample(ctx context.Context, stanza string) (list []seen, err error) {
	for _, name := range k.in(stanza) {
		if name == control {
			list = append(list, seen{database: name, schema: "public"})
			continue
		}
		list = append(list, seen{database: name, schema: "cell"})
		var numbers []int64
		err := k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			rows, err := tx.Query(ctx, `select number from schemas where cell = $1 and state = 'taken' and taken_at < now() - interval '1 minute'`, name)
			if err != nil {
				return err
			}
			numbers, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("choose stores of cell %s: %w", name, err)
		}
		rand.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
		for _, number := range numbers[:min(sampled, len(numbers))] {
			list = append(list, seen{database: name, schema: postgres.SchemaName(number)})
		}
	}
	return list, nil
}

// look digests the schemas of samples, each as of one instant.
func look(ctx context.Context, db *postgres.DB, samples []seen) ([]seen, error) {
	list := slices.Clone(samples)
	for i, s := range list {
		err := enter(ctx, db, s.database, func(ctx context.Context, tx *postgres.Tx) (err error) {
			if _, err := tx.Exec(ctx, `set transaction isolation level repeatable read read only`); err != nil {
				return err
			}
			list[i].tables, err = archive.Digests(ctx, tx, s.schema)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look into %s of %s: %w", s.schema, s.database, err)
		}
	}
	return list, nil
}

// setPoint writes a restore point into a stanza's log.
func (k *Keeper) setPoint(ctx context.Context, stanza, point string) error {
	databases := k.in(stanza)
	if len(databases) == 0 {
		return fmt.Errorf("no database is said to lie in the stanza %q: see STOA_BACKUP_STANZAS", stanza)
	}
	err := enter(ctx, k.DB, databases[0], func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `select pg_create_restore_point($1)`, point)
		return err
	})
	if err != nil {
		return fmt.Errorf("set a restore point in %s (the program's role needs: grant execute on function pg_create_restore_point(text)): %w", stanza, err)
	}
	return nil
}

// due says whether something that last went well at an instant is to be done again.
func due(last time.Time, every time.Duration) bool { return clock.Now().Sub(last) >= every }
