package compose_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// prometheus is what is asked of here in a configuration of Prometheus.
type prometheus struct {
	Alerting struct{ Alertmanagers []scrape }
	Scrapes  []scrape `yaml:"scrape_configs"`
	Rules    []string `yaml:"rule_files"`
}

type scrape struct {
	Job     string                       `yaml:"job_name"`
	Static  []struct{ Targets []string } `yaml:"static_configs"`
	Relabel []struct {
		Target      string `yaml:"target_label"`
		Replacement string
	} `yaml:"relabel_configs"`
}

func readPrometheus(t *testing.T, file string) (config prometheus) {
	t.Helper()
	read(t, file, &config)
	return config
}

func (p prometheus) jobs() (names []string) {
	for _, s := range p.Scrapes {
		names = append(names, s.Job)
	}
	slices.Sort(names)
	return names
}

var selected = regexp.MustCompile(`\bjob=~?\\?"([^"\\]+)\\?"`)

// TestJobsAreThoseOfRulesAndDashboards holds both configurations of Prometheus against each other
// and against the jobs that rules and dashboards choose by.
func TestJobsAreThoseOfRulesAndDashboards(t *testing.T) {
	jobs := readPrometheus(t, "prometheus.yaml").jobs()
	if others := readPrometheus(t, "../../observability/prometheus.yaml").jobs(); !slices.Equal(jobs, others) {
		t.Errorf("here the jobs are %v, in observability %v", jobs, others)
	}
	found := 0
	for _, pattern := range []string{"alerts/*.yaml", "dashboards/*.json"} {
		files, err := filepath.Glob(filepath.Join("../../observability", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range selected.FindAllStringSubmatch(string(text), -1) {
				for name := range strings.SplitSeq(match[1], "|") {
					found++
					if !slices.Contains(jobs, name) {
						t.Errorf("%s chooses job %s, which is none of %v", file, name, jobs)
					}
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("rules and dashboards choose by a job %d times only", found)
	}
}

// TestWhatIsAskedIsThere holds what Prometheus and Grafana ask against the services.
func TestWhatIsAskedIsThere(t *testing.T) {
	project := load(t, production)
	config := readPrometheus(t, "prometheus.yaml")
	asked := map[string]string{}
	for _, s := range append(config.Scrapes, config.Alerting.Alertmanagers...) {
		for _, group := range s.Static {
			for _, target := range group.Targets {
				if s.Job != "front-door" {
					asked[target] = "prometheus"
				}
			}
		}
		for _, rule := range s.Relabel {
			if rule.Target == "__address__" {
				asked[rule.Replacement] = "prometheus"
			}
		}
	}
	grafana := project.Services["grafana"]
	asked[strings.TrimPrefix(*grafana.Environment["PROMETHEUS_URL"], "http://")] = "grafana"
	if len(asked) < 8 {
		t.Fatalf("only %v are asked", asked)
	}
	for target, by := range asked {
		host, port, err := net.SplitHostPort(target)
		service, known := project.Services[host]
		if _, err2 := strconv.Atoi(port); err != nil || err2 != nil || !known {
			t.Errorf("%s asks %s, which is no service", by, target)
			continue
		}
		if _, meet := service.Networks["observability"]; !meet {
			t.Errorf("%s cannot reach %s", by, target)
		}
	}
	var provisioning struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read(t, "../../observability/grafana/provisioning/dashboards/stoa.yaml", &provisioning)
	home := *grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	for _, provider := range provisioning.Providers {
		mounted := slices.IndexFunc(grafana.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == provider.Options.Path })
		if mounted < 0 || filepath.Dir(home) != provider.Options.Path {
			t.Fatalf("dashboards are sought in %s, and the first is %s", provider.Options.Path, home)
		}
		if _, err := os.Stat(filepath.Join(grafana.Volumes[mounted].Source, filepath.Base(home))); err != nil {
			t.Errorf("Grafana begins with %v", err)
		}
	}
	for _, service := range project.Services {
		if slices.Contains(service.Command, "serve") || slices.Contains(service.Command, "work") {
			if asked[service.Name+":8081"] == "" {
				t.Errorf("nobody scrapes %s", service.Name)
			}
		}
	}
}
