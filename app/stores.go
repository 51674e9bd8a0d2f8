package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Command is the form of what commands do: with their configuration, printing to a terminal.
type Command func(context.Context, Config, Build, Terminal) error

// byOperator has the audit say that somebody at the command line acts.
func byOperator(ctx context.Context) context.Context {
	return principal.With(ctx, principal.Principal{
		Kind: principal.Operator, Label: "command line", Role: "admin", RequestID: ids.New("req"),
	})
}

// among refuses what is not among the values that there are.
func among(what, given string, known ...string) error {
	if slices.Contains(known, given) {
		return nil
	}
	return fmt.Errorf("there is no %s %q; there are: %s", what, given, strings.Join(known, ", "))
}

// ListStores prints the stores that have words in them and are in a state, or in any.
func ListStores(words, state string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if state != "" {
			if err := among("state", state, string(tenants.Active), string(tenants.Suspended), string(tenants.Deleted)); err != nil {
				return err
			}
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tADDRESS\tSTATE\tPLAN\tCELL\tCREATED\tNAME")
		filter := stores.Filter{Query: words, Status: tenants.Status(state), Limit: 500}
		for {
			var page []stores.Record
			err := a.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
				page, filter.After, err = a.stores.ListTx(ctx, tx, filter)
				return err
			})
			if err != nil {
				return err
			}
			for _, s := range page {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Address, s.Status, s.Plan, s.Cell, s.CreatedAt.Format(time.DateOnly), s.Name)
			}
			if filter.After == "" {
				return table.Flush()
			}
		}
	})
}

// ChangeStore suspends, resumes, deletes or restores a store, named by its ID.
func ChangeStore(verb, id, reason string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		change := map[string]func(context.Context, *postgres.Tx, string, string) (stores.Record, error){
			"suspend": a.stores.Suspend, "resume": a.stores.Resume, "delete": a.stores.Delete, "restore": a.stores.Restore,
		}[verb]
		var record stores.Record
		err := a.db.InControl(byOperator(ctx), func(ctx context.Context, tx *postgres.Tx) (err error) {
			record, err = change(ctx, tx, id, reason)
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.Out, "%s (%s) is %s.\n", record.Name, record.Address, record.Status)
		return err
	})
}

// ExportStore writes all data of a store's live side into a file, or to standard output
// for "-".
func ExportStore(id, file string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) (err error) {
		store, err := a.stores.ByID(ctx, id, principal.Live)
		if err != nil {
			return err
		}
		out := term.Out
		if file != "-" {
			f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			out = f
		}
		return a.stores.Export(postgres.WithStore(byOperator(ctx), store.Ref), out)
	})
}
