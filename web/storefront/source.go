package storefront

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// goods is a page of a list.
type goods struct {
	Products []product
	Next     string // the position of the next page, empty at the end
}

// goods reads a page of products.
func (s *Shop) goods(ctx context.Context, f catalog.ShopFilter) (goods, error) {
	r := readerOf(ctx)
	f.Groups, f.Locales, f.Speller = r.groups, r.locales, s.config.Speller
	p, err := catalog.ShopProducts(ctx, s.config.DB, f)
	if err != nil {
		return goods{}, err
	}
	products, err := decode[[]product](p.Data, "products")
	return goods{products, p.Next}, err
}

// product reads one product.
func (s *Shop) product(ctx context.Context, currency, handle string) (product, error) {
	r := readerOf(ctx)
	o, err := catalog.ShopProduct(ctx, s.config.DB, "", handle, catalog.AllVariants, catalog.Shopper{Currency: currency, Groups: r.groups, Locales: r.locales})
	if err != nil {
		return product{}, err
	}
	return decode[product](o.Data, "product")
}

// together reads what goes with a product.
func (s *Shop) together(ctx context.Context, currency, id string) ([]product, error) {
	r := readerOf(ctx)
	raw, err := catalog.BoughtTogether(ctx, s.config.DB, "", id, alsoShown, catalog.Shopper{Currency: currency, Groups: r.groups, Locales: r.locales})
	if err != nil {
		return nil, err
	}
	return decode[[]product](raw, "what goes with a product")
}

// all reads a list to its end, page by page, but no more than so many.
func all[T any](ctx context.Context, most int, read func(after string) (postgres.Page, error)) ([]T, error) {
	var list []T
	for after := ""; ; {
		p, err := read(after)
		if err != nil {
			return nil, err
		}
		part, err := decode[[]T](p.Data, "list")
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
		if after = p.Next; after == "" || len(list) >= most || ctx.Err() != nil {
			return list, ctx.Err()
		}
	}
}

func decode[T any](raw []byte, what string) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", what, err)
	}
	return v, nil
}
