package stores_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

func TestAnotherPlanHoldsAtOnce(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	if store, err := h.ByAddress(t.Context(), rec.Address); err != nil || store.Plan != "free" {
		t.Fatalf("born on %s, %v", store.Plan, err)
	}
	set := func(id, plan string) (stores.Record, error) {
		return h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) {
			return h.SetPlan(ctx, tx, id, plan, "invoice 12")
		})
	}
	for range 2 { // the second time nothing changes
		if got, err := set(rec.ID, "growth"); err != nil || got.Plan != "growth" {
			t.Fatalf("set to %s, %v", got.Plan, err)
		}
	}
	if store, err := h.ByAddress(t.Context(), rec.Address); err != nil || store.Plan != "growth" {
		t.Errorf("outside it is on %s, %v", store.Plan, err)
	}
	if n := h.count(t, `select count(*) from audit_entries where store_id = $1 and action = 'store.set_plan' and reason = 'invoice 12' and after->>'plan' = 'growth'`, rec.ID); n != 1 {
		t.Errorf("%d entries in the audit", n)
	}
	_, err := set("sto_none", "growth")
	wantProblem(t, err, "not_found")
}
