package app

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// SetPlan puts a store, named by its ID, on another plan.
func SetPlan(id, plan, reason string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		var known []string
		for _, p := range a.plans.All() {
			known = append(known, p.ID)
		}
		if err := among("plan", plan, known...); err != nil {
			return err
		}
		var record stores.Record
		err := a.db.InControl(byOperator(ctx), func(ctx context.Context, tx *postgres.Tx) (err error) {
			record, err = a.stores.SetPlan(ctx, tx, id, plan, reason)
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.Out, "%s (%s) is on the plan %s.\n", record.Name, record.Address, record.Plan)
		return err
	})
}
