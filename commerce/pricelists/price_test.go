package pricelists_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// A listing is a list as the model sees it. Times are minutes from now on.
type listing struct {
	ID     string
	Kind   pricelists.Kind
	Active bool
	Starts *int
	Ends   *int
	Groups []string
	Prices map[int]int64 // by the quantity from which on they hold
}

func (l listing) holds(groups []string, at int) bool {
	return l.Active && (l.Starts == nil || *l.Starts <= at) && (l.Ends == nil || *l.Ends > at) &&
		(len(l.Groups) == 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(l.Groups, g) }))
}

// at is the list's price of so many, if it has one.
func (l listing) at(quantity int) (amount int64, there bool) {
	reached := 0
	for from, price := range l.Prices {
		if from <= quantity && from > reached {
			reached, amount, there = from, price, true
		}
	}
	return amount, there
}

// own is a variant's own price.
type own struct {
	Amount    *int64 // nil: not for sale
	CompareAt *int64
}

// paid is what somebody pays.
type paid struct {
	Amount    *int64 `json:"amount"`
	CompareAt *int64 `json:"compare_at_amount"`
	List      string `json:"price_list_id"`
}

// model is what so many cost.
func model(o own, lists []listing, groups []string, quantity, at int) (p paid) {
	if o.Amount == nil {
		return p
	}
	regular, by := *o.Amount, ""
	if o.CompareAt != nil && *o.CompareAt > regular {
		p.CompareAt = o.CompareAt
	}
	best := func(kind pricelists.Kind) (amount int64, id string) {
		for _, l := range lists {
			price, there := l.at(quantity)
			if l.Kind == kind && there && l.holds(groups, at) && (id == "" || price < amount || price == amount && l.ID < id) {
				amount, id = price, l.ID
			}
		}
		return amount, id
	}
	if amount, id := best(pricelists.Override); id != "" {
		regular, by, p.CompareAt = amount, id, nil
	}
	p.Amount, p.List = &regular, by
	if amount, id := best(pricelists.Sale); id != "" && amount < regular {
		was := regular
		p.Amount, p.CompareAt, p.List = &amount, &was, id
	}
	return p
}

var errUndo = errors.New("undo")

// within runs a check in a transaction that leaves nothing behind, and in which it is
// always the same time.
func within(t *rapid.T, s *shoptest.Shop, fn func(ctx context.Context, tx *postgres.Tx)) {
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		fn(ctx, tx)
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
}

func exec(t *rapid.T, ctx context.Context, tx *postgres.Tx, sql string, args ...any) {
	t.Helper()
	if _, err := tx.Exec(ctx, sql, args...); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
}

func value[T any](t *rapid.T, ctx context.Context, tx *postgres.Tx, sql string, args ...any) (v T) {
	t.Helper()
	if err := tx.QueryRow(ctx, sql, args...).Scan(&v); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	return v
}

func put(t *rapid.T, ctx context.Context, tx *postgres.Tx, variant string, l listing) {
	exec(t, ctx, tx, `insert into price_lists (id, name, kind, active, starts_at, ends_at, group_ids)
		values ($1, $1, $2, $3, now() + $4::int * interval '1 minute', now() + $5::int * interval '1 minute', $6)
		on conflict (id) do update set (active, starts_at, ends_at, group_ids) = (excluded.active, excluded.starts_at, excluded.ends_at, excluded.group_ids)`,
		l.ID, l.Kind, l.Active, l.Starts, l.Ends, append([]string{}, l.Groups...))
	exec(t, ctx, tx, `delete from price_list_prices where price_list_id = $1`, l.ID)
	for from, amount := range l.Prices {
		exec(t, ctx, tx, `insert into price_list_prices (variant_id, currency, price_list_id, min_quantity, amount) values ($1, 'JPY', $2, $3, $4)`, variant, l.ID, from, amount)
	}
}

func setOwn(t *rapid.T, ctx context.Context, tx *postgres.Tx, variant string, o own) {
	exec(t, ctx, tx, `delete from prices where variant_id = $1 and currency = 'JPY'`, variant)
	if o.Amount != nil {
		exec(t, ctx, tx, `insert into prices (variant_id, currency, amount, compare_at_amount) values ($1, 'JPY', $2, $3)`, variant, *o.Amount, o.CompareAt)
	}
}

func maybe[V any](g *rapid.Generator[V]) *rapid.Generator[*V] {
	return rapid.Ptr(g, true)
}

