package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// CollectionInput is a collection to be made.
type CollectionInput struct {
	Name           string
	Handle         string // made from the name when empty
	Description    string // HTML; cleaned
	SEOTitle       string
	SEODescription string
	SortOrder      string            // "manual" when empty
	Rule           *collections.Rule // put together by hand when nil
	CustomFields   fields.Values
	Products       []ProductID
}

// CollectionPatch changes a collection; what is nil stays. An invalid Rule leaves the
// products that there are and has them put together by hand from then on.
type CollectionPatch struct {
	Name, Handle, Description *string
	SEOTitle, SEODescription  *string
	SortOrder                 *string
	Rule                      *sql.Null[collections.Rule]
	CustomFields              fields.Values // merged
}

// manual is the order of a collection that is put in order by hand.
const manual = "manual"

// collection is a row of collections, and what the audit keeps of one.
type collection struct {
	bun.BaseModel `bun:"table:collections,alias:c" json:"-"`

	ID             CollectionID            `bun:"id,pk" json:"id"`
	Handle         string                  `bun:"handle" json:"handle"`
	Name           string                  `bun:"title" json:"name"`
	Description    string                  `bun:"description" json:"description_html"`
	SEOTitle       string                  `bun:"seo_title" json:"seo_title"`
	SEODescription string                  `bun:"seo_description" json:"seo_description"`
	Match          string                  `bun:"match" json:"match"`
	Rules          []collections.Condition `bun:"rules,type:jsonb,nullzero" json:"rules,omitempty"`
	SortOrder      string                  `bun:"sort_order" json:"sort_order"`
	CustomFields   fields.Values           `bun:"custom_fields,type:jsonb" json:"custom_fields,omitempty"`
	Version        int                     `bun:"version" json:"version"`
	CreatedAt      time.Time               `bun:"created_at" json:"-"`
	UpdatedAt      time.Time               `bun:"updated_at" json:"-"`
}

// told is the collection in the words of the contract, for the audit.
func (row collection) told() toldCollection {
	told := toldCollection{collection: row}
	if row.Rules != nil {
		told.Rule = &toldRule{row.Match, row.Rules}
	}
	return told
}

type toldCollection struct {
	collection
	Rule  *toldRule `json:"rule"`
	Match string    `json:"match,omitempty"`
	Rules string    `json:"rules,omitempty"`
}

type toldRule struct {
	Match      string                  `json:"match"`
	Conditions []collections.Condition `json:"conditions"`
}

// obey gives a collection its rule, or none.
func (row *collection) obey(rule *collections.Rule) {
	row.Match, row.Rules = "all", nil
	if rule == nil {
		return
	}
	row.Rules = append([]collections.Condition{}, rule.Conditions...)
	if rule.Any {
		row.Match = "any"
	}
}

// check tidies the collection's texts and rule and says what is wrong with them. Prices
// that name no currency are in the main one.
func (row *collection) check(currency string) checker {
	c := check("invalid_collection", "The collection cannot be kept as it is.")
	c.line(&row.Name, "/name", 1, maxName)
	c.html(&row.Description, "/description_html")
	c.line(&row.SEOTitle, "/seo_title", 0, maxName)
	c.line(&row.SEODescription, "/seo_description", 0, maxSEO)
	c.handle(row.Handle)
	if row.Rules != nil {
		rule := collections.Rule{Conditions: row.Rules}
		rule.Check(c.wrong, "/rule", currency)
	}
	return c
}

func (row *collection) named() named { return named{string(row.ID), row.Handle, row.Name} }

// CreateCollection makes a collection, by a rule or by hand, with products or without.
func (s *Service) CreateCollection(ctx context.Context, tx *postgres.Tx, in CollectionInput) (CollectionID, error) {
	now := clock.Now()
	row := &collection{
		ID: CollectionID(ids.New("col")), Name: in.Name, Handle: in.Handle, Description: in.Description, SEOTitle: in.SEOTitle,
		SEODescription: in.SEODescription, SortOrder: in.SortOrder, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	row.obey(in.Rule)
	if row.SortOrder == "" {
		row.SortOrder = manual
	}
	currency, err := mainCurrency(ctx, tx)
	if err != nil {
		return "", err
	}
	book, err := fields.Open(ctx, tx, fields.Collections, in.CustomFields)
	if err != nil {
		return "", err
	}
	c := row.check(currency)
	if err := book.Write(ctx, tx, &row.CustomFields, in.CustomFields, c.wrong); err != nil {
		return "", err
	}
	if err := c.wrong.OrNil(); err != nil {
		return "", err
	}
	if row.Rules != nil && len(in.Products) > 0 {
		return "", byRule()
	}
	if err := insertCollection(ctx, tx, row); err != nil {
		return "", err
	}
	if row.Rules != nil {
		if err := collections.Alone(ctx, tx); err != nil {
			return "", err
		}
		if err := collections.Rebuild(ctx, tx, string(row.ID)); err != nil {
			return "", err
		}
	}
	if _, err := appendProducts(ctx, tx, row.ID, in.Products); err != nil {
		return "", err
	}
	if err := collections.KeepRanked(ctx, tx, string(row.ID), row.SortOrder); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "collection.created", string(row.ID), row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.create", ObjectID: string(row.ID), After: struct {
		toldCollection
		contents
	}{row.told(), contents{Added: in.Products}}})
	return row.ID, nil
}

