// Command breaking compares the bundled contract with the one at the merge base with
// main, and fails when a client that was written for that one could break. Where there
// is nothing to compare with, it passes and says so.
//
//	go run ./openapi/contract/breaking [-base main]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// bundled is where the bundle lies in the repository.
const bundled = "openapi/contract/openapi.gen.json"

// errBreaking says that the contract breaks its promise; what exactly is printed before.
var errBreaking = errors.New("the contract breaks clients; see above")

func main() {
	base := flag.String("base", "", "the branch to compare with; origin/main or main, when left out")
	flag.Parse()
	if err := run(*base, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "breaking:", err)
		os.Exit(1)
	}
}

func run(branch string, out io.Writer) error {
	commit, err := mergeBase(branch)
	if err != nil {
		return err
	}
	if commit == "" {
		fmt.Fprintln(out, "breaking: there is no main to compare with; nothing to break")
		return nil
	}
	before, err := exec.Command("git", "show", commit+":"+bundled).Output()
	if err != nil {
		fmt.Fprintf(out, "breaking: there is no contract at %.12s; nothing to break\n", commit)
		return nil
	}
	changes, err := compare(before, contract.JSON)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "breaking: compared with the contract at %.12s\n", commit)
	return report(changes, out)
}

// mergeBase finds the commit that this one and the branch come from; empty when there is
// no such branch.
func mergeBase(branch string) (string, error) {
	candidates := []string{"origin/main", "main"}
	if branch != "" {
		candidates = []string{branch}
	}
	for _, candidate := range candidates {
		if exec.Command("git", "rev-parse", "--verify", "--quiet", candidate+"^{commit}").Run() != nil {
			continue
		}
		commit, err := exec.Command("git", "merge-base", "HEAD", candidate).Output()
		if err != nil {
			continue // histories without a common beginning, or a shallow clone
		}
		return strings.TrimSpace(string(commit)), nil
	}
	if branch != "" {
		return "", fmt.Errorf("find the merge base with %s: there is none", branch)
	}
	return "", nil
}

// compare lists what differs between two bundled contracts and may break a client.
func compare(before, after []byte) (checker.Changes, error) {
	old, err := load.NewSpecInfoFromData(openapi3.NewLoader(), before, "before.json")
	if err != nil {
		return nil, fmt.Errorf("load the former contract: %w", err)
	}
	current, err := load.NewSpecInfoFromData(openapi3.NewLoader(), after, "after.json")
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	difference, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), old, current)
	if err != nil {
		return nil, fmt.Errorf("compare the contracts: %w", err)
	}
	return checker.CheckBackwardCompatibility(checker.NewConfig(checker.GetAllChecks()), difference, sources), nil
}

// report prints the changes; those that surely break a client make it fail, the others
// are for the reviewer to judge.
func report(changes checker.Changes, out io.Writer) error {
	localizer := checker.NewDefaultLocalizer()
	broken := false
	for _, change := range changes {
		word := "warning"
		if change.GetLevel() == checker.ERR {
			word, broken = "BREAKS", true
		}
		fmt.Fprintf(out, "%s %s %s: %s [%s]\n", word, change.GetOperation(), change.GetPath(), change.GetUncolorizedText(localizer), change.GetId())
	}
	if broken {
		return errBreaking
	}
	if len(changes) == 0 {
		fmt.Fprintln(out, "breaking: no change that could break a client")
	}
	return nil
}
