package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// VariantFilter says which of a product's variants are wanted.
type VariantFilter struct {
	Choices [maxOptions]string // of each option; empty for any
	After   string             // a position
	Limit   int
}

// variantsFrom are the variants v after the position $2 with the choices $3, $4 and $5, each in its place
// n; one more than the page of the size $1 has. Choices are found by what they are called,
// too.
func variantsFrom(in translations.In) string {
	is := func(n int) string {
		written, asked := fmt.Sprintf(`v.options[%d]`, n), place(n+2)
		called := in.Keyed(`t.said`, ChoiceKey(fmt.Sprintf(`p.options->%d->>'name'`, n-1), written), written)
		return ` and (` + asked + ` = '' or ` + written + ` = ` + asked + ` or ` + called + ` = ` + asked + `)`
	}
	return `(
		select v.*, row_number() over (order by v.position, v.id) as n from variants v
		where v.product_id = p.id` + is(1) + is(2) + is(3) + `
			and ($2 = '' or (v.position, v.id) > (nullif(split_part($2, ':', 1), '')::int, split_part($2, ':', 2)))
		order by v.position, v.id limit $1::int + 1
	) v`
}

// variantsPage is the page of variants v, each written as given.
func variantsPage(each string) string {
	return `case when count(v.id) > $1::int then max(v.position || ':' || v.id) filter (where v.n = $1::int) else '' end || E'\n' ||
	coalesce(json_agg(` + each + ` order by v.n) filter (where v.n <= $1::int), '[]')::text`
}

var variantListSQL = `select ` + variantsPage(variantJSON) + `
from products p left join lateral ` + variantsFrom("") + ` on true where p.id = $6 group by p.id`

// Variants is a page of a product's variants, in their order.
func Variants(ctx context.Context, db *postgres.DB, id ProductID, f VariantFilter) (postgres.Page, error) {
	page, err := db.Page(ctx, variantListSQL, f.Limit, f.After, f.Choices[0], f.Choices[1], f.Choices[2], string(id))
	return page, noProduct(err, "read the variants")
}

var shopVariantListSQL = translations.Speak(9, func(in translations.In) string {
	return `select case when c.currency is not null then (
	select ` + variantsPage(shopVariantJSON(in)) + `
	from ` + variantsFrom(in) + ` left join lateral ` + shopPrice() + ` on true) end
from ` + soldTo("$6", "$8") + `, products p` + in.From(`p.translations`) + ` where ` + Published + ` and (p.handle = $7 or p.id = $7)`
})

// ShopVariants is a page of the variants of a product that is sold, by its handle or its
// ID, in their order.
func ShopVariants(ctx context.Context, db *postgres.DB, handleOrID string, f VariantFilter, shopper Shopper) (postgres.Page, error) {
	currency := shopper.Currency
	statement, args := shopVariantListSQL.In(shopper.Locales, f.Limit, f.After, f.Choices[0], f.Choices[1], f.Choices[2], currency, handleOrID, shopper.Groups)
	raw, err := db.JSON(ctx, statement, args...)
	if err != nil {
		return postgres.Page{}, noProduct(err, "read the shop's variants")
	}
	if raw == nil {
		return postgres.Page{}, notSold(currency)
	}
	next, data, _ := bytes.Cut(raw, []byte("\n"))
	return postgres.Page{Data: data, Next: string(next)}, nil
}

// noProduct gives the error of reading what belongs to a product its public words.
func noProduct(err error, what string) error {
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return problem.Missing("product")
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
