package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ShopFilter says which products a shopper wants to see; empty fields ask for nothing.
type ShopFilter struct {
	Currency     string // the store's main one when empty
	CategoryID   string // or of one below it
	CollectionID string // in its order
	Tag          string
	Field        fields.Filter
	Words        string // what is searched for: the best first
	Filters      []search.Filter
	Order        search.Order    // a collection's own, the latest or the best first when empty
	Speller      *search.Speller // corrects words that nothing is found by; nil corrects nothing
	Counter      *search.Counter // counts what is looked for; nil counts nothing
	Media        string          // what media addresses begin with
	After        string          // a position
	Limit        int
	Groups       []string // that the shopper is in, for prices
	Locales      []string // that texts are shown in, the nearest first; as they are written when empty
}

// shopPage writes a page of p, which has a place n, when the shop sells in the currency;
// $4 is the size of the page, and $5 the shopper's groups.
func shopPage(in translations.In, can, with, position string) string {
	return `
with ` + with + `
select case when c.currency is null then null when not ` + can + ` then E'\n' else (
	select case when count(*) > $4::int then max(` + position + `) filter (where p.n = $4::int) else '' end || E'\n' ||
		coalesce(json_agg(` + shopProductJSON(in) + ` order by p.n) filter (where p.n <= $4::int), '[]')::text
	from page p` + in.From(`p.translations`) + `, ` + shopVariants(listedVariantJSON(in), shownVariants) + `) end
from ` + soldTo("$2", "$5")
}

// inShop are the products that the filter lets through.
var inShop = Published + ` and ($7 = '' or p.tags @> array[$7::text])
	and ($6 = '' or p.category_id in ` + subtree("$6") + `)
	and ` + fields.Matches("p.custom_fields", "$8", "$9", true)

var canFilter = fields.CanFilter("$8", true)

var shopListSQL = translations.Speak(10, func(in translations.In) string {
	return shopPage(in, canFilter, `page as (
	select p.*, row_number() over (order by p.id desc) as n from products p
	where ($3 = '' or p.id < $3) and `+inShop+`
	order by p.id desc limit $4::int + 1
)`, `p.id`)
})

var shopCollectionProductsSQL = translations.Speak(11, func(in translations.In) string {
	return shopPage(in, canFilter, `page as (
	select p.*, m.sort_key, row_number() over (order by `+inOrder+`) as n
	from collection_products m join products p on p.id = m.product_id
	where m.collection_id = $10 and m.shown and `+inOrderAfter("$3")+`
		and `+inShop+`
	order by `+inOrder+` limit $4::int + 1
)`, inOrderPosition)
})

// indexed is a page of products by the index, which finds, filters and sorts them: the
// statement and its arguments.
func (f ShopFilter) indexed(q search.Query) (string, []any) {
	args := search.Arguments{f.Media, f.Currency, f.Field.Key, f.Limit, f.Groups}
	asked := f.asked(q)
	order := f.Order
	if order == "" && f.Words != "" {
		order = search.Relevance
	}
	from, where := asked.From(&args)
	where += ` and ` + asked.Filtered(&args)
	if f.Field.Key != "" {
		where += ` and x.product_id in (select p.id from products p where ` + fields.Matches("p.custom_fields", "$3", args.Put(f.Field.Value), true) + `)`
	}
	const most = `$4::int + 1`
	var by, position, later, list string
	switch {
	case order == search.Relevance && q.Words != "":
		list = search.Best(from, where, q.Text, f.After, most, &args)
	case f.CollectionID != "" && order == "":
		from += `, collection_products m`
		where += ` and m.product_id = x.product_id and m.shown and m.collection_id = ` + args.Put(f.CollectionID)
		by, position, later = inOrder, `m.product_id || ':' || m.sort_key`, inOrderAfter(args.Put(f.After)+`::text`)
	default:
		by, position, later = asked.By(order, f.After, &args)
	}
	if list == "" {
		list = `select x.product_id, ` + position + ` as position, row_number() over (order by ` + by + `) as n
		from ` + from + ` where ` + where + ` and ` + later + ` order by ` + by + ` limit ` + most
	}
	in := translations.In("")
	if len(f.Locales) > 0 {
		in = translations.In(args.Put(f.Locales) + `::text[]`)
	}
	return shopPage(in, fields.CanFilter("$3::text", true), `page as (
	select p.*, w.position, w.n from (`+list+`) w join products p on p.id = w.product_id
)`, `p.position`), args
}

// asked is what the filter asks of the index.
func (f ShopFilter) asked(q search.Query) search.Asked {
	return search.Asked{Query: q, CategoryID: f.CategoryID, CollectionID: f.CollectionID, Tag: f.Tag, Filters: f.Filters, Currency: f.Currency, Locales: f.Locales}
}

