package alerts_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/observability/dashboards"
)

var (
	contractPath = regexp.MustCompile(`(?m)^  (/v1/\S+):$`)
	namedPath    = regexp.MustCompile(`/v1/[a-z0-9_/{}…-]+[a-z0-9}…]`)
	operatorCall = regexp.MustCompile(`(?m)(?:^|\x60)operator '?([a-z_…/]+)`)
	variable     = regexp.MustCompile(`STOA_[A-Z_]+`)
	panelTitle   = regexp.MustCompile(`"([A-Z][^"\n]*\?)"`)
	logCall      = regexp.MustCompile(`(?i)log\.(?:Log|Debug|Info|Warn|Error)(?:Context|Attrs)?\((?:\s*[^"(]+(?:\([^()]*\))?,)*\s*"([^"]+)"|what :?= "([^"]+)"`) // some have it in a variable
	lookedFor    = regexp.MustCompile(`\.msg( == | \| startswith\(| \| test\()"([^"]+)"`)
	parameter    = regexp.MustCompile(`\{\w+\}|\b[a-z]+_…`)
)

// A runbook is read in a hurry: what it names must be there.
func TestRunbooksNameWhatThereIs(t *testing.T) {
	paths := map[string]bool{}
	for _, found := range contractPath.FindAllStringSubmatch(read(t, "../../openapi/contract/openapi.yaml"), -1) {
		paths[parameter.ReplaceAllString(found[1], "{}")] = true
	}
	titles := map[string]bool{}
	for _, d := range dashboards.All() {
		for _, panel := range d.Panels {
			titles[panel.Title] = true
		}
	}
	configuration := read(t, "../../docs/configuration.md")
	for line := range strings.Lines(read(t, "../../deploy/nginx/defaults.env")) {
		if name, _, found := strings.Cut(line, "="); found {
			configuration += "`" + name + "`\n"
		}
	}
	if len(paths) < 50 || len(titles) < 30 {
		t.Fatalf("%d paths and %d panels to compare with", len(paths), len(titles))
	}
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("runbooks: %v, %v", files, err)
	}
	for _, file := range files {
		text, name := read(t, file), filepath.Base(file)
		for path := range pathsIn(text) {
			if !paths[path] {
				t.Errorf("%s names %s, which the contract lacks", name, path)
			}
		}
		for _, found := range variable.FindAllString(text, -1) {
			if found != "STOA_OPERATOR_KEY" && !strings.Contains(configuration, "`"+found+"`") {
				t.Errorf("%s names %s, which is no setting", name, found)
			}
		}
		for _, found := range panelTitle.FindAllStringSubmatch(text, -1) {
			if !titles[found[1]] {
				t.Errorf("%s names the panel %q, which no dashboard has", name, found[1])
			}
		}
	}
}

// What a runbook looks for in the log is written there by the program.
func TestRunbooksLookForWhatIsLogged(t *testing.T) {
	var logged strings.Builder
	for _, room := range []string{"app", "billing", "commerce", "observability", "openapi", "platform", "tenants", "web", "webhooks"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gen.go"):
				return nil
			}
			for _, found := range logCall.FindAllStringSubmatch(read(t, path), -1) {
				logged.WriteString("\n" + found[1] + found[2] + "\n")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, file := range files {
		for _, found := range lookedFor.FindAllStringSubmatch(read(t, file), -1) {
			looked++
			want := found[2]
			switch found[1] {
			case " == ":
				want = "\n" + want + "\n"
			case " | startswith(":
				want = "\n" + want
			}
			if !strings.Contains(logged.String(), want) {
				t.Errorf("%s looks for %q, which nothing logs", filepath.Base(file), found[2])
			}
		}
	}
	if looked < 15 {
		t.Errorf("runbooks look for only %d messages", looked)
	}
}

// pathsIn are the API's paths that a runbook names, with {} for each parameter. What it
// calls through its function "operator" lies below /v1/operator/.
func pathsIn(text string) map[string]bool {
	found := map[string]bool{}
	text = strings.ReplaceAll(text, `/v1/operator/$@"`, "")
	for _, path := range namedPath.FindAllString(text, -1) {
		found[parameter.ReplaceAllString(path, "{}")] = true
	}
	for _, call := range operatorCall.FindAllStringSubmatch(text, -1) {
		found["/v1/operator/"+parameter.ReplaceAllString(call[1], "{}")] = true
	}
	return found
}

func TestPathsInRunbooks(t *testing.T) {
	got := slices.Sorted(maps.Keys(pathsIn("Ask `GET /v1/events` or `operator stores/sto_…/suspend -d '{}'`:\n" +
		"operator 'jobs?state=set_aside' | jq\nAn operator decides. `POST /v1/a/{a_id}/b`.")))
	want := []string{"/v1/a/{}/b", "/v1/events", "/v1/operator/jobs", "/v1/operator/stores/{}/suspend"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
