// Stoa is a platform of shops: one binary that serves, works, migrates and keeps them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	// Certificates of authorities, and the world's time zones, where the machine has none,
	// as in an image from scratch.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/stoacommerce/stoa/app"
)

// Set when the program is built; see the Makefile.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	// The first signal ends the program in order, a second one at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	command := newCommand(app.Build{Version: version, Commit: commit})
	if err := command.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stoa:", err)
		os.Exit(1)
	}
}
