package app

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/stoacommerce/stoa/app/keeping"
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
		capacity, err := a.keeper.Capacity(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "CELL\tUP\tSTORES\tROOM FOR\tREADY SCHEMAS\tSIZE\tCONNECTIONS\tFULL IN")
		for _, c := range cells {
			size, connections, full := fullness(capacity, c.Name)
			fmt.Fprintf(table, "%s\t%t\t%d\t%d\t%d\t%s\t%s\t%s\n", c.Name, c.Up, c.Stores, c.Capacity, c.Ready, size, connections, full)
		}
		return table.Flush()
	})(ctx, config, build, term)
}

// fullness is how full a cell was when it was last measured, and when it will be full of
// what it is full of first.
func fullness(capacity []keeping.Capacity, cell string) (size, connections, full string) {
	size, connections, full = "-", "-", "-"
	var first time.Time
	for _, c := range capacity {
		if c.Cell != cell {
			continue
		}
		switch c.By {
		case keeping.ByBytes:
			size = bytesText(int64(c.Used))
			if c.Most > 0 {
				size += " of " + bytesText(int64(c.Most))
			}
		case keeping.ByConnections:
			connections = fmt.Sprintf("%.0f of %.0f", c.Used, c.Most)
		}
		if !c.Full.IsZero() && (first.IsZero() || c.Full.Before(first)) {
			first = c.Full
			full = fmt.Sprintf("%.0f days, of %s", max(time.Until(first).Hours()/24, 0), c.By)
		}
	}
	return size, connections, full
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
