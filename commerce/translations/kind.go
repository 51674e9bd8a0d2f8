package translations

import (
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/ids"
)

// Resource is a kind of thing that has texts for shoppers.
type Resource string

// kind says where things of a resource lie and what texts x has: a JSON array of keys, texts,
// forms and bounds. Forms are a line, a text of several, and HTML.
type kind struct {
	resource Resource
	prefix   string // of IDs
	table    string
	id       string // of a row x
	shown    string // which rows x shoppers can see
	texts    string
}

// kinds are in the order in which things of several are locked.
var kinds = []kind{
	{"store", "sto", "settings", `x.id::text`, `true`,
		list(line("name", `x.name`, 255), text("description", `x.description`, 2000)) + ` || ` + arranged},
	{"shipping_method", "shp", "shipping_methods", `x.id`, `true`,
		list(line("name", `x.name`, 255), text("description", `x.description`, 1000))},
	{"field_definition", "cfd", "field_definitions", `x.id`, `x.shown`,
		list(line("name", `x.name`, 255)) + ` || (select coalesce(jsonb_agg(jsonb_build_array('choices/' || ` + Part("e.choice") + `, e.choice, 'line', 255) order by e.n), '[]')
			from jsonb_array_elements_text(coalesce(x.validations->'choices', '[]')) with ordinality e(choice, n))`},
	{"product", "prod", "products", `x.id`, `true`,
		list(line("title", `x.title`, 255), html("description_html", `x.description`, 65535), line("seo_title", `x.seo_title`, 255), line("seo_description", `x.seo_description`, 1000)) +
			` || ` + options + ` || ` + custom("product")},
	{"variant", "var", "variants", `x.id`, `x.custom_fields <> '{}'`, custom("variant")},
	{"image", "img", "images", `x.id`, `x.state = 'ready' and x.product_id is not null`, list(line("alt", `x.alt`, 512))},
	{"content_image", "cimg", "images", `x.id`, `x.product_id is null`, list(line("alt", `x.alt`, 512))},
	{"collection", "col", "collections", `x.id`, `true`,
		list(line("name", `x.title`, 255), html("description_html", `x.description`, 65535), line("seo_title", `x.seo_title`, 255), line("seo_description", `x.seo_description`, 1000)) +
			` || ` + custom("collection")},
	{"page", "page", "contents", `x.id`, `x.kind = 'page'`, article()},
	{"post", "post", "contents", `x.id`, `x.kind = 'post'`, article(text("excerpt", `x.excerpt`, 1000))},
	{"category", "cat", "categories", `x.id`, `true`,
		list(line("name", `x.name`, 255), text("description", `x.description`, 65535), line("seo_title", `x.seo_title`, 255), line("seo_description", `x.seo_description`, 1000)) +
			` || ` + custom("category")},
}

func list(texts ...string) string { return `jsonb_build_array(` + strings.Join(texts, `, `) + `)` }

func line(key, column string, most int) string {
	return `jsonb_build_array('` + key + `', ` + column + `, 'line', ` + strconv.Itoa(most) + `)`
}

func text(key, column string, most int) string {
	return `jsonb_build_array('` + key + `', ` + column + `, 'text', ` + strconv.Itoa(most) + `)`
}

func html(key, column string, most int) string {
	return `jsonb_build_array('` + key + `', ` + column + `, 'html', ` + strconv.Itoa(most) + `)`
}

// article are the texts of a page, and more of a post.
func article(more ...string) string {
	return list(append([]string{
		line("title", `x.title`, 255), html("body_html", `x.body`, 65535), line("seo_title", `x.seo_title`, 255), line("seo_description", `x.seo_description`, 1000),
	}, more...)...)
}

// options are what a product's options and their values are called.
var options = `(select coalesce(jsonb_agg(jsonb_build_array(w.key, w.text, 'line', 255) order by o.n, w.n), '[]')
	from jsonb_array_elements(x.options) with ordinality o(is_, n) cross join lateral (
		select 'options/' || ` + Part(`o.is_->>'name'`) + `, o.is_->>'name', 0
		union all select 'options/' || ` + Part(`o.is_->>'name'`) + ` || '/' || ` + Part(`e.value`) + `, e.value, e.n
			from jsonb_array_elements_text(o.is_->'values') with ordinality e(value, n)) w(key, text, n))`

// custom are the custom fields of texts that shoppers see of things of a resource. What is
// chosen from is the definition's.
func custom(resource string) string {
	return `(select coalesce(jsonb_agg(jsonb_build_array(w.key, w.text, case f.type when 'multiline_text' then 'text' else 'line' end,
			case f.type when 'multiline_text' then 20000 else 1000 end) order by f.id, w.n), '[]')
	from field_definitions f cross join lateral (
		select 'custom_fields/' || f.key, x.custom_fields->>f.key, 0 where not f.list
		union all select 'custom_fields/' || f.key || '/' || (e.n - 1), e.value, e.n
			from jsonb_array_elements_text(case when f.list then x.custom_fields->f.key else '[]' end) with ordinality e(value, n)) w(key, text, n)
	where f.resource = '` + resource + `' and f.shown and f.type in ('text', 'multiline_text', 'url') and x.custom_fields ? f.key)`
}

// kindOf is the kind of the thing of an ID, and its place among the kinds.
func kindOf(id string) (kind, int, bool) {
	for i, k := range kinds {
		if ids.Valid(k.prefix, id) {
			return k, i, true
		}
	}
	return kind{}, 0, false
}

// row is the ID of a thing's row.
func (k kind) row(id string) string {
	if k.resource == "store" {
		return "1"
	}
	return id
}
