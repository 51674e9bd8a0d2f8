package fields_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// desk is a store where fields are defined.
type desk struct {
	*testing.T
	db  *postgres.DB
	ctx context.Context
}

func open(t *testing.T) *desk {
	p := testdb.Open(t)
	return &desk{t, p.DB, p.Store(t)}
}

func (d *desk) in(fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return d.db.InStore(d.ctx, fn)
}

func (d *desk) define(definition fields.Definition) (id fields.ID, err error) {
	return id, d.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = fields.Create(ctx, tx, definition)
		return err
	})
}

func (d *desk) wants(what string, err error, code string) {
	d.Helper()
	if code == "" && err != nil || code != "" && !problem.Is(err, code) {
		d.Errorf("%s: %v, want %q", what, err, code)
	}
}

func to[T any](v T) *T { return &v }

// Definitions are made, changed and deleted, and their values with them, whatever bears them.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	d := open(t)
	for table, columns := range map[string]string{
		"products": `(id, handle, title, status, custom_fields) values ('prod_1', 'a', 'A', 'active', `, "collections": `(id, handle, title, custom_fields) values ('col_1', 'a', 'A', `,
		"categories": `(id, path, handle, name, custom_fields) values ('cat_1', 'cat_1/', 'a', 'A', `, "customers": `(id, email, custom_fields) values ('cus_1', 'ada@example.com', `,
	} {
		d.wants(table, d.in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `insert into `+table+` `+columns+`'{"note": "a", "kept": "b"}')`)
			return err
		}), "")
	}
	for table, resource := range map[string]fields.Resource{
		"products": fields.Products, "collections": fields.Collections, "categories": fields.Categories, "customers": fields.Customers, "orders": fields.Orders, "variants": fields.Variants,
	} {
		id, err := d.define(fields.Definition{Resource: resource, Key: "note", Name: " Note ", Type: fields.Text})
		d.wants("define", err, "")
		_, err = d.define(fields.Definition{Resource: resource, Key: "note", Name: "Note", Type: fields.Text})
		d.wants("define again", err, "field_key_taken")
		update := func(meant int, patch fields.Patch) error {
			return d.in(func(ctx context.Context, tx *postgres.Tx) error { return fields.Update(ctx, tx, id, meant, patch) })
		}
		d.wants("nothing new", update(1, fields.Patch{Name: to("Note")}), "")
		d.wants("a name", update(1, fields.Patch{Name: to("Notes"), Description: to("Why?"), Validations: &fields.Validations{MaxLength: to(5)}}), "")
		d.wants("a stale change", update(1, fields.Patch{Name: to("Other")}), "stale")
		d.wants("no name", update(0, fields.Patch{Name: to(" ")}), "invalid_field_definition")
		read, err := fields.Read(d.ctx, d.db, id)
		if err != nil || read.Version != 2 {
			t.Errorf("%s: version %d, %v", resource, read.Version, err)
		}
		erase := func(meant int) error {
			return d.in(func(ctx context.Context, tx *postgres.Tx) error { return fields.Delete(ctx, tx, id, meant) })
		}
		d.wants("a stale deletion", erase(1), "stale")
		d.wants("delete", erase(2), "")
		d.wants("delete again", erase(0), "not_found")
		var left string
		d.wants("read", d.in(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select coalesce(string_agg(custom_fields::text, ''), '') from `+table).Scan(&left)
		}), "")
		if left != `{"kept": "b"}` && left != "" {
			t.Errorf("%s hold %s", table, left)
		}
	}
	for _, shown := range []fields.Resource{fields.Customers, fields.Orders} {
		_, err := d.define(fields.Definition{Resource: shown, Key: "shown", Name: "Shown", Type: fields.Text, Shown: true})
		d.wants("shown", err, "invalid_field_definition")
	}
}

// A resource has a hundred fields, however many are made at once.
func TestFieldsOfAResourceAreBounded(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.wants("a hundred", d.in(func(ctx context.Context, tx *postgres.Tx) error {
		for n := range 99 {
			if _, err := fields.Create(ctx, tx, fields.Definition{Resource: fields.Products, Key: fmt.Sprint("f", n), Name: "F", Type: fields.Integer}); err != nil {
				return err
			}
		}
		return nil
	}), "")
	results := make(chan error, 3)
	for n := range 3 {
		go func() {
			_, err := d.define(fields.Definition{Resource: fields.Products, Key: fmt.Sprint("g", n), Name: "G", Type: fields.Integer})
			results <- err
		}()
	}
	made := 0
	for range 3 {
		if err := <-results; err == nil {
			made++
		} else {
			d.wants("one more", err, "field_limit")
		}
	}
	if page, err := fields.Definitions(d.ctx, d.db, "product", "", 1000); made != 1 || err != nil || len(page.Data) == 0 {
		t.Errorf("%d were made: %v", made, err)
	}
}

// Values name things that there are.
func TestReferences(t *testing.T) {
	t.Parallel()
	d := open(t)
	product := ids.New("prod")
	_, err := d.define(fields.Definition{Resource: fields.Categories, Key: "best", Name: "Best", Type: fields.Product, List: true})
	d.wants("define", err, "")
	d.wants("write", d.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into products (id, handle, title, status) values ($1, 'a', 'A', 'active')`, product); err != nil {
			return err
		}
		patch := fields.Values{"best": []any{product, ids.New("prod"), "prod_1"}}
		book, err := fields.Open(ctx, tx, fields.Categories, nil, patch)
		if err != nil {
			return err
		}
		var values fields.Values
		wrong := problem.New(problem.Unprocessable, "wrong", "Wrong.")
		if err := book.Write(ctx, tx, &values, patch, wrong); err != nil {
			return err
		}
		if len(wrong.Faults) != 2 || wrong.Faults[0].Pointer != "/custom_fields/best/2" || wrong.Faults[1].Pointer != "/custom_fields/best/1" {
			t.Errorf("wrong: %v", wrong.Faults)
		}
		return nil
	}), "")
}

