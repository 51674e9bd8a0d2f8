// Coverage reads a profile that `go test -coverprofile` wrote and fails when one of the
// packages below the given folders is covered less than it must be:
//
//	go run ./internal/coverage -profile coverage/coverage.out -least 80 tenants commerce
//
// A package that no test touched counts as not covered at all. Generated files, and
// packages for tests or without a function, do not count.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/cover"

	"github.com/stoacommerce/stoa/internal/house"
)

const module = "github.com/stoacommerce/stoa"

func main() {
	profile := flag.String("profile", "coverage/coverage.out", "the profile")
	least := flag.Float64("least", 80, "percent of statements that each package must have covered")
	flag.Parse()
	if err := run(os.Stdout, *profile, *least, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

// A tally counts a package's statements.
type tally struct{ statements, covered int }

func (t tally) percent() float64 { return 100 * float64(t.covered) / float64(max(t.statements, 1)) }

func run(out io.Writer, profile string, least float64, folders []string) error {
	profiles, err := cover.ParseProfiles(profile)
	if err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	tallies := count(profiles)
	untouched, err := packagesIn(folders)
	if err != nil {
		return err
	}
	for _, p := range untouched {
		if _, known := tallies[p]; !known {
			tallies[p] = tally{statements: 1}
		}
	}
	var low []string
	for _, p := range slices.SortedFunc(maps.Keys(tallies), func(a, b string) int {
		return cmp.Or(cmp.Compare(tallies[a].percent(), tallies[b].percent()), cmp.Compare(a, b))
	}) {
		if !in(p, folders) || house.ForTests(p) {
			continue
		}
		mark := ""
		if tallies[p].percent() < least {
			mark = fmt.Sprintf("  below %.0f %%", least)
			low = append(low, p)
		}
		fmt.Fprintf(out, "%6.1f %%  %s%s\n", tallies[p].percent(), p, mark)
	}
	if len(low) > 0 {
		return fmt.Errorf("%d package(s) covered less than %.0f %%: %s", len(low), least, strings.Join(low, ", "))
	}
	return nil
}

// count adds up the statements of each package. The parser has merged what several test
// binaries tell of one file.
func count(profiles []*cover.Profile) map[string]tally {
	tallies := map[string]tally{}
	for _, p := range profiles {
		name := strings.TrimPrefix(p.FileName, module+"/")
		if strings.HasSuffix(name, "_templ.go") || strings.Contains(path.Base(name), ".gen.") {
			continue
		}
		t := tallies[path.Dir(name)]
		for _, block := range p.Blocks {
			t.statements += block.NumStmt
			if block.Count > 0 {
				t.covered += block.NumStmt
			}
		}
		tallies[path.Dir(name)] = t
	}
	return tallies
}

// packagesIn are the packages below folders that have functions, whether tested or not.
func packagesIn(folders []string) ([]string, error) {
	var patterns []string
	for _, f := range folders {
		if _, err := os.Stat(f); err == nil {
			patterns = append(patterns, "./"+f+"/...")
		}
	}
	if len(patterns) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-f", `{{.Dir}}{{range .GoFiles}} {{.}}{{end}}|{{.ImportPath}}`}, patterns...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		files, importPath, _ := strings.Cut(strings.TrimSpace(line), "|")
		has, err := hasFunctions(strings.Fields(files))
		if err != nil {
			return nil, err
		}
		if has {
			found = append(found, strings.TrimPrefix(importPath, module+"/"))
		}
	}
	return found, nil
}

// hasFunctions says whether one of the files, after their folder, has a function.
func hasFunctions(folderAndFiles []string) (bool, error) {
	for _, file := range folderAndFiles[min(1, len(folderAndFiles)):] {
		b, err := os.ReadFile(path.Join(folderAndFiles[0], file))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, fmt.Errorf("read %s: %w", file, err)
		}
		if strings.Contains(string(b), "\nfunc ") {
			return true, nil
		}
	}
	return false, nil
}

func in(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return p == f || strings.HasPrefix(p, f+"/") })
}
