// Bench measures the program on a real Postgres and Redis, prints what it found beside
// what was promised, and writes it into docs/performance.md. It is what `make bench`
// runs; it takes the servers from STOA_TEST_DATABASE_URL and STOA_TEST_REDIS_URL:
//
//	go run ./internal/withservices go run ./internal/bench [-only request] [-page docs/performance.md]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/stoacommerce/stoa/internal/bench/report"
)

// A part measures one side of the program and writes its tables between its own marks.
type part struct {
	name    string
	measure func(ctx context.Context) ([]report.Table, error)
}

// parts are measured in this order.
var parts = []part{}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "the parts to measure, with commas between them; all when empty")
	page := flag.String("page", "", "the page to write the tables into; none when empty")
	flag.Parse()
	if err := run(ctx, *only, *page); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the parts. A part that fails does not keep the others from being
// measured; a promise that is not kept is told, and is no error.
func run(ctx context.Context, only, page string) error {
	chosen := strings.FieldsFunc(only, func(c rune) bool { return c == ',' })
	var faults []error
	for _, name := range chosen {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			faults = append(faults, fmt.Errorf("there is no part %q", name))
		}
	}
	for _, p := range parts {
		if len(chosen) > 0 && !slices.Contains(chosen, p.name) || ctx.Err() != nil {
			continue
		}
		tables, err := p.measure(ctx)
		if err != nil {
			faults = append(faults, fmt.Errorf("measure the part %s: %w", p.name, err))
			continue
		}
		for _, t := range tables {
			fmt.Println(t.Markdown())
		}
		for _, row := range report.Broken(tables) {
			fmt.Printf("Not kept: %s is %s; promised was %s.\n\n", row.Name, row.Value, row.Promise)
		}
		if page != "" {
			faults = append(faults, report.Write(page, p.name, tables))
		}
	}
	return errors.Join(append(faults, ctx.Err())...)
}
