package fields

import (
	"context"
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
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
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
	Customers   Resource = "customer"
	Orders      Resource = "order"
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
	Filterable  bool        `bun:"filterable" json:"filterable"`
	Version     int         `bun:"version" json:"version"`
	CreatedAt   time.Time   `bun:"created_at" json:"-"`
	UpdatedAt   time.Time   `bun:"updated_at" json:"-"`
}

// Patch changes a definition; what is nil stays. Its key and type never change.
type Patch struct {
	Name, Description *string
	Validations       *Validations
	Shown, Filterable *bool
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
	if d.Filterable && (d.Resource != Products || !slices.Contains(filterable, d.Type)) {
		wrong.At("/filterable", "excluded", "Products alone are filtered, and by short texts, choices, whole numbers, dates, truths and references.")
	}
	if d.Shown && (d.Resource == Customers || d.Resource == Orders) {
		wrong.At("/shown_in_shop", "excluded", "What is noted on customers and orders is the staff's alone.")
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
	if err := stores.Alone(ctx, tx); err != nil {
		return "", err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from field_definitions where resource = $1`, string(d.Resource)).Scan(&count); err != nil {
		return "", fmt.Errorf("count definitions: %w", err)
	}
	if count >= mostDefinitions {
		return "", fieldLimit()
	}
	if _, err := tx.Bun.NewInsert().Model(&d).Exec(ctx); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.ConstraintName == "field_definitions_key" {
			return "", problem.New(problem.Conflict, "field_key_taken", "There is a field %q.", d.Key).At("/key", "taken", "Another one has it.")
		}
		return "", fmt.Errorf("insert definition: %w", err)
	}
	d.tell(ctx, tx, "created")
	journal.Audit(ctx, tx, journal.Entry{Action: "field_definition.create", ObjectID: string(d.ID), After: d})
	return d.ID, nil
}

// tell makes the event that something became of a definition.
func (d *Definition) tell(ctx context.Context, tx *postgres.Tx, what string) {
	journal.Event(ctx, tx, "field_definition."+what, string(d.ID), struct {
		ID       ID       `json:"id"`
		Resource Resource `json:"resource"`
		Key      string   `json:"key"`
	}{d.ID, d.Resource, d.Key})
}

// touch has shoppers see a change of what is shown to them.
func touch(tx *postgres.Tx, shown bool) {
	if shown {
		stores.Touch(tx)
	}
}

func lock(ctx context.Context, tx *postgres.Tx, id ID, meant int) (*Definition, error) {
	d := &Definition{}
	if err := tx.Hold(ctx, d, id, "custom field", postgres.ForUpdate); err != nil {
		return nil, err
	}
	return d, problem.Outdated(d.Version, meant)
}

// Update changes a definition that has the version meant; zero is any. Values that there
// are stay as they are, and meet the new rules when they are next written.
func Update(ctx context.Context, tx *postgres.Tx, id ID, meant int, patch Patch) error {
	if patch.Filterable != nil {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
	}
	d, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *d
	merge.Set(&d.Name, patch.Name)
	merge.Set(&d.Description, patch.Description)
	merge.Set(&d.Validations, patch.Validations)
	merge.Set(&d.Shown, patch.Shown)
	merge.Set(&d.Filterable, patch.Filterable)
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
	if before.Filterable != d.Filterable {
		if err := search.ReindexField(ctx, tx, d.Key); err != nil {
			return err
		}
	}
	touch(tx, before.Shown || d.Shown)
	d.tell(ctx, tx, "updated")
	journal.Audit(ctx, tx, journal.Entry{Action: "field_definition.update", ObjectID: string(id), Before: before, After: d})
	return nil
}

// tables are where things of a resource lie.
var tables = map[Resource]string{Products: "products", Variants: "variants", Collections: "collections", Categories: "categories", Customers: "customers", Orders: "orders"}

// Delete deletes a definition that has the version meant, zero being any, and with it every
// value of the field. Who writes values locks the definition before the thing, so that
// none is written meanwhile.
func Delete(ctx context.Context, tx *postgres.Tx, id ID, meant int) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	d, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	table := tables[d.Resource]
	kept, err := d.keep(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `with locked as (select id from `+table+` where custom_fields ? $1 order by id for no key update)
		update `+table+` t set custom_fields = t.custom_fields - $1, version = t.version + 1, updated_at = $2 from locked where t.id = locked.id`, d.Key, clock.Now())
	if err != nil {
		return fmt.Errorf("delete the values of %s: %w", d.Key, err)
	}
	if _, err := tx.Exec(ctx, `delete from field_definitions where id = $1`, id); err != nil {
		return fmt.Errorf("delete definition %s: %w", id, err)
	}
	if err := d.follow(ctx, tx); err != nil {
		return err
	}
	d.tell(ctx, tx, "deleted")
	journal.Audit(ctx, tx, journal.Entry{Action: "field_definition.delete", ObjectID: string(id), Before: d, Kept: kept})
	return nil
}

// follow sees to what follows from a field's being there or not.
func (d *Definition) follow(ctx context.Context, tx *postgres.Tx) error {
	if d.Resource == Products {
		if err := collections.RebuildAll(ctx, tx, collections.ByCustomField); err != nil {
			return err
		}
	}
	if d.Filterable {
		if err := search.ReindexField(ctx, tx, d.Key); err != nil {
			return err
		}
	}
	touch(tx, d.Shown)
	return nil
}

// Prune takes values away from things that are brought back, whose IDs a statement gives,
// where the field was deleted since they were last changed; also where another is called
// the same by now.
func Prune(ctx context.Context, tx *postgres.Tx, resource Resource, which string, args ...any) error {
	_, err := tx.Exec(ctx, `update `+tables[resource]+` t set custom_fields = (select coalesce(jsonb_object_agg(v.key, v.value), '{}')
			from jsonb_each(t.custom_fields) v join field_definitions d on d.resource = '`+string(resource)+`' and d.key = v.key and d.created_at <= t.updated_at)
		where t.custom_fields <> '{}' and t.id in (`+which+`)`, args...)
	if err != nil {
		return fmt.Errorf("prune the custom fields of each %s: %w", resource, err)
	}
	return nil
}
