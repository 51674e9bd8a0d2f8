package alerts_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/stoacommerce/stoa/observability/alerts"
)

const runbooks = "../../docs/runbooks"

// testFiles are the tests that promtool runs.
func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("tests/*.yaml")
	if err != nil || len(files) < len(alerts.Names) {
		t.Fatalf("%v test %v (%v)", files, alerts.Names, err)
	}
	return files
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("this test needs the program promtool (on Debian: apt-get install prometheus): %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheusIsConfigured(t *testing.T) {
	promtool(t, "check", "config", "--syntax-only", "../prometheus.yaml")
}

func TestRulesAreValid(t *testing.T) {
	promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, alerts.Names...)...)
}

// TestAlertmanagerSendsEachAlertOnce has Alertmanager's own tool read the configuration, say where
// alerts go, and holds what inhibits against the alerts that there are.
func TestAlertmanagerSendsEachAlertOnce(t *testing.T) {
	const file = "../alertmanager.yaml"
	tool := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "amtool", args...).Output()
		if err != nil {
			t.Fatalf("amtool %s (on Debian: apt-get install prometheus-alertmanager): %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	tool("check-config", file)
	for _, a := range readAlerts(t) {
		severity := a.Labels["severity"]
		if got := tool("config", "routes", "test", "--config.file="+file, "alertname="+a.Alert, "severity="+severity); got != severity {
			t.Errorf("%s (%s) goes to %s", a.Alert, severity, got)
		}
	}
	text := read(t, file)
	for _, found := range regexp.MustCompile(`alertname=~?"([A-Za-z|]+)"`).FindAllStringSubmatch(text, -1) {
		for name := range strings.SplitSeq(found[1], "|") {
			if !slices.ContainsFunc(readAlerts(t), func(a alert) bool { return a.Alert == name }) {
				t.Errorf("an inhibition names %s, which is no alert", name)
			}
		}
	}
}

func TestGeneratedRulesAreCurrent(t *testing.T) {
	if read(t, alerts.ObjectivesFile) != alerts.ObjectiveRules() {
		t.Errorf("%s differs from its source: run go generate ./observability/alerts", alerts.ObjectivesFile)
	}
}

func TestRules(t *testing.T) {
	for _, file := range testFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			promtool(t, "test", "rules", file)
		})
	}
}

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func readAlerts(t *testing.T) []alert {
	t.Helper()
	var all []alert
	for _, name := range alerts.Names {
		text, err := alerts.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Groups []struct{ Rules []alert } }
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, group := range file.Groups {
			all = append(all, slices.DeleteFunc(group.Rules, func(a alert) bool { return a.Alert == "" })...)
		}
	}
	return all
}

func TestEveryAlertSaysHowBadItIsAndWhatToDo(t *testing.T) {
	known := map[string]bool{"README.md": true}
	for _, a := range readAlerts(t) {
		if severity := a.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s has the severity %q", a.Alert, severity)
		}
		if !strings.HasSuffix(a.Annotations["summary"], ".") {
			t.Errorf("%s has no summary in a sentence", a.Alert)
		}
		file := path.Base(a.Annotations["runbook_url"])
		known[file] = true
		if file != alerts.Runbook(a.Alert) {
			t.Errorf("%s names the runbook %q", a.Alert, file)
		}
		text, err := os.ReadFile(filepath.Join(runbooks, file))
		if err != nil {
			t.Errorf("%s: %v", a.Alert, err)
			continue
		}
		checkRunbook(t, a.Alert, string(text))
	}
	checkIndex(t, known)
}

func checkRunbook(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "# "+name+"\n") {
		t.Errorf("%s: the runbook's title is not the alert's name", name)
	}
	at := 0
	for _, heading := range []string{"\n## What it means", "\n## Who is hurt", "\n## Look", "\n## Do"} {
		i := strings.Index(text[at:], heading)
		if i < 0 {
			t.Errorf("%s: the runbook lacks %q, or has it out of order", name, strings.TrimSpace(heading))
			return
		}
		at += i
	}
}

// checkIndex finds runbooks that the index lacks.
func checkIndex(t *testing.T, known map[string]bool) {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for file := range known {
		if file != "README.md" && !strings.Contains(string(index), "("+file+")") {
			t.Errorf("%s is missing in the index of runbooks", file)
		}
	}
}

func TestEveryAlertIsTestedFiringAndQuiet(t *testing.T) {
	tested := map[string]map[bool]bool{}
	for _, name := range testFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct {
				Cases []struct {
					Alertname string `yaml:"alertname"`
					Expected  []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, test := range file.Tests {
			for _, c := range test.Cases {
				if tested[c.Alertname] == nil {
					tested[c.Alertname] = map[bool]bool{}
				}
				tested[c.Alertname][len(c.Expected) > 0] = true
			}
		}
	}
	all := readAlerts(t)
	if len(all) < 40 {
		t.Errorf("only %d alerts", len(all))
	}
	for _, a := range all {
		for _, firing := range []bool{true, false} {
			if !tested[a.Alert][firing] {
				t.Errorf("no test of %s with firing=%v", a.Alert, firing)
			}
		}
		delete(tested, a.Alert)
	}
	for name := range tested {
		t.Errorf("%s is tested but is no alert", name)
	}
}
