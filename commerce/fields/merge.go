package fields

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Values are what a thing holds in its custom fields, by key.
type Values map[string]any

// touch has shoppers see a change of what is shown to them.
func touch(tx *postgres.Tx, shown bool) {
	if shown {
		stores.Touch(tx)
	}
}

// reference is a thing that a value names.
type reference struct {
	kind   Type
	id, at string
}

// Merge gives the values that a thing of a resource has once a patch is applied: what is
// null goes, what is not there stays. It says what is wrong, with pointers below at. The
// definitions are locked, so that none is changed or deleted meanwhile.
func Merge(ctx context.Context, tx *postgres.Tx, resource Resource, now, patch Values, wrong *problem.Problem, at string) (Values, error) {
	if now == nil {
		now = Values{}
	}
	if len(patch) == 0 {
		return now, nil
	}
	var list []*Definition
	keys := slices.Sorted(maps.Keys(patch))
	err := tx.Bun.NewSelect().Model(&list).Where("d.resource = ?", resource).Order("d.id").For("share").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the custom fields of %s: %w", resource, err)
	}
	defined := map[string]*Definition{}
	for _, d := range list {
		defined[d.Key] = d
	}
	merged := maps.Clone(now)
	var references []reference
	for _, key := range keys {
		pointer := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		d := defined[key]
		switch {
		case d == nil:
			wrong.At(pointer, "unknown", "There is no custom field %q.", key)
		case patch[key] == nil:
			delete(merged, key)
		default:
			merged[key] = d.judge(patch[key], wrong, pointer, &references)
		}
	}
	return merged, exist(ctx, tx, references, wrong)
}

// judge tidies a value, or each of a list's.
func (d *Definition) judge(given any, wrong *problem.Problem, at string, references *[]reference) any {
	one := func(given any, at string) any {
		value, fault := d.value(given)
		if fault != nil {
			wrong.At(at, fault.code, "%s", fault.detail)
		} else if prefix := prefixes[d.Type]; prefix != "" {
			if !ids.Valid(prefix, value.(string)) {
				wrong.At(at, "not_found", "There is no such thing.")
			} else {
				*references = append(*references, reference{d.Type, value.(string), at})
			}
		}
		return value
	}
	if !d.List {
		return one(given, at)
	}
	items, ok := given.([]any)
	if !ok || len(items) > maxItems {
		wrong.At(at, "type", "It is a list of at most %d.", maxItems)
		return nil
	}
	tidied := make([]any, len(items))
	for i, item := range items {
		tidied[i] = one(item, fmt.Sprintf("%s/%d", at, i))
	}
	return tidied
}

// exist says which of the things do not exist that values name.
func exist(ctx context.Context, tx *postgres.Tx, references []reference, wrong *problem.Problem) error {
	if len(references) == 0 {
		return nil
	}
	named := make([]string, len(references))
	for i, r := range references {
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
	for _, r := range references {
		if !slices.Contains(there, r.id) {
			wrong.At(r.at, "not_found", "There is no such thing.")
		}
	}
	return nil
}
