package inventory_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Each step of a history is a transaction or two: fewer histories than of arithmetic will do.
func init() {
	if err := flag.Set("rapid.checks", "12"); err != nil {
		panic(err)
	}
}

// promise is what the model knows of a cart's reservation.
type promise struct {
	lines  []inventory.Line // with their locations
	paying bool
	lapsed bool
	asked  []inventory.Line
	held   []inventory.Held
}

// model is what stock should be after a history.
type model struct {
	*warehouse
	endless inventory.VariantID      // which may be oversold
	onHand  map[inventory.Line]int64 // by variant and location
	carts   map[string]*promise
	sold    map[string][]inventory.Line // by order, what did not go back
}

func at(v inventory.VariantID, l inventory.LocationID) inventory.Line {
	return inventory.Line{VariantID: v, LocationID: l}
}

// free is what nobody but the cart has of a variant: in all, or at one location.
func (m *model) free(v inventory.VariantID, l inventory.LocationID, cart string) (n int64) {
	for key, quantity := range m.onHand {
		if key.VariantID == v && (l == "" || key.LocationID == l) {
			n += quantity
		}
	}
	for name, p := range m.carts {
		for _, line := range p.lines {
			if line.VariantID == v && (l == "" || line.LocationID == l) && name != cart && (p.paying || !p.lapsed) {
				n -= line.Quantity
			}
		}
	}
	return n
}

// possible says whether a level may become as much lower.
func (m *model) possible(key inventory.Line, quantity int64) bool {
	return key.VariantID == m.endless || m.free(key.VariantID, key.LocationID, "") >= quantity
}

