package fields

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

var definitionJSON = `json_build_object('id', t.id, 'resource', t.resource, 'key', t.key, 'name', t.name, 'description', nullif(t.description, ''),
	'type', t.type, 'list', t.list, 'validations', t.validations, 'shown_in_shop', t.shown, 'filterable', t.filterable,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	definitionsSQL = postgres.List{
		From: "field_definitions t where ($3 = '' or t.resource = $3)", Each: definitionJSON, Order: "t.id", After: "t.id > $2", Position: "t.id",
	}.SQL()
	definitionSQL = `select t.version || E'\n' || ` + definitionJSON + ` from field_definitions t where t.id = $1`
)

// Definitions is a page of definitions, the oldest first; resource narrows it to those of
// one.
func Definitions(ctx context.Context, db *postgres.DB, resource, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, definitionsSQL, limit, after, resource)
}

// Read is a definition.
func Read(ctx context.Context, from postgres.Source, id ID) (postgres.Object, error) {
	o, err := from.Object(ctx, definitionSQL, string(id))
	return postgres.Found(o, err, "custom field")
}

// ShownJSON is the SQL of the values that shoppers may see of a thing of a resource, whose
// values are in the column, with names and texts in the locales; said is what is said of the
// thing in these.
func ShownJSON(resource Resource, column string, in translations.In, said string) string {
	name, value, more := `f.name`, column+`->f.key`, ``
	if in != "" {
		name, more = in.Text(`d.said`, `name`, `f.name`), ` cross join lateral (select `+in.Said(`f.translations`)+` as said offset 0) d`
		text := func(key, written string) string {
			return `to_jsonb(case f.type when 'choice' then ` + in.Keyed(`d.said`, `'choices/' || `+translations.Part(written), written) + ` else ` + in.Keyed(said, key, written) + ` end)`
		}
		value = `case when f.type not in ('text', 'multiline_text', 'url', 'choice') then ` + column + `->f.key
			when not f.list then ` + text(`'custom_fields/' || f.key`, column+`->>f.key`) + `
			else (select coalesce(jsonb_agg(` + text(`'custom_fields/' || f.key || '/' || (e.n - 1)`, `e.value`) + ` order by e.n), '[]')
				from jsonb_array_elements_text(` + column + `->f.key) with ordinality e(value, n)) end`
	}
	return `case when ` + column + ` = '{}' then '{}'::jsonb else (select coalesce(jsonb_object_agg(f.key, jsonb_build_object('name', ` + name + `, 'type', f.type, 'value', ` + value + `)), '{}')
		from field_definitions f` + more + ` where f.resource = '` + string(resource) + `' and f.shown and ` + column + ` ? f.key) end`
}

// Filter asks for products that have a value in a custom field; empty for all.
type Filter struct{ Key, Value string }

// wanted is the definition that a filter's parameters are about, if products can be
// filtered by it. Shoppers ask for what they see alone.
func wanted(key string, shop bool) string {
	where := ` from field_definitions f where f.resource = 'product' and f.key = ` + key + ` and f.filterable`
	if shop {
		where += ` and f.shown`
	}
	return where
}

// CanFilter is the SQL of whether there is the field that a filter names, if it names one.
func CanFilter(key string, shop bool) string {
	return `(` + key + ` = '' or exists (select` + wanted(key, shop) + `))`
}

// Matches is the SQL of whether products, whose values are in the column, pass a filter: an
// index of the column finds them.
func Matches(column, key, value string, shop bool) string {
	typed := `case f.type when 'integer' then case when ` + value + ` ~ '^-?[0-9]{1,16}$' then to_jsonb(` + value + `::numeric) end
			when 'boolean' then case when ` + value + ` in ('true', 'false') then to_jsonb(` + value + `::boolean) end
			else to_jsonb(` + value + `::text) end`
	return `(` + key + ` = '' or ` + column + ` @> (select jsonb_build_object(f.key, case when f.list then jsonb_build_array(` + typed + `) else ` + typed + ` end)` +
		wanted(key, shop) + `))`
}

// Unknown is the problem that products cannot be filtered by the field that a filter names.
func (f Filter) Unknown() error {
	return problem.New(problem.Unprocessable, "not_filterable", "Products cannot be filtered by a custom field %q.", f.Key).
		At("?custom_field", "unknown", "There is no filterable custom field %q.", f.Key)
}
