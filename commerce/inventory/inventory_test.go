package inventory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// warehouse is a store with a product of some variants.
type warehouse struct {
	db  *postgres.DB
	ctx context.Context
	t   *testing.T
}

type goods struct {
	stock               int64
	untracked, oversell bool
}

func open(t *testing.T, all ...goods) (*warehouse, []inventory.VariantID) {
	t.Helper()
	platform := testdb.Open(t)
	w := &warehouse{platform.DB, platform.Store(t), t}
	product := ids.New("prod")
	var variants []inventory.VariantID
	var lines []inventory.Line
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into products (id, handle, title, status) values ($1, $1, 'Shirt', 'active')`, product); err != nil {
			return err
		}
		for i, g := range all {
			id := inventory.VariantID(ids.New("var"))
			_, err := tx.Exec(ctx, `insert into variants (id, product_id, position, title, track_stock, oversell) values ($1, $2, $3, $4, $5, $6)`,
				id, product, i, fmt.Sprint("Size ", i), !g.untracked, g.oversell)
			if err != nil {
				return err
			}
			variants = append(variants, id)
			lines = append(lines, inventory.Line{VariantID: id, Quantity: g.stock})
		}
		return inventory.Begin(ctx, tx, lines)
	})
	return w, variants
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

func (w *warehouse) take(order string, lines ...inventory.Line) (counted []bool, err error) {
	err = w.try(func(ctx context.Context, tx *postgres.Tx) error {
		counted, err = inventory.Take(ctx, tx, order, lines)
		return err
	})
	return counted, err
}

func (w *warehouse) level(id inventory.VariantID) (stock, reserved int64) {
	w.t.Helper()
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select stock, reserved from variants where id = $1`, id).Scan(&stock, &reserved)
	})
	return stock, reserved
}

func (w *warehouse) wantLevel(id inventory.VariantID, stock, reserved int64) {
	w.t.Helper()
	if s, r := w.level(id); s != stock || r != reserved {
		w.t.Errorf("%d in stock and %d reserved, want %d and %d", s, r, stock, reserved)
	}
}

