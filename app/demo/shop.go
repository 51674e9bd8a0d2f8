package demo

import (
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/app/demo/still"
	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// shop is a store as it is to be.
type shop struct {
	birth       stores.Birth
	locale      string
	accent      string
	description string
	seller      address.Address
	others      []rate // the currencies that are sold in besides its own
	shipping    []area
	taxes       []settings.TaxInput // besides that of its own country
	shelves     []shelf
	collections []collection
	goods       []good // as they are to be seen, the newest first

	pages []article // those of the foot, and about the shop
	posts []article // of the blog, the latest first

	// look is a patch of the theme, of what was made by the IDs that it has.
	look func(made map[string]string) object
}

// article is a page or a post as the contract has it.
type article struct {
	title, purpose string
	excerpt, text  string // the latter is HTML
}

// object is a JSON object.
type object = map[string]any

// rate is another currency: how many hundredths of its minor unit one of the shop's own
// comes to, and what such prices are multiples of.
type rate struct {
	currency   string
	hundredths int64
	multiple   int64
}

// price is an amount in all currencies of the shop.
func (s *shop) price(amount int64) []money.Money {
	prices := []money.Money{{Amount: amount, Currency: s.birth.Currency}}
	for _, r := range s.others {
		there := (amount*r.hundredths/100 + r.multiple/2) / r.multiple * r.multiple
		prices = append(prices, money.Money{Amount: there, Currency: r.currency})
	}
	return prices
}

// area is where orders are sent to in the same ways.
type area struct {
	name      string
	countries []string
	ways      []parcel
}

// parcel is a way to send orders, or where to fetch them.
type parcel struct {
	name, description string
	price             int64
	freeFrom          int64 // 0 for never
	pickup            *address.Address
}

// shelf is a category at the top, and those below it.
type shelf struct {
	name, description string
	below             []string
}

// collection is a choice of goods, by their handles.
type collection struct {
	name, description string // the latter is HTML
	handles           []string
}

// good is a product as it is to be.
type good struct {
	handle, title string
	text          string   // HTML
	in            []string // the way of names to its category
	tags          []string
	kind          string
	price, former int64 // in the shop's currency; the former price is struck through
	stock         int64 // of each variant
	grams         int
	options       []option
	views         []still.Picture // besides those of its choices, and after them
}

// option is something to choose.
type option struct {
	name    string
	choices []choice
}

// choice is one of an option's, with what is different about it.
type choice struct {
	name    string
	price   int64          // the good's own when zero
	picture *still.Picture // of the variants that have it
	stock   *int64         // of the variants that have it; as usual when nil
}

// none is a stock of nothing.
var none = new(int64)

// in is a choice with a picture.
func in(name string, picture still.Picture) choice { return choice{name: name, picture: &picture} }

// at is a choice of another price.
func at(name string, price int64) choice { return choice{name: name, price: price} }

// pictures are all pictures of a good, in their order.
func (g *good) pictures() []still.Picture {
	var all []still.Picture
	for _, o := range g.options {
		for _, c := range o.choices {
			if c.picture != nil {
				all = append(all, *c.picture)
			}
		}
	}
	return append(all, g.views...)
}

// variant is one combination of choices.
type variant struct {
	input   catalog.VariantInput
	picture int // which of the good's pictures shows it; -1 for none
}

// variants are all combinations of a good's choices.
func (g *good) variants(s *shop) []variant {
	first := catalog.NewVariant()
	first.Stock, first.WeightGrams = g.stock, &g.grams
	list := []variant{{first, -1}}
	amounts := []int64{g.price}
	shown := 0
	for _, o := range g.options {
		var next []variant
		var costs []int64
		for i, v := range list {
			n := shown
			for _, c := range o.choices {
				w, amount := v, amounts[i]
				w.input.Choices = append(slices.Clone(v.input.Choices), c.name)
				if value, unit, _ := strings.Cut(c.name, " "); unit == "g" || unit == "kg" {
					w.input.NetContent = &catalog.NetContent{Value: value, Unit: unit}
				}
				if c.price > 0 {
					amount = c.price
				}
				if c.stock != nil {
					w.input.Stock = *c.stock
				}
				if c.picture != nil {
					w.picture, n = n, n+1
				}
				next, costs = append(next, w), append(costs, amount)
			}
		}
		for _, c := range o.choices {
			if c.picture != nil {
				shown++
			}
		}
		list, amounts = next, costs
	}
	for i := range list {
		for n, price := range s.price(amounts[i]) {
			p := catalog.Price{Amount: price.Amount, Currency: price.Currency}
			if g.former > 0 {
				p.CompareAt = &s.price(g.former)[n].Amount
			}
			list[i].input.Prices = append(list[i].input.Prices, p)
		}
	}
	return list
}

// product is the good as the catalogue takes it, without its category.
func (g *good) product(s *shop, variants []variant) catalog.ProductInput {
	p := catalog.ProductInput{
		Handle: g.handle, Title: g.title, Description: g.text, Vendor: s.birth.Name, Type: g.kind, Tags: g.tags, Status: catalog.Active,
	}
	for _, o := range g.options {
		values := make([]string, len(o.choices))
		for i, c := range o.choices {
			values[i] = c.name
		}
		p.Options = append(p.Options, catalog.Option{Name: o.name, Values: values})
	}
	for _, v := range variants {
		p.Variants = append(p.Variants, v.input)
	}
	return p
}

// shown is a picture of a choice.
func shown(p still.Picture) *still.Picture { return &p }
