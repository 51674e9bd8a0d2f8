//go:build rehearse

package manifests_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/rehearsal"
)

// pod is what the player sees of one.
type pod struct {
	Metadata struct {
		Name              string
		Labels            map[string]string
		DeletionTimestamp *string
	}
	Status struct {
		Phase      string
		Conditions []struct{ Type, Status string }
	}
}

func (p pod) ready() bool {
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" && c.Status == "True" {
			return p.Metadata.DeletionTimestamp == nil
		}
	}
	return false
}

// player does what nodes, load balancers and the program would: migrations take a while, or fail; processes of a version
// are ready once its migrations have run. It counts how few processes of the API were ready at any moment.
type player struct {
	*cluster
	sync.Mutex
	refuses  string // the version whose migrations fail
	migrated map[string]bool
	fewest   int
	both     bool // processes of two versions were ready at once
	end      chan struct{}
	ended    chan struct{}
}

func (c *cluster) play() *player {
	p := &player{cluster: c, migrated: map[string]bool{}, end: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for {
			select {
			case <-p.end:
				return
			case <-time.After(150 * time.Millisecond):
				p.round()
			}
		}
	}()
	c.t.Cleanup(func() { close(p.end); <-p.ended })
	return p
}

// begin counts anew.
func (p *player) begin(refuses string) {
	p.Lock()
	defer p.Unlock()
	p.refuses, p.fewest, p.both = refuses, 1<<30, false
}

// seen are how few processes of the API were ready at once since it began, and whether of two versions.
func (p *player) seen() (fewest int, both bool) {
	p.Lock()
	defer p.Unlock()
	return p.fewest, p.both
}

