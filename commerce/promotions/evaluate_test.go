package promotions_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/money"
)

func eur(n int64) money.Money { return money.New(n, "EUR") }

func line(product string, unit, quantity int64) promotions.Line {
	return promotions.Line{ProductID: product, VariantID: "var_" + product, CollectionIDs: []string{"col_" + product[:1]}, Unit: eur(unit), Quantity: quantity}
}

func only(products ...string) promotions.Selection { return promotions.Selection{ProductIDs: products} }

func percent(id string, bps int64, class promotions.Class, items promotions.Selection, combines ...promotions.Class) promotions.Rule {
	return promotions.Rule{ID: id, Title: id, Kind: promotions.Percentage, Class: class, RateBPS: bps, Items: items, Combines: combines}
}

func TestEvaluate(t *testing.T) {
	all := promotions.Selection{}
	freeShipping := promotions.Rule{ID: "ship", Kind: promotions.FreeShipping, Class: promotions.Shipping}
	fixed := func(id string, amount int64, each bool) promotions.Rule {
		return promotions.Rule{ID: id, Kind: promotions.FixedAmount, Class: promotions.Products, Amounts: map[string]int64{"EUR": amount}, Each: each}
	}
	code := func(r promotions.Rule) promotions.Rule { r.Code = "CODE"; return r }
	minimum := func(r promotions.Rule, amount int64) promotions.Rule {
		r.MinimumAmounts = map[string]int64{"EUR": amount}
		return r
	}
	buy := func(x, y int64, buys, gets promotions.Selection) promotions.Rule {
		return promotions.Rule{ID: "buy", Kind: promotions.BuyXGetY, Class: promotions.Products, RateBPS: 10_000, Buys: buys, Items: gets, BuyQuantity: x, GetQuantity: y}
	}
	most := func(r promotions.Rule, n int64) promotions.Rule { r.MaxUses = n; return r }
	for name, c := range map[string]struct {
		lines    []promotions.Line
		rules    []promotions.Rule
		buyer    promotions.Buyer
		off      []int64
		shipping int64
		refused  string
	}{
		"none":                              {lines: []promotions.Line{line("a", 1000, 1)}, off: []int64{0}},
		"a percentage is rounded once":      {lines: []promotions.Line{line("a", 333, 1), line("b", 333, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Order, all)}, off: []int64{34, 33}},
		"of some products":                  {lines: []promotions.Line{line("a", 1000, 2), line("b", 500, 1)}, rules: []promotions.Rule{percent("p", 5000, promotions.Products, only("a"))}, off: []int64{1000, 0}},
		"of a collection":                   {lines: []promotions.Line{line("a", 1000, 2), line("b", 500, 1)}, rules: []promotions.Rule{percent("p", 5000, promotions.Products, promotions.Selection{CollectionIDs: []string{"col_b"}})}, off: []int64{0, 250}},
		"an amount once, spread":            {lines: []promotions.Line{line("a", 1000, 1), line("b", 3000, 1)}, rules: []promotions.Rule{fixed("f", 400, false)}, off: []int64{100, 300}},
		"an amount off each unit":           {lines: []promotions.Line{line("a", 1000, 3), line("b", 100, 2)}, rules: []promotions.Rule{fixed("f", 400, true)}, off: []int64{1200, 200}},
		"nothing is cheaper than free":      {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{fixed("f", 4000, false)}, off: []int64{1000}},
		"not in this currency":              {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{code(promotions.Rule{ID: "f", Kind: promotions.FixedAmount, Class: promotions.Order, Amounts: map[string]int64{"USD": 1}})}, off: []int64{0}, refused: promotions.NotForTheseItems},
		"the better of two":                 {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Products, all), code(percent("q", 500, promotions.Products, all))}, off: []int64{100}, refused: promotions.BetterDiscount},
		"each line its best":                {lines: []promotions.Line{line("a", 1000, 1), line("b", 9000, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Products, all), percent("q", 5000, promotions.Products, only("a"))}, off: []int64{500, 900}},
		"two classes that do not combine":   {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Products, all), percent("o", 2000, promotions.Order, all, promotions.Products)}, off: []int64{200}},
		"two that do, one after the other":  {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Products, all, promotions.Order), percent("o", 2000, promotions.Order, all, promotions.Products)}, off: []int64{100 + 180}},
		"products that stack":               {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{percent("p", 1000, promotions.Products, all, promotions.Products), percent("q", 2000, promotions.Products, all, promotions.Products)}, off: []int64{200 + 80}},
		"free shipping":                     {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{freeShipping}, off: []int64{0}, shipping: 490},
		"shipping saves more":               {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{code(percent("p", 1000, promotions.Order, all)), freeShipping}, off: []int64{0}, shipping: 490, refused: promotions.BetterDiscount},
		"too little":                        {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{code(minimum(percent("p", 1000, promotions.Order, all), 1001))}, off: []int64{0}, refused: promotions.MinimumNotReached},
		"just enough":                       {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{minimum(percent("p", 1000, promotions.Order, all), 1000)}, off: []int64{100}},
		"only what it is about counts":      {lines: []promotions.Line{line("a", 400, 1), line("b", 900, 1)}, rules: []promotions.Rule{code(minimum(percent("p", 1000, promotions.Products, only("a")), 500))}, off: []int64{0, 0}, refused: promotions.MinimumNotReached},
		"not the first order":               {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{code(promotions.Rule{ID: "p", Kind: promotions.Percentage, Class: promotions.Order, RateBPS: 1000, FirstOrder: true})}, buyer: promotions.Buyer{Orders: 1}, off: []int64{0}, refused: promotions.NotForYou},
		"another group":                     {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{code(promotions.Rule{ID: "p", Kind: promotions.Percentage, Class: promotions.Order, RateBPS: 1000, GroupIDs: []string{"cgr_1"}})}, buyer: promotions.Buyer{GroupIDs: []string{"cgr_2"}}, off: []int64{0}, refused: promotions.NotForYou},
		"one's own group":                   {lines: []promotions.Line{line("a", 1000, 1)}, rules: []promotions.Rule{{ID: "p", Kind: promotions.Percentage, Class: promotions.Order, RateBPS: 1000, GroupIDs: []string{"cgr_1"}}}, buyer: promotions.Buyer{GroupIDs: []string{"cgr_2", "cgr_1"}}, off: []int64{100}},
		"buy two, get one":                  {lines: []promotions.Line{line("a", 1000, 3)}, rules: []promotions.Rule{buy(2, 1, all, all)}, off: []int64{1000}},
		"two are not enough":                {lines: []promotions.Line{line("a", 1000, 2)}, rules: []promotions.Rule{code(buy(2, 1, all, all))}, off: []int64{0}, refused: promotions.NotForTheseItems},
		"seven: two times, one left over":   {lines: []promotions.Line{line("a", 1000, 7)}, rules: []promotions.Rule{buy(2, 1, all, all)}, off: []int64{2000}},
		"but once only":                     {lines: []promotions.Line{line("a", 1000, 7)}, rules: []promotions.Rule{most(buy(2, 1, all, all), 1)}, off: []int64{1000}},
		"the cheapest is given":             {lines: []promotions.Line{line("a", 1000, 1), line("b", 300, 1), line("c", 500, 1)}, rules: []promotions.Rule{buy(2, 1, all, all)}, off: []int64{0, 300, 0}},
		"what cannot be given is bought":    {lines: []promotions.Line{line("a", 100, 1), line("b", 900, 1)}, rules: []promotions.Rule{buy(1, 1, only("a", "b"), only("b"))}, off: []int64{0, 900}},
		"the last time, as many as there":   {lines: []promotions.Line{line("a", 1000, 2), line("b", 400, 3)}, rules: []promotions.Rule{buy(1, 2, only("a"), only("b"))}, off: []int64{0, 1200}},
		"a gift card stays out of all":      {lines: []promotions.Line{{ProductID: "g", Unit: eur(5000), Quantity: 1, Excluded: true}, line("a", 1000, 1)}, rules: []promotions.Rule{minimum(percent("p", 1000, promotions.Order, all), 1000)}, off: []int64{0, 100}},
		"alone, where together would spoil": {lines: []promotions.Line{line("a", 10, 1), line("b", 90, 1)}, rules: []promotions.Rule{fixed("f", 100, false), percent("q", 5000, promotions.Products, only("a"))}, off: []int64{10, 90}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := promotions.Evaluate(promotions.Basket{Currency: "EUR", Lines: c.lines, Shipping: eur(490), Buyer: c.buyer}, c.rules)
			if err != nil {
				t.Fatal(err)
			}
			var off []int64
			for _, d := range r.Lines {
				off = append(off, d.Amount.Amount)
			}
			if !slices.Equal(off, c.off) || r.Shipping.Amount.Amount != c.shipping {
				t.Errorf("%v and %v off shipping, want %v and %v", off, r.Shipping.Amount.Amount, c.off, c.shipping)
			}
			switch {
			case c.refused == "" && len(r.Refused) != 0, c.refused != "" && (len(r.Refused) != 1 || r.Refused[0] != promotions.Refusal{Code: "CODE", Reason: c.refused}):
				t.Errorf("refused %v, want %q", r.Refused, c.refused)
			}
		})
	}
}