var shopHandlesSQL = `
select coalesce(json_agg(json_build_object('handle', p.handle, 'updated_at', ` + postgres.UTC("p.updated_at") + `) order by p.id desc), '[]')::text
from (select id, handle, updated_at from products p where ` + Published + ` order by id desc limit $1) p`

// ShopHandles are the handles of all products that are sold, the latest first, and when
// each was changed; for lists of what there is.
func ShopHandles(ctx context.Context, db *postgres.DB, most int) ([]byte, error) {
	raw, err := db.JSON(ctx, shopHandlesSQL, most)
	if err != nil {
		return nil, fmt.Errorf("list the shop's handles: %w", err)
	}
	return raw, nil
}

// ShopProducts is a page of the products that are sold, in one currency: in the order that is
// asked for, else in a collection's, the best first of a search, or the latest first. Where
// words find nothing, those are looked for that may have been meant.
func ShopProducts(ctx context.Context, db *postgres.DB, f ShopFilter) (postgres.Page, error) {
	if f.Words == "" && len(f.Filters) == 0 && f.Order == "" {
		statement, args := shopListSQL.In(f.Locales, f.Media, f.Currency, f.After, f.Limit, f.Groups, f.CategoryID, f.Tag, f.Field.Key, f.Field.Value)
		if f.CollectionID != "" {
			statement, args = shopCollectionProductsSQL.In(f.Locales, f.Media, f.Currency, f.After, f.Limit, f.Groups, f.CategoryID, f.Tag, f.Field.Key, f.Field.Value, f.CollectionID)
		}
		return f.read(ctx, db, statement, args)
	}
	q := search.Parse(f.Words)
	statement, args := f.indexed(q)
	page, err := f.read(ctx, db, statement, args)
	if err == nil && isEmpty(page) {
		if meant, ok := f.Speller.Correct(ctx, q); ok {
			statement, args = f.indexed(meant)
			page, err = f.read(ctx, db, statement, args)
		}
	}
	if err == nil && f.Words != "" && f.After == "" && len(f.Filters) == 0 {
		f.Counter.Searched(ctx, q, !isEmpty(page))
	}
	return page, err
}

func isEmpty(page postgres.Page) bool { return string(page.Data) == "[]" }

func (f ShopFilter) read(ctx context.Context, db *postgres.DB, statement string, args []any) (postgres.Page, error) {
	raw, err := db.JSON(ctx, statement, args...)
	if err != nil {
		return postgres.Page{}, fmt.Errorf("read the shop's products: %w", err)
	}
	if raw == nil {
		return postgres.Page{}, notSold(f.Currency)
	}
	next, data, _ := bytes.Cut(raw, []byte("\n"))
	if len(data) == 0 {
		return postgres.Page{}, f.Field.Unknown()
	}
	return postgres.Page{Data: data, Next: string(next)}, nil
}

var shopProductSQL = translations.Speak(6, func(in translations.In) string {
	return `select case when c.currency is not null then p.version || E'\n' || ` + shopProductJSON(in) + ` end
	from ` + soldTo("$2", "$5") + `, products p` + in.From(`p.translations`) + `, ` + shopVariants(shopVariantJSON(in), "$4") + ` where ` + Published + ` and (p.handle = $3 or p.id = $3)`
})

// MostShown and AllVariants are how many of its variants a product of the shop comes with:
// what answers show, and all that there can be.
const (
	MostShown   = 100
	AllVariants = maxVariants
)

// Shopper is who asks what a product costs and is called, and in which currency and locales:
// the store's main one, and as it is written, when they are empty.
type Shopper struct {
	Currency string
	Groups   []string
	Locale   string
	Locales  []string // whose texts are shown in it, the nearest first; none as they are written
}

// ShopProduct is a product that is sold, by its handle or its ID, with so many of its
// variants.
func ShopProduct(ctx context.Context, db *postgres.DB, media, handleOrID string, variants int, shopper Shopper) (postgres.Object, error) {
	currency := shopper.Currency
	statement, args := shopProductSQL.In(shopper.Locales, media, currency, handleOrID, variants, shopper.Groups)
	o, err := db.Object(ctx, statement, args...)
	if errors.Is(err, postgres.ErrNoRows) {
		return o, problem.Missing("product")
	}
	if err == nil && o.Data == nil {
		return o, notSold(currency)
	}
	return o, err
}

func notSold(currency string) error {
	return problem.New(problem.Unprocessable, "currency_not_sold", "The shop does not sell in %s.", currency).
		At("?currency", "not_sold", "Take one of the shop's currencies.")
}
