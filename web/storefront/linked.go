package storefront

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/a-h/templ"
)

// What machines are told of a page, in the words of schema.org (JSON-LD): data, which no
// browser runs and no Content-Security-Policy keeps out.

type data = map[string]any

// linked writes what machines are told. Whatever could end the element is escaped.
func linked(thing data) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		thing["@context"] = "https://schema.org"
		raw, err := json.Marshal(thing)
		if err != nil {
			return fmt.Errorf("write what machines are told: %w", err)
		}
		_, err = fmt.Fprintf(w, `<script type="application/ld+json">%s</script>`, raw)
		return err
	})
}

// organisation is who runs the shop.
func (v *view) organisation() data {
	d := data{"@type": "OnlineStore", "name": v.settings.Name, "url": v.Base + v.prefix + "/"}
	if v.settings.Description != "" {
		d["description"] = v.settings.Description
	}
	if v.settings.ContactEmail != "" {
		d["email"] = v.settings.ContactEmail
	}
	return d
}

// trail is the way from the shop's first page to this one.
func (v *view) trail(path []crumb) data {
	list := []data{{"@type": "ListItem", "position": 1, "name": v.T("Home"), "item": v.Base + string(v.to())}}
	for i, c := range path {
		item := data{"@type": "ListItem", "position": i + 2, "name": c.Name}
		if c.To != "" {
			item["item"] = v.Base + string(c.To)
		}
		list = append(list, item)
	}
	return data{"@type": "BreadcrumbList", "itemListElement": list}
}

// known is what machines are to know of a product.
func (p *productView) known() data {
	d := data{"@type": "Product", "name": p.product.Title, "url": p.Base + p.prefix + p.Path}
	if p.view.Description != "" {
		d["description"] = p.view.Description
	}
	if p.Vendor != "" {
		d["brand"] = data{"@type": "Brand", "name": p.Vendor}
	}
	var pictures []string
	for _, i := range p.gallery(p.Chosen) {
		pictures = append(pictures, p.Base+i.URL)
	}
	if pictures != nil {
		d["image"] = pictures
	}
	if r := p.Rating; r != nil {
		d["aggregateRating"] = data{"@type": "AggregateRating", "ratingValue": r.Average, "reviewCount": r.Count}
	}
	c := p.Chosen
	if c == nil {
		return d
	}
	if c.SKU != "" {
		d["sku"] = c.SKU
	}
	if c.Price != nil {
		stock := "OutOfStock"
		if c.Available {
			stock = "InStock"
		}
		d["offers"] = data{
			"@type": "Offer", "url": p.Base + p.prefix + p.Path, "price": c.Price.Decimal(), "priceCurrency": c.Price.Currency,
			"availability": "https://schema.org/" + stock,
		}
	}
	return d
}
