package helm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/stoacommerce/stoa/helm"
)

// TestReplicasFollowTheLoad holds the autoscalers against their Deployments, the program's metrics and the adapter's rules.
func TestReplicasFollowTheLoad(t *testing.T) {
	source := read(t, "observability/metrics_http.go") + read(t, "observability/metrics_queue.go")
	adapter := read(t, "helm/prometheus-adapter.yaml")
	scaled := map[string]bool{}
	for _, h := range of[*autoscalingv2.HorizontalPodAutoscaler](t, "file: values-prod.yaml") {
		scaled[h.Spec.ScaleTargetRef.Name] = true
		if *h.Spec.MinReplicas < 3 || h.Spec.MaxReplicas <= *h.Spec.MinReplicas {
			t.Errorf("%s is between %d and %d: no zone may be lost", h.Name, *h.Spec.MinReplicas, h.Spec.MaxReplicas)
		}
		for _, m := range h.Spec.Metrics {
			name := ""
			switch m.Type {
			case autoscalingv2.PodsMetricSourceType:
				name = m.Pods.Metric.Name
			case autoscalingv2.ExternalMetricSourceType:
				name = m.External.Metric.Name
			}
			if !strings.Contains(source, strconv.Quote(name)) {
				t.Errorf("%s asks for %q, which the program does not count", h.Name, name)
			}
			if !strings.Contains(adapter, "seriesQuery: "+name+"{") {
				t.Errorf("%s asks for %q, which the adapter does not know", h.Name, name)
			}
		}
	}
	for _, d := range of[*appsv1.Deployment](t, "file: values-prod.yaml") {
		if has := d.Spec.Replicas != nil; has == scaled[d.Name] {
			t.Errorf("%s: replicas are said by the chart: %v, by an autoscaler: %v", d.Name, has, scaled[d.Name])
		}
	}
	if len(scaled) != 2 {
		t.Errorf("scaled are %v", scaled)
	}
}

