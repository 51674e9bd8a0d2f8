// Withservices runs a command beside a Postgres and a Redis for tests, whose addresses
// it hands the command in STOA_TEST_DATABASE_URL and STOA_TEST_REDIS_URL, so that all
// packages of one `go test` share them:
//
//	go run ./internal/withservices go test ./...
//
// What the environment names already is used and not started. Both end with the command.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withservices command [argument …]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withservices:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(command []string) (code int, err error) {
	// Ctrl-C reaches the command by itself; we only have to outlive it.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	stop, err := start(&cmd.Env)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", command[0], err)
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // for a signal that was sent to us alone
		}
	}()
	err = cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return max(ended.ExitCode(), 1), nil
	}
	return 0, err
}

// start starts what environment does not name, and names it there.
func start(environment *[]string) (stop func() error, err error) {
	var (
		group    errgroup.Group
		postgres *embedded.Postgres
		redis    *embedded.Redis
	)
	ctx := context.Background()
	if os.Getenv(testenv.DatabaseVariable) == "" {
		group.Go(func() (err error) {
			postgres, err = embedded.StartPostgres(ctx, embedded.PostgresOptions{Fast: true, MaxConnections: 400})
			return err
		})
	}
	if os.Getenv(testenv.RedisVariable) == "" {
		group.Go(func() (err error) {
			redis, err = embedded.StartRedis(ctx, embedded.RedisOptions{Databases: testenv.Databases})
			return err
		})
	}
	err = group.Wait()
	if postgres != nil {
		*environment = append(*environment, testenv.DatabaseVariable+"="+postgres.URL())
	}
	if redis != nil {
		*environment = append(*environment, testenv.RedisVariable+"="+redis.URL())
	}
	return func() error {
		var faults []error
		if postgres != nil {
			faults = append(faults, postgres.Stop())
		}
		if redis != nil {
			faults = append(faults, redis.Stop())
		}
		return errors.Join(faults...)
	}, err
}
