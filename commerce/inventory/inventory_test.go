package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// warehouse is a store with a product of some variants, and with a second location.
type warehouse struct {
	db           *postgres.DB
	ctx          context.Context
	t            testing.TB
	first, other inventory.LocationID
}

type goods struct {
	stock               int64 // at the first location
	elsewhere           int64 // at the other one
	untracked, oversell bool
	limit               *int
}

func open(t testing.TB, all ...goods) (*warehouse, []inventory.VariantID) {
	t.Helper()
	platform := testdb.Open(t)
	w := &warehouse{db: platform.DB, ctx: platform.Store(t), t: t}
	w.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := tx.QueryRow(ctx, `select id from locations`).Scan(&w.first); err != nil {
			return err
		}
		w.other, err = inventory.CreateLocation(ctx, tx, inventory.LocationInput{Name: "Shop", Active: true})
		return err
	})
	return w, w.add(all...)
}

func (w *warehouse) add(all ...goods) (variants []inventory.VariantID) {
	w.t.Helper()
	product := ids.New("prod")
	var lines, elsewhere []inventory.Line
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into products (id, handle, title, status) values ($1, $1, 'Shirt', 'active')`, product); err != nil {
			return err
		}
		for i, g := range all {
			id := inventory.VariantID(ids.New("var"))
			_, err := tx.Exec(ctx, `insert into variants (id, product_id, position, title, track_stock, oversell, backorder_limit) values ($1, $2, $3, $4, $5, $6, $7)`,
				id, product, i, fmt.Sprint("Size ", i), !g.untracked, g.oversell, g.limit)
			if err != nil {
				return err
			}
			variants = append(variants, id)
			lines = append(lines, inventory.Line{VariantID: id, Quantity: g.stock})
			if g.elsewhere != 0 {
				elsewhere = append(elsewhere, inventory.Line{VariantID: id, LocationID: w.other, Quantity: g.elsewhere})
			}
		}
		if err := inventory.Begin(ctx, tx, lines); err != nil {
			return err
		}
		if len(elsewhere) == 0 {
			return nil
		}
		_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Received, Lines: inventory.Change(elsewhere)})
		return err
	})
	return variants
}

// in runs fn in the store and fails the test on an error.
func (w *warehouse) in(fn func(context.Context, *postgres.Tx) error) {
	w.t.Helper()
	if err := w.try(fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *warehouse) try(fn func(context.Context, *postgres.Tx) error) error {
	return w.db.InStore(w.ctx, fn)
}

// buy claims and settles lines, as an order of a cart of their own.
func (w *warehouse) buy(order string, lines ...inventory.Line) error {
	cart := ids.New("cart")
	held, err := w.claim(cart, lines...)
	if err != nil {
		return err
	}
	return w.settle(cart, order, held, lines)
}

func (w *warehouse) claim(cart string, lines ...inventory.Line) (held []inventory.Held, err error) {
	err = w.try(func(ctx context.Context, tx *postgres.Tx) error {
		held, err = inventory.Claim(ctx, tx, cart, lines)
		return err
	})
	return held, err
}

func (w *warehouse) reserve(cart string, lines ...inventory.Line) (held []inventory.Held, err error) {
	err = w.try(func(ctx context.Context, tx *postgres.Tx) error {
		held, err = inventory.Reserve(ctx, tx, cart, lines)
		return err
	})
	return held, err
}

func (w *warehouse) settle(cart, order string, held []inventory.Held, lines []inventory.Line) error {
	var sold []inventory.Line
	for i, h := range held {
		for _, part := range h.Parts {
			sold = append(sold, inventory.Line{VariantID: lines[i].VariantID, LocationID: part.LocationID, Quantity: part.Quantity})
		}
	}
	return w.try(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Settle(ctx, tx, cart, order, sold) })
}

func (w *warehouse) adjust(reason inventory.Reason, lines ...inventory.Line) error {
	return w.try(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: reason, Lines: inventory.Change(lines)})
		return err
	})
}

// lapse has all reservations lapse.
func (w *warehouse) lapse() {
	w.t.Helper()
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update reservations set expires_at = now() - interval '1 second' where not paying`)
		return err
	})
}

