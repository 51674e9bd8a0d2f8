package promotions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/money"
)

// Result is what the promotions of a basket come to.
type Result struct {
	Lines    []Discount // of each line, in the basket's order
	Shipping Discount
	Applied  []Applied // by what they save, the most first
	Refused  []Refusal // of promotions by code, what stands in their way
}

// Discount is what is taken off a line or shipping, and by which promotions.
type Discount struct {
	Amount money.Money
	By     []Applied
}

// Applied is what one promotion takes off. Its JSON is that of the contract, and is kept with
// orders as it is.
type Applied struct {
	ID     string      `json:"promotion_id"` // null, where it was agreed and no promotion
	Title  string      `json:"title"`
	Code   string      `json:"code"` // null, where the promotion is automatic
	Amount money.Money `json:"amount"`
}

// MarshalJSON implements json.Marshaler.
func (a Applied) MarshalJSON() ([]byte, error) {
	shown := struct {
		ID     *string     `json:"promotion_id"`
		Title  string      `json:"title"`
		Amount money.Money `json:"amount"`
		Code   *string     `json:"code"`
	}{Title: a.Title, Amount: a.Amount}
	if a.ID != "" {
		shown.ID = &a.ID
	}
	if a.Code != "" {
		shown.Code = &a.Code
	}
	return json.Marshal(shown)
}

// Refusal is why a code has no effect on a basket.
type Refusal struct {
	Code   string
	Reason string
}

// The reasons.
const (
	MinimumNotReached = "minimum_not_reached" // the basket is too small for it
	NotForTheseItems  = "not_for_these_items" // nothing in the basket is made cheaper by it
	NotForYou         = "not_for_you"         // the buyer is not in its groups, or has ordered before
	BetterDiscount    = "better_discount"     // another saves more, and they do not combine
)

// Evaluate finds the promotions that save the most together, of those that may stand
// beside each other, and what each takes off. Nothing gets cheaper than free. The outcome
// depends on the rules, not on their order.
//
// Tried is each promotion alone, and with all that agree, those first that save most. With n
// promotions, that is at most 2n baskets and n² looks at whether two agree.
func Evaluate(b Basket, rules []Rule) (Result, error) {
	best := newTally(b)
	candidates := make([]candidate, 0, len(rules))
	for i := range rules {
		c := candidate{match: newMatch(&rules[i], b.Lines)}
		if c.refused = b.refuses(&c.match); c.refused == "" {
			alone := newTally(b)
			if err := alone.take(&c.match); err != nil {
				return Result{}, fmt.Errorf("promotion %s: %w", c.ID, err)
			}
			if c.saves, c.share = alone.saved, alone.share(c.Rule); c.saves == 0 {
				c.refused = NotForTheseItems
			}
			if alone.beats(best) {
				best = alone
			}
		}
		candidates = append(candidates, c)
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.saves, a.saves), cmp.Compare(a.ID, b.ID))
	})
	agree, turns, tried := agreement(candidates), inTurn(candidates), map[string]bool{}
	for i := range candidates {
		members := grow(candidates, agree, i)
		if tried[string(members)] {
			continue
		}
		tried[string(members)] = true
		t := newTally(b)
		for _, j := range turns {
			if members[j] == 0 {
				continue
			}
			if err := t.take(&candidates[j].match); err != nil {
				return Result{}, fmt.Errorf("promotion %s: %w", candidates[j].ID, err)
			}
		}
		if t.beats(best) {
			best = t
		}
	}
	return best.result(candidates), nil
}

// candidate is a promotion and what it would do alone.
type candidate struct {
	match
	refused string
	saves   int64
	share   float64 // of what it makes cheaper
}

// match is a rule and the lines of a basket that it is about.
type match struct {
	*Rule
	items []bool
	buys  []bool
}

func newMatch(r *Rule, lines []Line) match {
	m := match{r, make([]bool, len(lines)), make([]bool, len(lines))}
	for i, l := range lines {
		m.items[i] = !l.Excluded && r.Items.has(l)
		m.buys[i] = !l.Excluded && r.Kind == BuyXGetY && r.Buys.has(l)
	}
	return m
}

// refuses says why a promotion is not for this basket.
func (b Basket) refuses(m *match) string {
	if m.FirstOrder && b.Buyer.Orders > 0 {
		return NotForYou
	}
	if len(m.GroupIDs) > 0 && !slices.ContainsFunc(m.GroupIDs, func(id string) bool { return slices.Contains(b.Buyer.GroupIDs, id) }) {
		return NotForYou
	}
	counts := m.items
	if m.Kind == BuyXGetY {
		counts = m.buys
	}
	var amount, quantity int64
	for i, l := range b.Lines {
		if counts[i] {
			amount += l.Unit.Amount * l.Quantity // lines were priced before: it fits
			quantity += l.Quantity
		}
	}
	least, sold := m.MinimumAmounts[b.Currency]
	if quantity < m.MinimumQuantity || m.MinimumAmounts != nil && (!sold || amount < least) {
		return MinimumNotReached
	}
	return ""
}

// agreement says of each two candidates whether they may stand beside each other.
func agreement(candidates []candidate) [][]bool {
	agree := make([][]bool, len(candidates))
	for i := range candidates {
		agree[i] = make([]bool, len(candidates))
		for j := range candidates[:i] {
			agree[i][j] = candidates[i].combines(candidates[j].Rule)
			agree[j][i] = agree[i][j]
		}
	}
	return agree
}

// grow makes a set of the candidate i and, by what they save, all that agree: members is 1
// for those in it.
func grow(candidates []candidate, agree [][]bool, i int) (members []byte) {
	members = make([]byte, len(candidates))
	if candidates[i].saves == 0 {
		return members
	}
	members[i] = 1
	welcome := slices.Clone(agree[i])
	for j := range candidates {
		if !welcome[j] || candidates[j].saves == 0 {
			continue
		}
		members[j] = 1
		for k := range welcome {
			welcome[k] = welcome[k] && agree[j][k]
		}
	}
	return members
}

// inTurn is the order in which promotions are taken off: by class, and those that take the
// largest share first.
func inTurn(candidates []candidate) []int {
	turns := make([]int, len(candidates))
	for i := range turns {
		turns[i] = i
	}
	slices.SortFunc(turns, func(i, j int) int {
		a, b := candidates[i], candidates[j]
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Class), slices.Index(order, b.Class)),
			cmp.Compare(b.share, a.share), cmp.Compare(a.ID, b.ID))
	})
	return turns
}

var order = []Class{Products, Order, Shipping}
