package app

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// ListCells prints the databases that stores lie in, and how full they are.
func ListCells(ctx context.Context, config Config, build Build, term Terminal) error {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		cells, err := a.stores.Cells(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "CELL\tUP\tSTORES\tROOM FOR\tREADY SCHEMAS")
		for _, c := range cells {
			fmt.Fprintf(table, "%s\t%t\t%d\t%d\t%d\n", c.Name, c.Up, c.Stores, c.Capacity, c.Ready)
		}
		return table.Flush()
	})(ctx, config, build, term)
}

// listedJobs bounds how many jobs of a queue are printed.
const listedJobs = 500

// ListJobs prints the jobs of all queues that are in a state, the latest of each first. A
// cell that is down is named, and the others are listed all the same.
func ListJobs(state string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if err := among("state", state, "waiting", "running", "retrying", "set_aside"); err != nil {
			return err
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tKIND\tSTORE\tATTEMPTS\tCREATED\tLAST FAILURE")
		for _, queue := range a.workers.Queues() {
			list, err := a.workers.List(ctx, queue, jobs.Filter{Status: jobs.Status(state), Limit: listedJobs})
			if err != nil {
				fmt.Fprintf(term.Err, "the jobs of %s cannot be listed: %v\n", queue, err)
				continue
			}
			for _, j := range list {
				last := ""
				if len(j.Failures) > 0 {
					last = j.Failures[len(j.Failures)-1].Error
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%.80q\n", j.Name(), j.Kind, j.Role, j.Attempts, j.CreatedAt.Format(time.DateTime), last)
			}
		}
		return table.Flush()
	})
}

// ChangeJob retries or discards a job that was set aside, named by its ID.
func ChangeJob(verb, name, reason string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		cell, id, err := jobs.ParseName(name)
		if err != nil {
			return err
		}
		if verb == "retry" {
			_, err = a.workers.Retry(ctx, cell, id, false)
		} else {
			err = a.workers.Discard(ctx, cell, id, false)
		}
		if err != nil {
			return err
		}
		return a.db.InControl(byOperator(ctx), func(ctx context.Context, tx *postgres.Tx) error {
			journal.Audit(ctx, tx, journal.Entry{Action: "job." + verb, ObjectID: name, Reason: reason})
			return nil
		})
	})
}