// What is shown tells its name and type; what can be filtered by is found by its value, by
// shoppers only where they see it.
func TestWhatIsShownAndFilteredBy(t *testing.T) {
	t.Parallel()
	d := open(t)
	for key, shown := range map[string]bool{"size": true, "margin": false} {
		_, err := d.define(fields.Definition{Resource: fields.Products, Key: key, Name: "N", Type: fields.Integer, Shown: shown, Filterable: true})
		d.wants("define", err, "")
	}
	d.wants("read", d.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into products (id, handle, title, status, custom_fields) values ('prod_1', 'a', 'A', 'active', '{"size": 38, "margin": 40, "gone": 1}')`); err != nil {
			return err
		}
		var told string
		if err := tx.QueryRow(ctx, `select `+fields.ShownJSON(fields.Products, "p.custom_fields", "", "")+` from products p`).Scan(&told); err != nil {
			return err
		}
		if told != `{"size": {"name": "N", "type": "integer", "value": 38}}` {
			t.Errorf("shown: %s", told)
		}
		for _, try := range []struct {
			f            fields.Filter
			shop         bool
			can, matches bool
		}{
			{fields.Filter{}, true, true, true}, {fields.Filter{Key: "size", Value: "38"}, true, true, true}, {fields.Filter{Key: "size", Value: "39"}, false, true, false},
			{fields.Filter{Key: "margin", Value: "40"}, false, true, true}, {fields.Filter{Key: "margin", Value: "40"}, true, false, false}, {fields.Filter{Key: "gone", Value: "1"}, false, false, false},
		} {
			var can, matches bool
			err := tx.QueryRow(ctx, `select `+fields.CanFilter("$1::text", try.shop)+`, coalesce(`+fields.Matches("p.custom_fields", "$1::text", "$2::text", try.shop)+`, false) from products p`,
				try.f.Key, try.f.Value).Scan(&can, &matches)
			if err != nil || can != try.can || matches != try.matches {
				t.Errorf("%+v: %v %v, %v", try, can, matches, err)
			}
			d.wants("unknown", try.f.Unknown(), "not_filterable")
		}
		return fields.Prune(ctx, tx, fields.Products, `select 'prod_1'`)
	}), "")
}
