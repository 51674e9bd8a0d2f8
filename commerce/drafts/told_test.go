package drafts_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// step is what an entry of the audit tells.
type step struct {
	Action        string
	Before, After map[string]any
}

// told are the steps of a draft order, as the audit tells them.
func (f *fixture) told(id string) (list []step) {
	f.t.Helper()
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select action, before, after from audit_entries where object_id = $1 and before is distinct from after order by id`, id)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[step])
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

func read(t *testing.T, text string) (doc map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// The audit tells what a draft order was like before and after each step, whoever made it, so
// that each begins where the one before has ended.
func TestEachStepTellsOfTheWhole(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt, lamp := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 10}), f.Add(t, shoptest.Variant{EUR: 4000, Stock: 5})
	terms := f.agreed(shirt, lamp)
	terms.Email = nil
	c := f.create(terms)
	if _, err := f.update(c.ID, drafts.Patch{Discount: ptr[*drafts.Discount](nil), Tags: ptr([]string{}), ShippingAddress: &berlin}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.send(c.ID, drafts.Sending{}); err != nil {
		t.Fatal(err)
	}
	ref, _ := f.open(c.ID)
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Update(ctx, tx, ref, cart.Change{Email: ptr("ada@example.com")}, 0)
	}); err != nil {
		t.Fatal(err)
	}
	c, err := f.carts.Read(f.Ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.checkout.Complete(f.Ctx, f.input(ref, c.Totals.Total, payments.TestName), nil); err != nil {
		t.Fatal(err)
	}
	steps := f.told(c.ID)
	delete(steps[0].After, "created_at")
	delete(steps[0].After, "expires_at")
	want := read(t, `{"note": "As agreed.", "tags": ["wholesale", "vip"], "discount": {"amount": {"amount": 1000, "currency": "EUR"}}, "total": {"amount": 10300, "currency": "EUR"},
		"shipping": {"name": "By bicycle", "price": {"amount": 700, "currency": "EUR"}}, "lines": [
			{"variant_id": "`+shirt+`", "quantity": 3, "unit_price": {"amount": 2000, "currency": "EUR"}},
			{"variant_id": "`+lamp+`", "quantity": 1, "unit_price": {"amount": 4000, "currency": "EUR"}, "discount": {"reason": "A scratch", "percentage": "10"}},
			{"title": "Engraving", "quantity": 2, "unit_price": {"amount": 500, "currency": "EUR"}, "attributes": {"Text": "Ada"}, "requires_shipping": false, "taxable": true}]}`)
	if !reflect.DeepEqual(steps[0].After, want) {
		t.Errorf("made\n%v\nwant\n%v", steps[0].After, want)
	}
	now := map[string]any{}
	for i, s := range steps {
		for name, value := range s.Before {
			if i > 1 && !reflect.DeepEqual(now[name], value) {
				t.Errorf("%s began with %s %v, which was %v", s.Action, name, value, now[name])
			}
			delete(now, name)
		}
		for name, value := range s.After {
			now[name] = value
		}
	}
	if len(steps) != 5 || now["email"] != "ada@example.com" || now["order_id"] == nil || now["sent_at"] == nil || now["discount"] != nil || now["shipping_address"].(map[string]any)["city"] != "Berlin" {
		t.Errorf("%d steps, to %v", len(steps), now)
	}
}

func TestWhatWasDeletedComesBack(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt, lamp := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 10}), f.Add(t, shoptest.Variant{EUR: 4000, Stock: 5})
	c := f.create(f.agreed(shirt, lamp))
	c, err := f.send(c.ID, drafts.Sending{})
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := f.open(c.ID)
	remove := func(ctx context.Context, tx *postgres.Tx) error { return f.drafts.Delete(ctx, tx, c.ID, 0) }
	restore := func(ctx context.Context, tx *postgres.Tx) error {
		var kept json.RawMessage
		if err := tx.QueryRow(ctx, `select kept from audit_kept order by entry_id desc limit 1`).Scan(&kept); err != nil {
			return err
		}
		return f.drafts.Restore(ctx, tx, c.ID, kept)
	}
	if err := f.DB.InStore(f.Ctx, remove); err != nil {
		t.Fatal(err)
	}
	if err := f.DB.InStore(f.Ctx, restore); err != nil {
		t.Fatal(err)
	}
	back, err := f.carts.Read(f.Ctx, ref)
	if err != nil || !reflect.DeepEqual(drafts.Tell(back), drafts.Tell(c)) || back.Lines[1].ID != c.Lines[1].ID {
		t.Errorf("it came back as %+v, %v", back, err)
	}
	steps := f.told(c.ID)
	if last := steps[len(steps)-2:]; last[0].Action != "draft_order.delete" || last[1].Action != "draft_order.restore" || !reflect.DeepEqual(last[0].Before, last[1].After) {
		t.Errorf("told: %v", last)
	}
	// Without what is sold no more, which is missed; and not where its rows were erased.
	if err := f.DB.InStore(f.Ctx, remove); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `delete from variants where id = $1`, lamp)
	if err := f.DB.InStore(f.Ctx, restore); err != nil {
		t.Fatal(err)
	}
	if back, err = f.carts.Read(f.Ctx, ref); err != nil || len(back.Lines) != 2 || len(back.Problems) == 0 || back.Problems[0].Code != cart.Unavailable {
		t.Errorf("it came back as %+v, %v", back, err)
	}
	if err := f.DB.InStore(f.Ctx, remove); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update audit_kept set kept = '{"carts": [], "cart_lines": []}'`)
	if err := f.DB.InStore(f.Ctx, restore); !problem.Is(err, "not_found") {
		t.Errorf("of nothing: %v", err)
	}
}