func (m *model) steps(v []inventory.VariantID) map[string]func(*rapid.T) {
	locations := []inventory.LocationID{m.first, m.other}
	variant, location := rapid.SampledFrom(v), rapid.SampledFrom(locations)
	cart := rapid.SampledFrom([]string{"cart_1", "cart_2", "cart_3"})
	quantity := rapid.Int64Range(1, 6)
	expect := func(t *rapid.T, err error, possible bool, code string) {
		if possible != (err == nil) || err != nil && !problem.Is(err, code) {
			t.Fatalf("possible: %v; %v", possible, err)
		}
	}
	hold := func(t *rapid.T, paying bool) {
		name := cart.Draw(t, "cart")
		if p := m.carts[name]; p != nil && p.paying {
			t.Skip("it is being paid for")
		}
		var lines []inventory.Line
		possible := true
		for _, id := range v {
			n := quantity.Draw(t, "quantity") - 1
			if n == 0 {
				continue
			}
			lines = append(lines, line(id, n))
			possible = possible && (id == m.endless || m.free(id, "", name) >= n)
		}
		do := m.reserve
		if paying {
			do = m.claim
		}
		held, err := do(name, lines...)
		expect(t, err, possible, "out_of_stock")
		if err != nil {
			return
		}
		p := &promise{paying: paying, asked: lines, held: held}
		if was := m.carts[name]; paying {
			p.lapsed = was == nil || len(was.lines) == 0 || was.lapsed // of nothing, nothing is remembered
		}
		for i, h := range held {
			for _, part := range h.Parts {
				p.lines = append(p.lines, inventory.Line{VariantID: lines[i].VariantID, LocationID: part.LocationID, Quantity: part.Quantity})
			}
		}
		m.carts[name] = p
	}
	paying := func(t *rapid.T) (string, *promise) {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(m.carts)), func(name string) bool { return !m.carts[name].paying })
		if len(names) == 0 {
			t.Skip("nothing is being paid for")
		}
		name := rapid.SampledFrom(names).Draw(t, "paying")
		return name, m.carts[name]
	}
	return map[string]func(*rapid.T){
		"adjust": func(t *rapid.T) {
			key, n := at(variant.Draw(t, "variant"), location.Draw(t, "location")), rapid.Int64Range(-4, 8).Filter(func(n int64) bool { return n != 0 }).Draw(t, "delta")
			err := m.adjust(inventory.Correction, inventory.Line{VariantID: key.VariantID, LocationID: key.LocationID, Quantity: n})
			expect(t, err, n > 0 || m.possible(key, -n), "stock_reserved")
			if err == nil {
				m.onHand[key] += n
			}
		},
		"transfer": func(t *rapid.T) {
			id, n := variant.Draw(t, "variant"), quantity.Draw(t, "quantity")
			err := m.try(func(ctx context.Context, tx *postgres.Tx) error {
				_, err := inventory.Move(ctx, tx, inventory.Transfer{From: m.first, To: m.other, Lines: []inventory.Line{line(id, n)}})
				return err
			})
			expect(t, err, m.free(id, m.first, "") >= n, "stock_reserved")
			if err == nil {
				m.onHand[at(id, m.first)] -= n
				m.onHand[at(id, m.other)] += n
			}
		},
		"reserve": func(t *rapid.T) { hold(t, false) },
		"claim":   func(t *rapid.T) { hold(t, true) },
		"settle": func(t *rapid.T) {
			name, p := paying(t)
			order := ids.New("ord")
			if err := m.settle(name, order, p.held, p.asked); err != nil {
				t.Fatal(err)
			}
			for _, line := range p.lines {
				m.onHand[at(line.VariantID, line.LocationID)] -= line.Quantity
			}
			m.sold[order] = p.lines
			delete(m.carts, name)
		},
		"reopen": func(t *rapid.T) {
			name, p := paying(t)
			if err := m.try(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Reopen(ctx, tx, name) }); err != nil {
				t.Fatal(err)
			}
			if p.paying = false; p.lapsed {
				delete(m.carts, name)
			}
		},
		"lapse": func(t *rapid.T) {
			m.lapse()
			for _, p := range m.carts {
				p.lapsed = p.lapsed || !p.paying
			}
		},
		"clear": func(t *rapid.T) {
			if err := inventory.ClearLapsed(m.ctx, m.db); err != nil {
				t.Fatal(err)
			}
			maps.DeleteFunc(m.carts, func(_ string, p *promise) bool { return p.lapsed && !p.paying })
		},
		"release": func(t *rapid.T) {
			name := cart.Draw(t, "cart")
			if p := m.carts[name]; p == nil || p.paying {
				t.Skip("nothing is reserved")
			}
			if err := m.try(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Release(ctx, tx, name) }); err != nil {
				t.Fatal(err)
			}
			delete(m.carts, name)
		},
		"return": func(t *rapid.T) {
			if len(m.sold) == 0 {
				t.Skip("nothing was sold")
			}
			order := rapid.SampledFrom(slices.Sorted(maps.Keys(m.sold))).Draw(t, "order")
			err := m.try(func(ctx context.Context, tx *postgres.Tx) error {
				return inventory.Return(ctx, tx, order, inventory.Refund, m.sold[order])
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range m.sold[order] {
				m.onHand[at(line.VariantID, line.LocationID)] += line.Quantity
			}
			delete(m.sold, order)
		},
		"": func(t *rapid.T) {
			m.balanced()
			for key, want := range m.onHand {
				var got int64
				m.in(func(ctx context.Context, tx *postgres.Tx) error {
					return tx.QueryRow(ctx, `select coalesce(sum(on_hand), 0)::bigint from stock_levels where variant_id = $1 and location_id = $2`, key.VariantID, key.LocationID).Scan(&got)
				})
				if got != want {
					t.Fatalf("%d of %v, want %d", got, key, want)
				}
			}
			if m.t.Failed() {
				t.FailNow()
			}
		},
	}
}

// Whatever happens in whatever order: the ledger adds up, what is refused had to be and
// nothing else, and goods go back where they came from.
func TestHistoriesOfStock(t *testing.T) {
	t.Parallel()
	w, _ := open(t)
	rapid.Check(t, func(t *rapid.T) {
		v := w.add(goods{stock: 5, elsewhere: 3}, goods{stock: 2, oversell: true})
		m := &model{warehouse: w, endless: v[1], carts: map[string]*promise{}, sold: map[string][]inventory.Line{},
			onHand: map[inventory.Line]int64{at(v[0], w.first): 5, at(v[0], w.other): 3, at(v[1], w.first): 2}}
		t.Repeat(m.steps(v))
		// The next history begins with carts of nothing.
		for name := range m.carts {
			w.in(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Release(ctx, tx, name) })
		}
	})
}

