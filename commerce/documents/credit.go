package documents

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// refund is what a credit note needs to know of a refund.
type refund struct {
	Amount int64        `json:"amount"`
	Fee    int64        `json:"fee"` // kept of what its lines are worth
	Reason string       `json:"reason"`
	Lines  []refundLine `json:"lines"`

	Invoice Reference `json:"invoice"`
	Taxes   []Tax     `json:"taxes"` // of the credit notes before it
	Noted   int64     `json:"noted"` // what these came to
}

type refundLine struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
	First    int64  `json:"first"` // how many units were paid back by refunds asked for before
}

const readRefundSQL = `
select json_build_object('amount', r.amount, 'fee', r.fee_amount, 'reason', r.reason,
	'lines', (select coalesce(json_agg(json_build_object('line_id', x->>'line_id', 'quantity', (x->>'quantity')::bigint, 'first',
		(select coalesce(sum((y->>'quantity')::bigint), 0) from refunds b cross join jsonb_array_elements(b.lines) y
			where b.order_id = r.order_id and b.state = 'succeeded' and b.id < r.id and y->>'line_id' = x->>'line_id'))), '[]')
		from jsonb_array_elements(r.lines) x),
	'invoice', (select json_build_object('number', d.number, 'issued_at', d.issued_at) from documents d where d.order_id = r.order_id and d.kind = 'invoice' and d.edit_id is null),
	'taxes', (select coalesce(json_agg(t), '[]') from documents d cross join jsonb_array_elements(d.content->'taxes') t
		where d.order_id = r.order_id and d.refund_id is not null),
	'noted', (select coalesce(sum(d.total_amount), 0) from documents d where d.order_id = r.order_id and d.refund_id is not null))::text
from refunds r where r.id = $1`

func readRefund(ctx context.Context, tx *postgres.Tx, id string) (*refund, error) {
	var raw []byte
	err := tx.QueryRow(ctx, readRefundSQL, id).Scan(&raw)
	r := &refund{}
	if err == nil {
		err = json.Unmarshal(raw, r)
	}
	if err != nil {
		return nil, fmt.Errorf("read refund %s for a document: %w", id, err)
	}
	return r, nil
}

// creditNote is what the credit note of a refund says. It comes to what was paid back, to the
// cent; once all of an order is paid back, the taxes of its credit notes are those of the
// invoice, to the cent as well.
func (o *order) creditNote(r *refund) (Content, error) {
	c := o.content(CreditNote)
	c.Corrects, c.Reason = &Reference{r.Invoice.Number, r.Invoice.IssuedAt.UTC().Truncate(time.Microsecond)}, r.Reason
	left := r.Amount + r.Fee
	for _, part := range r.Lines {
		line, err := o.credited(part)
		if err != nil {
			return c, err
		}
		if line.Quantity > 0 {
			c.Lines = append(c.Lines, line)
			left -= o.gross(line)
		}
	}
	switch off := int64(len(c.Lines)); {
	case left < -off: // of an order that was paid in part
		if err := o.scale(c.Lines, r.Amount+r.Fee); err != nil {
			return c, err
		}
	case off > 0 && left >= -off && left <= off:
		// Refunds that failed in between have shares rounded otherwise.
		c.Lines[off-1].Total.Amount += left
	case left != 0:
		rest, err := o.rest(left)
		if err != nil {
			return c, err
		}
		c.Lines = append(c.Lines, rest)
	}
	if r.Fee > 0 {
		fee, err := o.fee(r.Fee)
		if err != nil {
			return c, err
		}
		c.Lines = append(c.Lines, fee)
	}
	return c, o.settle(&c, r)
}

// credited is the part of a line that was paid back.
func (o *order) credited(part refundLine) (Line, error) {
	for _, l := range o.Lines {
		if l.ID != part.LineID {
			continue
		}
		first := min(part.First, l.Quantity-part.Quantity)
		share := func(m money.Money) (money.Money, error) { return pricing.Part(m, l.Quantity, first, part.Quantity) }
		total, err := share(o.money(l.Total))
		if err != nil {
			return Line{}, err
		}
		line := Line{Title: l.Title, Variant: l.Variant, SKU: l.SKU, Quantity: part.Quantity, Unit: o.money(l.Unit), Total: total, Taxes: []Tax{}}
		for _, tax := range l.Taxes {
			if tax.Taxable, err = share(tax.Taxable); err != nil {
				return Line{}, err
			}
			if tax.Amount, err = share(tax.Amount); err != nil {
				return Line{}, err
			}
			line.Taxes = append(line.Taxes, tax)
		}
		if !o.TaxIncluded {
			// What was paid back is a share of the line with its tax, rounded as a whole.
			gross, err := share(o.money(l.Total + sum(l.Taxes, o.Currency).Amount))
			if err != nil {
				return Line{}, err
			}
			line.Total.Amount = gross.Amount - sum(line.Taxes, o.Currency).Amount
		}
		return line, nil
	}
	return Line{}, nil
}

