package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// newCommand is the program's command line. Commands hold flags and arguments only; what
// they do is in package app.
func newCommand(build app.Build) *cobra.Command {
	root := &cobra.Command{
		Use:   "stoa",
		Short: "A platform of shops, each behind its own wall",
		Long: "Stoa is a multi-tenant commerce platform: merchants sign up and have a hosted store\n" +
			"within seconds, integrators build on it with API keys, operators watch it.\n\n" +
			"`stoa dev` runs all of it on this machine. `stoa config reference` lists the settings.",
		SilenceUsage: true, SilenceErrors: true,
	}
	app.BindFlags(root.PersistentFlags())
	root.AddCommand(
		configured(build, "dev", "Run the whole platform on this machine, with demo stores", app.Dev),
		configured(build, "serve", "Serve the API, the shops and the pages", app.Serve),
		configured(build, "work", "Work on jobs", app.Work),
		configured(build, "certificates", "Keep the certificates of merchants' domains beside an Nginx", app.Certificates),
		configured(build, "migrate", "Bring the databases and all stores up to date", app.Migrate),
		configured(build, "reset", "Throw away everything that stoa dev keeps", reset),
		storeCommand(build), cellCommand(build), jobCommand(build), operatorCommand(build), secretsCommand(build), configCommand(), healthCommand(build),
		backupCommand(build), restoreCommand(build), taskCommand(build),
		&cobra.Command{Use: "version", Short: "Say which build this is", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "stoa %s (%s)\n", build.Version, build.Commit)
		}},
	)
	return root
}

// configured makes a command without arguments of its own.
func configured(build app.Build, use, short string, do app.Command) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, do)
	}}
}

// with reads the configuration and runs do.
func with(c *cobra.Command, build app.Build, do app.Command) error {
	config, err := app.LoadConfig(os.Environ(), c.Flags())
	if err != nil {
		return err
	}
	term := app.Terminal{Out: c.OutOrStdout(), Err: c.ErrOrStderr()}
	for _, warning := range config.Warnings {
		fmt.Fprintln(term.Err, "stoa: warning:", warning)
	}
	return do(c.Context(), config, build, term)
}

func reset(_ context.Context, config app.Config, _ app.Build, _ app.Terminal) error {
	return app.Reset(config)
}

// group is a command that has commands below it and does nothing by itself.
func group(use, short string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
}

func storeCommand(build app.Build) *cobra.Command {
	store := group("store", "Look after stores")
	var words, state string
	list := &cobra.Command{Use: "list", Short: "List stores", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, app.ListStores(words, state))
	}}
	list.Flags().StringVar(&words, "search", "", "only those whose name, address or ID has this")
	list.Flags().StringVar(&state, "state", "", "only those that are active, suspended or deleted")
	store.AddCommand(list)
	for verb, short := range map[string]string{
		"suspend": "Close a store's shop and stop its writes",
		"resume":  "Open a suspended store again",
		"delete":  "Delete a store; it can be restored for a while",
		"restore": "Bring a deleted store back",
	} {
		var reason string
		change := &cobra.Command{Use: verb + " STORE", Short: short, Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
			return with(c, build, app.ChangeStore(verb, args[0], reason))
		}}
		change.Flags().StringVar(&reason, "reason", "", "why; the merchant sees it")
		_ = change.MarkFlagRequired("reason") // the flag exists
		store.AddCommand(change)
	}
	store.AddCommand(planCommand(build))
	var file string
	export := &cobra.Command{Use: "export STORE", Short: "Write all of a store's data as JSON lines", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.ExportStore(args[0], file))
	}}
	export.Flags().StringVarP(&file, "output", "o", "-", "the file to write; - is standard output")
	store.AddCommand(export)
	return store
}

// exactly wants so many arguments, and says which.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("this is how it is called: %s", c.UseLine())
		}
		return nil
	}
}

