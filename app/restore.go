package app

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Instant reads an instant as operators write it: RFC 3339, with or without seconds, or how
// long ago, such as 10m.
func Instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return time.Now().Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("%q is no instant: write it as 2026-11-29T12:00:00Z, or how long ago, as 10m", text)
}

// RestoreCluster restores a stanza into a new data directory, to an instant or to the end of
// the log. It needs nothing but the repository: no database has to be there.
func RestoreCluster(stanza, dir string, at time.Time) Command {
	return func(ctx context.Context, config Config, _ Build, term Terminal) error {
		if config.Backup.Repository == "" {
			return errors.New("set STOA_BACKUP_REPOSITORY to pgBackRest's configuration")
		}
		as, err := embedded.DatabaseUser("postgres")
		if err != nil {
			return err
		}
		repository := backups.Repository{Config: config.Backup.Repository, As: as}
		began := time.Now()
		if err := repository.Restore(ctx, stanza, dir, backups.Target{At: at}); err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.Out, "%s is restored in %s, in %s. Start Postgres on it: it plays the log, and then takes writes.\n", stanza, dir, time.Since(began).Round(time.Millisecond))
		return err
	}
}

// RestoreFiles puts the files back that are missing, of an instant or of the last copy.
func RestoreFiles(at time.Time) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if a.keeper.Archives == nil {
			return errors.New("no place of copies is configured: set STOA_BACKUP_DIR or STOA_BACKUP_URL")
		}
		listed, restored, err := a.keeper.RestoreFiles(ctx, at, "")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.Out, "%d files are in the list, %d were missing and are back.\n", listed, restored)
		return err
	})
}

// RestoreStore restores a side of a store beside the living one, to an instant or from an
// archive, and shows what is there.
func RestoreStore(id string, mode string, args keeping.RestoreArgs) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		run, err := a.keeper.AskRestore(ctx, id, principal.Mode(mode), args, commandLine)
		if err != nil {
			return err
		}
		if err := a.follow(ctx, term, run); err != nil {
			return err
		}
		return a.showRestored(ctx, term, id, principal.Mode(mode))
	})
}

// ShowRestored shows what lies beside a side of a store.
func ShowRestored(id, mode string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		return a.showRestored(ctx, term, id, principal.Mode(mode))
	})
}

func (a *App) showRestored(ctx context.Context, term Terminal, id string, mode principal.Mode) error {
	r, found, err := a.keeper.Restored(ctx, id, mode)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("nothing is restored beside %s/%s", id, mode)
	}
	what := map[string]string{
		"filling": "is being restored", "ready": "is restored beside the living store; stoa restore swap puts it in its place",
		"swapped": "is in place; the store as it was before lies beside. stoa restore swap undoes it, stoa restore discard makes it final",
	}[r.State]
	fmt.Fprintf(term.Out, "%s/%s as of %s %s.\n\n", id, mode, r.At.UTC().Format(time.RFC3339), what)
	table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "TABLE\tLIVING\tRESTORED")
	for _, c := range r.Shown.Changes {
		fmt.Fprintf(table, "%s\t%d\t%d\n", c.Table, c.Living, c.Restored)
	}
	if r.Shown.Orders > 0 {
		fmt.Fprintf(table, "\nORDERS SINCE: %d\t\t\n", r.Shown.Orders)
		for _, o := range r.Shown.Since {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", o.Number, o.PlacedAt.UTC().Format(time.RFC3339), money.New(o.Total, o.Currency), o.State, o.ID)
		}
	}
	for _, c := range r.Shown.Carried {
		if c.Living != c.Restored {
			fmt.Fprintf(table, "%d of %d rows of %s were left out: what they refer to is there no more\t\t\n", c.Living-c.Restored, c.Living, c.Table)
		}
	}
	return table.Flush()
}

// SwapRestored puts what was restored in place of the living store, or undoes that.
func SwapRestored(id, mode string, drop bool, reason string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if _, err := a.keeper.Swap(byOperator(ctx), id, principal.Mode(mode), !drop, reason); err != nil {
			return err
		}
		return a.showRestored(ctx, term, id, principal.Mode(mode))
	})
}

// DiscardRestored throws away what lies beside a side of a store.
func DiscardRestored(id, mode string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if err := a.keeper.Discard(ctx, id, principal.Mode(mode)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(term.Out, "Nothing lies beside %s/%s any more.\n", id, mode)
		return err
	})
}
