package catalog_test

import (
	"context"
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
	var products []catalog.ProductID
	for i := range 3 {
		id, _ := s.made(t, catalog.ProductInput{Title: fmt.Sprint("P", i)})
		products = append(products, id)
	}
	var wg sync.WaitGroup
	for _, product := range products {
		wg.Go(func() {
			for round := range 30 {
				err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
					return s.UpdateProduct(ctx, tx, product, 0, catalog.ProductPatch{CustomFields: fields.Values{"material": fmt.Sprint(round)}})
				})
				if err != nil && !problem.Is(err, "invalid_product") { // while there is no such field
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 15 {
			var id fields.ID
			err := s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
				id, err = fields.Create(ctx, tx, fields.Definition{Resource: fields.Products, Key: "material", Name: "Material", Type: fields.Text})
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
		err := tx.QueryRow(ctx, `select count(*) from products where custom_fields <> '{}'`).Scan(&left)
		if left != 0 {
			t.Errorf("%d products hold values of a field that is gone", left)
		}
		return err
	})
}
