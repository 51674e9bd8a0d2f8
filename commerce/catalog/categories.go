package catalog

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// maxDepth is how many categories can be below each other.
const maxDepth = 10

// CategoryInput is a category to be made.
type CategoryInput struct {
	Name           string
	Handle         string // made from the name when empty
	Description    string
	SEOTitle       string
	SEODescription string
	ParentID       CategoryID // at the top when empty
	Position       *int       // last when nil
	CustomFields   fields.Values
}

// CategoryPatch changes or moves a category; what is nil stays.
type CategoryPatch struct {
	Name, Handle, Description *string
	SEOTitle, SEODescription  *string
	ParentID                  *CategoryID
	Position                  *int
	CustomFields              fields.Values // merged
}

// category is a row of categories, and what the audit keeps of one. Its path are the IDs
// from the root on, its own last, each followed by a slash.
type category struct {
	bun.BaseModel `bun:"table:categories,alias:c" json:"-"`

	ID             CategoryID    `bun:"id,pk" json:"id"`
	ParentID       CategoryID    `bun:"parent_id,nullzero" json:"parent_id,omitempty"`
	Path           string        `bun:"path" json:"-"`
	Name           string        `bun:"name" json:"name"`
	Handle         string        `bun:"handle" json:"handle"`
	Description    string        `bun:"description" json:"description"`
	SEOTitle       string        `bun:"seo_title" json:"seo_title"`
	SEODescription string        `bun:"seo_description" json:"seo_description"`
	Position       int           `bun:"position" json:"position"`
	CustomFields   fields.Values `bun:"custom_fields,type:jsonb" json:"custom_fields,omitempty"`
	Version        int           `bun:"version" json:"version"`
	CreatedAt      time.Time     `bun:"created_at" json:"-"`
	UpdatedAt      time.Time     `bun:"updated_at" json:"-"`
}

func (row *category) check() checker {
	c := check("invalid_category", "The category cannot be kept as it is.")
	c.line(&row.Name, "/name", 1, maxName)
	c.line(&row.SEOTitle, "/seo_title", 0, maxName)
	c.line(&row.SEODescription, "/seo_description", 0, maxSEO)
	row.Description = strings.TrimSpace(row.Description)
	if utf8.RuneCountInString(row.Description) > maxDescription {
		c.wrong.At("/description", "maxLength", "It may have %d characters.", maxDescription)
	}
	return c
}

// named is the data of the events of what has a name and a handle, in the contract's shape.
type named struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

func (row *category) named() named { return named{string(row.ID), row.Handle, row.Name} }

