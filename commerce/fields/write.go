package fields

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Values are what a thing holds in its custom fields, by key.
type Values map[string]any

// Book are the definitions of a resource while values are written.
type Book struct {
	defined    map[string]*Definition
	references []reference
}

// reference is a thing that a value names.
type reference struct{ id, at string }

// Open locks the definitions of a resource, so that none is changed or deleted until the
// values are committed. It comes before locks of the things themselves, and after that of
// the settings, as in Delete. Where no patch says anything, it does nothing.
func Open(ctx context.Context, tx *postgres.Tx, resource Resource, patches ...Values) (*Book, error) {
	book := &Book{defined: map[string]*Definition{}}
	if !slices.ContainsFunc(patches, func(v Values) bool { return len(v) > 0 }) {
		return book, nil
	}
	var list []*Definition
	err := tx.Bun.NewSelect().Model(&list).Where("d.resource = ?", resource).Order("d.id").For("share").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the custom fields of %s: %w", resource, err)
	}
	for _, d := range list {
		book.defined[d.Key] = d
	}
	return book, nil
}

// For is the same book for another thing, so that what one names is looked for by itself.
func (b *Book) For() *Book { return &Book{defined: b.defined} }

// Restore gives a thing back the values that it had, as far as there is still a field for
// them that takes them; what is nil goes.
func (b *Book) Restore(of *Values, had Values) {
	restored := maps.Clone(*of)
	if restored == nil {
		restored = Values{}
	}
	for key, value := range had {
		wrong := new(problem.Problem)
		if value == nil {
			delete(restored, key)
		} else if d := b.defined[key]; d != nil {
			if value = b.judge(d, value, wrong, ""); len(wrong.Faults) == 0 {
				restored[key] = value
			}
		}
	}
	*of = restored
}

// Differing are the values that a thing had and that differ from those it has, with nil for
// what it had not: what Restore takes.
func Differing(had, has Values) Values {
	var differing Values
	for _, from := range []Values{had, has} {
		for key := range from {
			if reflect.DeepEqual(had[key], has[key]) {
				continue
			}
			if differing == nil {
				differing = Values{}
			}
			differing[key] = had[key]
		}
	}
	return differing
}

// Merge gives a thing the values that it has once a patch is applied: what is null goes,
// what is not there stays. It says what is wrong, with pointers below at.
func (b *Book) Merge(of *Values, patch Values, wrong *problem.Problem, at string) {
	merged := maps.Clone(*of)
	if merged == nil {
		merged = Values{}
	}
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		pointer := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		d := b.defined[key]
		switch {
		case d == nil:
			wrong.At(pointer, "unknown", "There is no custom field %q.", key)
		case patch[key] == nil:
			delete(merged, key)
		default:
			merged[key] = b.judge(d, patch[key], wrong, pointer)
		}
	}
	*of = merged
}

// judge tidies a value, or each of a list's.
func (b *Book) judge(d *Definition, given any, wrong *problem.Problem, at string) any {
	if !d.List {
		return b.one(d, given, wrong, at)
	}
	items, ok := given.([]any)
	if !ok || len(items) > maxItems {
		wrong.At(at, "type", "It is a list of at most %d.", maxItems)
		return nil
	}
	tidied := make([]any, len(items))
	for i, item := range items {
		tidied[i] = b.one(d, item, wrong, fmt.Sprintf("%s/%d", at, i))
	}
	return tidied
}

func (b *Book) one(d *Definition, given any, wrong *problem.Problem, at string) any {
	value, fault := d.value(given)
	if fault != nil {
		wrong.At(at, fault.code, "%s", fault.detail)
		return nil
	}
	if prefix := prefixes[d.Type]; prefix != "" {
		id := value.(string)
		if !ids.Valid(prefix, id) {
			wrong.At(at, "not_found", "There is no such thing.")
		} else {
			b.references = append(b.references, reference{id, at})
		}
	}
	return value
}

// Find says which of the things do not exist that merged values name.
func (b *Book) Find(ctx context.Context, tx *postgres.Tx, wrong *problem.Problem) error {
	if len(b.references) == 0 {
		return nil
	}
	named := make([]string, len(b.references))
	for i, r := range b.references {
		named[i] = r.id
	}
	rows, err := tx.Query(ctx, `select id from products where id = any($1) union all select id from variants where id = any($1)
		union all select id from collections where id = any($1)`, named)
	if err != nil {
		return fmt.Errorf("look for what custom fields name: %w", err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for what custom fields name: %w", err)
	}
	for _, r := range b.references {
		if !slices.Contains(there, r.id) {
			wrong.At(r.at, "not_found", "There is no such thing.")
		}
	}
	return nil
}

// Write merges one patch into the values of one thing, with all that belongs to it.
func (b *Book) Write(ctx context.Context, tx *postgres.Tx, of *Values, patch Values, wrong *problem.Problem) error {
	b.Merge(of, patch, wrong, "/custom_fields")
	return b.Find(ctx, tx, wrong)
}
