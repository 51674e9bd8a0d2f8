package facets

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/search"
)

// The bits of facets that can keep a product out; from attributeBit on they are those of the
// options and custom fields that are chosen, in their order.
const (
	categoryBit = 1 << iota
	vendorBit
	availabilityBit
	priceBit
	attributeBit
)

// chosen is what is chosen of facets, as columns are held against it.
type chosen struct {
	categories   map[int64]bool // with all below them
	vendors      map[int64]bool
	availability map[offer]bool // by an offer's last bits
	ranges       []search.Range
	attributes   map[int64]int  // the bits of those that keep out products with such attributes
	bitOf        map[string]int // of the attributes' names that something is chosen of
	none         int            // the bits that keep out a product without attributes
}

func choose(c columns, filters []search.Filter) chosen {
	s := chosen{attributes: map[int64]int{}, bitOf: map[string]int{}}
	for _, f := range search.ByFacet(filters) {
		switch f.Facet {
		case search.CategoryFacet:
			s.categories = map[int64]bool{}
			for i, key := range c.tree.keys {
				if c.tree.within(i, f.Values) {
					s.categories[key] = true
				}
			}
		case search.VendorFacet:
			s.vendors = map[int64]bool{}
			for key := range c.vendorOf {
				s.vendors[key] = true
			}
		case search.AvailabilityFacet:
			s.availability = map[offer]bool{buyable: slices.Contains(f.Values, "true"), unbuyable: slices.Contains(f.Values, "false")}
		case search.PriceFacet:
			for _, value := range f.Values {
				r, _ := search.ParseRange(value)
				s.ranges = append(s.ranges, r)
			}
		default:
			s.chooseAttributes(c, f)
		}
	}
	return s
}

func (s *chosen) chooseAttributes(c columns, f search.Chosen) {
	bit := attributeBit << len(s.bitOf)
	wanted := map[string]bool{}
	for _, value := range f.Values {
		text, _ := search.Filter{Facet: f.Facet, Value: value}.Attribute()
		wanted[text] = true
		name, _, _ := strings.Cut(text, search.Separator)
		s.bitOf[name] = bit
	}
	s.none |= bit
	for key, set := range c.sets {
		if !slices.ContainsFunc(set.attributes, func(a string) bool { return wanted[a] }) {
			s.attributes[key] |= bit
		}
	}
}

// keepsOut are the bits of the facets that keep a product out.
func (s *chosen) keepsOut(c *columns, i int) (out int) {
	if s.categories != nil && !s.categories[c.categories[i]] {
		out |= categoryBit
	}
	if s.vendors != nil && !s.vendors[c.vendors[i]] {
		out |= vendorBit
	}
	o := offer(c.offers[i])
	if s.availability != nil && !s.availability[o&3] {
		out |= availabilityBit
	}
	if s.ranges != nil {
		price, ok := o.price()
		if !ok || !slices.ContainsFunc(s.ranges, func(r search.Range) bool { return r.Has(price) }) {
			out |= priceBit
		}
	}
	if s.none != 0 {
		if c.attributes[i] == none {
			return out | s.none
		}
		out |= s.attributes[c.attributes[i]]
	}
	return out
}

// counts are how many products there are of each, by keys.
type counts struct {
	total               int
	categories, vendors map[int64]int
	attributes          map[string]map[string]*counted // by an attribute's name and value
	available           [3]int                         // by an offer's last bits
	steps               map[int]int
	ranges              []int // of the chosen ones, in their order
	lowest, highest     int64
	priced              bool
}

// counted is how many products have an attribute, and one of them.
type counted struct {
	n      int
	sample string
}

func count(c columns, filters []search.Filter) counts {
	chosen := choose(c, filters)
	n := counts{categories: map[int64]int{}, vendors: map[int64]int{}, attributes: map[string]map[string]*counted{}, steps: map[int]int{}, ranges: make([]int, len(chosen.ranges))}
	type kept struct {
		key int64
		out int
	}
	sets := map[kept]int{}
	for i := range c.offers {
		out := chosen.keepsOut(&c, i)
		if out&(out-1) != 0 {
			continue
		}
		if out == 0 {
			n.total++
		}
		if out&^categoryBit == 0 {
			n.categories[c.categories[i]]++
		}
		if out&^vendorBit == 0 {
			n.vendors[c.vendors[i]]++
		}
		if c.attributes[i] != none {
			sets[kept{c.attributes[i], out}]++
		}
		if out&^availabilityBit == 0 {
			n.available[offer(c.offers[i])&3]++
		}
		if price, ok := offer(c.offers[i]).price(); ok && out&^priceBit == 0 {
			n.price(price, chosen.ranges)
		}
	}
	delete(n.vendors, none)
	for k, products := range sets {
		set := c.sets[k.key]
		for _, a := range set.attributes {
			name, value, _ := strings.Cut(a, search.Separator)
			if k.out&^chosen.bitOf[name] != 0 {
				continue
			}
			if n.attributes[name] == nil {
				n.attributes[name] = map[string]*counted{}
			}
			if n.attributes[name][value] == nil {
				n.attributes[name][value] = &counted{sample: set.product}
			}
			of := n.attributes[name][value]
			of.n, of.sample = of.n+products, min(of.sample, set.product)
		}
	}
	return n
}

func (n *counts) price(price int64, chosen []search.Range) {
	if !n.priced {
		n.lowest, n.highest, n.priced = price, price, true
	}
	n.lowest, n.highest = min(n.lowest, price), max(n.highest, price)
	n.steps[search.StepOf(price)]++
	for i, r := range chosen {
		if r.Has(price) {
			n.ranges[i]++
		}
	}
}

// under are how many products there are of each category and all below it, by its ID: of those
// below a top, or of all.
func (n *counts) under(t tree, top string) []number[string] {
	sums := make([]int, len(t.ids))
	for key, products := range n.categories {
		at, ok := t.of[key]
		for ; ok && at >= 0 && t.ids[at] != top; at = t.up[at] {
			sums[at] += products
		}
	}
	var list []number[string]
	for at, products := range sums {
		if products > 0 {
			list = append(list, number[string]{t.ids[at], products, false})
		}
	}
	return list
}

// number is how many products there are of a key, and whether it is chosen.
type number[K cmp.Ordered] struct {
	key    K
	n      int
	chosen bool
}

// numbers are those of counts.
func numbers[K cmp.Ordered](counts map[K]int) []number[K] {
	list := make([]number[K], 0, len(counts))
	for key, n := range counts {
		list = append(list, number[K]{key, n, false})
	}
	return list
}

// fullest are the numbers with the most products: the chosen ones first, and then by their order.
func fullest[K cmp.Ordered](list []number[K], chosen func(K) bool) []number[K] {
	for i := range list {
		list[i].chosen = chosen(list[i].key)
	}
	slices.SortFunc(list, func(a, b number[K]) int {
		switch {
		case a.chosen != b.chosen:
			if a.chosen {
				return -1
			}
			return 1
		case a.n != b.n:
			return b.n - a.n
		}
		return cmp.Compare(a.key, b.key)
	})
	return list[:min(mostValues, len(list))]
}
