package analytics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
)

// record is what an order's facts follow from.
type record struct {
	ID          string     `json:"id"`
	Currency    string     `json:"currency"`
	PlacedAt    time.Time  `json:"placed_at"`
	CancelledAt *time.Time `json:"cancelled_at"`
	Included    bool       `json:"included"` // prices contain tax
	Regular     bool       `json:"regular"`  // its customer had ordered before
	Shipping    content    `json:"shipping"`
	Lines       []*content `json:"lines"`
	Discounts   []discount `json:"discounts"`
	Edits       []edit     `json:"edits"`   // the latest first
	Refunds     []refund   `json:"refunds"` // that succeeded
}

// content is a line of an order, or what sending it costs, at some time.
type content struct {
	ID       string `json:"id"`
	Product  string `json:"product"`
	Quantity int64  `json:"quantity"`
	Unit     int64  `json:"unit"`
	Total    int64  `json:"total"` // after its discount
	Taxes    []tax  `json:"taxes"`
}

// tax is one that a line falls under.
type tax struct {
	Name         string      `json:"name"`
	Jurisdiction string      `json:"jurisdiction"`
	Percentage   string      `json:"percentage"`
	Reason       string      `json:"reason"`
	Taxable      money.Money `json:"taxable_amount"`
	Amount       money.Money `json:"amount"`
}

// like says whether both are one tax.
func (t tax) like(o tax) bool {
	return t.Name == o.Name && t.Jurisdiction == o.Jurisdiction && t.Percentage == o.Percentage && t.Reason == o.Reason
}

// key names the tax among the sums.
func (t tax) key() string { return keyed(t.Name, t.Jurisdiction, t.Percentage, t.Reason) }

// keyed is a key of several words.
func keyed(words ...string) string {
	raw, _ := json.Marshal(words) // of texts it never fails
	return string(raw)
}

type discount struct {
	ID     string      `json:"promotion_id"`
	Title  string      `json:"title"`
	Code   string      `json:"code"`
	Amount money.Money `json:"amount"`
}

func (d discount) key() string { return keyed(d.ID, d.Code, d.Title) }

type edit struct {
	At        time.Time    `json:"at"`
	Lines     []difference `json:"lines"`
	Discounts []discount   `json:"discounts"` // before it
}

// difference is what an edit changed of a line or, where it names none, of the shipping.
type difference struct {
	LineID   string      `json:"line_id"`
	Product  string      `json:"product_id"`
	Quantity int64       `json:"quantity"`
	Unit     money.Money `json:"unit"`
	Total    money.Money `json:"total"`
	Taxes    []tax       `json:"taxes"`
}

type refund struct {
	At        time.Time `json:"at"`
	Amount    int64     `json:"amount"`
	Fee       int64     `json:"fee"`
	SetOff    int64     `json:"set_off"`
	Credited  int64     `json:"credited"`
	OfBalance bool      `json:"of_balance"`
	Lines     []units   `json:"lines"`
}

// units are so many of a line.
type units struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
}

// taxed is what of it is tax.
func (c *content) taxed() (sum int64) {
	for _, t := range c.Taxes {
		sum += t.Amount.Amount
	}
	return sum
}

// net is what it comes to without taxes.
func (c *content) net(included bool) int64 {
	if included {
		return c.Total - c.taxed()
	}
	return c.Total
}

// whole is the rate of 100 %.
const whole = 1_000_000

// discounted is what was taken off it, without the taxes that it would have contained.
func (c *content) discounted(included bool) (int64, error) {
	off := c.Unit*c.Quantity - c.Total
	if !included || off == 0 {
		return off, nil
	}
	var rate int64
	for _, t := range c.Taxes {
		r, err := money.ParsePercent(t.Percentage)
		if err != nil {
			return 0, fmt.Errorf("tax of line %s: %w", c.ID, err)
		}
		rate += int64(r)
	}
	parts, err := money.Money{Amount: off}.Allocate(whole, rate)
	if err != nil {
		return 0, err
	}
	return parts[0].Amount, nil
}

// without takes an edit's difference back.
func (c *content) without(d difference) {
	c.Quantity, c.Total = c.Quantity-d.Quantity, c.Total-d.Total.Amount
	taxes := slices.Clone(c.Taxes)
	for _, t := range d.Taxes {
		at := slices.IndexFunc(taxes, t.like)
		if at < 0 {
			at, taxes = len(taxes), append(taxes, tax{Name: t.Name, Jurisdiction: t.Jurisdiction, Percentage: t.Percentage, Reason: t.Reason})
		}
		taxes[at].Taxable.Amount -= t.Taxable.Amount
		taxes[at].Amount.Amount -= t.Amount.Amount
	}
	c.Taxes = taxes
}

// before is the content that an order had before an edit was made of what it has now.
func before(lines []*content, shipping content, e edit) ([]*content, content) {
	was := make([]*content, 0, len(lines))
	for _, l := range lines {
		same := *l
		was = append(was, &same)
	}
	for _, d := range e.Lines {
		if d.LineID == "" {
			shipping.without(d)
			continue
		}
		at := slices.IndexFunc(was, func(l *content) bool { return l.ID == d.LineID })
		if at < 0 { // it was taken out
			at, was = len(was), append(was, &content{ID: d.LineID, Product: d.Product, Unit: d.Unit.Amount})
		}
		was[at].without(d)
	}
	was = slices.DeleteFunc(was, func(l *content) bool { return l.Quantity == 0 })
	slices.SortFunc(was, func(a, b *content) int { return cmp.Compare(a.ID, b.ID) })
	return was, shipping
}
