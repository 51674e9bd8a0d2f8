package drafts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// updateSQL sets what $2 has keys for. What is known of a customer fills in what nobody has
// said.
const updateSQL = `
update carts set version = version + 1, updated_at = now(), draft = $3::jsonb, expires_at = $4,
	customer_id = case when $2::jsonb ? 'customer_id' then nullif($2::jsonb->>'customer_id', '') else customer_id end,
	email = coalesce($2::jsonb->>'email', email),
	note = coalesce($2::jsonb->>'note', note),
	tax_exempt_reason = coalesce($2::jsonb->>'tax_exempt_reason', tax_exempt_reason),
	shipping_method_id = case when $2::jsonb ? 'shipping_method_id' then nullif($2::jsonb->>'shipping_method_id', '') else shipping_method_id end,
	shipping_address = case when $2::jsonb ? 'shipping_address' then nullif($2::jsonb->'shipping_address', 'null')
		else coalesce(shipping_address, (select k.default_address from customers k where k.id = $2::jsonb->>'customer_id')) end,
	billing_address = case when $2::jsonb ? 'billing_address' then nullif($2::jsonb->'billing_address', 'null') else billing_address end
where id = $1`

// linesSQL puts the lines $2 in place of those that are there. One without a price takes
// the variant's present one; one that is sold for nothing known is left out.
var linesSQL = `
with x as materialized (
	select x.*, sum(x.quantity) over (partition by x.variant_id) as together from jsonb_to_recordset($2::jsonb)
		as x(id text, variant_id text, quantity int, unit bigint, attributes jsonb, agreed jsonb)
), gone as (
	delete from cart_lines where cart_id = $1
), put as (
	insert into cart_lines (id, cart_id, variant_id, attributes, quantity, unit_amount, agreed)
	select x.id, c.id, x.variant_id, x.attributes, x.quantity, coalesce(x.unit, pr.amount), x.agreed
	from carts c cross join x left join variants v on v.id = x.variant_id
	left join lateral ` + pricelists.Price("v.id", "c.currency", pricelists.Buyer{
	Groups: `(select k.group_ids from customers k where k.id = c.customer_id)`, Quantity: "x.together", At: "now()",
}) + ` pr on x.unit is null
	where c.id = $1 and (x.variant_id is null or v.id is not null) and coalesce(x.unit, pr.amount) is not null order by v.id
	returning id
)
select coalesce(array_agg(id), '{}') from put`

// row is a draft order under its lock.
type row struct {
	currency string
	expires  time.Time
	draft    cart.Draft
}

// write changes a draft order that is held, and gives it as it is then.
func (s *Service) write(ctx context.Context, tx *postgres.Tx, was *cart.Cart, p Patch) (*cart.Cart, error) {
	id, r := was.ID, row{was.Currency, was.ExpiresAt, *was.Draft}
	ref := cart.Ref{ID: id, Merchant: true}
	if p.Lines != nil && p.ReservedUntil == nil {
		p.ReservedUntil = &was.ReservedUntil // what is reserved stays so, for other goods
	}
	t := p.judge(&r)
	if err := s.customer(ctx, tx, p, &r, &t); err != nil {
		return nil, err
	}
	if err := t.wrong.OrNil(); err != nil {
		return nil, err
	}
	set, err := json.Marshal(t.set)
	if err != nil {
		return nil, fmt.Errorf("write draft order %s: %w", id, err)
	}
	draft, err := json.Marshal(r.draft)
	if err != nil {
		return nil, fmt.Errorf("write draft order %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, updateSQL, id, string(set), string(draft), r.expires); err != nil {
		return nil, fmt.Errorf("write draft order %s: %w", id, err)
	}
	if p.Lines != nil {
		if err := put(ctx, tx, id, t.lines); err != nil {
			return nil, err
		}
	}
	c, err := s.Carts.ReadIn(ctx, tx, ref)
	if err != nil {
		return nil, err
	}
	if err := sensible(c, p); err != nil {
		return nil, err
	}
	if p.ReservedUntil == nil {
		return c, nil
	}
	if until := *p.ReservedUntil; until == nil {
		err = inventory.Release(ctx, tx, id)
	} else {
		_, err = inventory.ReserveFor(ctx, tx, id, c.Goods(), until.Sub(clock.Now()))
	}
	if err != nil {
		return nil, err
	}
	return s.Carts.ReadIn(ctx, tx, ref)
}

// customer judges whose the draft order is. It is written to their address, unless it has
// another.
func (s *Service) customer(ctx context.Context, tx *postgres.Tx, p Patch, r *row, t *terms) error {
	if p.CustomerID == nil {
		return nil
	}
	t.set["customer_id"] = *p.CustomerID
	if *p.CustomerID == "" {
		return nil
	}
	var email string
	err := tx.QueryRow(ctx, `select email from customers where id = $1`, *p.CustomerID).Scan(&email)
	if errors.Is(err, postgres.ErrNoRows) {
		t.wrong.At("/customer_id", "unknown_reference", "There is no such customer.")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read customer %s: %w", *p.CustomerID, err)
	}
	if p.Email == nil {
		t.set["email"] = email
		fix(&r.draft, "email", true)
	}
	return nil
}

func put(ctx context.Context, tx *postgres.Tx, id string, lines []kept) error {
	raw, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("lines of draft order %s: %w", id, err)
	}
	var there []string
	if err := tx.QueryRow(ctx, linesSQL, id, string(raw)).Scan(&there); err != nil {
		return fmt.Errorf("lines of draft order %s: %w", id, err)
	}
	known := map[string]bool{}
	for _, line := range there {
		known[line] = true
	}
	p := problem.New(problem.Unprocessable, "variant_unavailable", "Something of this cannot be sold here.")
	for i, line := range lines {
		if !known[line.ID] {
			p.At(fmt.Sprintf("/lines/%d/variant_id", i), "variant_unavailable", "There is no such variant, or it has no price in this currency: agree on one.")
		}
	}
	return p.OrNil()
}

// sensible refuses what only shows once the draft order is priced: more off than there is,
// and a way of sending that is none.
func sensible(c *cart.Cart, p Patch) error {
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The draft order cannot be like this.")
	var sum int64
	for i, l := range c.Lines {
		rest := money.New(l.Shown.Amount*l.Quantity, c.Currency)
		if d := l.Agreed.Discount; d != nil {
			if d.Amount > rest.Amount && p.Lines != nil {
				wrong.At(fmt.Sprintf("/lines/%d/discount/amount", i), "out_of_range", "The line comes to %s.", rest)
			}
			off, err := d.Off(rest)
			if err != nil {
				return fmt.Errorf("discount of line %s: %w", l.ID, err)
			}
			rest.Amount -= off.Amount
		}
		sum += rest.Amount
	}
	if d := c.Draft.Discount; d != nil && d.Amount > sum {
		wrong.At("/discount/amount", "out_of_range", "All lines come to %s.", money.New(sum, c.Currency))
	}
	switch {
	case p.MethodID != nil && *p.MethodID != "" && c.MethodID != "" && c.Method == nil:
		wrong.At("/shipping_method_id", "unknown_reference", "There is no such shipping method.")
	case c.Draft.Shipping != nil && !c.RequiresShipping():
		wrong.At("/shipping", "out_of_range", "Nothing of it is to be sent.")
	}
	return wrong.OrNil()
}