func readCategory(ctx context.Context, tx *postgres.Tx, id CategoryID) (*category, error) {
	row := &category{}
	if err := tx.Hold(ctx, row, id, "category", postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	return row, nil
}

// below gives a category its place in the tree: under a parent or, when that is empty, at
// the top.
func (row *category) below(ctx context.Context, tx *postgres.Tx, c checker, parent CategoryID) error {
	row.ParentID, row.Path = parent, string(row.ID)+"/"
	if parent == "" {
		return nil
	}
	above, err := readCategory(ctx, tx, parent)
	if problem.Is(err, "not_found") {
		c.wrong.At("/parent_id", "not_found", "There is no such category.")
		return nil
	}
	if err != nil {
		return err
	}
	row.Path = above.Path + row.Path
	return nil
}

// sisters are the categories under a parent, in their order.
func sisters(ctx context.Context, tx *postgres.Tx, parent CategoryID) ([]CategoryID, error) {
	rows, err := tx.Query(ctx, `select id from categories where coalesce(parent_id, '') = $1 order by position, id`, string(parent))
	if err != nil {
		return nil, fmt.Errorf("read the categories below %s: %w", parent, err)
	}
	defer rows.Close()
	var list []CategoryID
	for rows.Next() {
		var id CategoryID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// place puts a category among its sisters: at a position, or last when it is nil.
func (row *category) place(ctx context.Context, tx *postgres.Tx, position *int) error {
	list, err := sisters(ctx, tx, row.ParentID)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(id CategoryID) bool { return id == row.ID })
	at := len(list)
	if position != nil {
		at = min(*position, len(list))
	}
	list, row.Position = slices.Insert(list, at, row.ID), at
	_, err = tx.Exec(ctx, `update categories c set position = w.n - 1 from unnest($1::text[]) with ordinality w(id, n)
		where c.id = w.id and c.position <> w.n - 1`, list)
	if err != nil {
		return fmt.Errorf("place category %s: %w", row.ID, err)
	}
	return nil
}

// closeRanks numbers the categories under a parent anew after one of them has left.
func closeRanks(ctx context.Context, tx *postgres.Tx, parent CategoryID) error {
	_, err := tx.Exec(ctx, `update categories c set position = w.n - 1
		from (select id, row_number() over (order by position, id) as n from categories where coalesce(parent_id, '') = $1) w
		where c.id = w.id and c.position <> w.n - 1`, string(parent))
	if err != nil {
		return fmt.Errorf("place the categories below %s: %w", parent, err)
	}
	return nil
}

// CreateCategory makes a category.
func (s *Service) CreateCategory(ctx context.Context, tx *postgres.Tx, in CategoryInput) (CategoryID, error) {
	now := clock.Now()
	row := &category{
		ID: CategoryID(ids.New("cat")), Name: in.Name, Handle: in.Handle, Description: in.Description,
		SEOTitle: in.SEOTitle, SEODescription: in.SEODescription,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := stores.Alone(ctx, tx); err != nil {
		return "", err
	}
	book, err := fields.Open(ctx, tx, fields.Categories, in.CustomFields)
	if err != nil {
		return "", err
	}
	c := row.check()
	c.handle(row.Handle)
	if err := row.below(ctx, tx, c, in.ParentID); err != nil {
		return "", err
	}
	if err := book.Write(ctx, tx, &row.CustomFields, in.CustomFields, c.wrong); err != nil {
		return "", err
	}
	if err := c.wrong.OrNil(); err != nil {
		return "", err
	}
	if strings.Count(row.Path, "/") > maxDepth {
		return "", tooDeep()
	}
	if row.Handle == "" {
		if err := tx.QueryRow(ctx, freeHandleSQL("categories"), HandleFor(row.Name, "category")).Scan(&row.Handle); err != nil {
			return "", fmt.Errorf("find a free handle: %w", err)
		}
	}
	if _, err := tx.Bun.NewInsert().Model(row).Exec(ctx); err != nil {
		if violates(err, "categories_handle_key") {
			return "", handleTaken(row.Handle)
		}
		return "", fmt.Errorf("insert category: %w", err)
	}
	if err := row.place(ctx, tx, in.Position); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "category.created", string(row.ID), row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "category.create", ObjectID: string(row.ID), After: row})
	return row.ID, nil
}

func tooDeep() error {
	return problem.New(problem.Unprocessable, "category_too_deep", "Categories can be %d deep.", maxDepth)
}

// UpdateCategory changes or moves a category that has the version meant; zero is any. What
// is below it moves with it.
func (s *Service) UpdateCategory(ctx context.Context, tx *postgres.Tx, id CategoryID, meant int, patch CategoryPatch) error {
	// Two moves at once could make a circle that neither sees.
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	book, err := fields.Open(ctx, tx, fields.Categories, patch.CustomFields)
	if err != nil {
		return err
	}
	row, err := readCategory(ctx, tx, id)
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
	c := row.check()
	c.handle(row.Handle)
	if err := book.Write(ctx, tx, &row.CustomFields, patch.CustomFields, c.wrong); err != nil {
		return err
	}
	moved := patch.ParentID != nil && *patch.ParentID != row.ParentID
	if moved {
		if err := row.below(ctx, tx, c, *patch.ParentID); err != nil {
			return err
		}
	}
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	if moved {
		if err := moveTree(ctx, tx, &before, row); err != nil {
			return err
		}
	}
	if moved || patch.Position != nil {
		// The row must be among its new sisters before it is given its place there.
		if _, err := tx.Exec(ctx, `update categories set parent_id = nullif($2, '') where id = $1`, id, string(row.ParentID)); err != nil {
			return fmt.Errorf("move category %s: %w", id, err)
		}
		if err := row.place(ctx, tx, patch.Position); err != nil {
			return err
		}
	}
	if moved {
		if err := closeRanks(ctx, tx, before.ParentID); err != nil {
			return err
		}
	}
	if reflect.DeepEqual(before, *row) {
		return nil
	}
	row.Version, row.UpdatedAt = row.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		if violates(err, "categories_handle_key") {
			return handleTaken(row.Handle)
		}
		return fmt.Errorf("update category %s: %w", id, err)
	}
	if row.Handle != before.Handle {
		if err := Leave(ctx, tx, KindCategory, before.Handle, string(id)); err != nil {
			return err
		}
	}
	if moved {
		if err := collections.RebuildAll(ctx, tx, collections.ByCategory); err != nil {
			return err
		}
	}
	journal.Event(ctx, tx, "category.updated", string(id), row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "category.update", ObjectID: string(id), Before: &before, After: row})
	return nil
}

