package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// served is so many of a line that come from a location.
type served struct {
	LocationID string `json:"location_id"`
	Quantity   int64  `json:"quantity"`
}

// priced is what of a line, or of the shipping, an edit may change. Its JSON is that of
// contentSQL and, but for amounts of money, that of order_lines.
type priced struct {
	Quantity    int64                `json:"quantity"`
	Unit        int64                `json:"unit"`
	Discount    int64                `json:"discount"`
	Discounts   []promotions.Applied `json:"discounts"`
	Total       int64                `json:"total"`
	Tax         int64                `json:"tax"`
	Taxes       []pricing.TaxAmount  `json:"taxes"`
	Allocations []served             `json:"allocations"`
}

// content is a line of an order, as it was and as an edit makes it.
type content struct {
	ID               string            `json:"id"`
	Position         int               `json:"position"`
	VariantID        string            `json:"variant_id"`
	ProductID        string            `json:"product_id"`
	Title            string            `json:"title"`
	VariantTitle     string            `json:"variant_title"`
	SKU              string            `json:"sku"`
	ImageKey         string            `json:"image_key"`
	RequiresShipping bool              `json:"requires_shipping"`
	Counted          bool              `json:"tracks_stock"`
	Attributes       map[string]string `json:"attributes"`
	PriceList        any               `json:"price_list"`
	Product          string            `json:"product"` // of a line that was there, as ProductID is of one that is added
	priced

	was priced
	at  string // where it stands in the request
}

// edited is what an order contains, as it was and as an edit makes it.
type edited struct {
	lines    []*content
	shipping content
	method   string // how it is sent; empty where nothing is
	rest     []promotions.Applied
	edits    int
	invoiced bool // there is an invoice of what it was

	totals pricing.Totals
}

// contentSQL reads what the order $1 contains.
const contentSQL = `
select json_build_object('method', coalesce(o.shipping_method->>'name', ''), 'addressed', o.shipping_method is not null, 'discounts', o.discounts,
	'edits', (select count(*) from order_edits e where e.order_id = o.id),
	'invoiced', exists (select from documents d where d.order_id = o.id and d.kind = 'invoice'),
	'shipping', json_build_object('quantity', (o.shipping_method is not null)::int, 'unit', o.shipping_amount, 'discount', coalesce((o.shipping_method->'discount'->>'amount')::bigint, 0),
		'tax', coalesce((o.shipping_method->'tax'->>'amount')::bigint, 0), 'taxes', coalesce(o.shipping_method->'taxes', '[]')),
	'lines', (select json_agg(json_build_object('id', l.id, 'position', l.position, 'variant_id', coalesce(l.variant_id, ''), 'product', coalesce(l.product_id, ''), 'title', l.title, 'variant_title', l.variant_title, 'sku', l.sku,
		'requires_shipping', l.requires_shipping, 'tracks_stock', l.tracks_stock, 'quantity', l.quantity, 'unit', l.unit_amount, 'discount', l.discount_amount, 'discounts', l.discounts,
		'total', l.total_amount, 'tax', l.tax_amount, 'taxes', l.taxes, 'allocations', l.allocations) order by l.position, l.id)
		from order_lines l where l.order_id = o.id))::text
from orders o where o.id = $1`

// readContent reads what an order contains.
func readContent(ctx context.Context, tx *postgres.Tx, o *order) (*edited, error) {
	raw, err := text(ctx, tx, "order "+o.ID, contentSQL, o.ID)
	if err != nil {
		return nil, err
	}
	var found struct {
		Method    string
		Discounts []promotions.Applied
		Edits     int
		Invoiced  bool
		Shipping  priced
		Lines     []*content
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, fmt.Errorf("read order %s: %w", o.ID, err)
	}
	e := &edited{lines: found.Lines, method: found.Method, edits: found.Edits, invoiced: found.Invoiced, rest: found.Discounts}
	for _, l := range e.lines {
		l.was = l.priced
		l.Allocations = slices.Clone(l.Allocations)
		e.rest = less(e.rest, l.Discounts)
	}
	e.shipping = content{priced: found.Shipping, was: found.Shipping}
	e.shipping.Total = e.shipping.Unit*e.shipping.Quantity - e.shipping.Discount
	e.shipping.was.Total = e.shipping.Total
	return e, nil
}

// less are discounts without others: what is left of each.
func less(all, gone []promotions.Applied) []promotions.Applied {
	left := []promotions.Applied{}
	for _, a := range all {
		for _, g := range gone {
			if g.ID == a.ID && g.Code == a.Code && g.Title == a.Title {
				a.Amount.Amount -= g.Amount.Amount
			}
		}
		if a.Amount.Amount > 0 {
			left = append(left, a)
		}
	}
	return left
}

func (l *content) changed() bool {
	return l.Quantity != l.was.Quantity || l.Unit != l.was.Unit
}