// TestTheBundledPostgresHasConnectionsForAll counts what all processes may open, while they are replaced too.
func TestTheBundledPostgresHasConnectionsForAll(t *testing.T) {
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]values{"dev": installations["dev"], "staging": installations["staging"], "scaled": "file: values-staging.yaml\n---\n{api: {autoscaling: {enabled: true}}, worker: {autoscaling: {enabled: true}}, domains: {addresses: [203.0.113.7]}, postgres: {bundled: {maxConnections: 1000}}}"} {
		merged, err := chartutil.CoalesceValues(c, merged(t, c, v))
		if err != nil {
			t.Fatal(err)
		}
		number := func(path string, otherwise int) int {
			value, err := merged.PathValue(path)
			if err != nil {
				return otherwise
			}
			n, err := strconv.Atoi(fmt.Sprint(value))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		processes := 1 // that migrates
		for _, part := range []string{"api", "worker"} {
			replicas := number(part+".replicas", 0)
			if on, _ := merged.PathValue(part + ".autoscaling.enabled"); on == true {
				replicas = number(part+".autoscaling.maxReplicas", 0)
			}
			processes += replicas + 1
		}
		if addresses, _ := merged.PathValue("domains.addresses"); addresses != nil && fmt.Sprint(addresses) != "[]" {
			processes += number("nginx.replicas", 0) + 1
		}
		each := number("settings.STOA_DATABASE_CONNECTIONS", 8) + number("settings.STOA_CELL_LOGINS", 8)*number("settings.STOA_CELL_CONNECTIONS", 4)
		if most := number("postgres.bundled.maxConnections", 0); processes*each > most {
			t.Errorf("%s: %d processes of %d connections each are more than %d", name, processes, each, most)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEachSettingIsKnown holds every variable of every container against docs/configuration.md.
func TestEachSettingIsKnown(t *testing.T) {
	plain, secret, err := helm.Settings(root)
	if err != nil || len(plain) < 30 || len(secret) < 5 {
		t.Fatalf("%d settings, %d secrets: %v", len(plain), len(secret), err)
	}
	known := map[string]bool{}
	for _, name := range plain {
		known[name] = true
	}
	for _, name := range secret {
		known[name+"_FILE"] = true
	}
	known["STOA_REDIS_URL"] = true // made of the bundled Redis' password
	each(t, func(t *testing.T, v values) {
		for component, pod := range pods(t, v) {
			for _, c := range pod.Spec.Containers {
				for _, variable := range c.Env {
					if strings.HasPrefix(variable.Name, "STOA_") && !known[variable.Name] {
						t.Errorf("%s/%s sets %s, which the program does not know", component, c.Name, variable.Name)
					}
				}
			}
		}
	})
}

// TestRulesAndDashboardsAreThoseOfTheProject counts what observability/ holds.
func TestRulesAndDashboardsAreThoseOfTheProject(t *testing.T) {
	var rules, dashboards int
	for _, o := range objects(t, installations["prod"]) {
		switch name := o.GetName(); {
		case o.GetKind() == "PrometheusRule":
			rules++
			if groups, _, err := unstructured.NestedSlice(o.Object, "spec", "groups"); err != nil || len(groups) == 0 {
				t.Errorf("%s has no rules: %v", name, err)
			}
		case strings.HasPrefix(name, "stoa-dashboard-"):
			dashboards++
			data, _, err := unstructured.NestedStringMap(o.Object, "data")
			if err != nil || len(data) != 1 {
				t.Fatal(name, err)
			}
			for file, text := range data {
				if want := read(t, "observability/dashboards/"+strings.TrimPrefix(file, "stoa-")); strings.TrimSpace(text) != strings.TrimSpace(want) || !json.Valid([]byte(text)) {
					t.Errorf("%s is not what observability/dashboards has", file)
				}
				if len(text) > 1<<20 {
					t.Errorf("%s is too large for a ConfigMap", file)
				}
			}
		case o.GetKind() == "ServiceMonitor":
			if label, _, _ := unstructured.NestedString(o.Object, "spec", "jobLabel"); label != "app.kubernetes.io/part-of" {
				t.Errorf("series are of the job that %q says; rules and dashboards ask for stoa", label)
			}
		}
	}
	tests, _ := filepath.Glob(filepath.Join(root, "observability/alerts/*_test.yaml"))
	all, _ := filepath.Glob(filepath.Join(root, "observability/alerts/*.yaml"))
	pictures, _ := filepath.Glob(filepath.Join(root, "observability/dashboards/*.json"))
	if rules != len(all)-len(tests) || rules == 0 || dashboards != len(pictures) || dashboards == 0 {
		t.Errorf("%d files of rules and %d dashboards are installed; there are %d and %d", rules, dashboards, len(all)-len(tests), len(pictures))
	}
}

// TestAReleaseFitsIntoASecret writes a release down as Helm does, with all of its files.
func TestAReleaseFitsIntoASecret(t *testing.T) {
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	made, err := helm.Render(c, merged(t, c, installations["prod"]))
	if err != nil {
		t.Fatal(err)
	}
	client := fake.NewClientset()
	if err := driver.NewSecrets(client.CoreV1().Secrets("stoa")).Create("stoa", made); err != nil {
		t.Fatal(err)
	}
	kept, err := client.CoreV1().Secrets("stoa").Get(t.Context(), "stoa", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if size := len(kept.Data["release"]); size > 768<<10 {
		t.Errorf("a release takes %d KB; a Secret holds 1,024", size>>10)
	}
	for _, f := range append(c.Files, c.Raw...) {
		if strings.HasSuffix(f.Name, ".go") || strings.HasSuffix(f.Name, "_test.yaml") {
			t.Errorf("%s is in the chart", f.Name)
		}
	}
}

// TestNginxTakesItsConfiguration has a real Nginx read what is rendered. Debian's is older than the image's: it knows
// neither replicas by name nor a cache of certificates, and these two are taken out for it.
func TestNginxTakesItsConfiguration(t *testing.T) {
	for _, name := range []string{"prod", "dev", "everything"} {
		config := ""
		for _, m := range of[*corev1.ConfigMap](t, installations[name]) {
			config += m.Data["nginx.conf"]
		}
		if strings.Contains(config, "${") || !strings.Contains(config, "server_name .") {
			t.Fatalf("%s: not filled in:\n%s", name, config)
		}
		dir := t.TempDir()
		for _, pair := range [][2]string{
			{`resolver \S+ valid=2s; server stoa-api-pods\.stoa\.svc\.cluster\.local:8080 resolve `, "server 127.0.0.1:8080 "},
			{`ssl_certificate_cache [^;]*;`, ""},
			{`/var/lib/nginx`, dir},
			{`listen (8080|8443)`, "listen 127.0.0.1:$1"},
		} {
			found := regexp.MustCompile(pair[0])
			if !found.MatchString(config) {
				t.Fatalf("%s: nothing looks like %s", name, pair[0])
			}
			config = found.ReplaceAllString(config, pair[1])
		}
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("nginx", "-t", "-c", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// borne are findings of kube-score's that are meant to be so, by check, and by object where it is one alone.
var borne = map[string]string{
	"container-image-pull-policy":             "a tag is never moved, and a registry that is away must keep no pod from starting",
	"pod-probes-identical":                    "a pod joins by its startup probe and then stays while it lives; see _pod.tpl",
	"networkpolicy-targets-pod stoa-postgres": "the pods are made by CloudNativePG",
}

// TestKubeScoreFindsNothingCritical has every installation judged by kube-score, which has versions of its own of what it
// needs, and so is run as a program.
func TestKubeScoreFindsNothingCritical(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	score := filepath.Join(t.TempDir(), "kube-score")
	build := exec.CommandContext(ctx, "go", "install", "github.com/zegl/kube-score/cmd/kube-score@v1.20.0")
	build.Dir, build.Env = os.TempDir(), append(os.Environ(), "GOBIN="+filepath.Dir(score))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("kube-score: %v\n%s", err, out)
	}
	used := map[string]bool{}
	each(t, func(t *testing.T, v values) {
		if v == installations["no walls"] {
			return // which it rightly finds critical
		}
		manifest, err := render(t, v)
		if err != nil {
			t.Fatal(err)
		}
		run := exec.CommandContext(ctx, score, "score", "-o", "json", "--kubernetes-version", "v1.34", "--ignore-container-cpu-limit", "-")
		run.Stdin = strings.NewReader(manifest)
		out, err := run.Output()
		if len(out) == 0 {
			t.Fatal(err)
		}
		var found []struct {
			Name   string `json:"object_name"`
			Checks []struct {
				Check    struct{ ID string }
				Grade    int
				Skipped  bool
				Comments []struct{ Summary, Description string }
			}
		}
		if err := json.Unmarshal(out, &found); err != nil {
			t.Fatal(err)
		}
		judged := 0
		for _, object := range found {
			for _, check := range object.Checks {
				if check.Skipped || check.Grade != 1 {
					judged++
					continue
				}
				id := check.Check.ID
				if borne[id] == "" {
					id += " " + object.Name[strings.LastIndex(object.Name, "/")+1:]
				}
				if used[id] = true; borne[id] == "" {
					t.Errorf("%s: %s: %v", object.Name, check.Check.ID, check.Comments)
				}
			}
		}
		if judged < 50 {
			t.Errorf("kube-score judged %d things only", judged)
		}
	})
	for id := range borne {
		if !used[id] {
			t.Errorf("nothing is found that %s would have to bear", id)
		}
	}
}
