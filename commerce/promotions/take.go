package promotions

import (
	"cmp"
	"slices"
	"sort"

	"github.com/stoacommerce/stoa/platform/money"
)

// tally is a basket while promotions are taken off.
type tally struct {
	basket   Basket
	left     []int64 // of each line's amount
	by       [][]taken
	shipping int64 // what is left of it
	shipped  []taken
	saved    int64
}

// taken is what a promotion took off a line or shipping.
type taken struct {
	rule   *Rule
	amount int64
}

func newTally(b Basket) *tally {
	t := &tally{basket: b, left: make([]int64, len(b.Lines)), by: make([][]taken, len(b.Lines)), shipping: b.Shipping.Amount}
	for i, l := range b.Lines {
		t.left[i] = l.Unit.Amount * l.Quantity // lines were priced before: it fits
	}
	return t
}

// beats says whether more was taken off; of two that come to the same, the one whose
// promotions come first by ID.
func (t *tally) beats(o *tally) bool {
	return t.saved > o.saved || t.saved == o.saved && t.saved > 0 && t.name() < o.name()
}

func (t *tally) name() (name string) {
	for _, all := range append(t.by, t.shipped) {
		for _, one := range all {
			name += one.rule.ID + " "
		}
	}
	return name
}

// take takes off what the promotion takes off of what is left.
func (t *tally) take(m *match) error {
	switch {
	case m.Kind == FreeShipping:
		if t.shipping > 0 {
			t.shipped = append(t.shipped, taken{m.Rule, t.shipping})
			t.saved += t.shipping
			t.shipping = 0
		}
		return nil
	case m.Kind == BuyXGetY:
		return t.give(m)
	case m.Kind == FixedAmount && m.Each:
		for _, i := range t.about(m) {
			t.off(m.Rule, i, min(m.Amounts[t.basket.Currency], t.basket.Lines[i].Unit.Amount)*t.basket.Lines[i].Quantity)
		}
		return nil
	default:
		return t.spread(m)
	}
}

// about are the lines that a promotion may make cheaper.
func (t *tally) about(m *match) (lines []int) {
	for i := range t.basket.Lines {
		if !m.items[i] || t.left[i] == 0 {
			continue
		}
		if m.Class == Products && slices.ContainsFunc(t.by[i], func(o taken) bool { return o.rule.Class == Products && !m.stacks(o.rule) }) {
			continue
		}
		lines = append(lines, i)
	}
	return lines
}

// spread takes a percentage or an amount off all lines together, by what is left of each, so
// that it is rounded once.
func (t *tally) spread(m *match) error {
	lines := t.about(m)
	weights := make([]int64, len(lines))
	total := money.Zero(t.basket.Currency)
	for n, i := range lines {
		weights[n] = t.left[i]
		total.Amount += t.left[i]
	}
	if total.IsZero() {
		return nil
	}
	amount := money.New(m.Amounts[t.basket.Currency], t.basket.Currency)
	if m.Kind == Percentage {
		var err error
		if amount, err = money.BasisPoints(m.RateBPS).Of(total); err != nil {
			return err
		}
	}
	amount.Amount = min(amount.Amount, total.Amount)
	shares, err := amount.Allocate(weights...)
	if err != nil {
		return err
	}
	for n, i := range lines {
		t.off(m.Rule, i, shares[n].Amount)
	}
	return nil
}

// give makes the cheapest of the lines given cheaper, for the dearest that have to be bought.
// A unit is either bought or given. The last time, fewer may be there to be given.
func (t *tally) give(m *match) error {
	given := t.about(m)
	var bought []int
	for i, buys := range m.buys {
		if buys {
			bought = append(bought, i)
		}
	}
	price := func(i int) int64 { return t.basket.Lines[i].Unit.Amount }
	// What cannot be given is bought first, so that more is left to give.
	slices.SortStableFunc(bought, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(slices.Contains(given, a)), rank(slices.Contains(given, b))), cmp.Compare(price(b), price(a)))
	})
	slices.SortStableFunc(given, func(a, b int) int { return cmp.Compare(price(a), price(b)) })

	times := t.times(m, bought, given)
	left, _ := t.without(bought, times*m.BuyQuantity)
	want := times * m.GetQuantity
	for _, i := range given {
		n := min(want, left[i])
		want -= n
		off, err := money.BasisPoints(m.RateBPS).Of(money.New(price(i)*n, t.basket.Currency))
		if err != nil {
			return err
		}
		t.off(m.Rule, i, off.Amount)
	}
	return nil
}

// times is how often the promotion can be used: so often that what is bought is there, and
// something to give the last time.
func (t *tally) times(m *match, bought, given []int) int64 {
	if m.BuyQuantity < 1 || m.GetQuantity < 1 {
		return 0
	}
	var units int64
	for _, i := range bought {
		units += t.basket.Lines[i].Quantity
	}
	most := units / m.BuyQuantity
	if m.MaxUses > 0 {
		most = min(most, m.MaxUses)
	}
	return int64(sort.Search(int(most), func(n int) bool {
		left, ok := t.without(bought, int64(n+1)*m.BuyQuantity)
		var there int64
		for _, i := range given {
			there += left[i]
		}
		return !ok || there <= int64(n)*m.GetQuantity
	}))
}

// without is how many units of each line are left after n of the lines given were used up
// in their order.
func (t *tally) without(lines []int, n int64) (left []int64, ok bool) {
	left = make([]int64, len(t.basket.Lines))
	for i, l := range t.basket.Lines {
		left[i] = l.Quantity
	}
	for _, i := range lines {
		used := min(n, left[i])
		left[i] -= used
		n -= used
	}
	return left, n == 0
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// off takes an amount off a line, at most what is left of it.
func (t *tally) off(r *Rule, line int, amount int64) {
	amount = min(amount, t.left[line])
	if amount <= 0 {
		return
	}
	t.left[line] -= amount
	t.saved += amount
	t.by[line] = append(t.by[line], taken{r, amount})
}

// share is what a promotion that was taken alone saves of what it is about.
func (t *tally) share(r *Rule) float64 {
	about := t.basket.Shipping.Amount
	if r.Class != Shipping {
		about = 0
		for i, l := range t.basket.Lines {
			if len(t.by[i]) > 0 {
				about += l.Unit.Amount * l.Quantity
			}
		}
	}
	if about == 0 {
		return 0
	}
	return float64(t.saved) / float64(about)
}

func (t *tally) result(candidates []candidate) Result {
	amount := func(n int64) money.Money { return money.New(n, t.basket.Currency) }
	sums := map[*Rule]int64{}
	discount := func(all []taken) Discount {
		d := Discount{Amount: amount(0)}
		for _, one := range all {
			d.Amount.Amount += one.amount
			d.By = append(d.By, Applied{one.rule.ID, one.rule.Title, one.rule.Code, amount(one.amount)})
			sums[one.rule] += one.amount
		}
		return d
	}
	r := Result{Lines: make([]Discount, len(t.by)), Shipping: discount(t.shipped)}
	for i := range t.by {
		r.Lines[i] = discount(t.by[i])
	}
	for _, c := range candidates {
		saved, applied := sums[c.Rule]
		switch {
		case applied:
			r.Applied = append(r.Applied, Applied{c.ID, c.Title, c.Code, amount(saved)})
		case c.Code != "":
			r.Refused = append(r.Refused, Refusal{c.Code, cmp.Or(c.refused, BetterDiscount)})
		}
	}
	slices.SortStableFunc(r.Applied, func(a, b Applied) int { return cmp.Compare(b.Amount.Amount, a.Amount.Amount) })
	return r
}
