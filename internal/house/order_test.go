package house

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longest is how many lines a file may have that a person wrote; one beyond it wants to
// be two.
const longest = 600

// vague are names that say nothing of what a package owns.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "shared", "lib", "core", "base"}

// environment is who may read the process's environment: the configuration, which is
// handed it by the commands, and what starts processes or tests.
var environment = []string{"cmd/", "internal/", "platform/child/", "openapi/contract/"}

var (
	readsEnvironment = regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ)\(`)
	skips            = regexp.MustCompile(`\b[tb]\.Skip(f|Now)?\(`)
	steps            = regexp.MustCompile(`\b[tb] \*?(testing|rapid)\.`) // a step of a generated history that does not apply is no test
	unfinished       = regexp.MustCompile(`\b(TODO|FIXME)\b`)
	withReason       = regexp.MustCompile(`\bTODO: \S+ \S+ \S+`)
)

// sources are the Go files under version control that people wrote, by path.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.go").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	files := map[string][]byte{}
	for path := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if strings.HasSuffix(path, "_templ.go") || strings.Contains(filepath.Base(path), ".gen.") {
			continue
		}
		b, err := os.ReadFile(filepath.Join("../..", path))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		files[path] = b
	}
	if len(files) < 10 {
		t.Fatalf("found %d files only", len(files))
	}
	return files
}

func TestFilesAreOfReadableLength(t *testing.T) {
	for path, b := range sources(t) {
		if n := bytes.Count(b, []byte("\n")); n > longest {
			t.Errorf("%s has %d lines; at most %d: two files would be clearer", path, n, longest)
		}
	}
}

func TestPackagesSayWhatTheyOwn(t *testing.T) {
	for _, p := range allPackages(t) {
		if slices.Contains(vague, p.Name) {
			t.Errorf("%s: a package named %q can own anything", p.path(), p.Name)
		}
	}
}

func TestTheEnvironmentIsReadInOnePlace(t *testing.T) {
	for path, b := range sources(t) {
		allowed := ForTests(path) || slices.ContainsFunc(environment, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
		if !allowed && !strings.HasSuffix(path, "_test.go") && readsEnvironment.Match(b) {
			t.Errorf("%s reads the environment; settings come from app.Config", path)
		}
	}
}

func TestNothingIsSkippedOrLeftUnexplained(t *testing.T) {
	for path, b := range sources(t) {
		if path == "internal/house/order_test.go" {
			continue
		}
		within := ""
		for i, line := range strings.Split(string(b), "\n") {
			if found := steps.FindStringSubmatch(line); found != nil {
				within = found[1]
			}
			if skips.MatchString(line) && within != "rapid" {
				t.Errorf("%s:%d skips a test", path, i+1)
			}
			if unfinished.MatchString(line) && !withReason.MatchString(line) {
				t.Errorf("%s:%d leaves something unfinished without saying why", path, i+1)
			}
		}
	}
}