func (p *player) round() {
	p.Lock()
	defer p.Unlock()
	var pods struct{ Items []pod }
	if p.get("/api/v1/namespaces/stoa/pods", &pods) != nil {
		return
	}
	ready, versions := 0, map[string]bool{}
	for _, one := range pods.Items {
		component, version := one.Metadata.Labels["app.kubernetes.io/component"], one.Metadata.Labels["app.kubernetes.io/version"]
		if component == "api" && one.ready() {
			ready++
			versions[version] = true
		}
		path := "/api/v1/namespaces/stoa/pods/" + one.Metadata.Name
		switch {
		case one.Metadata.DeletionTimestamp != nil: // its node ends it at once
			_ = p.send(http.MethodDelete, path, "application/json", map[string]any{"gracePeriodSeconds": 0}, nil)
		case one.Status.Phase != "Pending":
		case component == "migrate" || component == "test":
			phase := "Succeeded"
			if version == p.refuses {
				phase = "Failed"
			}
			p.migrated[version] = p.migrated[version] || component == "migrate" && phase == "Succeeded"
			_ = p.send(http.MethodPatch, path+"/status", "application/merge-patch+json", map[string]any{"status": map[string]any{"phase": phase}}, nil)
		case component == "api" || component == "worker" || component == "nginx" || component == "redis":
			if component != "redis" && !p.migrated[version] {
				continue // its startup probe asks /readyz, which waits for the tables
			}
			_ = p.send(http.MethodPatch, path+"/status", "application/merge-patch+json", map[string]any{"status": map[string]any{
				"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}},
			}}, nil)
		}
	}
	p.fewest, p.both = min(p.fewest, ready), p.both || len(versions) > 1
	_ = p.send(http.MethodPatch, "/api/v1/namespaces/stoa/services/stoa-nginx/status", "application/merge-patch+json",
		map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": "203.0.113.7"}}}}}, nil)
}

// TestRehearseCharts has a real Kubernetes admit the manifests, an install, an upgrade, one that fails, and a rollback.
func TestRehearseCharts(t *testing.T) {
	c := newCluster(t)
	c.begin("127.0.0.1", "deployment-controller,replicaset-controller,statefulset-controller,job-controller,disruption-controller,serviceaccount-controller,"+
		"endpointslice-controller,garbage-collector-controller,namespace-controller")
	c.define()
	var steps []rehearsal.Step
	begun := time.Now()
	step := func(done, came, lost string) {
		steps = append(steps, rehearsal.Step{Done: done, Took: time.Since(begun), Came: came, Lost: lost})
		begun = time.Now()
	}

	// Only what is restricted gets in.
	c.do("kubectl", "apply", "--server-side", "-f", "00-namespace.yaml")
	c.until(time.Minute, "there is an account", func() bool { return c.get("/api/v1/namespaces/stoa/serviceaccounts/default", nil) == nil })
	err := c.send(http.MethodPost, "/api/v1/namespaces/stoa/pods", "application/json", map[string]any{"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": "root"}, "spec": map[string]any{"containers": []any{map[string]any{"name": "a", "image": "a"}}}}, nil)
	if err == nil || !strings.Contains(err.Error(), `violates PodSecurity \"restricted`) {
		t.Fatalf("a pod that may be root: %v", err)
	}
	step("a pod that may be root is sent", "refused: `violates PodSecurity restricted`", "")

	// The manifests are taken as they are, strictly; nothing is kept.
	out := c.do("kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", ".")
	admitted := strings.Count(out, "serverside-applied")
	if admitted < 20 || strings.Contains(strings.ToLower(out), "warning") {
		t.Fatalf("of the manifests %d are admitted:\n%s", admitted, out)
	}
	step("`kubectl apply --server-side --dry-run=server --validate=strict -f deploy/manifests`", fmt.Sprintf("%d objects admitted, no warning", admitted), "")

	p := c.play()
	chart := []string{"../../helm/stoa", "-n", "stoa", "-f", "../../helm/stoa/values-prod.yaml", "--set", "api.autoscaling.enabled=false,worker.autoscaling.enabled=false,image.tag=1.0.0"}
	wait := []string{"--wait", "--wait-for-jobs", "--timeout", "3m"}
	with := func(verb string, more ...string) []string {
		return append(append(append([]string{verb, "stoa"}, chart...), wait...), more...)
	}

	p.begin("")
	c.do("helm", with("install")...)
	step("`helm install --wait --wait-for-jobs`, version 1.0.0", "it came to an end: the job of the migrations waits for no pod, and pods for that job alone", "")
	c.do("helm", "test", "stoa", "-n", "stoa")
	step("`helm test`", "its pod was admitted, and ended", "")

	p.begin("")
	c.do("helm", with("upgrade", "--set", "image.tag=2.0.0")...)
	fewest, both := p.seen()
	if fewest < 3 || !both {
		t.Errorf("while it was upgraded %d processes were ready; both versions at once: %v", fewest, both)
	}
	step("`helm upgrade` to 2.0.0, with a migration", fmt.Sprintf("never fewer than %d of 3 processes of the API ready, both versions in between", fewest), "nothing")

	p.begin("3.0.0")
	failed, err := c.try("helm", append(with("upgrade", "--set", "image.tag=3.0.0", "--atomic"), "--timeout", "40s")...)
	if err == nil || !strings.Contains(failed, "has been rolled back due to atomic") {
		t.Fatalf("an upgrade whose migrations fail ended so: %v", err)
	}
	if fewest, _ = p.seen(); fewest < 3 {
		t.Errorf("while an upgrade failed %d processes were ready", fewest)
	}
	step("`helm upgrade --atomic --timeout 40s` to 3.0.0, whose migration fails", fmt.Sprintf("given up and rolled back by Helm; never fewer than %d of 3 ready", fewest), "nothing")

	p.begin("")
	c.do("helm", with("upgrade", "--set", "image.tag=3.0.0")...)
	step("the same again, mended", "the job ran anew, under a name of its own", "nothing")

	p.begin("")
	c.do("helm", append([]string{"rollback", "stoa", "1", "-n", "stoa"}, wait...)...)
	fewest, both = p.seen()
	if fewest < 3 || !both {
		t.Errorf("while it was rolled back %d processes were ready; both versions at once: %v", fewest, both)
	}
	if image := c.do("kubectl", "-n", "stoa", "get", "deployment", "stoa-api", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); !strings.HasSuffix(image, ":1.0.0") {
		t.Errorf("after the rollback %s runs", image)
	}
	if jobs := strings.Fields(c.do("kubectl", "-n", "stoa", "get", "jobs", "-o", "name")); len(jobs) != 1 {
		t.Errorf("jobs are left over: %v", jobs)
	}
	step("`helm rollback` to 1.0.0", fmt.Sprintf("never fewer than %d of 3 ready, both versions in between", fewest), "nothing")

	// The other kinds, with the databases in the cluster.
	c.do("kubectl", "create", "namespace", "staging")
	c.do("kubectl", "label", "namespace", "staging", "pod-security.kubernetes.io/enforce=restricted")
	c.do("helm", "install", "stoa", "../../helm/stoa", "-n", "staging", "-f", "../../helm/stoa/values-staging.yaml")
	c.until(time.Minute, "pods of staging are made", func() bool {
		return len(strings.Fields(c.do("kubectl", "-n", "staging", "get", "pods", "-o", "name"))) >= 8
	})
	step("`helm install` of values-staging.yaml, with CloudNativePG's cluster, Redis and backups", "all admitted, and pods made of all that Kubernetes itself knows", "")
	rehearsal.Publish(t, "charts", steps)
}
