package analytics

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
)

// The kinds of facts, and what their keys are.
const (
	ofSales    = "sales"    // newCustomers or returningCustomers
	ofProduct  = "product"  // the product's ID; empty of what is in no catalogue
	ofTax      = "tax"      // its name, jurisdiction, percentage and reason
	ofDiscount = "discount" // the promotion's ID, code and title
	ofRefund   = "refund"   // where the money went, and allRefunds and balanceRefunds
)

// The keys of sales, by who bought.
const (
	newCustomers       = "new"
	returningCustomers = "returning"
)

// The keys of refunds.
const (
	allRefunds     = "all"
	balanceRefunds = "balance" // of what the merchant owed by an edit
	toPayments     = "payment"
	toStoreCredit  = "store_credit"
	toExchanges    = "exchange" // set off against what was sent instead
)

// fact is what happened to an order at some time, or a part of it. Base is, of sales, what orders
// were worth when they were placed; of taxes, what was taxed; of refunds, what was paid back.
type fact struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Key       string    `json:"key"`
	Orders    int64     `json:"orders,omitempty"`
	Quantity  int64     `json:"quantity,omitempty"`
	Returned  int64     `json:"returned,omitempty"`
	Base      int64     `json:"base,omitempty"`
	Gross     int64     `json:"gross,omitempty"`
	Discounts int64     `json:"discounts,omitempty"`
	Returns   int64     `json:"returns,omitempty"`
	Shipping  int64     `json:"shipping,omitempty"`
	Taxes     int64     `json:"taxes,omitempty"`
	Fees      int64     `json:"fees,omitempty"`
}

// left is what is left of a line, of the shipping or of a fee: what was not paid back of it.
type left struct {
	id, product string
	net, units  int64
	taxes       []tax
}

// part is a part of what is left of something.
type part struct {
	of    *left
	net   int64
	taxes []tax
}

func (l *left) whole() part { return part{l, l.net, slices.Clone(l.taxes)} }

func (p part) all() int64 {
	sum := p.net
	for _, t := range p.taxes {
		sum += t.Amount.Amount
	}
	return sum
}

// The IDs of what is left besides lines; they are no line's.
const (
	shippingLeft = "~shipping"
	feesLeft     = "~fees"
	nothingLeft  = "~nothing" // what was paid back beyond all of it
)

// story goes through what happened to an order, one thing after the other.
type story struct {
	*record
	lines    []*content
	shipping content
	left     []*left // sorted by ID, so that it comes out alike whenever it is told
	refunded map[string]int64
	ended    bool // it was cancelled

	at    time.Time
	facts []fact
}

// tell gives an order's facts.
func (r *record) tell() ([]fact, error) {
	slices.SortFunc(r.Lines, func(a, b *content) int { return cmp.Compare(a.ID, b.ID) })
	// Back to what was placed, and from there on again.
	contents, ways, discounts := [][]*content{r.Lines}, []content{r.Shipping}, [][]discount{r.Discounts}
	for i, e := range r.Edits {
		lines, shipping := before(contents[i], ways[i], e)
		contents, ways, discounts = append(contents, lines), append(ways, shipping), append(discounts, e.Discounts)
	}
	s := &story{record: r, refunded: map[string]int64{}}
	type step struct {
		at time.Time
		do func() error
	}
	last := len(contents) - 1
	steps := []step{{r.PlacedAt, func() error { return s.place(contents[last], ways[last], discounts[last]) }}}
	for i, e := range slices.Backward(r.Edits) {
		steps = append(steps, step{e.At, func() error { return s.become(contents[i], ways[i], discounts[i+1], discounts[i]) }})
	}
	for _, back := range r.Refunds {
		steps = append(steps, step{back.At, func() error { return s.payBack(back) }})
	}
	if r.CancelledAt != nil {
		steps = append(steps, step{*r.CancelledAt, s.cancel})
	}
	slices.SortStableFunc(steps[1:], func(a, b step) int { return a.at.Compare(b.at) })
	for _, step := range steps {
		s.at = step.at
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("figures of order %s: %w", r.ID, err)
		}
	}
	return slices.DeleteFunc(s.facts, func(f fact) bool { return f == fact{At: f.At, Kind: f.Kind, Key: f.Key} }), nil
}

