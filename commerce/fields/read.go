package fields

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

var definitionJSON = `json_build_object('id', t.id, 'resource', t.resource, 'key', t.key, 'name', t.name, 'description', nullif(t.description, ''),
	'type', t.type, 'list', t.list, 'validations', t.validations, 'shown_in_shop', t.shown,
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

// Source is where a definition is read: the database, or a transaction.
type Source interface {
	Object(ctx context.Context, query string, args ...any) (postgres.Object, error)
}

// Read is a definition.
func Read(ctx context.Context, from Source, id ID) (postgres.Object, error) {
	o, err := from.Object(ctx, definitionSQL, string(id))
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return o, problem.Missing("custom field")
	case err != nil:
		return o, fmt.Errorf("read a custom field: %w", err)
	}
	return o, nil
}

// ShownJSON is the SQL of the values that shoppers may see of a thing of a resource, whose
// values are in the column. Which ones those are is looked up once a statement.
func ShownJSON(resource Resource, column string) string {
	return `case when ` + column + ` = '{}' then '{}'::jsonb else (select coalesce(jsonb_object_agg(f.key, f.value), '{}') from jsonb_each(` + column + `) f
		where f.key = any (array(select key from field_definitions where resource = '` + string(resource) + `' and shown))) end`
}