// balanced fails the test when a variant's stock is not the sum of its movements.
func (w *warehouse) balanced() {
	w.t.Helper()
	var off int
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from variants v where v.stock <> coalesce((select sum(quantity) from stock_movements m where m.variant_id = v.id), 0)`).Scan(&off)
	})
	if off != 0 {
		w.t.Errorf("the stock of %d variants is not the sum of their movements", off)
	}
}

func line(id inventory.VariantID, quantity int64) inventory.Line {
	return inventory.Line{VariantID: id, Quantity: quantity}
}

func TestTakeRefusesAsAWhole(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 5}, goods{stock: 1}, goods{}, goods{oversell: true}, goods{untracked: true})
	order := ids.New("ord")

	_, err := w.take(order, line(v[0], 2), line(v[1], 2), line(v[2], 1), line(inventory.VariantID(ids.New("var")), 1), line(v[3], 9))
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
	if _, err := w.take(order, line(v[0], 3), line(v[0], 3)); !problem.Is(err, "out_of_stock") || problem.As(err).Detail != "Only 5 of Shirt, Size 0 are left." {
		t.Errorf("twice the same: %v", err)
	}
	counted, err := w.take(order, line(v[4], 7), line(v[0], 2), line(v[3], 9), line(v[0], 3))
	if err != nil || fmt.Sprint(counted) != "[false true true true]" {
		t.Errorf("taken: %v, %v", counted, err)
	}
	w.wantLevel(v[0], 0, 0)
	w.wantLevel(v[3], -9, 0)
	w.wantLevel(v[4], 0, 0)

	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return inventory.Return(ctx, tx, order, inventory.Refund, []inventory.Line{line(v[0], 4), line(inventory.VariantID(ids.New("var")), 1)})
	})
	w.wantLevel(v[0], 4, 0)
	w.balanced()
	if _, err := w.take(order); err != nil {
		t.Errorf("nothing is taken: %v", err)
	}
}

func TestReservations(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 3}, goods{untracked: true})
	reserve := func(lines ...inventory.Line) (counted []bool, err error) {
		err = w.try(func(ctx context.Context, tx *postgres.Tx) error {
			counted, err = inventory.Reserve(ctx, tx, lines)
			return err
		})
		return counted, err
	}
	if counted, err := reserve(line(v[0], 2), line(v[1], 5)); err != nil || !counted[0] || counted[1] {
		t.Fatalf("reserved: %v, %v", counted, err)
	}
	w.wantLevel(v[0], 3, 2)
	if _, err := reserve(line(v[0], 2)); !problem.Is(err, "out_of_stock") {
		t.Errorf("more than there is: %v", err)
	}
	if _, err := w.take(ids.New("ord"), line(v[0], 2)); !problem.Is(err, "out_of_stock") {
		t.Errorf("what is reserved was taken: %v", err)
	}
	err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
		return inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Damaged, Lines: []inventory.Line{line(v[0], -2)}})
	})
	if !problem.Is(err, "stock_reserved") {
		t.Errorf("stock fell below what is reserved: %v", err)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return inventory.Settle(ctx, tx, ids.New("ord"), []inventory.Line{line(v[0], 1)})
	})
	w.wantLevel(v[0], 2, 1)
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return inventory.Release(ctx, tx, []inventory.Line{line(v[0], 1)})
	})
	w.wantLevel(v[0], 2, 0)
	w.balanced()
}

func TestTheLastUnitIsSoldOnce(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 1})
	var sold atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			switch _, err := w.take(ids.New("ord"), line(v[0], 1)); {
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

// Orders of several variants in any order, returns and adjustments at once: no deadlock,
// nothing below zero, and in the end the ledger adds up.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w, v := open(t, goods{stock: 20}, goods{stock: 20}, goods{stock: 20}, goods{stock: 20})
	var wg sync.WaitGroup
	for n := range 60 {
		wg.Go(func() {
			order := ids.New("ord")
			var lines []inventory.Line
			for _, i := range rand.Perm(len(v))[:1+rand.IntN(len(v))] {
				lines = append(lines, line(v[i], 1+rand.Int64N(3)))
			}
			if _, err := w.take(order, lines...); err != nil {
				if !problem.Is(err, "out_of_stock") {
					t.Error(err)
				}
				return
			}
			err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
				switch n % 3 {
				case 0:
					return inventory.Return(ctx, tx, order, inventory.Cancellation, lines)
				case 1:
					return inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Received, Lines: []inventory.Line{lines[0]}})
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range v {
		if stock, _ := w.level(id); stock < 0 {
			t.Errorf("%d in stock", stock)
		}
	}
	w.balanced()
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
				lines := []inventory.Line{line(v[0], 1)}
				err := w.try(func(ctx context.Context, tx *postgres.Tx) error {
					_, err := inventory.Reserve(ctx, tx, lines)
					return err
				})
				if err == nil {
					err = w.try(func(ctx context.Context, tx *postgres.Tx) error {
						return inventory.Settle(ctx, tx, ids.New("ord"), lines)
					})
				}
				if err != nil {
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

func TestTakeIsOneStatement(t *testing.T) {
	t.Parallel()
	var all []goods
	for range 50 {
		all = append(all, goods{stock: 1})
	}
	w, v := open(t, all...)
	var lines []inventory.Line
	for _, id := range v {
		lines = append(lines, line(id, 1))
	}
	ctx, count := postgres.Counting(w.ctx)
	err := w.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := inventory.Take(ctx, tx, ids.New("ord"), lines)
		return err
	})
	if err != nil || count.Statements.Load() != 1 {
		t.Errorf("%d statements, %v", count.Statements.Load(), err)
	}
	w.balanced()
}
