package checkout_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// shelf is the last units of a variant and the carts that were completed: what one after
// the other would see.
type shelf struct {
	left      int64
	completed [16]bool // by cart
}

// completion is a cart's try to buy, or goods that come when wants is negative.
type completion struct {
	cart  int
	wants int64
}

var shelves = porcupine.Model{
	Init: func() any { return shelf{left: 9} },
	Step: func(state, input, output any) (bool, any) {
		s, in, code := state.(shelf), input.(completion), output.(string)
		switch {
		case in.wants < 0:
			s.left -= in.wants
			return true, s
		case s.completed[in.cart]:
			return code == "cart_completed", s
		case s.left < in.wants:
			return code == "out_of_stock", s
		}
		s.left -= in.wants
		s.completed[in.cart] = true
		return code == "", s
	},
}

// Completions of the last units at once, some of them of the same cart, are what they
// could have been one after the other.
func TestCompletionIsLinearizable(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 9})
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	record := func(client int, in completion, do func() error) {
		call := time.Since(began).Nanoseconds()
		err := do()
		for problem.Is(err, "completion_in_progress") { // it has not been decided yet
			time.Sleep(5 * time.Millisecond)
			err = do()
		}
		code := ""
		if p := problem.As(err); p != nil {
			code = p.Code
		} else if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: code, Return: time.Since(began).Nanoseconds()})
	}
	var carts []checkout.Input
	for i := range 16 {
		ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: int64(1 + i%3)})
		carts = append(carts, f.input(ref, total, "succeeds"))
	}
	var clients sync.WaitGroup
	for i, complete := range carts {
		in := completion{i, int64(1 + i%3)}
		for twice := range 1 + i%2 {
			clients.Go(func() {
				input := complete
				input.Attempt += string(rune('a' + twice))
				record(2*i+twice, in, func() error {
					_, err := f.service.Complete(f.Ctx, input, nil)
					return err
				})
			})
		}
	}
	clients.Go(func() {
		record(99, completion{wants: -4}, func() error {
			return f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
				_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Received, Lines: inventory.Change([]inventory.Line{{VariantID: inventory.VariantID(shirt), Quantity: 4}})})
				return err
			})
		})
	})
	clients.Wait()
	if result := porcupine.CheckOperationsTimeout(shelves, history, time.Minute); result != porcupine.Ok {
		t.Errorf("%s: %+v", result, history)
	}
	f.sound(shirt, 13)
}
