package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Fields are defined and deleted while values are written: nobody waits for each other, and
// no value is left without its definition.
func TestFieldsGoWhileValuesAreWritten(t *testing.T) {
	t.Parallel()
	s := open(t)
	id, variants := s.made(t, catalog.ProductInput{Title: "P"})
	values := func(round int) fields.Values { return fields.Values{"material": fmt.Sprint(round)} }
	var wg sync.WaitGroup
	for _, write := range []func(ctx context.Context, tx *postgres.Tx, round int) error{
		func(ctx context.Context, tx *postgres.Tx, round int) error {
			return s.UpdateProduct(ctx, tx, id, 0, catalog.ProductPatch{CustomFields: values(round)})
		},
		func(ctx context.Context, tx *postgres.Tx, round int) error {
			return s.UpdateVariant(ctx, tx, variants[0], 0, catalog.VariantPatch{CustomFields: values(round)})
		},
		func(ctx context.Context, tx *postgres.Tx, round int) error {
			_, err := s.CreateProduct(ctx, tx, catalog.ProductInput{Title: "New", CustomFields: values(round), Variants: []catalog.VariantInput{{CustomFields: values(round)}}})
			return err
		},
	} {
		wg.Go(func() {
			for round := range 20 {
				err := s.in(func(ctx context.Context, tx *postgres.Tx) error { return write(ctx, tx, round) })
				if err != nil && !problem.Is(err, "invalid_product") && !problem.Is(err, "invalid_variant") { // while there is no such field
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for round := range 20 {
			resource := []fields.Resource{fields.Products, fields.Variants}[round%2]
			var id fields.ID
			err := s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
				id, err = fields.Create(ctx, tx, fields.Definition{Resource: resource, Key: "material", Name: "Material", Type: fields.Text})
				return err
			})
			if err == nil {
				err = s.in(func(ctx context.Context, tx *postgres.Tx) error { return fields.Delete(ctx, tx, id, 0) })
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		var left int
		err := tx.QueryRow(ctx, `select (select count(*) from products where custom_fields <> '{}') + (select count(*) from variants where custom_fields <> '{}')`).Scan(&left)
		if left != 0 {
			t.Errorf("%d things hold values of a field that is gone", left)
		}
		return err
	})
}

// What is brought back leaves behind what it held in fields that are gone, also where others
// are called the same by now.
func TestRestoredThingsHoldWhatIsDefined(t *testing.T) {
	t.Parallel()
	s := open(t)
	define := func(key string) (id fields.ID) {
		s.must(t, func(ctx context.Context, tx *postgres.Tx) (err error) {
			id, err = fields.Create(ctx, tx, fields.Definition{Resource: fields.Products, Key: key, Name: key, Type: fields.Text})
			return err
		})
		return id
	}
	define("kept")
	gone, again := define("gone"), define("again")
	id, _ := s.made(t, catalog.ProductInput{Title: "P", CustomFields: fields.Values{"kept": "a", "gone": "b", "again": "c"}})
	var removed []catalog.Done
	s.must(t, func(ctx context.Context, tx *postgres.Tx) (err error) {
		removed, err = s.RemoveProducts(ctx, tx, []catalog.ProductID{id})
		return err
	})
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(fields.Delete(ctx, tx, gone, 0), fields.Delete(ctx, tx, again, 0))
	})
	define("again")
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := s.RestoreProducts(ctx, tx, []catalog.ProductID{id}, []json.RawMessage{removed[0].Undo}); err != nil {
			return err
		}
		var left string
		err := tx.QueryRow(ctx, `select custom_fields from products where id = $1`, id).Scan(&left)
		if left != `{"kept": "a"}` {
			t.Errorf("it holds %s", left)
		}
		return err
	})
}