// mainCurrency is the store's, whose settings' row is locked until the end of the
// transaction: no product is made or deleted, and no rule changed meanwhile.
func mainCurrency(ctx context.Context, tx *postgres.Tx) (currency string, err error) {
	if err := tx.QueryRow(ctx, `select currency from settings where id = 1 for no key update`).Scan(&currency); err != nil {
		return "", fmt.Errorf("read the main currency: %w", err)
	}
	return currency, nil
}

func byRule() error {
	return problem.New(problem.Conflict, "collection_by_rule", "The collection's products follow from its rule.")
}

// insertCollection inserts the row under its handle or, when it has none, under the first
// free one that its name gives.
func insertCollection(ctx context.Context, tx *postgres.Tx, row *collection) error {
	given, base := row.Handle != "", row.Handle
	if !given {
		base = HandleFor(row.Name, "collection")
	}
	for try := 0; try < 5; try++ {
		row.Handle = base
		if !given {
			if err := tx.QueryRow(ctx, freeHandleSQL("collections"), base).Scan(&row.Handle); err != nil {
				return fmt.Errorf("find a free handle: %w", err)
			}
		}
		result, err := tx.Bun.NewInsert().Model(row).On("conflict (handle) do nothing").Exec(ctx)
		if err != nil {
			return fmt.Errorf("insert collection: %w", err)
		}
		if n, _ := result.RowsAffected(); n == 1 {
			return nil
		}
		if given {
			break
		}
	}
	return handleTaken(row.Handle)
}

func lockCollection(ctx context.Context, tx *postgres.Tx, id CollectionID) (*collection, error) {
	row := &collection{}
	if err := tx.Hold(ctx, row, id, "collection", postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	return row, nil
}

// UpdateCollection changes a collection that has the version meant; zero is any.
func (s *Service) UpdateCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, meant int, patch CollectionPatch) error {
	currency, err := mainCurrency(ctx, tx)
	if err != nil {
		return err
	}
	book, err := fields.Open(ctx, tx, fields.Collections, patch.CustomFields)
	if err != nil {
		return err
	}
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(row.Version, meant); err != nil {
		return err
	}
	before := *row
	merge.Set(&row.Name, patch.Name)
	merge.Set(&row.Handle, patch.Handle)
	merge.Set(&row.Description, patch.Description)
	merge.Set(&row.SEOTitle, patch.SEOTitle)
	merge.Set(&row.SEODescription, patch.SEODescription)
	merge.Set(&row.SortOrder, patch.SortOrder)
	if rule := patch.Rule; rule != nil && rule.Valid {
		row.obey(&rule.V)
	} else if rule != nil {
		row.obey(nil)
	}
	c := row.check(currency)
	if err := book.Write(ctx, tx, &row.CustomFields, patch.CustomFields, c.wrong); err != nil {
		return err
	}
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *row) {
		return nil
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	if row.Handle != before.Handle {
		if err := Leave(ctx, tx, KindCollection, before.Handle, string(id)); err != nil {
			return err
		}
	}
	if err := rearranged(ctx, tx, &before, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.update", ObjectID: string(id), Before: before.told(), After: row.told()})
	return nil
}

// rearranged finds a collection's products and their order anew, where its rule or its
// order has changed.
func rearranged(ctx context.Context, tx *postgres.Tx, before, after *collection) error {
	sorted := before.SortOrder != after.SortOrder
	if !sorted && before.Match == after.Match && reflect.DeepEqual(before.Rules, after.Rules) {
		return nil
	}
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	if sorted && after.SortOrder == manual {
		if err := collections.Number(ctx, tx, string(after.ID)); err != nil {
			return err
		}
	}
	if err := collections.Rebuild(ctx, tx, string(after.ID)); err != nil {
		return err
	}
	if !sorted {
		return nil
	}
	return collections.KeepRanked(ctx, tx, string(after.ID), after.SortOrder)
}

// changedCollection saves a collection, which is locked, in its next version.
func changedCollection(ctx context.Context, tx *postgres.Tx, row *collection) error {
	row.Version, row.UpdatedAt = row.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		if violates(err, "collections_handle_key") {
			return handleTaken(row.Handle)
		}
		return fmt.Errorf("update collection %s: %w", row.ID, err)
	}
	journal.Event(ctx, tx, "collection.updated", string(row.ID), row.named())
	return nil
}

// DeleteCollection deletes a collection that has the version meant; zero is any. Its
// products stay.
func (s *Service) DeleteCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, meant int) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(row.Version, meant); err != nil {
		return err
	}
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, string(id), collectionRows...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from collections where id = $1`, id); err != nil {
		return fmt.Errorf("delete collection %s: %w", id, err)
	}
	journal.Event(ctx, tx, "collection.deleted", string(id), gone{string(id)})
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.delete", ObjectID: string(id), Before: row.told(), Kept: kept})
	return nil
}
