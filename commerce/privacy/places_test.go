package privacy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// columnsSQL lists the columns of a schema that can hold what somebody said.
const columnsSQL = `select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
	and a.atttypid::regtype::text in ('text', 'text[]', 'json', 'jsonb', 'bytea', 'bytea[]', 'character varying', 'tsvector', 'inet', 'xml')`

type column struct{ Table, Name string }

func columns(t *testing.T, door func(context.Context, func(context.Context, *postgres.Tx) error) error, ctx context.Context, schema string) []column {
	t.Helper()
	var list []column
	err := door(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, columnsSQL, schema)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[column])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestEveryColumnIsClassified fails when a column that may tell of a person stands nowhere:
// whoever adds one says here what becomes of it when a person is erased.
func TestEveryColumnIsClassified(t *testing.T) {
	p := testdb.Open(t)
	store := p.Store(t)
	ref, _ := postgres.StoreFrom(store)
	there := map[column]bool{}
	for _, c := range columns(t, p.DB.InStore, store, postgres.SchemaName(ref.Schema)) {
		there[c] = true
	}
	inCell := func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
		return p.DB.InCell(ctx, p.Cell, fn)
	}
	known := map[column]bool{}
	for _, place := range places {
		for _, name := range strings.Fields(place.personal + " " + place.plain + " " + place.unshown) {
			known[column{place.table, name}] = true
		}
		if place.theirs != "" && place.change == "" || place.personal != "" && place.theirs == "" {
			t.Errorf("%s tells of persons, and nothing says whose it is or what becomes of it", place.table)
		}
	}
	compare(t, "places", known, there)

	known, there = map[column]bool{}, map[column]bool{}
	for _, place := range beyondStores {
		for _, name := range strings.Fields(place.personal + " " + place.plain) {
			known[column{place.table, name}] = true
		}
	}
	known[column{"cell.idempotency", "secret_body"}] = true
	for _, c := range columns(t, inCell, t.Context(), "cell") {
		there[column{"cell." + c.Table, c.Name}] = true
	}
	for _, c := range columns(t, p.DB.InControl, t.Context(), "public") {
		there[c] = true
	}
	compare(t, "beyondStores", known, there)
}

func compare(t *testing.T, list string, known, there map[column]bool) {
	t.Helper()
	var wrong []string
	for c := range there {
		if !known[c] {
			wrong = append(wrong, fmt.Sprintf("%s.%s is not in %s: can it tell of a person, and what becomes of it when they are erased?", c.Table, c.Name, list))
		}
	}
	for c := range known {
		if !there[c] {
			wrong = append(wrong, fmt.Sprintf("%s of %s is in %s and does not exist", c.Name, c.Table, list))
		}
	}
	slices.Sort(wrong)
	for _, w := range wrong {
		t.Error(w)
	}
}
