package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ProductEdit is what is to become of one of several products. Handles and options are
// each product's own, and not for edits.
type ProductEdit struct {
	ProductPatch
	AddTags    []string
	RemoveTags []string
}

// Done is what became of one of several things.
type Done struct {
	Err     error           // a problem, when it was refused
	Changed bool            // whether anything of it is other than it was
	Deleted bool            // whether it was deleted
	Undo    json.RawMessage // what undoes the change, for the method that is its opposite
}

// productUndo takes an edit back from a product that has the version still.
type productUndo struct {
	Version     int
	Patch       ProductPatch
	PublishedAt time.Time
}

// changedSince refuses to undo what was done to a thing that has changed since.
func changedSince() error {
	return problem.New(problem.Conflict, "changed_since", "It has changed since, and stays as it is.")
}

// EditProducts changes several products, each by its edit, by as many statements as one
// takes. One that is refused does not keep the others from being changed.
func (s *Service) EditProducts(ctx context.Context, tx *postgres.Tx, ids []ProductID, edits []ProductEdit) ([]Done, error) {
	patches := make([]fields.Values, len(edits))
	for i, e := range edits {
		patches[i] = e.CustomFields
	}
	return s.eachProduct(ctx, tx, ids, patches, func(i int, p *product, book *fields.Book) error {
		edits[i].apply(p)
		for _, tag := range edits[i].AddTags {
			p.Tags = append(slices.Clone(p.Tags), tag)
		}
		p.Tags = slices.DeleteFunc(tidyTags(p.Tags), func(tag string) bool { return slices.Contains(edits[i].RemoveTags, tag) })
		c := p.check()
		if err := book.Write(ctx, tx, &p.CustomFields, patches[i], c.wrong); err != nil {
			return err
		}
		p.publish()
		return c.wrong.OrNil()
	})
}

// UneditProducts takes edits back, which left undos.
func (s *Service) UneditProducts(ctx context.Context, tx *postgres.Tx, ids []ProductID, undos []json.RawMessage) ([]Done, error) {
	read, patches := make([]productUndo, len(undos)), make([]fields.Values, len(undos))
	for i := range undos {
		if err := json.Unmarshal(undos[i], &read[i]); err != nil {
			return nil, fmt.Errorf("read what undoes the edit of %s: %w", ids[i], err)
		}
		patches[i] = read[i].Patch.CustomFields
	}
	return s.eachProduct(ctx, tx, ids, patches, func(i int, p *product, book *fields.Book) error {
		undo := read[i]
		if p.Version != undo.Version {
			return changedSince()
		}
		undo.Patch.apply(p)
		book.Restore(&p.CustomFields, patches[i])
		p.PublishedAt = undo.PublishedAt
		return p.check().wrong.OrNil()
	})
}

// eachProduct locks products and saves what fn makes of each that it does not refuse by a
// problem. The book is that of the custom fields that the patches are of.
func (s *Service) eachProduct(ctx context.Context, tx *postgres.Tx, ids []ProductID, patches []fields.Values, fn func(i int, p *product, book *fields.Book) error) ([]Done, error) {
	book, err := fields.Open(ctx, tx, fields.Products, patches...)
	if err != nil {
		return nil, err
	}
	var products []*product
	if err := tx.Bun.NewSelect().Model(&products).Where("p.id in (?)", bun.List(ids)).Order("p.id").For("no key update").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	done, changed, touched := make([]Done, len(ids)), []*product{}, map[ProductID]bool{}
	for i, id := range ids {
		at := slices.IndexFunc(products, func(p *product) bool { return p.ID == id })
		if at < 0 {
			done[i].Err = problem.Missing("product")
			continue
		}
		p := products[at]
		p.tidy()
		before := *p
		err := fn(i, p, book.For())
		switch {
		case err != nil && problem.As(err) == nil:
			return nil, err
		case err != nil:
			done[i].Err = err
			continue
		case reflect.DeepEqual(before, *p):
			continue
		}
		p.Version++
		undo, err := json.Marshal(productUndo{p.Version, before.from(p), before.PublishedAt})
		if err != nil {
			return nil, fmt.Errorf("keep what undoes the edit of %s: %w", id, err)
		}
		done[i].Changed, done[i].Undo = true, undo
		changed, touched[id] = append(changed, p), true
		journal.Event(ctx, tx, "product.updated", string(id), p.summary())
		journal.Audit(ctx, tx, journal.Entry{Action: "product.update", ObjectID: string(id), Before: &before, After: p})
	}
	if len(changed) == 0 {
		return done, nil
	}
	if err := updateProducts(ctx, tx, changed); err != nil {
		return nil, err
	}
	return done, index(ctx, tx, slices.Collect(maps.Keys(touched))...)
}

// from is what makes a product of another that edits have made of it.
func (p *product) from(o *product) ProductPatch {
	patch := ProductPatch{
		Title: differs(p.Title, o.Title), Description: differs(p.Description, o.Description), Vendor: differs(p.Vendor, o.Vendor), Type: differs(p.Type, o.Type),
		Status: differs(p.Status, o.Status), CategoryID: differs(p.CategoryID, o.CategoryID),
		SEOTitle: differs(p.SEOTitle, o.SEOTitle), SEODescription: differs(p.SEODescription, o.SEODescription),
		PublishAt: nullable(differs(p.PublishAt, o.PublishAt)), UnpublishAt: nullable(differs(p.UnpublishAt, o.UnpublishAt)),
	}
	if !slices.Equal(p.Tags, o.Tags) {
		patch.Tags = p.Tags
	}
	patch.CustomFields = fields.Differing(p.CustomFields, o.CustomFields)
	return patch
}

// differs is a value that another differs from, or nil.
func differs[T comparable](value, other T) *T {
	if value == other {
		return nil
	}
	return &value
}

// touchProducts gives products, which are locked, their next versions, as something of
// them has changed.
func touchProducts(ctx context.Context, tx *postgres.Tx, products []*product) error {
	touched, list := map[ProductID]bool{}, []string{}
	for _, p := range products {
		touched[p.ID], list = true, append(list, string(p.ID))
		journal.Event(ctx, tx, "product.updated", string(p.ID), p.summary())
	}
	if len(list) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `update products set version = version + 1, updated_at = $2 where id = any($1)`, list, clock.Now()); err != nil {
		return fmt.Errorf("touch products: %w", err)
	}
	return index(ctx, tx, slices.Collect(maps.Keys(touched))...)
}

// nullable is a value of a patch that may be missing.
func nullable[T comparable](value *T) *sql.Null[T] {
	if value == nil {
		return nil
	}
	var none T
	return &sql.Null[T]{V: *value, Valid: *value != none}
}
