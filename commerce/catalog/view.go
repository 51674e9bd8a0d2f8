package catalog

import (
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. In every statement $1 is what media
// addresses begin with, such as "https://linen.stoa.example", or nothing for relative
// ones. Products are p, variants v, images i.

// mediaURL is the address of a file by its key.
func mediaURL(key string) string { return `$1::text || '/media/' || (` + key + `)` }

// sizesJSON are the sizes of an image.
var sizesJSON = `(select coalesce(json_agg(json_build_object('url', ` + mediaURL(`s.size->>'key'`) + `, 'width', s.size->'width', 'height', s.size->'height') order by s.n), '[]')
	from jsonb_array_elements(i.sizes) with ordinality s(size, n))`

var imageJSON = `json_build_object('id', i.id, 'product_id', i.product_id, 'url', ` + mediaURL(`i.sizes->-1->>'key'`) + `,
	'alt', nullif(i.alt, ''), 'media_type', i.content_type, 'width', i.width, 'height', i.height, 'bytes', i.bytes,
	'sizes', ` + sizesJSON + `, 'position', i.position, 'created_at', ` + postgres.UTC("i.created_at") + `)`

func shopImageJSON(in translations.In) string {
	return `json_build_object('id', i.id, 'url', ` + mediaURL(`i.sizes->-1->>'key'`) + `, 'alt', nullif(` + in.Text(in.Said(`i.translations`), `alt`, `i.alt`) + `, ''),
	'width', i.width, 'height', i.height, 'sizes', ` + sizesJSON + `)`
}

// imagesJSON are a product's images, each as given.
func imagesJSON(each string) string {
	return `(select coalesce(json_agg(` + each + ` order by i.position, i.id), '[]') from images i where i.product_id = p.id and i.state = 'ready')`
}

var variantJSON = `json_build_object('id', v.id, 'product_id', v.product_id, 'title', v.title, 'sku', v.sku,
	'barcode', nullif(v.barcode, ''), 'option_values', v.options,
	'prices', (select coalesce(json_agg(json_build_object('amount', r.amount, 'currency', r.currency, 'compare_at_amount', r.compare_at_amount)
		order by r.currency), '[]') from prices r where r.variant_id = v.id),
	'track_inventory', v.track_stock, 'allow_backorder', v.oversell, 'stock_quantity', v.stock - v.reserved,
	'weight_grams', v.weight_grams, 'length_mm', v.length_mm, 'width_mm', v.width_mm, 'height_mm', v.height_mm, 'net_content', v.net_content,
	'cost', case when v.cost_amount is not null then json_build_object('amount', v.cost_amount, 'currency', v.cost_currency) end,
	'requires_shipping', v.requires_shipping, 'taxable', v.taxable,
	'tax_class', nullif(v.tax_class, ''), 'image_id', v.image_id,
	'position', v.position, 'custom_fields', v.custom_fields, 'created_at', ` + postgres.UTC("v.created_at") + `, 'updated_at', ` + postgres.UTC("v.updated_at") + `)`

// shownVariants is how many variants a product is shown with. What there is beyond is read
// page by page, so that products of thousands of variants do not make answers without
// bounds.
const shownVariants = "100"

var productJSON = `json_build_object('id', p.id, 'handle', p.handle, 'title', p.title, 'description_html', p.description,
	'vendor', nullif(p.vendor, ''), 'product_type', nullif(p.product_type, ''), 'tags', p.tags, 'status', p.status,
	'category_id', p.category_id,
	'collection_ids', (select coalesce(json_agg(c.collection_id), '[]') from
		(select collection_id from collection_products where product_id = p.id order by collection_id limit 250) c),
	'seo_title', nullif(p.seo_title, ''), 'seo_description', nullif(p.seo_description, ''), 'options', p.options,
	'variants', (select coalesce(json_agg(` + variantJSON + ` order by v.position, v.id), '[]') from
		(select * from variants where product_id = p.id order by position, id limit ` + shownVariants + `) v),
	'variant_count', (select count(*) from variants where product_id = p.id),
	'images', ` + imagesJSON(imageJSON) + `,
	'custom_fields', p.custom_fields, 'publish_at', ` + postgres.UTC("p.publish_at") + `, 'unpublish_at', ` + postgres.UTC("p.unpublish_at") + `,
	'published_at', ` + postgres.UTC("p.published_at") + `, 'created_at', ` + postgres.UTC("p.created_at") + `, 'updated_at', ` + postgres.UTC("p.updated_at") + `)`

// moneyJSON is an amount of the shop's currency c.
func moneyJSON(amount string) string {
	return `json_build_object('amount', ` + amount + `, 'currency', c.currency)`
}

// Published says whether a product p is shown in the shop: it is active, and the present
// lies between its instants of publishing and of taking down, as far as it has them. The
// clock alone makes it true or false; nothing has to happen at the instant.
const Published = `(p.status = 'active' and coalesce(p.publish_at <= now(), true) and coalesce(p.unpublish_at > now(), true))`

// sellable says whether a variant v with its price r can be bought now.
const sellable = `(r.amount is not null and (not v.track_stock or coalesce(v.stock - v.reserved > case when v.oversell then -v.backorder_limit else 0 end, true)))`

// shopPrice is what one of a variant v costs in the shop's currency c, for who is in the
// groups of c.
func shopPrice() string {
	return pricelists.Price("v.id", "c.currency", pricelists.Now("c.groups")) + ` r`
}

// What follows is what shoppers read, in the locales of a statement: a product's texts are in
// t.said, unless they are shown as they are written.

// optionsJSON are a product's options.
func optionsJSON(in translations.In) string {
	if in == "" {
		return `p.options`
	}
	name := `o.is_->>'name'`
	return `case when t.said = '{}' then p.options else (select coalesce(jsonb_agg(jsonb_build_object('name', ` + in.Keyed(`t.said`, OptionKey(name), name) + `,
		'values', (select jsonb_agg(` + in.Keyed(`t.said`, ChoiceKey(name, `e.value`), `e.value`) + ` order by e.n) from jsonb_array_elements_text(o.is_->'values') with ordinality e(value, n))) order by o.n), '[]')
		from jsonb_array_elements(p.options) with ordinality o(is_, n)) end`
}

// OptionKey and ChoiceKey are the SQL of the keys that an option and one of its choices are
// translated under.
func OptionKey(name string) string { return `'options/' || ` + translations.Part(name) }

// ChoiceKey is that of a choice; see OptionKey.
func ChoiceKey(name, value string) string {
	return OptionKey(name) + ` || '/' || ` + translations.Part(value)
}

// choices is a variant's choices as they are called, put together by an aggregate, or what is
// written where they are called nothing else.
func choices(in translations.In, aggregate func(each string) string, written string) string {
	if in == "" {
		return written
	}
	return `case when t.said = '{}' then ` + written + ` else coalesce((select ` + aggregate(in.Keyed(`t.said`, ChoiceKey(`p.options->(e.n::int - 1)->>'name'`, `e.value`), `e.value`)) + `
		from unnest(v.options) with ordinality e(value, n)), ` + written + `) end`
}

// VariantTitle is the SQL of what a variant v of a product p is called, whose texts in the
// locales are in t.said.
func VariantTitle(in translations.In) string {
	return choices(in, func(each string) string { return `string_agg(` + each + `, ' / ' order by e.n)` }, `v.title`)
}

// shopVariantMembers are what every answer tells of a variant. What it costs from some
// quantity on is told of a product by itself and not in lists, where planning to look for it
// would take a third more time.
func shopVariantMembers(in translations.In) string {
	return `'id', v.id, 'title', ` + VariantTitle(in) + `, 'sku', v.sku,
	'option_values', ` + choices(in, func(each string) string { return `array_agg(` + each + ` order by e.n)` }, `v.options`) + `,
	'price', case when r.amount is not null then ` + moneyJSON("r.amount") + ` end,
	'compare_at_price', case when r.compare_at_amount is not null then ` + moneyJSON("r.compare_at_amount") + ` end,
	'lowest_price_30d', case when r.compare_at_amount is not null then (select case when low.amount is not null then ` + moneyJSON("low.amount") + ` end
		from (select ` + pricelists.Lowest("v.id", "c.currency", "r.amount", "p.published_at") + ` as amount) low) end,
	'net_content', v.net_content, 'unit_price', ` + unitPriceJSON + `,
	'available', ` + sellable + `, 'backorder_expected_on', case when v.track_stock and v.oversell and v.stock <= v.reserved then v.backorder_expected_on end,
	'image_id', v.image_id, 'custom_fields', ` + fields.ShownJSON(fields.Variants, `v.custom_fields`, in, in.Said(`v.translations`))
}

func listedVariantJSON(in translations.In) string {
	return `json_build_object(` + shopVariantMembers(in) + `)`
}

func shopVariantJSON(in translations.In) string {
	return `json_build_object(` + shopVariantMembers(in) + `,
	'price_breaks', (select coalesce(json_agg(json_build_object('min_quantity', b.min_quantity, 'price', ` + moneyJSON("b.amount") + `) order by b.min_quantity), '[]')
		from ` + pricelists.Breaks("v.id", "c.currency", "r.amount", "c.groups") + ` b where r.amount is not null))`
}

// shopVariants are the first of a product's variants in the shop's currency c, each written
// as given, and what all of them come to.
func shopVariants(each, most string) string {
	return `lateral (
	select coalesce(json_agg(` + each + ` order by v.n) filter (where v.n <= ` + most + `), '[]') as list, count(*) as count,
		min(r.amount) as low, max(r.amount) as high, coalesce(bool_or(` + sellable + `), false) as available
	from (select *, row_number() over (order by position, id) as n from variants where product_id = p.id) v
	left join lateral ` + shopPrice() + ` on true) o`
}

func shopProductJSON(in translations.In) string {
	return `json_build_object('id', p.id, 'handle', p.handle, 'title', ` + in.Text(`t.said`, `title`, `p.title`) + `, 'description_html', ` + in.Text(`t.said`, `description_html`, `p.description`) + `,
	'vendor', nullif(p.vendor, ''), 'product_type', nullif(p.product_type, ''), 'tags', p.tags, 'category_id', p.category_id,
	'seo_title', nullif(` + in.Text(`t.said`, `seo_title`, `p.seo_title`) + `, ''), 'seo_description', nullif(` + in.Text(`t.said`, `seo_description`, `p.seo_description`) + `, ''),
	'price_from', case when o.low is not null then ` + moneyJSON("o.low") + ` end,
	'price_to', case when o.high is not null then ` + moneyJSON("o.high") + ` end,
	'available', o.available, 'options', ` + optionsJSON(in) + `, 'variants', o.list, 'variant_count', o.count, 'images', ` + imagesJSON(shopImageJSON(in)) + `,
	'rating', case when p.rating_count > 0 then json_build_object('average', round(p.rating_sum::numeric / p.rating_count, 2)::text, 'count', p.rating_count) end,
	'custom_fields', ` + fields.ShownJSON(fields.Products, `p.custom_fields`, in, `t.said`) + `)`
}

// soldTo is the shop's currency as a parameter says, or the main one when that is empty; null
// when the shop does not sell in it. Groups are the parameter of those that the shopper is in.
func soldTo(currency, groups string) string {
	return `(select case when ` + currency + `::text = '' then currency when ` + currency + `::text = any (currencies || currency) then ` + currency + `::text end as currency,
	` + groups + `::text[] as groups from settings where id = 1) c`
}
