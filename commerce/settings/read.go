package settings

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Source is where a single thing is read: the database, or a transaction that has just
// changed it.
type Source interface {
	Object(ctx context.Context, query string, args ...any) (postgres.Object, error)
}

func must(o postgres.Object, err error, what string) (postgres.Object, error) {
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return o, problem.Missing(what)
	case err != nil:
		return o, fmt.Errorf("read %s: %w", what, err)
	}
	return o, nil
}

var methodJSON = `json_build_object('id', t.id, 'name', t.name, 'description', nullif(t.description, ''),
	'prices', (select coalesce(json_agg(json_build_object('amount', a.value, 'currency', a.key) order by a.key), '[]') from jsonb_each(t.amounts) a),
	'countries', t.countries, 'active', t.active, 'position', t.position,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	methodsSQL = postgres.List{
		From: "shipping_methods t where true", Each: methodJSON, Order: "t.position, t.id",
		After: "(t.position, t.id) > (nullif(split_part($2, ':', 1), '')::int, split_part($2, ':', 2))", Position: "t.position || ':' || t.id",
	}.SQL()
	methodSQL = `select t.version || E'\n' || ` + methodJSON + ` from shipping_methods t where t.id = $1`
)

// ShippingMethods is a page of the ways to send orders, by place, as the API shows them.
func ShippingMethods(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, methodsSQL, limit, after)
}

// ShippingMethod is one of them.
func ShippingMethod(ctx context.Context, from Source, id ShippingMethodID) (postgres.Object, error) {
	o, err := from.Object(ctx, methodSQL, string(id))
	return must(o, err, "shipping method")
}

var taxRateJSON = `json_build_object('id', t.id, 'name', t.name, 'country', t.country, 'region', nullif(t.region, ''), 'postal_codes', t.postal_codes,
	'tax_class', nullif(t.tax_class, ''), 'percentage', trim_scale(t.rate / 10000.0)::text, 'combinable', t.combinable,
	'applies_to_shipping', t.applies_to_shipping,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	taxRatesSQL = postgres.List{
		From: "tax_rates t where true", Each: taxRateJSON, Order: "t.country, t.region, t.id",
		After:    "(t.country, t.region, t.id) > (split_part($2, ':', 1), split_part($2, ':', 3), split_part($2, ':', 2))",
		Position: "t.country || ':' || t.id || ':' || t.region",
	}.SQL()
	taxRateSQL = `select t.version || E'\n' || ` + taxRateJSON + ` from tax_rates t where t.id = $1`
)

// TaxRates is a page of tax rates, by country and region, as the API shows them.
func TaxRates(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, taxRatesSQL, limit, after)
}

// TaxRate is one of them.
func TaxRate(ctx context.Context, from Source, id TaxRateID) (postgres.Object, error) {
	o, err := from.Object(ctx, taxRateSQL, string(id))
	return must(o, err, "tax rate")
}

var shopSQL = `select s.version || E'\n' || json_build_object('name', s.name, 'description', nullif(s.description, ''),
	'contact_email', nullif(s.contact_email, ''), 'mode', $1::text, 'country', s.country, 'locale', s.locale, 'currency', s.currency,
	'currencies', to_json(array[s.currency] || array_remove(s.currencies, s.currency)),
	'shipping_countries', (select coalesce(json_agg(distinct c order by c) filter (where not exists
		(select from shipping_methods where active and countries = '{}')), '[]')
		from shipping_methods m, unnest(m.countries) c where m.active),
	'prices_include_tax', s.prices_include_tax, 'accent_color', coalesce(s.theme->>'accent_color', '` + DefaultAccent + `'),
	'url', $2::text, 'accepts_orders', $3::bool)
	from settings s where s.id = 1`

// Shop is what the shop tells everyone about itself, as the API shows it. What the store's
// row does not know is given: its side, where it answers, and whether it takes orders.
func Shop(ctx context.Context, db *postgres.DB, mode, url string, acceptsOrders bool) (postgres.Object, error) {
	o, err := db.Object(ctx, shopSQL, mode, url, acceptsOrders)
	return must(o, err, "shop")
}