var products = []string{"a", "b", "c", "d"}

func anyRule(t *rapid.T, i int) promotions.Rule {
	r := promotions.Rule{
		ID:       fmt.Sprintf("prm_%02d", i),
		Kind:     rapid.SampledFrom([]promotions.Kind{promotions.Percentage, promotions.FixedAmount, promotions.FreeShipping, promotions.BuyXGetY}).Draw(t, "kind"),
		Class:    rapid.SampledFrom([]promotions.Class{promotions.Products, promotions.Order}).Draw(t, "class"),
		RateBPS:  rapid.Int64Range(1, 10_000).Draw(t, "rate"),
		Amounts:  map[string]int64{"EUR": rapid.Int64Range(1, 5000).Draw(t, "amount")},
		Items:    only(rapid.SliceOfDistinct(rapid.SampledFrom(products), rapid.ID).Draw(t, "items")...),
		Combines: rapid.SliceOfDistinct(rapid.SampledFrom([]promotions.Class{promotions.Products, promotions.Order, promotions.Shipping}), rapid.ID).Draw(t, "combines"),
	}
	if rapid.Bool().Draw(t, "automatic") {
		r.Code = r.ID
	}
	switch r.Kind {
	case promotions.FreeShipping:
		r.Class = promotions.Shipping
	case promotions.BuyXGetY:
		r.Class = promotions.Products
		r.Buys = only(rapid.SliceOfDistinct(rapid.SampledFrom(products), rapid.ID).Draw(t, "buys")...)
		r.BuyQuantity, r.GetQuantity = rapid.Int64Range(1, 3).Draw(t, "buy"), rapid.Int64Range(1, 3).Draw(t, "get")
		r.MaxUses = rapid.Int64Range(0, 2).Draw(t, "uses")
	case promotions.FixedAmount:
		r.Each = r.Class == promotions.Products && rapid.Bool().Draw(t, "each")
	}
	return r
}

