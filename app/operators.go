package app

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"
)

// CreateOperatorKey makes an operator's key and prints it, once.
func CreateOperatorKey(name, role string, days int) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		key, id, err := a.operators.CreateKey(byOperator(ctx), name, role, time.Duration(days)*24*time.Hour)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.Out, "%s\n", key)
		fmt.Fprintf(term.Err, "This is %s, for %s with the role %s. It is not shown again.\n", id, name, role)
		return err
	})
}

// ListOperatorKeys prints all operators' keys, the latest first.
func ListOperatorKeys(ctx context.Context, config Config, build Build, term Terminal) error {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		list, err := a.operators.Keys(ctx)
		if err != nil {
			return err
		}
		day := func(at *time.Time) string {
			if at == nil {
				return "-"
			}
			return at.Format(time.DateOnly)
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tROLE\tENDS WITH\tCREATED\tLAST USE\tEXPIRES\tREVOKED\tNAME")
		for _, k := range list {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Role, k.Last4, day(&k.CreatedAt), day(k.LastUse), day(k.ExpiresAt), day(k.RevokedAt), k.Name)
		}
		return table.Flush()
	})(ctx, config, build, term)
}

// RevokeOperatorKey ends an operator's key at once.
func RevokeOperatorKey(id string) Command {
	return withApp(func(ctx context.Context, a *App, _ Terminal) error {
		return a.operators.Revoke(byOperator(ctx), id)
	})
}
