// Licences says under which licences the parts of the program stand, and fails where one of
// them is not on the list of those that are allowed: of the Go modules that are linked into
// it, by the text of their licence files, and of npm's packages that the back office is made
// of, by what their lock file says. It is run at the top of the repository:
//
//	licences scripts/security/licences.txt ./cmd/stoa web/admin/package-lock.json
//
// A line of the list is a licence's name in SPDX's terms; with a module or package after it,
// it is allowed for that one alone.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: licences LIST PACKAGE LOCKFILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// A part is a module or package with the licences that apply to it, all of them.
type part struct {
	name     string
	licences []string
}

func run(list, program, lock string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	modules, err := modulesOf(program)
	if err != nil {
		return err
	}
	packages, err := packagesOf(lock)
	if err != nil {
		return err
	}
	counts, wrong := judge(parse(string(text)), append(modules, packages...))
	for _, licence := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("%5d %s\n", counts[licence], licence)
	}
	return errors.Join(wrong...)
}

// parse reads the list: which licences are allowed, for whom; for all under the empty name.
func parse(list string) map[string][]string {
	allowed := map[string][]string{}
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			allowed[words[0]] = append(allowed[words[0]], strings.Join(words[1:], " "))
		}
	}
	return allowed
}

// judge counts the parts by licence, and names those that are not allowed.
func judge(allowed map[string][]string, parts []part) (counts map[string]int, wrong []error) {
	counts = map[string]int{}
	for _, p := range parts {
		if len(p.licences) == 0 {
			p.licences = []string{none}
		}
		may := func(licence string) bool {
			whom := allowed[licence]
			return slices.Contains(whom, "") || slices.Contains(whom, p.name)
		}
		for _, licence := range p.licences {
			counts[licence]++
			if !satisfied(licence, may) {
				wrong = append(wrong, fmt.Errorf("%s stands under %s, which is not on the list", p.name, licence))
			}
		}
	}
	return counts, wrong
}

// none is the licence of those whose text is not known.
const none = "none"

// satisfied says whether an expression of SPDX, without brackets within it, is allowed: all
// parts of a conjunction, or one that may be chosen.
func satisfied(expression string, may func(string) bool) bool {
	expression = strings.TrimSuffix(strings.TrimPrefix(expression, "("), ")")
	if choices := strings.Split(expression, " OR "); len(choices) > 1 {
		return slices.ContainsFunc(choices, may)
	}
	return !slices.ContainsFunc(strings.Split(expression, " AND "), func(one string) bool { return !may(one) })
}

// modulesOf are the modules that are linked into a program, but for its own.
func modulesOf(program string) ([]part, error) {
	out, err := exec.Command("go", "list", "-deps", "-json=Module", program).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", program, err)
	}
	seen := map[string]bool{}
	var parts []part
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return parts, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list %s: %w", program, err)
		}
		if p.Module == nil || p.Module.Main || seen[p.Module.Path] {
			continue
		}
		seen[p.Module.Path] = true
		licences, err := licencesIn(p.Module.Dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Module.Path, err)
		}
		parts = append(parts, part{p.Module.Path, licences})
	}
}

// licenceFile are the names that licences are found under.
var licenceFile = regexp.MustCompile(`(?i)^(un)?licen[cs]e|^copying`)

// licencesIn are those whose text stands in the files at the top of a folder. A file that
// is mostly something else is none.
func licencesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		cover := licensecheck.Scan(text)
		for _, match := range cover.Match {
			if !match.IsURL && !slices.Contains(found, match.ID) {
				found = append(found, match.ID)
			}
		}
	}
	return found, nil
}

// packagesOf are npm's packages of a lock file, but for those that only development needs.
func packagesOf(lock string) ([]part, error) {
	text, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	var file struct {
		Packages map[string]struct {
			License string
			Dev     bool
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", lock, err)
	}
	var parts []part
	for path, p := range file.Packages {
		if path == "" || p.Dev {
			continue
		}
		name := path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		one := part{name: name}
		if p.License != "" {
			one.licences = []string{p.License}
		}
		parts = append(parts, one)
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}
