package documents

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	for format, want := range map[Format]string{
		"INV-{number}": "INV-42", "{number:5}": "00042", "R {year}/{number:3} A": "R 2026/042 A", "RE{year}-{number}": "RE2026-42", "": "42",
	} {
		if got := format.Write(2026, 42); got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
}

// taxed is a line's or the shipping's tax of a rate.
func taxed(o *order, total, rate int64) []Tax {
	if rate == 0 || total == 0 {
		return []Tax{}
	}
	tax, taxable := o.money(total*rate/(100+rate)), o.money(total)
	if o.TaxIncluded {
		taxable.Amount -= tax.Amount
	} else {
		tax.Amount = total * rate / 100
	}
	return []Tax{{Name: "VAT", Jurisdiction: "DE", Percentage: map[int64]string{7: "7", 19: "19"}[rate], Taxable: taxable, Amount: tax, Reason: "taxed"}}
}

// Whatever is paid back of whatever order, in whichever portions: each note comes to what was
// paid back and its parts add up; all of an order's notes together bear its taxes, to the cent.
func TestCreditNotes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := &order{Currency: "EUR", TaxIncluded: rapid.Bool().Draw(t, "included"), Method: method{Name: "Standard"}, PaymentState: "paid"}
		rates := rapid.SampledFrom([]int64{0, 7, 19})
		o.Shipping = rapid.Int64Range(0, 990).Draw(t, "shipping")
		o.Method.Taxes = taxed(o, o.Shipping, rates.Draw(t, "rate"))
		lists := [][]Tax{o.Method.Taxes}
		o.Total = o.Shipping
		for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
			l := orderLine{ID: string(rune('a' + i)), Title: "Thing", Quantity: rapid.Int64Range(1, 5).Draw(t, "quantity"), Unit: rapid.Int64Range(0, 5000).Draw(t, "unit")}
			l.Total = l.Unit * l.Quantity
			l.Taxes = taxed(o, l.Total, rates.Draw(t, "rate"))
			lists = append(lists, l.Taxes)
			o.Lines, o.Subtotal, o.Total = append(o.Lines, l), o.Subtotal+l.Total, o.Total+l.Total
		}
		o.Tax = sum(addUp(lists...), "EUR").Amount
		if !o.TaxIncluded {
			o.Total += o.Tax
		}
		given := map[string]int64{}
		var noted int64
		var taxes []Tax
		for steps := 0; noted < o.Total; steps++ {
			r := &refund{Noted: noted, Taxes: addUp(taxes), Invoice: Reference{"INV-1", time.Now()}}
			r.draw(t, o, given, steps > 4)
			c, err := o.creditNote(r)
			if err != nil {
				t.Fatal(err)
			}
			o.sound(t, c, r)
			noted, taxes = noted+r.Amount, append(taxes, c.Taxes...)
		}
		whole, notes := o.invoice(), addUp(taxes)
		if left := sum(remaining(whole.Taxes, notes), "EUR"); !left.IsZero() || sum(notes, "EUR") != whole.Tax {
			t.Fatalf("the notes bear %v of %v", notes, whole.Taxes)
		}
	})
}

// draw decides what a refund is of, as orders decide it.
func (r *refund) draw(t *rapid.T, o *order, given map[string]int64, all bool) {
	left := o.Total - r.Noted
	if !all && rapid.Bool().Draw(t, "an amount") {
		r.Amount = rapid.Int64Range(1, left).Draw(t, "amount")
		return
	}
	for _, l := range o.Lines {
		n := l.Quantity - given[l.ID]
		if !all {
			n = rapid.Int64Range(0, n).Draw(t, "of the line")
		}
		if n == 0 {
			continue
		}
		gross := o.money(l.Total)
		if !o.TaxIncluded {
			gross.Amount += sum(l.Taxes, "EUR").Amount
		}
		worth, err := pricing.Part(gross, l.Quantity, given[l.ID], n)
		if err != nil {
			t.Fatal(err)
		}
		if r.Amount+worth.Amount > left && !rapid.Bool().Draw(t, "of what was paid in part") {
			continue
		}
		r.Lines = append(r.Lines, refundLine{l.ID, n, given[l.ID]})
		given[l.ID] += n
		r.Amount += worth.Amount
	}
	if all || r.Amount == 0 || r.Amount > left {
		r.Amount = left
	} else if rapid.Bool().Draw(t, "with a fee") {
		r.Fee = rapid.Int64Range(0, r.Amount-1).Draw(t, "fee")
		r.Amount -= r.Fee
	}
}

func (o *order) sound(t *rapid.T, c Content, r *refund) {
	lines := money.Zero("EUR")
	for _, l := range c.Lines {
		lines.Amount += l.Total.Amount
	}
	want := c.Total
	if !o.TaxIncluded {
		want.Amount -= c.Tax.Amount
	}
	if c.Total.Amount != r.Amount || c.Subtotal != lines || lines != want || c.Tax != sum(c.Taxes, "EUR") {
		t.Fatalf("a refund of %d: lines of %v, tax %v, total %v", r.Amount, lines, c.Tax, c.Total)
	}
}
