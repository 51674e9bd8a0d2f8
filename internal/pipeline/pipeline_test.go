// Package pipeline_test holds what Jenkins and GitHub are told against the Makefile, which
// does the work: that both know its targets, do the same, and ask before it matters. Neither
// of them can be run here; that GitHub's workflows are well formed is said by actionlint.
package pipeline_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const top = "../.."

// stages are those of the original system, in their order.
var stages = []string{
	"Checkout", "Environment", "Code quality", "Security scan", "Unit tests with coverage", "SonarQube analysis and quality gate",
	"Image build", "Deploy to development", "Integration tests", "Staging, with approval", "Production, with approval",
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// calls finds calls of make that stand by themselves, so that prose about it is none.
var (
	inShell = regexp.MustCompile(`(?m)(?:sh '|run: |^    )make ([a-z][a-z-]*)`)
	inProse = regexp.MustCompile("`make ([a-z][a-z-]*)[^`]*`")
	target  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):.*## `)
)

func called(text string, by *regexp.Regexp) []string {
	found := map[string]bool{}
	for _, m := range by.FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestTheJenkinsfileHasTheElevenStages(t *testing.T) {
	text := read(t, "Jenkinsfile")
	var found []string
	for _, m := range regexp.MustCompile(`stage\('([^']+)'\)`).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	if !slices.Equal(found, stages) {
		t.Errorf("its stages are %q", found)
	}
	for _, part := range strings.Split(text, "stage('")[1:] {
		name, _, _ := strings.Cut(part, "'")
		asks := strings.Contains(part, "input {") && strings.Contains(part, "submitter ")
		if asks != strings.HasSuffix(name, "with approval") {
			t.Errorf("%s asks for approval: %v", name, asks)
		}
	}
	// Jenkins itself checks the rest; a bracket too few is found here.
	for _, pair := range []string{"{}", "()", "[]"} {
		if strings.Count(text, pair[:1]) != strings.Count(text, pair[1:]) {
			t.Errorf("its %s are not balanced", pair)
		}
	}
}

func TestPipelinesCallTargetsThatThereAre(t *testing.T) {
	known := called(read(t, "Makefile"), target)
	if len(known) < 20 {
		t.Fatalf("the Makefile has %v", known)
	}
	jenkins := called(read(t, "Jenkinsfile"), inShell)
	var github []string
	for _, file := range workflows(t) {
		github = append(github, called(read(t, file), inShell)...)
	}
	page := append(called(read(t, "docs/pipeline.md"), inProse), called(read(t, "docs/pipeline.md"), inShell)...)
	for by, targets := range map[string][]string{"the Jenkinsfile": jenkins, "the workflows": github, "docs/pipeline.md": page} {
		if len(targets) < 8 {
			t.Errorf("%s call %v only", by, targets)
		}
		for _, name := range targets {
			if !slices.Contains(known, name) {
				t.Errorf("%s call make %s, which there is not", by, name)
			}
		}
	}
	// Both do the same, but that GitHub logs in by an action of its own, and releases.
	for _, name := range jenkins {
		if !slices.Contains(github, name) && name != "registry-login" {
			t.Errorf("Jenkins calls make %s, GitHub does not", name)
		}
	}
	for _, name := range github {
		if !slices.Contains(jenkins, name) && !strings.HasPrefix(name, "release") {
			t.Errorf("GitHub calls make %s, Jenkins does not", name)
		}
	}
}

// TestModulesAreBuiltByOneGo has the modules beside the program's name the same Go, so that all are mended at once, and
// what one has compiled of the standard library serves the others.
func TestModulesAreBuiltByOneGo(t *testing.T) {
	named := regexp.MustCompile(`(?m)^toolchain go1\.\d+\.\d+$`)
	want := named.FindString(read(t, "go.mod"))
	for _, module := range []string{".", "helm", "helm/apiserver", "scripts/tools", "terraform/check"} {
		if got := named.FindString(read(t, filepath.Join(module, "go.mod"))); got == "" || got != want {
			t.Errorf("%s is built by %q, the program by %q", module, got, want)
		}
	}
}

func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, ".github/workflows/*.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("there are %v, %v", files, err)
	}
	for i := range files {
		files[i] = strings.TrimPrefix(files[i], top+"/")
	}
	return files
}

var exact = regexp.MustCompile(`@v\d+\.\d+\.\d+$`)

func TestWorkflowsMayLittleAndAskBeforeItMatters(t *testing.T) {
	type job struct {
		Timeout     int `yaml:"timeout-minutes"`
		Needs       string
		Environment string
		Permissions map[string]string
		Steps       []struct {
			Uses, Run string
			With      map[string]any
		}
	}
	for _, file := range workflows(t) {
		var workflow struct {
			Permissions map[string]string
			Jobs        map[string]job
		}
		if err := yaml.Unmarshal([]byte(read(t, file)), &workflow); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !maps.Equal(workflow.Permissions, map[string]string{"contents": "read"}) {
			t.Errorf("%s: all its jobs may %v", file, workflow.Permissions)
		}
		for name, job := range workflow.Jobs {
			if job.Timeout == 0 {
				t.Errorf("%s: %s may take for ever", file, name)
			}
			if len(job.Permissions) > 0 && filepath.Base(file) != "release.yaml" {
				t.Errorf("%s: %s may %v", file, name, job.Permissions)
			}
			for _, step := range job.Steps {
				if step.Uses != "" && !exact.MatchString(step.Uses) {
					t.Errorf("%s: %s is not pinned", file, step.Uses)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s: %s leaves its token in the workspace", file, name)
				}
			}
		}
		if filepath.Base(file) != "deploy.yaml" {
			continue
		}
		for name, want := range map[string]job{"development": {Environment: "dev"}, "staging": {Environment: "staging", Needs: "development"}, "production": {Environment: "production", Needs: "staging"}} {
			if got := workflow.Jobs[name]; got.Environment != want.Environment || got.Needs != want.Needs {
				t.Errorf("%s goes to %q after %q", name, got.Environment, got.Needs)
			}
		}
	}
}

// TestWhatIsExcusedFromScansHasAReason keeps the lists of exceptions honest: each names its
// reason, and something that there is.
func TestWhatIsExcusedFromScansHasAReason(t *testing.T) {
	var gosec struct {
		Rules []struct {
			Path, Reason string
			Rules        []string
		} `yaml:"exclude-rules"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "scripts/security/gosec.json")), &gosec); err != nil || len(gosec.Rules) == 0 {
		t.Fatalf("gosec.json: %d rules, %v", len(gosec.Rules), err)
	}
	var files []string
	err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range gosec.Rules {
		pattern, err := regexp.Compile(rule.Path)
		if err != nil || !slices.ContainsFunc(files, pattern.MatchString) {
			t.Errorf("%q excuses no file (%v)", rule.Path, err)
		}
		if len(strings.Fields(rule.Reason)) < 2 || len(rule.Rules) == 0 || slices.Contains(rule.Rules, "*") {
			t.Errorf("%q is excused from %v because %q", rule.Path, rule.Rules, rule.Reason)
		}
	}
}