// set gives lines other quantities. No fewer are left than were sent or paid back.
func (e *edited) set(o *order, wanted []LineQuantity) error {
	unknown := problem.New(problem.Unprocessable, "unknown_reference", "The order has no such line.")
	exceeded := problem.New(problem.Unprocessable, "quantity_exceeded", "What was sent or paid back stays with the order.")
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The order cannot be edited so.")
	seen := map[string]bool{}
	for i, w := range wanted {
		at := fmt.Sprintf("/lines/%d", i)
		n := slices.IndexFunc(e.lines, func(l *content) bool { return l.ID == w.LineID })
		switch {
		case n < 0:
			unknown.At(at+"/line_id", "unknown_reference", "The order has no such line.")
			continue
		case seen[w.LineID]:
			wrong.At(at+"/line_id", "repeated", "Each line can be given once.")
			continue
		case w.Quantity < 0 || w.Quantity > maxQuantity:
			wrong.At(at+"/quantity", "range", "It is from 0 to %d.", maxQuantity)
			continue
		}
		seen[w.LineID] = true
		l := e.lines[n]
		if least := l.Quantity - o.line(l.ID).unsent(); w.Quantity < least {
			exceeded.At(at+"/quantity", "quantity_exceeded", "It is at least %d.", least)
			continue
		}
		l.at = at
		if err := l.resize(o, w.Quantity); err != nil {
			return err
		}
	}
	return joined(unknown, exceeded, wrong)
}

// resize gives a line another quantity at its agreed price. Of a discount, what is taken out
// loses its part; what is added has none.
func (l *content) resize(o *order, quantity int64) error {
	kept := min(quantity, l.Quantity)
	for i := range l.Discounts {
		part, err := pricing.Part(l.Discounts[i].Amount, l.Quantity, 0, kept)
		if err != nil {
			return fmt.Errorf("discount of line %s: %w", l.ID, err)
		}
		if i == 0 {
			l.Discounts = slices.Clone(l.Discounts)
		}
		l.Discounts[i].Amount = part
	}
	discount, err := pricing.Part(money.New(l.Discount, o.Total.Currency), l.Quantity, 0, kept)
	if err != nil {
		return fmt.Errorf("discount of line %s: %w", l.ID, err)
	}
	l.Discount = discount.Amount
	if len(l.Discounts) > 0 { // the parts say what the whole is
		l.Discount = 0
		for _, d := range l.Discounts {
			l.Discount += d.Amount.Amount
		}
	}
	l.Quantity = quantity
	return l.price(o, nil)
}

// price computes what a line comes to with the taxes that are given or, without any, with those
// that it fell under before.
func (l *content) price(o *order, taxes []pricing.Tax) error {
	if taxes == nil {
		for _, t := range l.Taxes {
			rate, err := money.ParsePercent(t.Percentage)
			if err != nil {
				return fmt.Errorf("taxes of line %s: %w", l.ID, err)
			}
			taxes = append(taxes, pricing.Tax{Name: t.Name, Jurisdiction: t.Jurisdiction, Rate: rate, Reason: t.Reason})
		}
	}
	currency := o.Total.Currency
	t, err := pricing.One(currency, pricing.Line{Unit: money.New(l.Unit, currency), Quantity: l.Quantity, Discount: money.New(l.Discount, currency), Taxes: taxes}, o.taxIncluded)
	if err != nil {
		return fmt.Errorf("price of line %s: %w", l.ID, err)
	}
	l.Total, l.Tax, l.Taxes = t.Total.Amount, t.Tax.Amount, t.Taxes
	return nil
}

// send changes what sending the order costs. Its discount stays, as far as it goes.
func (e *edited) send(o *order, cost *money.Money) error {
	if cost == nil {
		return nil
	}
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The order cannot be edited so.")
	switch {
	case e.shipping.Quantity == 0:
		return wrong.At("/shipping", "excluded", "Nothing of the order is sent.")
	case cost.Currency != o.Total.Currency || cost.Amount < 0 || cost.Amount > pricing.MaxAmount:
		return wrong.At("/shipping", "amount", "It is not negative, and in %s.", o.Total.Currency)
	}
	l := &e.shipping
	discount := min(l.Discount, cost.Amount)
	for over := l.Discount - discount; over > 0; { // of what was taken off, the last goes first
		last := len(e.rest) - 1
		if last < 0 {
			break
		}
		cut := min(over, e.rest[last].Amount.Amount)
		e.rest[last].Amount.Amount -= cut
		over -= cut
		if e.rest[last].Amount.IsZero() {
			e.rest = e.rest[:last]
		}
	}
	l.Unit, l.Discount = cost.Amount, discount
	return l.price(o, nil)
}

