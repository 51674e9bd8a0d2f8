package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// SetPlan puts a store, named by its ID, on another plan.
func SetPlan(id, plan, reason string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if all := a.plans.All(); !slices.ContainsFunc(all, func(p billing.Plan) bool { return p.ID == plan }) {
			var known []string
			for _, p := range all {
				known = append(known, p.ID)
			}
			return fmt.Errorf("there is no plan %q; there are: %s", plan, strings.Join(known, ", "))
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