// fact is the one of a kind and key at the time that the story has come to.
func (s *story) fact(kind, key string) *fact {
	for i := len(s.facts) - 1; i >= 0 && s.facts[i].At.Equal(s.at); i-- {
		if f := &s.facts[i]; f.Kind == kind && f.Key == key {
			return f
		}
	}
	s.facts = append(s.facts, fact{At: s.at, Kind: kind, Key: key})
	return &s.facts[len(s.facts)-1]
}

func (s *story) sales() *fact {
	if s.Regular {
		return s.fact(ofSales, returningCustomers)
	}
	return s.fact(ofSales, newCustomers)
}

// of is what is left of something, known by its ID.
func (s *story) of(id, product string) *left {
	at, found := slices.BinarySearchFunc(s.left, id, func(l *left, id string) int { return cmp.Compare(l.id, id) })
	if !found {
		s.left = slices.Insert(s.left, at, &left{id: id, product: product})
	}
	return s.left[at]
}

func (s *story) place(lines []*content, shipping content, discounts []discount) error {
	if err := s.become(lines, shipping, nil, discounts); err != nil {
		return err
	}
	sales := s.sales()
	sales.Orders, sales.Base = 1, sales.Gross-sales.Discounts
	for _, l := range lines {
		s.fact(ofProduct, l.Product).Orders = 1
	}
	for _, d := range discounts {
		s.fact(ofDiscount, d.key()).Orders = 1
	}
	return nil
}

// become has the order contain something else.
func (s *story) become(lines []*content, shipping content, were, discounts []discount) error {
	for _, l := range s.lines {
		if err := s.count(l, -1); err != nil {
			return err
		}
	}
	for _, l := range lines {
		if err := s.count(l, 1); err != nil {
			return err
		}
	}
	s.send(&s.shipping, -1)
	s.send(&shipping, 1)
	for _, d := range were {
		s.fact(ofDiscount, d.key()).Discounts -= d.Amount.Amount
	}
	for _, d := range discounts {
		s.fact(ofDiscount, d.key()).Discounts += d.Amount.Amount
	}
	s.lines, s.shipping = lines, shipping
	return nil
}

// send counts what sending the order costs, or takes it out.
func (s *story) send(way *content, sign int64) {
	rest, net := s.of(shippingLeft, ""), sign*way.net(s.Included)
	rest.net += net
	s.sales().Shipping += net
	s.tax(rest, way.Taxes, sign)
}

// count counts a line, or takes it out.
func (s *story) count(l *content, sign int64) error {
	off, err := l.discounted(s.Included)
	if err != nil {
		return err
	}
	net := l.net(s.Included)
	for _, which := range [][2]string{{ofSales, s.sales().Key}, {ofProduct, l.Product}} {
		f := s.fact(which[0], which[1])
		f.Quantity += sign * l.Quantity
		f.Gross += sign * (net + off)
		f.Discounts += sign * off
	}
	rest := s.of(l.ID, l.Product)
	rest.net += sign * net
	rest.units += sign * l.Quantity
	s.tax(rest, l.Taxes, sign)
	return nil
}

// tax counts taxes of something, or takes them out.
func (s *story) tax(of *left, taxes []tax, sign int64) {
	for _, t := range taxes {
		s.sales().Taxes += sign * t.Amount.Amount
		f := s.fact(ofTax, t.key())
		f.Base += sign * t.Taxable.Amount
		f.Taxes += sign * t.Amount.Amount
		at, found := slices.BinarySearchFunc(of.taxes, t.key(), func(o tax, key string) int { return cmp.Compare(o.key(), key) })
		if !found {
			of.taxes = slices.Insert(of.taxes, at, tax{Name: t.Name, Jurisdiction: t.Jurisdiction, Percentage: t.Percentage, Reason: t.Reason})
		}
		of.taxes[at].Taxable.Amount += sign * t.Taxable.Amount
		of.taxes[at].Amount.Amount += sign * t.Amount.Amount
	}
}

