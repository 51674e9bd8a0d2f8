package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/principal"
)

// NewBackupKey makes a pair of keys for backups: the secret one to standard output, the
// public one beside.
func NewBackupKey(_ context.Context, _ Config, _ Build, term Terminal) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	fmt.Fprintf(term.Err, "STOA_BACKUP_RECIPIENT is %s; what follows opens what is sealed to it. Keep it where backups are not.\n", identity.Recipient())
	_, err = fmt.Fprintln(term.Out, identity)
	return err
}

// commandLine is who asks for what an operator starts.
const commandLine = "command line"

// Backup has something be backed up now, and waits for it unless told otherwise: the
// databases in full or what has changed, the files, or one store.
func Backup(kind keeping.Kind, store string, detach bool) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		subjects, err := a.subjects(kind, store)
		if err != nil {
			return err
		}
		var runs []string
		for _, subject := range subjects {
			id, err := a.keeper.Ask(ctx, kind, subject, nil, commandLine)
			if err != nil {
				return err
			}
			runs = append(runs, id)
		}
		if detach {
			for _, id := range runs {
				fmt.Fprintln(term.Out, id)
			}
			return nil
		}
		return a.follow(ctx, term, runs...)
	})
}

// subjects are what a kind of run is asked for.
func (a *App) subjects(kind keeping.Kind, store string) ([]string, error) {
	switch kind {
	case keeping.Store:
		if a.keeper.Archives == nil {
			return nil, errors.New("nowhere to put it: set STOA_BACKUP_DIR or STOA_BACKUP_URL")
		}
		return []string{store + "/" + string(principal.Live)}, nil
	case keeping.Files:
		if a.keeper.Archives == nil {
			return nil, errors.New("nowhere to put them: set STOA_BACKUP_DIR or STOA_BACKUP_URL")
		}
		return []string{""}, nil
	}
	if stanzas := a.keeper.Clusters(); len(stanzas) > 0 {
		return stanzas, nil
	}
	return nil, errors.New("the databases are said to lie in no stanza: set STOA_BACKUP_STANZAS")
}

// follow does the runs that this process can do, and shows how all of them go on until they
// have ended. Ended by a signal, it leaves them to whoever takes them up.
func (a *App) follow(ctx context.Context, term Terminal, ids ...string) error {
	working, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		a.keeper.Work(working)
		close(done)
	}()
	defer func() { stop(); <-done }()
	told := map[string]string{}
	for {
		open := 0
		for _, id := range ids {
			run, err := a.keeper.Get(ctx, id)
			if err != nil {
				return err
			}
			line := fmt.Sprintf("%s %s: %s", run.Kind, run.Subject, run.State)
			if run.State == "running" {
				line += fmt.Sprintf(" on %s, %.0f %%", run.Host, 100*run.Progress)
			}
			if told[id] != line {
				told[id] = line
				fmt.Fprintln(term.Err, line)
			}
			switch {
			case !run.Ended():
				open++
			case run.State == "failed":
				return fmt.Errorf("%s of %s failed: %s", run.Kind, run.Subject, run.Error)
			}
		}
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ListBackups prints what the ledger has, the latest first, and how old the last good ones
// are.
func ListBackups(kind string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		runs, err := a.keeper.Latest(ctx, keeping.Kind(kind), 100)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "KIND\tOF\tSTATE\tPROGRESS\tAGE\tTOOK\tSIZE\tASKED BY\tERROR")
		for _, r := range runs {
			age, took := "-", "-"
			if r.Finished != nil {
				age = time.Since(*r.Finished).Round(time.Second).String()
				took = r.Finished.Sub(*r.Started).Round(time.Millisecond).String()
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%.0f %%\t%s\t%s\t%s\t%s\t%s\n", r.Kind, r.Subject, r.State, 100*r.Progress, age, took, bytesText(r.Bytes), r.AskedBy, r.Error)
		}
		return table.Flush()
	})
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
}

// CheckBackups asks pgBackRest whether the log of each stanza arrives, and prints what the
// repository holds.
func CheckBackups(ctx context.Context, config Config, build Build, term Terminal) error {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		reached, err := a.keeper.Reached()
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "STANZA\tSTATE\tCIPHER\tBACKUPS\tNEWEST\tTYPE\tDATABASE\tADDED")
		var faults []error
		for _, name := range a.keeper.Clusters() {
			if !slices.Contains(reached, name) {
				fmt.Fprintf(table, "%s\tlooked after by another host\t\t\t\t\t\t\n", name)
				continue
			}
			if err := a.keeper.Repository.Check(ctx, name); err != nil {
				faults = append(faults, err)
			}
			s, err := a.keeper.Repository.Stanza(ctx, name)
			if err != nil {
				return errors.Join(append(faults, err)...)
			}
			newest, _ := s.Newest()
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", name, s.Message, s.Cipher, len(s.Backups), newest.Stopped.Format(time.RFC3339), newest.Type, bytesText(newest.Size), bytesText(newest.Stored))
		}
		return errors.Join(append(faults, table.Flush())...)
	})(ctx, config, build, term)
}

// ListTasks prints the regular tasks and how they last went.
func ListTasks(ctx context.Context, config Config, build Build, term Terminal) error {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		tasks, err := jobs.Tasks(ctx, a.db)
		if err != nil {
			return err
		}
		when := func(at *time.Time) string {
			if at == nil {
				return "never"
			}
			return time.Since(*at).Round(time.Second).String() + " ago"
		}
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "TASK\tEVERY\tLAST GOOD\tLAST FAILED\tTOOK\tGOOD\tFAILED\tERROR")
		for _, t := range tasks {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", t.Name, t.Interval, when(t.Succeeded), when(t.Failed), t.Took.Round(time.Millisecond), t.Successes, t.Failures, t.Error)
		}
		return table.Flush()
	})(ctx, config, build, term)
}

// ListOrphans prints what lies in storage and nothing owns, and sweeps none of it.
func ListOrphans(ctx context.Context, config Config, build Build, term Terminal) error {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		table := tabwriter.NewWriter(term.Out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "KIND\tKEY\tSIZE\tAGE")
		err := a.keeper.Orphans(ctx, func(o keeping.Orphan) error {
			_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", o.Kind, o.Key, bytesText(o.Bytes), time.Since(o.Since).Round(time.Minute))
			return err
		})
		return errors.Join(err, table.Flush())
	})(ctx, config, build, term)
}

// RunTask has a worker do a regular task now.
func RunTask(name string) Command {
	return withApp(func(ctx context.Context, a *App, term Terminal) error {
		if err := among("task", name, a.workers.Regular()...); err != nil {
			return err
		}
		if err := jobs.RunTask(ctx, a.db, name); err != nil {
			return err
		}
		_, err := fmt.Fprintf(term.Out, "A worker does %s next; stoa task list says how it went.\n", name)
		return err
	})
}