// scale has lines come to an amount that is less than they do.
func (o *order) scale(lines []Line, amount int64) error {
	weights := make([]int64, len(lines))
	for i, l := range lines {
		weights[i] = o.gross(l)
	}
	shares, err := o.money(amount).Allocate(weights...)
	if err != nil {
		return fmt.Errorf("share of %d: %w", amount, err)
	}
	for i := range lines {
		l := &lines[i]
		some := func(of money.Money) (money.Money, error) {
			if weights[i] == 0 {
				return of, nil
			}
			parts, err := of.Allocate(shares[i].Amount, weights[i]-shares[i].Amount)
			if err != nil {
				return of, fmt.Errorf("share of %d: %w", amount, err)
			}
			return parts[0], nil
		}
		l.Total = shares[i]
		for k := range l.Taxes {
			tax := &l.Taxes[k]
			if tax.Taxable, err = some(tax.Taxable); err != nil {
				return err
			}
			if tax.Amount, err = some(tax.Amount); err != nil {
				return err
			}
			if !o.TaxIncluded {
				l.Total.Amount -= tax.Amount.Amount
			}
		}
	}
	return nil
}

// gross is what a line comes to with its tax.
func (o *order) gross(l Line) int64 {
	if o.TaxIncluded {
		return l.Total.Amount
	}
	return l.Total.Amount + sum(l.Taxes, o.Currency).Amount
}

// rest is a line for what was paid back beside lines: the shipping where it comes to that,
// or else a part of everything.
func (o *order) rest(amount int64) (Line, error) {
	shipping := Line{Total: o.money(o.Shipping - o.Method.Discount.Amount), Taxes: o.Method.Taxes}
	if amount == o.gross(shipping) {
		return Line{Title: o.Method.Name, Quantity: 1, Unit: shipping.Total, Total: shipping.Total, Taxes: shipping.Taxes}, nil
	}
	return o.part(amount)
}

// fee is a line for what the merchant keeps of what was returned.
func (o *order) fee(amount int64) (Line, error) {
	line, err := o.part(amount)
	line.Fee = true
	line.Unit.Amount, line.Total.Amount = -line.Unit.Amount, -line.Total.Amount
	for i := range line.Taxes {
		tax := &line.Taxes[i]
		tax.Taxable.Amount, tax.Amount.Amount = -tax.Taxable.Amount, -tax.Amount.Amount
	}
	return line, err
}

// part is a line for a part of everything, with a part of every tax.
func (o *order) part(amount int64) (Line, error) {
	taxes, net := o.invoice().Taxes, o.Total
	weights := []int64{}
	for _, tax := range taxes {
		weights = append(weights, tax.Amount.Amount)
		net -= tax.Amount.Amount
	}
	shares, err := o.money(amount).Allocate(append(weights, net)...)
	if err != nil {
		return Line{}, fmt.Errorf("share of %d: %w", amount, err)
	}
	line := Line{Quantity: 1, Total: o.money(amount), Taxes: []Tax{}}
	for i, tax := range taxes {
		taxable, err := tax.Taxable.Allocate(amount, o.Total-amount)
		if err != nil {
			return Line{}, fmt.Errorf("share of %d: %w", amount, err)
		}
		tax.Taxable, tax.Amount = taxable[0], shares[i]
		line.Taxes = append(line.Taxes, tax)
		if !o.TaxIncluded {
			line.Total.Amount -= tax.Amount.Amount
		}
	}
	line.Unit = line.Total
	return line, nil
}

// settle adds the note up.
func (o *order) settle(c *Content, r *refund) error {
	lists := [][]Tax{}
	for _, l := range c.Lines {
		lists = append(lists, l.Taxes)
		c.Subtotal.Amount += l.Total.Amount
	}
	c.Taxes = addUp(lists...)
	if r.Noted+r.Amount == o.Total {
		c.Taxes = remaining(o.invoice().Taxes, addUp(r.Taxes))
	}
	c.Tax, c.Total = sum(c.Taxes, o.Currency), o.money(r.Amount)
	off := c.Total.Amount - c.Subtotal.Amount
	if !o.TaxIncluded {
		off -= c.Tax.Amount
	}
	if off != 0 && len(c.Lines) == 0 {
		return fmt.Errorf("a refund of %d has no lines", r.Amount)
	}
	if off != 0 {
		c.Lines[len(c.Lines)-1].Total.Amount += off
		c.Subtotal.Amount += off
	}
	return nil
}

// remaining is what is left of taxes after others.
func remaining(all, gone []Tax) []Tax {
	left := []Tax{}
	for _, tax := range all {
		for _, other := range gone {
			if alike(tax, other) {
				tax.Taxable.Amount -= other.Taxable.Amount
				tax.Amount.Amount -= other.Amount.Amount
			}
		}
		left = append(left, tax)
	}
	return left
}