func (w *warehouse) wantLevel(id inventory.VariantID, stock, reserved int64) {
	w.t.Helper()
	var s, r int64
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select stock, reserved from variants where id = $1`, id).Scan(&s, &r)
	})
	if s != stock || r != reserved {
		w.t.Errorf("%d in stock and %d reserved, want %d and %d", s, r, stock, reserved)
	}
}

// wantThere checks what is on hand at the first and the other location.
func (w *warehouse) wantThere(id inventory.VariantID, first, other int64) {
	w.t.Helper()
	var got [2]int64
	for i, location := range []inventory.LocationID{w.first, w.other} {
		w.in(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select coalesce(sum(on_hand), 0)::bigint from stock_levels where variant_id = $1 and location_id = $2`, id, location).Scan(&got[i])
		})
	}
	if got != [2]int64{first, other} {
		w.t.Errorf("%d are at the first location and %d at the other, want %d and %d", got[0], got[1], first, other)
	}
}

// unbalancedSQL are levels that are not the sum of their movements or reservations, or have
// less than is reserved where that may not be; and variants that are not the sum of their
// levels at active locations.
const unbalancedSQL = `
select coalesce((select string_agg(concat_ws(' ', l.variant_id, l.location_id, l.on_hand, l.reserved), '; ') from stock_levels l join variants v on v.id = l.variant_id
	where l.on_hand <> coalesce((select sum(m.quantity) from stock_movements m where m.variant_id = l.variant_id and m.location_id = l.location_id), 0)
		or l.reserved <> coalesce((select sum(r.quantity) from reservations r where r.variant_id = l.variant_id and r.location_id = l.location_id), 0)
		or v.track_stock and not v.oversell and l.on_hand < l.reserved or l.bounded <> v.bounded), '')
|| coalesce((select string_agg(concat_ws(' ', v.id, v.stock, v.reserved), '; ') from variants v, lateral (
		select coalesce(sum(l.on_hand), 0) as stock, coalesce(sum(l.reserved), 0) as reserved
		from stock_levels l join locations o on o.id = l.location_id where l.variant_id = v.id and o.active) t
	where (v.stock, v.reserved) <> (t.stock, t.reserved)), '')`

func (w *warehouse) balanced() {
	w.t.Helper()
	var off string
	w.in(func(ctx context.Context, tx *postgres.Tx) error { return tx.QueryRow(ctx, unbalancedSQL).Scan(&off) })
	if off != "" {
		w.t.Errorf("this does not add up: %s", off)
	}
}