// payBack counts a refund. What is paid back of the balance an edit has counted, and what is
// after the cancellation that has.
func (s *story) payBack(r refund) error {
	all := s.fact(ofRefund, allRefunds)
	all.Orders++
	all.Base += r.Amount
	all.Fees += r.Fee
	if r.OfBalance {
		f := s.fact(ofRefund, balanceRefunds)
		f.Orders++
		f.Base += r.Amount
	}
	for key, amount := range map[string]int64{toExchanges: r.SetOff, toStoreCredit: r.Credited, toPayments: r.Amount - r.SetOff - r.Credited} {
		if amount != 0 {
			f := s.fact(ofRefund, key)
			f.Orders++
			f.Base += amount
		}
	}
	if r.OfBalance || s.ended {
		return nil
	}
	return s.takeBack(r)
}

// takeBack counts what a refund is of.
func (s *story) takeBack(r refund) error {
	rest := r.Amount + r.Fee
	if rest == s.sum() {
		s.everything()
	} else if err := s.takeLines(&rest, r.Lines); err != nil {
		return err
	} else if err := s.takeRest(rest, len(r.Lines) > 0); err != nil {
		return err
	}
	for _, q := range r.Lines {
		s.refunded[q.LineID] += q.Quantity
	}
	if r.Fee > 0 {
		return s.keep(r.Fee)
	}
	return nil
}

// takeLines takes units of lines back, and what they come to from the amount; where that is
// less, as of an order that was paid in part, it is what they come to.
func (s *story) takeLines(amount *int64, lines []units) error {
	var parts []part
	sum := -*amount
	for _, q := range lines {
		p, n, err := s.ofLine(q.LineID, q.Quantity)
		if err != nil {
			return err
		}
		if p.of == nil {
			continue
		}
		s.units(p.of, n)
		parts, sum = append(parts, p), sum+p.all()
	}
	if sum > int64(len(parts)) { // shares are rounded
		err := s.share(*amount, parts...)
		*amount = 0
		return err
	}
	for _, p := range parts {
		*amount -= p.all()
		s.take(p)
	}
	return nil
}

// takeRest takes back what was paid back beside lines: the shipping, where it comes to that or
// there were lines, and a part of everything.
func (s *story) takeRest(rest int64, lines bool) error {
	shipping := s.of(shippingLeft, "").whole()
	switch of := shipping.all(); {
	case of > 0 && rest == of:
		s.take(shipping)
		rest = 0
	case of > 0 && rest > 0 && lines:
		some := min(of, rest)
		if err := s.share(some, shipping); err != nil {
			return err
		}
		rest -= some
	}
	var all []part
	for _, l := range s.left {
		all = append(all, l.whole())
	}
	return s.share(rest, all...)
}

func (s *story) sum() (sum int64) {
	for _, l := range s.left {
		sum += l.whole().all()
	}
	return sum
}

// ofLine is what units of a line come to, as far as they are left, and how many they are; of
// nothing where there is no such line.
func (s *story) ofLine(id string, n int64) (part, int64, error) {
	at := slices.IndexFunc(s.lines, func(l *content) bool { return l.ID == id })
	if at < 0 {
		return part{}, 0, nil
	}
	line, rest := s.lines[at], s.of(id, s.lines[at].Product)
	n = min(n, line.Quantity)
	first := min(s.refunded[id], line.Quantity-n)
	share := func(amount int64) (int64, error) {
		m, err := pricing.Part(money.New(amount, s.Currency), line.Quantity, first, n)
		return m.Amount, err
	}
	gross := line.Total
	if !s.Included {
		gross += line.taxed()
	}
	net, err := share(gross)
	if err != nil {
		return part{}, 0, err
	}
	taxes := slices.Clone(line.Taxes)
	for i := range taxes {
		t, of := &taxes[i], rest.taxes[slices.IndexFunc(rest.taxes, taxes[i].like)]
		if t.Amount.Amount, err = share(t.Amount.Amount); err != nil {
			return part{}, 0, err
		}
		net -= t.Amount.Amount
		if t.Taxable.Amount, err = share(t.Taxable.Amount); err != nil {
			return part{}, 0, err
		}
		t.Amount.Amount = within(t.Amount.Amount, of.Amount.Amount)
		t.Taxable.Amount = within(t.Taxable.Amount, of.Taxable.Amount)
	}
	return part{rest, within(net, rest.net), taxes}, n, nil
}

