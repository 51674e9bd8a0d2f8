package catalog

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ProductFilter says which products are wanted; empty fields ask for nothing.
type ProductFilter struct {
	Status       string
	Handle       string
	SKU          string
	CategoryID   string // or of one below it
	CollectionID string
	Tag          string
	Vendor       string
	Type         string
	Field        fields.Filter // not for Wanted
	Media        string        // what media addresses begin with
	After        string        // a position
	Limit        int
}

// listSQL is a page of products under a condition, the latest first. $2 is the size of
// the page, $3 the position.
func listSQL(can, where string) string {
	return `
with page as (
	select p.*, row_number() over (order by p.id desc) as n from products p
	where ($3 = '' or p.id < $3) and ` + where + `
	order by p.id desc limit $2::int + 1
)
select case when count(*) > $2::int then max(p.id) filter (where p.n = $2::int) else '' end || E'\n' ||
	case when ` + can + ` then coalesce(json_agg(` + productJSON + ` order by p.n) filter (where p.n <= $2::int), '[]')::text else '' end
from page p`
}

// Wanted are the conditions of a filter of products p, whose values are parameters from
// the first on.
func Wanted(first int) string {
	return strings.NewReplacer("$status", place(first), "$category", place(first+1), "$collection", place(first+2), "$tag", place(first+3),
		"$vendor", place(first+4), "$type", place(first+5), "$sku", place(first+6)).Replace(`($status = '' or p.status = $status)
	and ($category = '' or p.category_id in ` + subtree("$category") + `)
	and ($collection = '' or p.id in (select product_id from collection_products where collection_id = $collection))
	and ($tag = '' or p.tags @> array[$tag::text]) and ($vendor = '' or p.vendor = $vendor) and ($type = '' or p.product_type = $type)
	and ($sku = '' or p.id in (select product_id from variants where sku = $sku))`)
}

func place(n int) string { return "$" + strconv.Itoa(n) }

// Values are the filter's values for Wanted.
func (f ProductFilter) Values() []any {
	return []any{f.Status, f.CategoryID, f.CollectionID, f.Tag, f.Vendor, f.Type, f.SKU}
}

var productsSQL = listSQL(fields.CanFilter("$5", false), `($4 = '' or p.handle = $4) and `+fields.Matches("p.custom_fields", "$5", "$6", false)+` and `+Wanted(7))

// Products is a page of products, the latest first.
func Products(ctx context.Context, db *postgres.DB, f ProductFilter) (postgres.Page, error) {
	page, err := db.Page(ctx, productsSQL, append([]any{f.Media, f.Limit, f.After, f.Handle, f.Field.Key, f.Field.Value}, f.Values()...)...)
	if err == nil && len(page.Data) == 0 {
		return page, f.Field.Unknown()
	}
	return page, err
}

var productSQL = `select p.version || E'\n' || ` + productJSON + ` from products p where p.id = $2`

// Product is a product.
func Product(ctx context.Context, from postgres.Source, media string, id ProductID) (postgres.Object, error) {
	o, err := from.Object(ctx, productSQL, media, string(id))
	return postgres.Found(o, err, "product")
}

var variantSQL = `select p.version || E'\n' || ` + variantJSON + ` from variants v join products p on p.id = v.product_id where v.id = $1`

// Variant is a variant, with the version of its product.
func Variant(ctx context.Context, from postgres.Source, id VariantID) (postgres.Object, error) {
	o, err := from.Object(ctx, variantSQL, string(id))
	return postgres.Found(o, err, "variant")
}

var imageSQL = `select p.version || E'\n' || ` + imageJSON + ` from images i join products p on p.id = i.product_id where i.id = $2`

// Image is an image, with the version of its product.
func Image(ctx context.Context, from postgres.Source, media string, id ImageID) (postgres.Object, error) {
	o, err := from.Object(ctx, imageSQL, media, string(id))
	return postgres.Found(o, err, "image")
}

// searched is a page of the products that words find: the statement and its arguments.
func searched(q search.Query, f ProductFilter) (string, []any) {
	args := search.Arguments{f.Media, f.Limit}
	from, where := search.Found(args.Put(q.Words) + `::text`)
	if f.Status != "" {
		where += ` and x.status = ` + args.Put(f.Status)
	}
	return `
with page as (
	select p.*, b.position, b.n from (` + search.Best(from, where, q.Text, f.After, `$2::int + 1`, &args) + `) b join products p on p.id = b.product_id
)
select case when count(*) > $2::int then max(p.position) filter (where p.n = $2::int) else '' end || E'\n' ||
	coalesce(json_agg(` + productJSON + ` order by p.n) filter (where p.n <= $2::int), '[]')::text
from page p`, args
}

// Search is a page of the products that words find, the best first; where they find none,
// those that may have been meant. Of the filter only Status, Media, After and Limit count.
func Search(ctx context.Context, db *postgres.DB, speller *search.Speller, words string, f ProductFilter) (postgres.Page, error) {
	q := search.Parse(words)
	statement, args := searched(q, f)
	page, err := db.Page(ctx, statement, args...)
	if err != nil || !isEmpty(page) {
		return page, err
	}
	meant, ok := speller.Correct(ctx, q)
	if !ok {
		return page, nil
	}
	statement, args = searched(meant, f)
	return db.Page(ctx, statement, args...)
}

// HasProduct is the problem that there is no such product, or nil.
func HasProduct(ctx context.Context, db *postgres.DB, id ProductID) error {
	_, err := db.JSON(ctx, `select 'true' from products where id = $1`, string(id))
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("product")
	}
	return err
}

// HasImage says whether there is such an image. Where that cannot be found out, it says
// that there is.
func HasImage(ctx context.Context, db *postgres.DB, id ImageID) bool {
	_, err := db.JSON(context.WithoutCancel(ctx), `select 'true' from images where id = $1`, string(id))
	return !errors.Is(err, postgres.ErrNoRows)
}