func anyBasket(t *rapid.T) promotions.Basket {
	b := promotions.Basket{Currency: "EUR", Shipping: eur(rapid.Int64Range(0, 1000).Draw(t, "shipping"))}
	for range rapid.IntRange(0, 6).Draw(t, "lines") {
		l := line(rapid.SampledFrom(products).Draw(t, "product"), rapid.Int64Range(0, 3000).Draw(t, "unit"), rapid.Int64Range(1, 9).Draw(t, "quantity"))
		l.Excluded = rapid.IntRange(0, 9).Draw(t, "excluded") == 0
		b.Lines = append(b.Lines, l)
	}
	return b
}

// Whatever the promotions: they never take more than there is, say by whom everything was
// taken, stand beside each other only where both agree, save at least what each would alone,
// and do not depend on their order.
func TestWhatAlwaysHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBasket(t)
		var rules []promotions.Rule
		byID := map[string]promotions.Rule{}
		for i := range rapid.IntRange(0, 7).Draw(t, "rules") {
			r := anyRule(t, i)
			rules, byID[r.ID] = append(rules, r), r
		}
		got := evaluate(t, b, rules)
		sound(t, b, byID, got)
		for _, r := range rules {
			if alone := saved(evaluate(t, b, []promotions.Rule{r})); alone > saved(got) {
				t.Fatalf("%s alone saves %d, all together %d", r.ID, alone, saved(got))
			}
		}
		shuffled := slices.Clone(rules)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again := evaluate(t, b, shuffled); fmt.Sprint(again.Lines, again.Shipping, again.Applied) != fmt.Sprint(got.Lines, got.Shipping, got.Applied) {
			t.Fatalf("in another order:\n%v\n%v", got, again)
		}
	})
}