// add prices what is added.
func (s *Service) add(ctx context.Context, tx *postgres.Tx, o *order, e *edited, added []Added) error {
	if len(added) == 0 {
		return nil
	}
	offers, err := s.Offers.Offer(ctx, tx, o.ID, added)
	if err != nil {
		return err
	}
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The order cannot be edited so.")
	position := e.lines[len(e.lines)-1].Position
	for i, a := range added {
		at, offer := fmt.Sprintf("/add/%d", i), offers[i]
		unit := offer.Unit
		switch {
		case a.Unit != nil && (a.Unit.Currency != o.Total.Currency || a.Unit.Amount < 0 || a.Unit.Amount > pricing.MaxAmount):
			wrong.At(at+"/unit_price", "amount", "It is not negative, and in %s.", o.Total.Currency)
		case a.Unit != nil:
			unit = *a.Unit
		case !offer.Priced:
			wrong.At(at+"/unit_price", "required", "It has no price in %s.", o.Total.Currency)
		case offer.PricesIncludeTax != o.taxIncluded:
			wrong.At(at+"/unit_price", "required", "Taxes are shown otherwise by now than the order shows them: say what it costs.")
		}
		if offer.RequiresShipping && e.shipping.Quantity == 0 {
			wrong.At(at+"/variant_id", "excluded", "It is to be sent, and nothing else of the order is.")
		}
		position++
		l := &content{
			Position: position, VariantID: a.VariantID, ProductID: offer.ProductID, Title: offer.Title, VariantTitle: offer.VariantTitle, SKU: offer.SKU, ImageKey: offer.ImageKey,
			RequiresShipping: offer.RequiresShipping, Attributes: a.Attributes, at: at,
			priced: priced{Quantity: a.Quantity, Unit: unit.Amount, Discounts: []promotions.Applied{}, Allocations: []served{}},
		}
		if a.Unit == nil {
			l.PriceList = offer.PriceList
		}
		if l.Attributes == nil {
			l.Attributes = map[string]string{}
		}
		taxes := offer.Taxes
		if taxes == nil {
			taxes = []pricing.Tax{}
		}
		if wrong.OrNil() == nil {
			if err := l.price(o, taxes); err != nil {
				return err
			}
		}
		e.lines = append(e.lines, l)
	}
	return wrong.OrNil()
}

// line is the line as the engine of totals has it.
func (p priced) line(currency string) pricing.LineTotal {
	amount := func(n int64) money.Money { return money.New(n, currency) }
	return pricing.LineTotal{Subtotal: amount(p.Unit * p.Quantity), Discount: amount(p.Discount), Total: amount(p.Total), Tax: amount(p.Tax), Taxes: p.Taxes}
}

// sum adds the order up.
func (e *edited) sum(o *order) (err error) {
	var lines []pricing.LineTotal
	for _, l := range e.lines {
		if l.Quantity > 0 {
			lines = append(lines, l.line(o.Total.Currency))
		}
	}
	e.totals, err = pricing.Sum(o.Total.Currency, lines, e.shipping.line(o.Total.Currency), o.taxIncluded)
	return err
}

// discounts are those of all lines and of the shipping, the most first.
func (e *edited) discounts() []promotions.Applied {
	all := slices.Clone(e.rest)
	for _, l := range e.lines {
		for _, d := range l.Discounts {
			if l.Quantity == 0 || d.Amount.IsZero() {
				continue
			}
			at := slices.IndexFunc(all, func(a promotions.Applied) bool { return a.ID == d.ID && a.Code == d.Code && a.Title == d.Title })
			if at < 0 {
				all = append(all, d)
				continue
			}
			all[at].Amount.Amount += d.Amount.Amount
		}
	}
	slices.SortStableFunc(all, func(a, b promotions.Applied) int { return int(min(max(b.Amount.Amount-a.Amount.Amount, -1), 1)) })
	return all
}

// release takes so many out of where the line is served from, the last first.
func (l *content) release(n int64) (goods []Goods) {
	for at := len(l.Allocations) - 1; at >= 0 && n > 0; at-- {
		part := &l.Allocations[at]
		taken := min(n, part.Quantity)
		goods = append(goods, Goods{VariantID: l.VariantID, LocationID: part.LocationID, Quantity: taken})
		if part.Quantity -= taken; part.Quantity == 0 {
			l.Allocations = slices.Delete(l.Allocations, at, at+1)
		}
		n -= taken
	}
	if n > 0 {
		goods = append(goods, Goods{VariantID: l.VariantID, Quantity: n})
	}
	return goods
}

// serve adds where more of the line is served from.
func (l *content) serve(from []Goods) {
	for _, g := range from {
		at := slices.IndexFunc(l.Allocations, func(s served) bool { return s.LocationID == g.LocationID })
		if at < 0 {
			l.Allocations = append(l.Allocations, served{g.LocationID, g.Quantity})
			continue
		}
		l.Allocations[at].Quantity += g.Quantity
	}
}

// follow makes the order under its lock what the line has become.
func (l *content) follow(o *order) {
	gross := l.Total
	if !o.taxIncluded {
		gross += l.Tax
	}
	known := o.line(l.ID)
	switch {
	case known == nil:
		o.lines = append(o.lines, &line{id: l.ID, variant: l.VariantID, quantity: l.Quantity, gross: gross, counted: l.Counted})
	case l.Quantity == 0:
		o.lines = slices.DeleteFunc(o.lines, func(k *line) bool { return k.id == l.ID })
	default:
		known.quantity, known.gross = l.Quantity, gross
	}
}

// joined is the first of problems that has a fault.
func joined(problems ...*problem.Problem) error {
	for _, p := range problems {
		if err := p.OrNil(); err != nil {
			return err
		}
	}
	return nil
}
