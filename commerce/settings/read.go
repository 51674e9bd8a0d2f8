package settings

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

var methodJSON = `json_build_object('id', t.id, 'name', t.name, 'description', nullif(t.description, ''),
	'zone_id', t.zone_id, 'tiered_by', nullif(t.tiered_by, ''), 'pickup_address', t.pickup_address,
	'prices', (select coalesce(json_agg(json_build_object('amount', p.value->'amount', 'currency', p.key, 'free_from', p.value->'free_from',
		'tiers', coalesce(p.value->'tiers', '[]')) order by p.key), '[]') from jsonb_each(t.prices) p),
	'carrier', case when t.carrier_service_id is not null then json_build_object('service_id', t.carrier_service_id, 'rate', t.carrier_rate) end,
	'active', t.active, 'position', t.position,
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
func ShippingMethod(ctx context.Context, from postgres.Source, id ShippingMethodID) (postgres.Object, error) {
	o, err := from.Object(ctx, methodSQL, string(id))
	return postgres.Found(o, err, "shipping method")
}

var zoneJSON = `json_build_object('id', t.id, 'name', t.name, 'territories', (
		select coalesce(json_agg(json_build_object('country', a.of->>'country', 'region', a.of->'region', 'postal_codes', coalesce(a.of->'postal_codes', '[]')) order by a.n), '[]')
		from jsonb_array_elements(t.territories) with ordinality a(of, n)),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	zonesSQL = postgres.List{From: "shipping_zones t where true", Each: zoneJSON, Order: "t.id", After: "t.id > $2", Position: "t.id"}.SQL()
	zoneSQL  = `select t.version || E'\n' || ` + zoneJSON + ` from shipping_zones t where t.id = $1`
)

// ShippingZones is a page of shipping zones, the oldest first, as the API shows them.
func ShippingZones(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, zonesSQL, limit, after)
}

// ShippingZone is one of them.
func ShippingZone(ctx context.Context, from postgres.Source, id ShippingZoneID) (postgres.Object, error) {
	o, err := from.Object(ctx, zoneSQL, string(id))
	return postgres.Found(o, err, "shipping zone")
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
func TaxRate(ctx context.Context, from postgres.Source, id TaxRateID) (postgres.Object, error) {
	o, err := from.Object(ctx, taxRateSQL, string(id))
	return postgres.Found(o, err, "tax rate")
}

var shopSQL = translations.Speak(5, func(in translations.In) string {
	said := in.Said(`s.translations`)
	return `select s.version || E'\n' || json_build_object('name', ` + in.Text(said, `name`, `s.name`) + `, 'description', nullif(` + in.Text(said, `description`, `s.description`) + `, ''),
	'contact_email', nullif(s.contact_email, ''), 'mode', $1::text, 'country', s.country, 'locale', s.locale,
	'locales', (select jsonb_build_array(s.locale) || coalesce(jsonb_agg(l.of->'locale' order by l.n) filter (where (l.of->>'published')::boolean), '[]')
		from jsonb_array_elements(s.locales) with ordinality l(of, n)),
	'currency', s.currency,
	'currencies', to_json(array[s.currency] || array_remove(s.currencies, s.currency)),
	'shipping_countries', (select coalesce(json_agg(distinct c.of->>'country' order by c.of->>'country') filter (where not exists
		(select from shipping_methods m left join shipping_zones z on z.id = m.zone_id
			where m.active and m.pickup_address is null and coalesce(z.territories, '[]') = '[]')), '[]')
		from shipping_methods m join shipping_zones z on z.id = m.zone_id, jsonb_array_elements(z.territories) c(of) where m.active and m.pickup_address is null),
	'prices_include_tax', s.prices_include_tax, 'accent_color', coalesce(s.theme->>'accent_color', '` + DefaultAccent + `'),
	'url', $2::text, 'accepts_orders', $3::bool, 'payment_options', (
		select coalesce(json_agg(json_build_object('provider', provider, 'token', token, 'name', name) order by place), '[]') from (
			select 0 as place, 'stripe' as provider, null as token, null as name where s.payments->'providers' ? 'stripe'
			union all select m.place, 'manual', m.method->>'id', m.method->>'name'
				from jsonb_array_elements(s.payments->'manual_methods') with ordinality m(method, place) where s.payments->'providers' ? 'manual'
			union all select 1000, 'test', null, null where $4::bool) options))
	from settings s where s.id = 1`
})

// Shop is what the shop tells everyone about itself, as the API shows it, in the locales. What the store's
// row does not know is given: its side, where it answers, and whether it takes orders and
// payments by the provider for tests.
func Shop(ctx context.Context, db *postgres.DB, locales []string, mode, url string, acceptsOrders, testPayments bool) (postgres.Object, error) {
	statement, args := shopSQL.In(locales, mode, url, acceptsOrders, testPayments)
	o, err := db.Object(ctx, statement, args...)
	return postgres.Found(o, err, "shop")
}