func cellCommand(build app.Build) *cobra.Command {
	cell := group("cell", "Look at the databases that stores lie in")
	cell.AddCommand(configured(build, "list", "List the cells, and how full they are", app.ListCells))
	return cell
}

func jobCommand(build app.Build) *cobra.Command {
	job := group("job", "Look after jobs")
	var state string
	list := &cobra.Command{Use: "list", Short: "List jobs, the latest of each cell first", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, app.ListJobs(state))
	}}
	list.Flags().StringVar(&state, "state", "set_aside", "waiting, running, retrying or set_aside")
	job.AddCommand(list)
	for verb, short := range map[string]string{"retry": "Put a job that was set aside back into its queue", "discard": "Throw a job away that was set aside"} {
		var reason string
		change := &cobra.Command{Use: verb + " JOB", Short: short, Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
			return with(c, build, app.ChangeJob(verb, args[0], reason))
		}}
		change.Flags().StringVar(&reason, "reason", "", "why, for the audit")
		_ = change.MarkFlagRequired("reason") // the flag exists
		job.AddCommand(change)
	}
	return job
}

func planCommand(build app.Build) *cobra.Command {
	var reason string
	plan := &cobra.Command{Use: "plan STORE PLAN", Short: "Put a store on another plan", Args: exactly(2), RunE: func(c *cobra.Command, args []string) error {
		return with(c, build, app.SetPlan(args[0], args[1], reason))
	}}
	plan.Flags().StringVar(&reason, "reason", "", "why, for the audit")
	_ = plan.MarkFlagRequired("reason") // the flag exists
	return plan
}

func operatorCommand(build app.Build) *cobra.Command {
	operator := group("operator", "Look after operators' keys")
	var name, role string
	var days int
	create := &cobra.Command{Use: "create-key", Short: "Make an operator's key; it is shown once", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, app.CreateOperatorKey(name, role, days))
	}}
	create.Flags().StringVar(&name, "name", "", "whose key it is, for the audit")
	create.Flags().StringVar(&role, "role", "read", "read, support or admin")
	create.Flags().IntVar(&days, "days", 90, "after how many days it expires; 0 means never")
	_ = create.MarkFlagRequired("name") // the flag exists
	operator.AddCommand(create,
		configured(build, "list-keys", "List operators' keys", app.ListOperatorKeys),
		&cobra.Command{Use: "revoke-key KEY_ID", Short: "End an operator's key at once", Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
			return with(c, build, app.RevokeOperatorKey(args[0]))
		}},
	)
	return operator
}

func secretsCommand(build app.Build) *cobra.Command {
	command := group("secrets", "Look after the key ring")
	command.AddCommand(
		&cobra.Command{Use: "new-key [ID]", Short: "Make a key for STOA_SECRET_KEYS, named after the day unless told otherwise; put it first, the old ones after it", Args: cobra.MaximumNArgs(1), RunE: func(c *cobra.Command, args []string) error {
			id := clock.Now().Format(time.DateOnly)
			if len(args) > 0 {
				id = args[0]
			}
			key, err := secrets.NewKey(id)
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), key.Reveal())
			}
			return err
		}},
		configured(build, "rotate", "Seal everything anew under the newest key", app.RotateSecrets),
	)
	return command
}

func healthCommand(build app.Build) *cobra.Command {
	var live bool
	health := &cobra.Command{Use: "health", Short: "Ask the process that runs here whether it is ready", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return with(c, build, app.Health(live))
	}}
	health.Flags().BoolVar(&live, "live", false, "only whether it lives")
	return health
}

func configCommand() *cobra.Command {
	config := &cobra.Command{Use: "config", Short: "Print what is configured, secrets redacted", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		values, err := app.LoadConfig(os.Environ(), c.Flags())
		if err != nil {
			return err
		}
		return values.WriteValues(c.OutOrStdout())
	}}
	config.AddCommand(&cobra.Command{Use: "reference", Short: "List every setting", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return app.WriteReference(c.OutOrStdout())
	}})
	return config
}