func (w *warehouse) events() (list string) {
	w.t.Helper()
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(string_agg(type, ' ' order by id), '') from events where type in ('inventory.low', 'inventory.out', 'inventory.back')`).Scan(&list)
	})
	return list
}

func line(id inventory.VariantID, quantity int64) inventory.Line {
	return inventory.Line{VariantID: id, Quantity: quantity}
}

func TestClaimsAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	five := 5
	w, v := open(t, goods{stock: 5}, goods{stock: 1}, goods{}, goods{oversell: true}, goods{untracked: true}, goods{oversell: true, limit: &five, elsewhere: 2})
	order := ids.New("ord")

	err := w.buy(order, line(v[0], 2), line(v[1], 2), line(v[2], 1), line(inventory.VariantID(ids.New("var")), 1), line(v[3], 9))
	p := problem.As(err)
	if p == nil || p.Kind != problem.Conflict || p.Code != "out_of_stock" || p.Detail != "Only one of Shirt, Size 1 is left." || len(p.Faults) != 3 {
		t.Fatalf("refusal: %+v, %v", p, err)
	}
	for i, want := range []string{"/lines/1/quantity", "/lines/2/quantity", "/lines/3/quantity"} {
		if p.Faults[i].Pointer != want {
			t.Errorf("fault %d is at %s", i, p.Faults[i].Pointer)
		}
	}
	w.wantLevel(v[0], 5, 0)

	// Two lines of the same variant count together.
	if err := w.buy(order, line(v[0], 3), line(v[0], 3)); !problem.Is(err, "out_of_stock") || problem.As(err).Detail != "Only 5 of Shirt, Size 0 are left." {
		t.Errorf("twice the same: %v", err)
	}
	held, err := w.claim("cart_1", line(v[4], 7), line(v[0], 2), line(v[3], 9), line(v[0], 3))
	if err != nil || held[0].Counted || !held[1].Counted || !held[2].Counted || len(held[0].Parts) != 0 || held[3].Parts[0] != (inventory.Part{LocationID: w.first, Quantity: 3}) {
		t.Errorf("claimed: %+v, %v", held, err)
	}
	w.wantLevel(v[0], 5, 5)
	w.wantLevel(v[3], 0, 9)
	w.balanced()

	// Oversold as far as the limit goes, and no further.
	if err := w.buy(order, line(v[5], 8)); !problem.Is(err, "out_of_stock") || problem.As(err).Detail != "Only 7 of Shirt, Size 5 are left." {
		t.Errorf("beyond the limit: %v", err)
	}
	if err := w.buy(order, line(v[5], 7)); err != nil {
		t.Error(err)
	}
	w.wantThere(v[5], -5, 0)
	w.balanced()
}

func TestWhereOrdersAreServedFrom(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 5, elsewhere: 5}, goods{elsewhere: 3}, goods{stock: 2, elsewhere: 2})
	where := func(lines ...inventory.Line) string {
		t.Helper()
		held, err := w.reserve("cart_1", lines...)
		if err != nil {
			t.Fatal(err)
		}
		names := map[inventory.LocationID]string{w.first: "first", w.other: "other"}
		got := ""
		for _, h := range held {
			for _, part := range h.Parts {
				got += fmt.Sprintf("%d %s, ", part.Quantity, names[part.LocationID])
			}
		}
		return got
	}
	for _, c := range []struct {
		want  string
		lines []inventory.Line
	}{
		{"2 other, 1 other, ", []inventory.Line{line(v[0], 2), line(v[1], 1)}}, // one for all, if there is one
		{"5 other, 3 other, 2 other, ", []inventory.Line{line(v[0], 5), line(v[1], 3), line(v[2], 2)}},
		{"2 first, 1 other, ", []inventory.Line{line(v[2], 3)}}, // from several, if it must be
		{"2 first, 1 other, 1 other, ", []inventory.Line{line(v[2], 3), line(v[2], 1)}},
		{"5 first, 5 other, 3 other, ", []inventory.Line{line(v[0], 10), line(v[1], 3)}},
		{"2 first, ", []inventory.Line{line(v[0], 2)}}, // the first that has it
	} {
		if got := where(c.lines...); got != c.want {
			t.Errorf("%v: %s, want %s", c.lines, got, c.want)
		}
	}
	// What is at an inactive location is not for sale.
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		off := false
		return inventory.UpdateLocation(ctx, tx, w.other, 0, inventory.LocationPatch{Active: &off})
	})
	if _, err := w.reserve("cart_1", line(v[0], 6)); !problem.Is(err, "out_of_stock") {
		t.Errorf("sold from an inactive location: %v", err)
	}
	w.wantLevel(v[0], 5, 2)
	w.balanced()
	err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
		off := false
		return inventory.UpdateLocation(ctx, tx, w.first, 0, inventory.LocationPatch{Active: &off})
	})
	if !problem.Is(err, "last_location") {
		t.Errorf("the last location: %v", err)
	}
}

func TestGoodsGoBackWhereTheyCameFrom(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 2, elsewhere: 3})
	order := ids.New("ord")
	if err := w.buy(order, line(v[0], 4)); err != nil {
		t.Fatal(err)
	}
	w.wantThere(v[0], 0, 1)
	back := func(reason inventory.Reason, n int64) {
		t.Helper()
		w.in(func(ctx context.Context, tx *postgres.Tx) error {
			return inventory.Return(ctx, tx, order, reason, []inventory.Line{line(v[0], n), line(inventory.VariantID(ids.New("var")), 1)})
		})
	}
	back(inventory.Refund, 1)
	w.wantThere(v[0], 1, 1)
	back(inventory.Cancellation, 3)
	w.wantThere(v[0], 2, 3)
	w.balanced()
}

func TestReservations(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 3}, goods{untracked: true})
	if held, err := w.reserve("cart_1", line(v[0], 2), line(v[1], 5)); err != nil || !held[0].Counted || held[1].Counted {
		t.Fatalf("reserved: %+v, %v", held, err)
	}
	w.wantLevel(v[0], 3, 2)
	if _, err := w.reserve("cart_2", line(v[0], 2)); !problem.Is(err, "out_of_stock") {
		t.Errorf("more than there is: %v", err)
	}
	if err := w.buy(ids.New("ord"), line(v[0], 2)); !problem.Is(err, "out_of_stock") {
		t.Errorf("what is reserved was sold: %v", err)
	}
	if err := w.adjust(inventory.Damaged, line(v[0], -2)); !problem.Is(err, "stock_reserved") {
		t.Errorf("stock fell below what is reserved: %v", err)
	}
	// Once more is in place of what was before.
	if _, err := w.reserve("cart_1", line(v[0], 3)); err != nil {
		t.Error(err)
	}
	w.wantLevel(v[0], 3, 3)
	if _, err := w.reserve("cart_1", line(v[0], 1)); err != nil {
		t.Error(err)
	}
	w.wantLevel(v[0], 3, 1)
	if _, err := w.claim("cart_1", line(v[0], 1)); err != nil {
		t.Fatal(err)
	}
	// A payment that fails leaves what was promised before.
	w.in(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Reopen(ctx, tx, "cart_1") })
	w.wantLevel(v[0], 3, 1)
	held, err := w.claim("cart_1", line(v[0], 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.settle("cart_1", ids.New("ord"), held, []inventory.Line{line(v[0], 1)}); err != nil {
		t.Fatal(err)
	}
	w.wantLevel(v[0], 2, 0)
	if _, err := w.claim("cart_3", line(v[0], 2)); err != nil {
		t.Fatal(err)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error { return inventory.Reopen(ctx, tx, "cart_3") })
	w.wantLevel(v[0], 2, 0)
	w.balanced()
}

// A reservation that has lapsed is in nobody's way, though no job has cleared it away.
func TestLapsedReservationsBlockNobody(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 1}, goods{stock: 1}, goods{stock: 1}, goods{stock: 1})
	all := []inventory.Line{line(v[0], 1), line(v[1], 1), line(v[2], 1), line(v[3], 1)}
	if _, err := w.reserve("cart_1", all...); err != nil {
		t.Fatal(err)
	}
	w.lapse()
	if _, err := w.reserve("cart_2", line(v[0], 1)); err != nil {
		t.Errorf("reserving: %v", err)
	}
	if err := w.buy(ids.New("ord"), line(v[1], 1)); err != nil {
		t.Errorf("buying: %v", err)
	}
	if err := w.adjust(inventory.Damaged, line(v[2], -1)); err != nil {
		t.Errorf("adjusting: %v", err)
	}
	w.balanced()
	if _, err := w.reserve("cart_1", all...); !problem.Is(err, "out_of_stock") {
		t.Errorf("who came too late: %v", err)
	}
	if err := inventory.ClearLapsed(w.ctx, w.db); err != nil {
		t.Fatal(err)
	}
	w.wantLevel(v[3], 1, 0)
	w.wantLevel(v[0], 1, 1)
	w.balanced()
}

func TestEventsOfStock(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 3, elsewhere: 3})
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update variants set low_stock_threshold = 2`)
		return err
	})
	if err := w.adjust(inventory.Damaged, inventory.Line{VariantID: v[0], LocationID: w.other, Quantity: -3}); err != nil {
		t.Fatal(err)
	}
	if got := w.events(); got != "" {
		t.Errorf("three are left, and there was %q", got)
	}
	if err := w.buy(ids.New("ord"), line(v[0], 1)); err != nil {
		t.Fatal(err)
	}
	if err := w.buy(ids.New("ord"), line(v[0], 2)); err != nil {
		t.Fatal(err)
	}
	if err := w.adjust(inventory.Received, line(v[0], 9)); err != nil {
		t.Fatal(err)
	}
	// The other location becomes the only one, and there is nothing.
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		off := false
		return inventory.UpdateLocation(ctx, tx, w.first, 0, inventory.LocationPatch{Active: &off})
	})
	if got := w.events(); got != "inventory.low inventory.out inventory.back inventory.out" {
		t.Errorf("events: %q", got)
	}
	// All of it is told to the staff at once, by the first of the jobs.
	now := time.Now()
	for _, want := range []int{1, 0} {
		w.in(func(ctx context.Context, tx *postgres.Tx) error {
			list, more, err := inventory.BecameScarce(ctx, tx, inventory.ScarceArgs{At: now}, 10)
			if len(list) != want || more != 0 || want == 1 && list[0].OnHand != 0 {
				t.Errorf("became scarce: %+v and %d more", list, more)
			}
			return errors.Join(err, inventory.ScarceTold(ctx, tx, now))
		})
	}
}

