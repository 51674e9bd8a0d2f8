// Command generate writes objectives.yaml. Run it in the folder alerts, or by go generate.
package main

import (
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/observability/alerts"
)

func main() {
	if err := os.WriteFile(alerts.ObjectivesFile, []byte(alerts.ObjectiveRules()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