func drawOwn(t *rapid.T) own {
	o := own{Amount: maybe(rapid.Int64Range(0, 9)).Draw(t, "own")}
	if o.Amount != nil {
		o.CompareAt = maybe(rapid.Int64Range(0, 12)).Draw(t, "compare")
	}
	return o
}

// Of whatever lists there are: what somebody pays for so many, and from which quantities on
// it is something else, is what the model says, at any time.
func TestPrices(t *testing.T) {
	t.Parallel()
	s := shoptest.New(t, testdb.Open(t))
	variant := s.Add(t, shoptest.Variant{EUR: 1})
	quantities := []int{1, 2, 5, 9999}
	read := `select coalesce((select row_to_json(p) from ` + pricelists.Price("$1", "'JPY'", pricelists.Buyer{Groups: "$2::text[]", Quantity: "$3::int", At: "now() + $4::int * interval '1 minute'"}) + ` p), '{}')::text`
	breaks := `select coalesce(json_agg(json_build_array(b.min_quantity, b.amount) order by b.min_quantity), '[]')::text from ` + pricelists.Breaks("$1", "'JPY'", "$3::bigint", "$2::text[]") + ` b`
	rapid.Check(t, func(t *rapid.T) {
		within(t, s, func(ctx context.Context, tx *postgres.Tx) {
			o := drawOwn(t)
			setOwn(t, ctx, tx, variant, o)
			lists := make([]listing, rapid.IntRange(0, 5).Draw(t, "lists"))
			for i := range lists {
				l := listing{
					ID: ids.New("plist"), Kind: rapid.SampledFrom([]pricelists.Kind{pricelists.Sale, pricelists.Override}).Draw(t, "kind"),
					Active: rapid.IntRange(0, 3).Draw(t, "active") > 0, Starts: maybe(rapid.IntRange(-3, 3)).Draw(t, "starts"),
					Groups: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"cgr_a", "cgr_b", "cgr_c"}), 0, 2, rapid.ID).Draw(t, "groups"),
					Prices: rapid.MapOfN(rapid.SampledFrom(quantities), rapid.Int64Range(0, 9), 0, 3).Draw(t, "prices"),
				}
				if ends := rapid.IntRange(-2, 5).Draw(t, "ends"); l.Starts == nil || ends > *l.Starts {
					l.Ends = &ends
				}
				lists[i] = l
				put(t, ctx, tx, variant, l)
			}
			for range 4 {
				groups := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"cgr_a", "cgr_b", "cgr_d"}), 0, 2, rapid.ID).Draw(t, "in")
				quantity, at := rapid.SampledFrom([]int{1, 2, 3, 5, 9999, 100_000}).Draw(t, "quantity"), rapid.IntRange(-4, 6).Draw(t, "at")
				var got paid
				if err := json.Unmarshal(value[[]byte](t, ctx, tx, read, variant, groups, quantity, at), &got); err != nil {
					t.Fatal(err)
				}
				if want := model(o, lists, groups, quantity, at); !same(got.Amount, want.Amount) || !same(got.CompareAt, want.CompareAt) || got.List != want.List {
					t.Fatalf("%d for %v at %d: %s, want %s", quantity, groups, at, text(got), text(want))
				}
				one := model(o, lists, groups, 1, 0)
				if one.Amount == nil {
					continue
				}
				want, before := [][2]int64{}, *one.Amount
				for _, q := range quantities[1:] {
					listed := slices.ContainsFunc(lists, func(l listing) bool { _, there := l.Prices[q]; return there && l.holds(groups, 0) })
					if p := model(o, lists, groups, q, 0); listed && *p.Amount != before {
						want, before = append(want, [2]int64{int64(q), *p.Amount}), *p.Amount
					}
				}
				if got := value[string](t, ctx, tx, breaks, variant, groups, *one.Amount); got != text(want) && !sameJSON(got, text(want)) {
					t.Fatalf("breaks for %v: %s, want %s", groups, got, text(want))
				}
			}
		})
	})
}