// asked is an operation on one variant's stock, and told its answer.
type asked struct {
	what     string // claim, release, receive or look
	quantity int64
}

type told struct {
	ok    bool
	there int64
}

// available is a variant's stock as one who asks for it alone would see it.
var available = porcupine.Model{
	Init: func() any { return int64(20) },
	Step: func(state, input, output any) (bool, any) {
		n, in, out := state.(int64), input.(asked), output.(told)
		switch in.what {
		case "claim":
			if out.ok != (n >= in.quantity) {
				return false, n
			}
			if out.ok {
				n -= in.quantity
			}
		case "release", "receive":
			n += in.quantity
		case "look":
			return out.there == n, n
		}
		return true, n
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
}

// What many do at once at two locations is what they could have done one after the other.
func TestStockIsLinearizable(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 10, elsewhere: 10})
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	record := func(client int, in asked, do func() told) told {
		call := time.Since(began).Nanoseconds()
		out := do()
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: time.Since(began).Nanoseconds()})
		return out
	}
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			for range 15 {
				cart, n := ids.New("cart"), 1+random.Int64N(7)
				claimed := record(client, asked{"claim", n}, func() told {
					_, err := w.claim(cart, line(v[0], n))
					if err != nil && !problem.Is(err, "out_of_stock") {
						t.Error(err)
					}
					return told{ok: err == nil}
				})
				switch {
				case claimed.ok && random.IntN(3) > 0:
					record(client, asked{"release", n}, func() told {
						if err := w.try(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Reopen(ctx, tx, cart) }); err != nil {
							t.Error(err)
						}
						return told{}
					})
				case random.IntN(4) == 0:
					record(client, asked{"receive", 2}, func() told {
						to := []inventory.LocationID{w.first, w.other}[random.IntN(2)]
						if err := w.adjust(inventory.Received, inventory.Line{VariantID: v[0], LocationID: to, Quantity: 2}); err != nil {
							t.Error(err)
						}
						return told{}
					})
				default:
					record(client, asked{what: "look"}, func() (out told) {
						err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
							return tx.QueryRow(ctx, `select stock - reserved from variants where id = $1`, v[0]).Scan(&out.there)
						})
						if err != nil {
							t.Error(err)
						}
						return out
					})
				}
			}
		})
	}
	clients.Wait()
	if result := porcupine.CheckOperationsTimeout(available, history, time.Minute); result != porcupine.Ok {
		t.Errorf("%d operations: %s", len(history), result)
	}
	w.balanced()
}

// More carts than there is at several locations: all of it is sold, and no level falls
// below nothing.
func TestParallelOversell(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 7, elsewhere: 9}, goods{stock: 11, elsewhere: 4})
	var sold [2]atomic.Int64
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			lines := []inventory.Line{line(v[n%2], 1)}
			if n%4 < 2 {
				lines = append(lines, line(v[(n+1)%2], 1))
			}
			cart := ids.New("cart")
			if n%3 == 0 {
				// Somebody who reserves and never buys.
				if _, err := w.reserve(cart, lines...); err == nil {
					w.in(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Release(ctx, tx, cart) })
				} else if !problem.Is(err, "out_of_stock") {
					t.Error(err)
				}
			}
			for {
				err := w.buy(ids.New("ord"), lines...)
				if problem.Is(err, "out_of_stock") {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				for _, l := range lines {
					sold[slices.Index(v, l.VariantID)].Add(1)
				}
			}
		})
	}
	wg.Wait()
	// Whoever found a last one reserved went away; now nobody holds any.
	for i, id := range v {
		for w.buy(ids.New("ord"), line(id, 1)) == nil {
			sold[i].Add(1)
		}
	}
	if sold[0].Load() != 16 || sold[1].Load() != 15 {
		t.Errorf("sold %d of 16 and %d of 15", sold[0].Load(), sold[1].Load())
	}
	w.wantThere(v[0], 0, 0)
	w.wantThere(v[1], 0, 0)
	w.balanced()
}
