package catalog

import (
	"bytes"
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// togetherSQL is what was bought together with a product: in so many of its latest orders at
// most, so that what sells best costs no more than others, and in two at least, as one tells of
// one person. Where that is too little, the latest of the same category follow, or of all of a
// product that has none. $3 is the product's handle or ID.
var togetherSQL = translations.Speak(6, func(in translations.In) string {
	beside := func(where string) string {
		return `(select p.id, 0 as n from products p where ` + Published + ` and p.id <> (select id from one) and ` + where + ` order by p.id desc limit $4::int)`
	}
	return shopPage(in, `exists (select from one)`, `one as materialized (
	select p.id, p.category_id from products p where `+Published+` and (p.handle = $3 or p.id = $3)
), latest as (
	select l.order_id from order_lines l where l.product_id = (select id from one) order by l.order_id desc limit 500
), bought as (
	select l.product_id as id, count(distinct l.order_id) as n
	from (select distinct order_id from latest) x join orders o on o.id = x.order_id and o.state in ('open', 'completed') join order_lines l on l.order_id = o.id
	where l.product_id <> (select id from one)
	group by l.product_id having count(distinct l.order_id) > 1
), page as (
	select p.*, row_number() over (order by w.n desc, p.id desc) as n
	from (select id, max(n) as n from (select * from bought
		union all `+beside(`p.category_id = (select category_id from one)`)+`
		union all `+beside(`(select category_id from one) is null`)+`) x group by id) w join products p on p.id = w.id
	where `+Published+` order by w.n desc, p.id desc limit $4::int
)`, `''`)
})

// BoughtTogether is what goes with a product, by its handle or its ID: so many products at
// most, those that are bought together with it most often first.
func BoughtTogether(ctx context.Context, db *postgres.DB, media, handleOrID string, most int, shopper Shopper) ([]byte, error) {
	statement, args := togetherSQL.In(shopper.Locales, media, shopper.Currency, handleOrID, most, shopper.Groups)
	raw, err := db.JSON(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("read what goes with %s: %w", handleOrID, err)
	}
	if raw == nil {
		return nil, notSold(shopper.Currency)
	}
	_, list, _ := bytes.Cut(raw, []byte("\n"))
	if len(list) == 0 {
		return nil, problem.Missing("product")
	}
	return list, nil
}
