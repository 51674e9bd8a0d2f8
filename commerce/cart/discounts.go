package cart

import (
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MaxCodes is how many codes a cart has at most.
const MaxCodes = 10

// Code is a code that the shopper gave, and what became of it.
type Code struct {
	Code    string
	Applied bool
	Reason  string // why it is not: one of promotions' reasons, or NotAvailable
}

// NotAvailable is why a code that was taken in has no effect any more: it is used up, or it
// has ended.
const NotAvailable = "not_available"

// codeInvalid is all that is said of a code that is not to be had, so that nobody learns by
// guessing which codes there were or will be.
func codeInvalid() *problem.Problem {
	return problem.New(problem.Unprocessable, "code_invalid", "This code is not valid.").At("/code", "code_invalid", "Look whether it is written right.")
}

// collectionsJSON are the IDs of the collections that the product p is in.
const collectionsJSON = `(select coalesce(json_agg(m.collection_id), '[]') from collection_products m where m.product_id = p.id)`

// promotionsJSON are the promotions that the cart c may get: the automatic ones and those
// of its codes, as far as there are uses left. A cart that is being paid for has
// taken its uses already.
const promotionsJSON = `(select coalesce(json_agg(json_build_object('id', t.id, 'title', t.title, 'code', t.code, 'rule', t.rule) order by t.at, t.id), '[]')
	from (
		select p.*, '' as code, 0 as at from promotions p where p.automatic and p.active
		union all
		select p.*, g.code, g.at from unnest(c.codes) with ordinality as g(code, at)
		join promotion_codes k on k.code = g.code and (k.usage_limit is null or k.used < k.usage_limit or c.state <> 'open')
		join promotions p on p.id = k.promotion_id and p.active
	) t
	where c.state <> 'completed' and c.draft is null and t.starts_at <= now() and (t.ends_at is null or t.ends_at > now()) and (c.state <> 'open' or
		(t.usage_limit is null or t.used < t.usage_limit) and
		(t.customer_limit is null or t.customer_limit > (select count(*) from promotion_uses u where u.promotion_id = t.id and u.email = c.email))))`

// buyerJSON is what promotions ask of who buys the cart c. Its groups are those of who is
// signed in: anybody could give another's e-mail address.
const buyerJSON = `json_build_object(
	'group_ids', coalesce((select to_json(k.group_ids) from customers k where k.id = c.customer_id), '[]'),
	'orders', (exists (select from orders o where o.email = c.email and o.state <> 'pending' and o.cart_id <> c.id)
		or exists (select from orders o where o.customer_id = c.customer_id and o.state <> 'pending' and o.cart_id <> c.id))::int)`

// discount takes off the basket what the promotions take off that save the most together
// or, of a draft order, what was agreed, and notes by what.
func (c *Cart) discount(basket *pricing.Basket) error {
	if c.Draft != nil {
		if _, err := pricing.Price(pricing.Basket{Currency: c.Currency, Lines: basket.Lines}); err != nil {
			return fmt.Errorf("price draft order %s: %w", c.ID, err)
		}
		return c.agree(basket)
	}
	rules := make([]promotions.Rule, 0, len(c.rules))
	seen := map[string]bool{}
	for _, r := range c.rules {
		if !seen[r.ID] { // else another of its codes is there already
			seen[r.ID], rules = true, append(rules, r)
		}
	}
	found := promotions.Result{}
	if len(rules) > 0 {
		// What cannot be priced is found out before anything is computed of it.
		if _, err := pricing.Price(*basket); err != nil {
			return fmt.Errorf("price cart %s: %w", c.ID, err)
		}
		at := promotions.Basket{Currency: c.Currency, Shipping: basket.Shipping.Unit, Buyer: c.buyer, Lines: make([]promotions.Line, len(c.Lines))}
		for i, l := range c.Lines {
			at.Lines[i] = promotions.Line{
				ProductID: l.ProductID, VariantID: l.VariantID, CollectionIDs: l.collections, Tags: l.tags, Unit: basket.Lines[i].Unit, Quantity: l.Quantity,
			}
		}
		var err error
		if found, err = promotions.Evaluate(at, rules); err != nil {
			return fmt.Errorf("find the promotions of cart %s: %w", c.ID, err)
		}
		for i, off := range found.Lines {
			basket.Lines[i].Discount, c.Lines[i].Discounts = off.Amount, off.By
		}
		if basket.Shipping.Quantity > 0 {
			basket.Shipping.Discount = found.Shipping.Amount
		}
	}
	c.Discounts = found.Applied
	c.tellCodes(found.Refused)
	return nil
}

// tellCodes notes what became of the codes.
func (c *Cart) tellCodes(refused []promotions.Refusal) {
	for i := range c.Codes {
		code := &c.Codes[i]
		code.Applied = slices.ContainsFunc(c.Discounts, func(a promotions.Applied) bool { return a.Code == code.Code })
		if code.Applied {
			continue
		}
		at := slices.IndexFunc(refused, func(r promotions.Refusal) bool { return r.Code == code.Code })
		switch {
		case at >= 0:
			code.Reason = refused[at].Reason
		case slices.ContainsFunc(c.rules, func(r promotions.Rule) bool { return r.Code == code.Code }):
			code.Reason = promotions.BetterDiscount
		default:
			code.Reason = NotAvailable
		}
	}
}

// code is a code of the cart.
func (c *Cart) code(code string) *Code {
	for i := range c.Codes {
		if c.Codes[i].Code == code {
			return &c.Codes[i]
		}
	}
	return nil
}
