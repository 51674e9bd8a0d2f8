package fields

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ID names a definition.
type ID string

// Resource is a kind of thing that has custom fields.
type Resource string

// The resources.
const (
	Products    Resource = "product"
	Variants    Resource = "variant"
	Collections Resource = "collection"
	Categories  Resource = "category"
)

// mostDefinitions is how many fields a resource can have.
const mostDefinitions = 100

// Validations are what a field asks of its values beyond its type; what is nil or empty
// asks nothing.
type Validations struct {
	Min       *string  `json:"min,omitempty"` // of numbers and measures: a decimal number
	Max       *string  `json:"max,omitempty"`
	MinLength *int     `json:"min_length,omitempty"` // of texts
	MaxLength *int     `json:"max_length,omitempty"`
	Pattern   string   `json:"pattern,omitempty"` // RE2
	Choices   []string `json:"choices,omitempty"`
}

// Definition is a row of field_definitions, and what the audit keeps of one.
type Definition struct {
	bun.BaseModel `bun:"table:field_definitions,alias:d" json:"-"`

	ID          ID          `bun:"id,pk" json:"id"`
	Resource    Resource    `bun:"resource" json:"resource"`
	Key         string      `bun:"key" json:"key"`
	Name        string      `bun:"name" json:"name"`
	Description string      `bun:"description" json:"description"`
	Type        Type        `bun:"type" json:"type"`
	List        bool        `bun:"list" json:"list"`
	Validations Validations `bun:"validations,type:jsonb" json:"validations"`
	Shown       bool        `bun:"shown" json:"shown_in_shop"`
	Version     int         `bun:"version" json:"version"`
	CreatedAt   time.Time   `bun:"created_at" json:"-"`
	UpdatedAt   time.Time   `bun:"updated_at" json:"-"`
}

// Patch changes a definition; what is nil stays. Its key and type never change.
type Patch struct {
	Name, Description *string
	Validations       *Validations
	Shown             *bool
}

// check tidies a definition and says what is wrong with it.
func (d *Definition) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_field_definition", "The field cannot be kept as it is.")
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	if n := utf8.RuneCountInString(d.Name); n == 0 || n > 255 {
		wrong.At("/name", "required", "It has 1 to 255 characters.")
	}
	if utf8.RuneCountInString(d.Description) > 1000 {
		wrong.At("/description", "maxLength", "It may have 1000 characters.")
	}
	v := d.Validations
	text := d.Type == Text || d.Type == Multiline || d.Type == URL
	numeric := d.Type == Integer || d.Type == Decimal || d.Type == Weight || d.Type == Length
	if !text && (v.MinLength != nil || v.MaxLength != nil || v.Pattern != "") {
		wrong.At("/validations", "unknown", "Only texts have a length and a form.")
	}
	if !numeric && (v.Min != nil || v.Max != nil) {
		wrong.At("/validations", "unknown", "Only numbers and measures have a least and a most.")
	}
	if _, err := regexp.Compile(v.Pattern); err != nil {
		wrong.At("/validations/pattern", "pattern", "It is no regular expression of RE2.")
	}
	if v.Min != nil && v.Max != nil && number(*v.Min) > number(*v.Max) {
		wrong.At("/validations/max", "minimum", "It is less than the least.")
	}
	if v.MinLength != nil && v.MaxLength != nil && *v.MinLength > *v.MaxLength {
		wrong.At("/validations/max_length", "minimum", "It is less than the least.")
	}
	if (d.Type == Choice) != (len(v.Choices) > 0) {
		wrong.At("/validations/choices", "required", "A choice has choices, and nothing else has.")
	}
	for i, choice := range v.Choices {
		if strings.TrimSpace(choice) != choice || choice == "" || slices.Index(v.Choices, choice) < i {
			wrong.At(fmt.Sprintf("/validations/choices/%d", i), "repeated", "It is empty, has blanks around it, or is there twice.")
		}
	}
	return wrong.OrNil()
}

