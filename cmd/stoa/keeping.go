package main

import (
	"github.com/spf13/cobra"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/app/keeping"
)

func backupCommand(build app.Build) *cobra.Command {
	backup := group("backup", "Make backups, and see how they stand")
	var detach bool
	backup.PersistentFlags().BoolVar(&detach, "detach", false, "leave it to a worker and do not wait")
	for _, b := range []struct {
		use, short string
		kind       keeping.Kind
	}{
		{"full", "Back up all databases in full", keeping.Full},
		{"differential", "Back up what has changed in the databases since the last full backup", keeping.Differential},
		{"incremental", "Back up what has changed in the databases since the last backup", keeping.Incremental},
		{"files", "Copy the stores' files and the configuration", keeping.Files},
		{"test", "Test that the databases can be restored", keeping.RestoreTest},
	} {
		backup.AddCommand(&cobra.Command{Use: b.use, Short: b.short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			return with(c, build, app.Backup(b.kind, "", detach))
		}})
	}
	backup.AddCommand(&cobra.Command{Use: "store STORE", Short: "Archive one store into a file that Postgres alone can read", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.Backup(keeping.Store, args[0], detach))
	}})
	var kind string
	list := &cobra.Command{Use: "list", Short: "List backups, archives and tests, the latest first", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, app.ListBackups(kind))
	}}
	list.Flags().StringVar(&kind, "kind", "", "only full, differential, incremental, files, store, restore_test or restore_store")
	backup.AddCommand(list,
		configured(build, "check", "See that the write-ahead log arrives, and what the repository holds", app.CheckBackups),
		configured(build, "new-key", "Make a pair of keys that archives and copies are sealed with", app.NewBackupKey),
	)
	return backup
}

func restoreCommand(build app.Build) *cobra.Command {
	restore := group("restore", "Restore databases, files, or one store beside the living one")
	var at, stanza, to string
	all := &cobra.Command{Use: "all", Short: "Restore the databases of a stanza into a new data directory", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		instant, err := app.Instant(at)
		if err != nil {
			return err
		}
		return with(c, build, app.RestoreCluster(stanza, to, instant))
	}}
	all.Flags().StringVar(&stanza, "stanza", "stoa", "which")
	all.Flags().StringVar(&to, "to", "", "the data directory, new or empty")
	_ = all.MarkFlagRequired("to") // the flag exists
	files := &cobra.Command{Use: "files", Short: "Put the stores' files back that are missing", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		instant, err := app.Instant(at)
		if err != nil {
			return err
		}
		return with(c, build, app.RestoreFiles(instant))
	}}
	var mode, key, reason string
	var drop bool
	store := &cobra.Command{Use: "store STORE", Short: "Restore one store beside the living one, and show what is there", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		instant, err := app.Instant(at)
		if err != nil {
			return err
		}
		return with(c, build, app.RestoreStore(args[0], mode, keeping.RestoreArgs{At: instant, Key: key}))
	}}
	store.Flags().StringVar(&key, "archive", "", "the archive to restore from, as stoa backup list names it, in place of an instant")
	for _, c := range []*cobra.Command{all, files, store} {
		c.Flags().StringVar(&at, "at", "", "to which instant, as 2026-11-29T12:00:00Z, or how long ago, as 10m; the latest unless set")
	}
	show := &cobra.Command{Use: "show STORE", Short: "Show what lies beside a store", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.ShowRestored(args[0], mode))
	}}
	swap := &cobra.Command{Use: "swap STORE", Short: "Put what was restored in the living store's place, or undo that", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.SwapRestored(args[0], mode, drop, reason))
	}}
	swap.Flags().StringVar(&reason, "reason", "", "why, for the audit")
	swap.Flags().BoolVar(&drop, "drop-orders", false, "have customers, orders, payments and stock be as they were, too; those since are listed")
	_ = swap.MarkFlagRequired("reason") // the flag exists
	discard := &cobra.Command{Use: "discard STORE", Short: "Throw away what lies beside a store", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.DiscardRestored(args[0], mode))
	}}
	for _, c := range []*cobra.Command{store, show, swap, discard} {
		c.Flags().StringVar(&mode, "mode", "live", "live, or test for its sandbox")
	}
	restore.AddCommand(all, files, store, show, swap, discard)
	return restore
}

func taskCommand(build app.Build) *cobra.Command {
	task := group("task", "Look after regular tasks")
	task.AddCommand(configured(build, "list", "List the regular tasks, and how they last went", app.ListTasks),
		configured(build, "orphans", "List files, archives and copies that nothing owns, and that keeping.orphans would sweep", app.ListOrphans),
		&cobra.Command{Use: "run TASK", Short: "Have a worker do a regular task now", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
			return with(c, build, app.RunTask(args[0]))
		}})
	return task
}
