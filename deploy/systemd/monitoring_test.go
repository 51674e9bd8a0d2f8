package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// prometheus is what is asked of here in a configuration of Prometheus.
type prometheus struct {
	Scrapes []struct {
		Job     string                         `yaml:"job_name"`
		Static  []struct{ Targets []string }   `yaml:"static_configs"`
		Relabel []struct{ Replacement string } `yaml:"relabel_configs"`
	} `yaml:"scrape_configs"`
}

func (p prometheus) jobs() (names []string) {
	for _, s := range p.Scrapes {
		names = append(names, s.Job)
	}
	slices.Sort(names)
	return names
}

// What is scraped on one server is there: the units' processes and the exporters, where their settings put them; in the jobs
// that rules and dashboards rely on.
func TestWhatIsScrapedIsThere(t *testing.T) {
	var here, general prometheus
	for file, into := range map[string]*prometheus{"monitoring/prometheus.yaml": &here, "../../observability/prometheus.yaml": &general} {
		if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if !slices.Equal(here.jobs(), general.jobs()) {
		t.Errorf("here the jobs are %v, in observability %v", here.jobs(), general.jobs())
	}
	var asked []string
	for _, s := range here.Scrapes {
		for _, group := range s.Static {
			for _, target := range group.Targets {
				if s.Job != "front-door" {
					asked = append(asked, target)
				}
			}
		}
		for _, rule := range s.Relabel {
			if rule.Replacement != "" {
				asked = append(asked, rule.Replacement)
			}
		}
	}
	var told []string
	for _, unit := range []string{"stoa@.service", "stoa-worker.service", "stoa-backup.service"} {
		address := regexp.MustCompile(`STOA_OPS_ADDR=(\S+)`).FindStringSubmatch(read(t, unit))[1]
		if strings.HasSuffix(address, "%i") {
			told = append(told, strings.ReplaceAll(address, "%i", "1"), strings.ReplaceAll(address, "%i", "2"))
			continue
		}
		told = append(told, address)
	}
	exporters, err := filepath.Glob("monitoring/default/prometheus-*-exporter")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range exporters {
		told = append(told, regexp.MustCompile(`web\.listen-address=([0-9.:]+)`).FindStringSubmatch(read(t, file))[1])
	}
	slices.Sort(asked)
	slices.Sort(told)
	if len(told) < 9 || !slices.Equal(asked, told) {
		t.Errorf("asked are %v, and there are %v", asked, told)
	}
}

// Prometheus and Alertmanager take what the guide makes for them, and each receiver that is told of something is there.
func TestWhoIsToldOfAlertsIsThere(t *testing.T) {
	general, _, _ := strings.Cut(read(t, "../../observability/alertmanager.yaml"), "\nreceivers:")
	made := filepath.Join(t.TempDir(), "alertmanager.yaml")
	if err := os.WriteFile(made, []byte(general+"\n"+read(t, "monitoring/receivers.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, check := range [][]string{{"amtool", "check-config", made}, {"promtool", "check", "config", "--syntax-only", "monitoring/prometheus.yaml"}} {
		if out, err := exec.Command(check[0], check[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", check, err, out)
		}
	}
}