func TestTransfers(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 5}, goods{oversell: true})
	move := func(from, to inventory.LocationID, lines ...inventory.Line) error {
		return w.try(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := inventory.Move(ctx, tx, inventory.Transfer{From: from, To: to, Lines: lines})
			return err
		})
	}
	if err := move(w.first, w.other, line(v[0], 3)); err != nil {
		t.Fatal(err)
	}
	w.wantThere(v[0], 2, 3)
	if _, err := w.reserve("cart_1", line(v[0], 2)); err != nil {
		t.Fatal(err)
	}
	if err := move(w.first, w.other, line(v[0], 1)); !problem.Is(err, "stock_reserved") {
		t.Errorf("what is reserved: %v", err)
	}
	if err := move(w.first, w.other, line(v[1], 1)); !problem.Is(err, "stock_reserved") {
		t.Errorf("what is not there: %v", err)
	}
	w.lapse()
	if err := move(w.first, w.other, line(v[0], 1)); err != nil {
		t.Errorf("what is no longer reserved: %v", err)
	}
	if err := move(w.first, w.first, line(v[0], 1), line(v[0], 1), line("var_none", 1)); !problem.Is(err, "invalid_adjustment") || len(problem.As(err).Faults) != 3 {
		t.Errorf("nonsense: %v", err)
	}
	if err := move("loc_none", w.first, line(v[0], 1)); !problem.Is(err, "invalid_adjustment") {
		t.Errorf("from nowhere: %v", err)
	}
	w.balanced()
	var pairs int
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from (select from stock_movements where type = 'transfer' group by transfer_id having count(*) = 2 and sum(quantity) = 0) p`).Scan(&pairs)
	})
	if pairs != 2 {
		t.Errorf("%d pairs of movements", pairs)
	}
}

func TestTheLastUnitIsSoldOnce(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 1})
	var sold atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			switch err := w.buy(ids.New("ord"), line(v[0], 1)); {
			case err == nil:
				sold.Add(1)
			case !problem.Is(err, "out_of_stock"):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != 1 {
		t.Errorf("sold %d times", sold.Load())
	}
	w.wantLevel(v[0], 0, 0)
}

// A cart's line shares its variant's row for the length of a transaction.
func TestSalesBesideCarts(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 1000})
	var sellers, carts sync.WaitGroup
	ctx, sold := context.WithCancel(w.ctx)
	for range 2 {
		carts.Go(func() {
			for ctx.Err() == nil {
				err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
					_, err := tx.Exec(ctx, `select from variants where id = $1 for key share`, v[0])
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 6 {
		sellers.Go(func() {
			for range 25 {
				if err := w.buy(ids.New("ord"), line(v[0], 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sellers.Wait()
	sold()
	carts.Wait()
	w.wantLevel(v[0], 1000-6*25, 0)
	w.balanced()
}

// What a claim sells out takes two more, whatever it is.
func TestClaimsAreTwoStatements(t *testing.T) {
	t.Parallel()
	var all []goods
	for range 50 {
		all = append(all, goods{stock: 2})
	}
	w, v := open(t, all...)
	var lines []inventory.Line
	for _, id := range v {
		lines = append(lines, line(id, 1))
	}
	ctx, count := postgres.Counting(w.ctx)
	err := w.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := inventory.Claim(ctx, tx, "cart_1", lines)
		return err
	})
	if err != nil || count.Statements.Load() != 2 {
		t.Errorf("%d statements, %v", count.Statements.Load(), err)
	}
	w.balanced()
}