// Create makes a definition. Its resource, key and type are the contract's.
func Create(ctx context.Context, tx *postgres.Tx, d Definition) (ID, error) {
	now := clock.Now()
	d.ID, d.Version, d.CreatedAt, d.UpdatedAt = ID(ids.New("cfd")), 1, now, now
	if err := d.check(); err != nil {
		return "", err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from field_definitions where resource = $1`, string(d.Resource)).Scan(&count); err != nil {
		return "", fmt.Errorf("count definitions: %w", err)
	}
	if count >= mostDefinitions {
		return "", problem.New(problem.Unprocessable, "field_limit", "A resource has at most %d custom fields.", mostDefinitions)
	}
	if _, err := tx.Bun.NewInsert().Model(&d).Exec(ctx); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.ConstraintName == "field_definitions_key" {
			return "", problem.New(problem.Conflict, "field_key_taken", "There is a field %q.", d.Key).At("/key", "taken", "Another one has it.")
		}
		return "", fmt.Errorf("insert definition: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "field.create", ObjectID: string(d.ID), After: d})
	return d.ID, nil
}

func lock(ctx context.Context, tx *postgres.Tx, id ID, meant int) (*Definition, error) {
	d := &Definition{}
	err := tx.Bun.NewSelect().Model(d).Where("d.id = ?", id).For("update").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Missing("custom field")
	}
	if err != nil {
		return nil, fmt.Errorf("read definition %s: %w", id, err)
	}
	if meant != 0 && meant != d.Version {
		return nil, problem.New(problem.Stale, "stale", "It has changed since: the version is %d now.", d.Version)
	}
	return d, nil
}

// Update changes a definition that has the version meant; zero is any. Values that there
// are stay as they are, and meet the new rules when they are next written.
func Update(ctx context.Context, tx *postgres.Tx, id ID, meant int, patch Patch) error {
	d, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *d
	set(&d.Name, patch.Name)
	set(&d.Description, patch.Description)
	set(&d.Validations, patch.Validations)
	set(&d.Shown, patch.Shown)
	if err := d.check(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *d) {
		return nil
	}
	d.Version, d.UpdatedAt = d.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(d).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update definition %s: %w", id, err)
	}
	touch(tx, before.Shown || d.Shown)
	journal.Audit(ctx, tx, journal.Entry{Action: "field.update", ObjectID: string(id), Before: before, After: d})
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// tables are where things of a resource lie.
var tables = map[Resource]string{Products: "products", Variants: "variants", Collections: "collections", Categories: "categories"}

// Delete deletes a definition that has the version meant, zero being any, and with it every
// value of the field.
//
// Who writes values locks the thing first and the definition after it. So the values go
// first, then the definition, for which those who are writing some are waited for, and then
// what they wrote.
func Delete(ctx context.Context, tx *postgres.Tx, id ID, meant int) error {
	// Changes of the whole catalogue take turns, and come before locks of products.
	if _, err := tx.Exec(ctx, `select from settings where id = 1 for no key update`); err != nil {
		return fmt.Errorf("lock settings: %w", err)
	}
	var resource Resource
	var key string
	err := tx.QueryRow(ctx, `select resource, key from field_definitions where id = $1`, id).Scan(&resource, &key)
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("custom field")
	}
	if err != nil {
		return fmt.Errorf("read definition %s: %w", id, err)
	}
	if err := sweep(ctx, tx, resource, key, ""); err != nil {
		return err
	}
	d, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from field_definitions where id = $1`, id); err != nil {
		return fmt.Errorf("delete definition %s: %w", id, err)
	}
	if err := sweep(ctx, tx, resource, key, " skip locked"); err != nil {
		return err
	}
	if resource == Products {
		if err := collections.RebuildAll(ctx, tx, collections.ByCustomField); err != nil {
			return err
		}
	}
	touch(tx, d.Shown)
	journal.Audit(ctx, tx, journal.Entry{Action: "field.delete", ObjectID: string(id), Before: d})
	return nil
}

// sweep takes a field's values away from all things of a resource.
func sweep(ctx context.Context, tx *postgres.Tx, resource Resource, key, locked string) error {
	table := tables[resource]
	_, err := tx.Exec(ctx, `with locked as (select id from `+table+` where custom_fields ? $1 order by id for no key update`+locked+`)
		update `+table+` t set custom_fields = t.custom_fields - $1, version = t.version + 1, updated_at = $2 from locked where t.id = locked.id`, key, clock.Now())
	if err != nil {
		return fmt.Errorf("delete the values of %s: %w", key, err)
	}
	return nil
}