func same(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func text(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && text(x) == text(y)
}

// A moment is how things were from a time on.
type moment struct {
	at    int
	own   own
	lists []listing
}

// Of whatever happens to a variant's price, with what was to happen by the clock: the
// history says at any time what it cost, and the lowest price of the 30 days before it was
// reduced is the one that looking at each of its prices finds.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := shoptest.New(t, testdb.Open(t))
	variant := s.Add(t, shoptest.Variant{EUR: 1})
	const month = 30 * 24 * 60
	lowest := `select ` + pricelists.Lowest("$1", "'JPY'", "$2::bigint", "now() - $3::int * interval '1 minute'")
	rapid.Check(t, func(t *rapid.T) {
		within(t, s, func(ctx context.Context, tx *postgres.Tx) {
			now := 0
			m := moment{own: drawOwn(t)}
			for _, kind := range []pricelists.Kind{pricelists.Sale, pricelists.Sale, pricelists.Override} {
				m.lists = append(m.lists, listing{ID: ids.New("plist"), Kind: kind})
			}
			var past []moment
			for range rapid.IntRange(1, 7).Draw(t, "steps") {
				m.lists = slices.Clone(m.lists)
				if i := rapid.IntRange(-1, 2).Draw(t, "what"); i < 0 {
					m.own = drawOwn(t)
				} else {
					hours := maybe(rapid.IntRange(-300, 900))
					l := &m.lists[i]
					l.Active, l.Starts, l.Ends = rapid.IntRange(0, 4).Draw(t, "active") > 0, hours.Draw(t, "starts"), hours.Draw(t, "ends")
					for _, h := range []**int{&l.Starts, &l.Ends} {
						if *h != nil {
							at := now + **h*60
							*h = &at
						}
					}
					if l.Starts != nil && l.Ends != nil && *l.Starts >= *l.Ends {
						l.Ends = nil
					}
					l.Groups = rapid.SampledFrom([][]string{nil, nil, nil, {"cgr_a"}}).Draw(t, "groups")
					l.Prices = rapid.MapOfN(rapid.SampledFrom([]int{1, 1, 1, 3}), rapid.Int64Range(0, 9), 0, 2).Draw(t, "prices")
				}
				m.at = now
				past = append(past, m)
				setOwn(t, ctx, tx, variant, m.own)
				for _, l := range m.lists {
					relative := l
					relative.Starts, relative.Ends = minus(l.Starts, now), minus(l.Ends, now)
					put(t, ctx, tx, variant, relative)
				}
				if err := pricelists.Record(ctx, tx, variant); err != nil {
					t.Fatal(err)
				}
				// Time passes: what is in the tables moves back by as much.
				passed := rapid.IntRange(1, 500).Draw(t, "hours") * 60
				now += passed
				exec(t, ctx, tx, `update price_history set starts_at = starts_at - $2::int * interval '1 minute' where variant_id = $1`, variant, passed)
				exec(t, ctx, tx, `update price_lists set starts_at = starts_at - $1::int * interval '1 minute', ends_at = ends_at - $1::int * interval '1 minute'`, passed)

				var times []int // at which anything can have changed
				for _, m := range past {
					times = append(times, m.at)
					for _, l := range m.lists {
						for _, at := range []*int{l.Starts, l.Ends} {
							if at != nil && *at > 0 && *at <= now {
								times = append(times, *at)
							}
						}
					}
				}
				slices.Sort(times)
				cost := func(at int) paid {
					i, _ := slices.BinarySearchFunc(past, at+1, func(m moment, at int) int { return m.at - at })
					return model(past[i-1].own, past[i-1].lists, nil, 1, at)
				}
				current := cost(now)
				stored := value[*int64](t, ctx, tx, `select (select amount from price_history where variant_id = $1 and currency = 'JPY' and starts_at <= now() order by starts_at desc limit 1)`, variant)
				if !same(stored, current.Amount) {
					t.Fatalf("it costs %s, the history says %s", text(current), text(stored))
				}
				if current.CompareAt == nil {
					continue
				}
				reduced := now
				for i := len(times) - 1; i >= 0; i-- {
					if p := cost(times[i]); !same(p.Amount, current.Amount) || p.CompareAt == nil {
						break
					}
					reduced = times[i]
				}
				shown := rapid.IntRange(0, now).Draw(t, "shown")
				since := max(reduced-month, shown)
				var want *int64
				for _, at := range append(times, since) {
					if p := cost(at).Amount; at >= since && at < reduced && p != nil && (want == nil || *p < *want) {
						want = p
					}
				}
				if got := value[*int64](t, ctx, tx, lowest, variant, *current.Amount, now-shown); !same(got, want) {
					t.Fatalf("lowest before %d, now %d, shown %d: %s, want %s", reduced, now, shown, text(got), text(want))
				}
			}
		})
	})
}

func minus(at *int, now int) *int {
	if at == nil {
		return nil
	}
	relative := *at - now
	return &relative
}