func evaluate(t *rapid.T, b promotions.Basket, rules []promotions.Rule) promotions.Result {
	r, err := promotions.Evaluate(b, rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func saved(r promotions.Result) (sum int64) {
	for _, d := range append(r.Lines, r.Shipping) {
		sum += d.Amount.Amount
	}
	return sum
}

func sound(t *rapid.T, b promotions.Basket, rules map[string]promotions.Rule, r promotions.Result) {
	total := map[string]int64{}
	check := func(what string, d promotions.Discount, most int64) {
		var sum int64
		for _, by := range d.By {
			if by.Amount.Amount <= 0 {
				t.Fatalf("%s: %v takes off nothing", what, by)
			}
			sum += by.Amount.Amount
			total[by.ID] += by.Amount.Amount
		}
		if sum != d.Amount.Amount || sum > most {
			t.Fatalf("%s: %d by promotions, %d in all, of %d", what, sum, d.Amount.Amount, most)
		}
	}
	for i, d := range r.Lines {
		l := b.Lines[i]
		if l.Excluded && len(d.By) > 0 {
			t.Fatalf("line %d is excluded and cheaper", i)
		}
		check(fmt.Sprint("line ", i), d, l.Unit.Amount*l.Quantity)
		for j, one := range d.By {
			for _, other := range d.By[:j] {
				if !agree(rules[one.ID], rules[other.ID]) {
					t.Fatalf("line %d has %s and %s", i, one.ID, other.ID)
				}
			}
		}
	}
	check("shipping", r.Shipping, b.Shipping.Amount)
	if len(total) != len(r.Applied) {
		t.Fatalf("applied %v, but %v took something off", r.Applied, total)
	}
	for i, one := range r.Applied {
		if one.Amount.Amount != total[one.ID] {
			t.Fatalf("%s took off %d, not %d", one.ID, total[one.ID], one.Amount.Amount)
		}
		for _, other := range r.Applied[:i] {
			a, o := rules[one.ID], rules[other.ID]
			if !(a.Class == promotions.Products && o.Class == promotions.Products) && !agree(a, o) {
				t.Fatalf("%s and %s do not combine", a.ID, o.ID)
			}
		}
	}
}

func agree(a, o promotions.Rule) bool {
	return slices.Contains(a.Combines, o.Class) && slices.Contains(o.Combines, a.Class)
}

// BenchmarkEvaluate is 50 promotions of all kinds on a basket of 10 lines.
func BenchmarkEvaluate(b *testing.B) {
	basket := promotions.Basket{Currency: "EUR", Shipping: eur(490)}
	for i := range 10 {
		basket.Lines = append(basket.Lines, line(products[i%4], int64(1000+i), 2))
	}
	var rules []promotions.Rule
	for i := range 50 {
		r := percent(fmt.Sprint("prm_", i), int64(100+i), []promotions.Class{promotions.Products, promotions.Order}[i%2], only(products[i%4]), promotions.Products, promotions.Order)
		if i%5 == 0 {
			r.Kind, r.Class, r.BuyQuantity, r.GetQuantity = promotions.BuyXGetY, promotions.Products, 1, 1
		}
		rules = append(rules, r)
	}
	for b.Loop() {
		if _, err := promotions.Evaluate(basket, rules); err != nil {
			b.Fatal(err)
		}
	}
}