// moveTree gives everything below a category that moves its new path.
func moveTree(ctx context.Context, tx *postgres.Tx, before, after *category) error {
	// Its own ID is in the path twice when the new parent lies below it.
	if strings.Count(after.Path, string(after.ID)) > 1 {
		return problem.New(problem.Unprocessable, "category_cycle", "A category cannot be moved below itself.")
	}
	var deepest int
	err := tx.QueryRow(ctx, `select coalesce(max(length(path) - length(replace(path, '/', ''))), 0) from categories where starts_with(path, $1)`, before.Path).Scan(&deepest)
	if err != nil {
		return fmt.Errorf("measure category %s: %w", after.ID, err)
	}
	if strings.Count(after.Path, "/")+deepest-strings.Count(before.Path, "/") > maxDepth {
		return tooDeep()
	}
	_, err = tx.Exec(ctx, `update categories set path = $2 || substr(path, length($1) + 1) where starts_with(path, $1)`, before.Path, after.Path)
	if err != nil {
		return fmt.Errorf("move what is below category %s: %w", after.ID, err)
	}
	return nil
}

// DeleteCategory deletes a category that has the version meant, zero being any, and has
// none below it. Its products stay, without one.
func (s *Service) DeleteCategory(ctx context.Context, tx *postgres.Tx, id CategoryID, meant int) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	row, err := readCategory(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(row.Version, meant); err != nil {
		return err
	}
	kept, err := keepCategory(ctx, tx, id)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := emptyAndDelete(ctx, tx, id)
		if err == nil {
			break
		}
		if try == 5 || !violates(err, "products_category_id_fkey") { // somebody put a product into it meanwhile
			return err
		}
	}
	if err := closeRanks(ctx, tx, row.ParentID); err != nil {
		return err
	}
	if err := collections.RebuildAll(ctx, tx, collections.ByCategory); err != nil {
		return err
	}
	journal.Event(ctx, tx, "category.deleted", string(id), gone{string(id)})
	journal.Audit(ctx, tx, journal.Entry{Action: "category.delete", ObjectID: string(id), Before: row, Kept: kept})
	return nil
}

// emptyAndDelete takes all products out of a category and deletes it, or does nothing.
// The products are locked first: whoever changes one locks its category after it.
func emptyAndDelete(ctx context.Context, tx *postgres.Tx, id CategoryID) error {
	return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `with locked as (select id from products where category_id = $1 order by id for no key update)
			update products p set category_id = null, version = version + 1, updated_at = now() from locked where p.id = locked.id`, id)
		if err != nil {
			return fmt.Errorf("empty category %s: %w", id, err)
		}
		if _, err := tx.Exec(ctx, `delete from categories where id = $1`, id); err != nil {
			if violates(err, "categories_parent_id_fkey") {
				return problem.New(problem.Conflict, "category_not_empty", "There are categories below it.")
			}
			return fmt.Errorf("delete category %s: %w", id, err)
		}
		return nil
	})
}