// within is an amount, or what is left where that is less.
func within(amount, left int64) int64 { return max(min(amount, left), 0) }

// units notes that units came back, or need not be sent.
func (s *story) units(of *left, n int64) {
	n = min(n, of.units)
	of.units -= n
	s.sales().Returned += n
	s.fact(ofProduct, of.product).Returned += n
}

// take takes a part back.
func (s *story) take(p part) {
	s.tax(p.of, p.taxes, -1)
	p.of.net -= p.net
	switch p.of.id {
	case shippingLeft:
		s.sales().Shipping -= p.net
	case feesLeft:
		s.sales().Fees -= p.net
	default:
		s.sales().Returns += p.net
		s.fact(ofProduct, p.of.product).Returns += p.net
	}
}

// share takes an amount back of several, in proportion to what each comes to.
func (s *story) share(amount int64, among ...part) error {
	if amount == 0 {
		return nil
	}
	weights := []int64{0}
	for _, p := range among {
		weights = append(weights, max(p.net, 0))
		for _, t := range p.taxes {
			weights = append(weights, max(t.Amount.Amount, 0))
		}
	}
	if slices.Max(weights) == 0 { // of an order that nothing is left of
		s.take(part{s.of(nothingLeft, ""), amount, nil})
		return nil
	}
	shares, err := money.New(amount, s.Currency).Allocate(weights...)
	if err != nil {
		return fmt.Errorf("share of %d: %w", amount, err)
	}
	at := 1
	for _, p := range among {
		some := part{p.of, shares[at].Amount, slices.Clone(p.taxes)}
		at++
		for i := range some.taxes {
			some.taxes[i].Amount.Amount = shares[at].Amount
			at++
		}
		taken, was := some.all(), p.all()
		for i := range some.taxes {
			t := &some.taxes[i]
			if t.Taxable.Amount, err = parted(t.Taxable.Amount, taken, was); err != nil {
				return err
			}
		}
		s.take(some)
	}
	return nil
}

// parted is the part of an amount that n of a whole are.
func parted(amount, n, whole int64) (int64, error) {
	switch {
	case n <= 0 || whole <= 0:
		return 0, nil
	case n >= whole:
		return amount, nil
	}
	parts, err := money.Money{Amount: amount}.Allocate(n, whole-n)
	if err != nil {
		return 0, err
	}
	return parts[0].Amount, nil
}

// keep counts a fee that was kept of what came back, with its part of the order's taxes.
func (s *story) keep(fee int64) error {
	var net, gross int64
	var taxes []tax
	for _, c := range append(slices.Clone(s.lines), &s.shipping) {
		net += c.net(s.Included)
		for _, t := range c.Taxes {
			at := slices.IndexFunc(taxes, t.like)
			if at < 0 {
				taxes = append(taxes, t)
				continue
			}
			taxes[at].Taxable.Amount += t.Taxable.Amount
			taxes[at].Amount.Amount += t.Amount.Amount
		}
	}
	slices.SortFunc(taxes, func(a, b tax) int { return cmp.Compare(a.key(), b.key()) })
	weights := []int64{net}
	gross = net
	for _, t := range taxes {
		weights = append(weights, t.Amount.Amount)
		gross += t.Amount.Amount
	}
	shares, err := money.New(fee, s.Currency).Allocate(weights...)
	if err != nil {
		return fmt.Errorf("share of a fee of %d: %w", fee, err)
	}
	for i := range taxes {
		taxes[i].Amount.Amount = shares[i+1].Amount
		if taxes[i].Taxable.Amount, err = parted(taxes[i].Taxable.Amount, fee, gross); err != nil {
			return err
		}
	}
	of := s.of(feesLeft, "")
	of.net += shares[0].Amount
	s.sales().Fees += shares[0].Amount
	s.tax(of, taxes, 1)
	return nil
}

// cancel takes all back that is left.
func (s *story) cancel() error {
	s.ended = true
	for _, l := range s.left {
		if l.id != shippingLeft && l.id != feesLeft {
			s.units(l, l.units)
		}
	}
	s.everything()
	return nil
}

// everything takes back all that is left.
func (s *story) everything() {
	for _, l := range s.left {
		s.take(l.whole())
	}
}
