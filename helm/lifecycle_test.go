package helm_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// setting is the value of a variable of a container.
func setting(c corev1.Container, name string) string {
	for _, variable := range c.Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}

// TestProcessesEndInTheirTime adds up what a process does after it was told to end.
func TestProcessesEndInTheirTime(t *testing.T) {
	const closing = 10 * time.Second // of app.Run, for its connections
	each(t, func(t *testing.T, v values) {
		for component, pod := range pods(t, v) {
			for _, c := range pod.Spec.Containers {
				delay, timeout := setting(c, "STOA_DRAIN_DELAY"), setting(c, "STOA_DRAIN_TIMEOUT")
				if delay == "" || component == "migrate" {
					continue
				}
				takes := closing
				for _, text := range []string{delay, timeout} {
					d, err := time.ParseDuration(text)
					if err != nil {
						t.Fatal(err)
					}
					takes += d
				}
				if c.Name == "certificates" {
					takes = closing // it drains nothing
				}
				if grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second; grace <= takes {
					t.Errorf("%s/%s may take %s to end, and is killed after %s", component, c.Name, takes, grace)
				}
			}
		}
	})
}

// TestAPodJoinsWhenReadyAndStays holds the probes to what the program's operations port tells.
func TestAPodJoinsWhenReadyAndStays(t *testing.T) {
	each(t, func(t *testing.T, v values) {
		found, takes := 0, *job(t, v).Spec.ActiveDeadlineSeconds
		for _, d := range of[*appsv1.Deployment](t, v) {
			if patience := int64(*d.Spec.ProgressDeadlineSeconds); patience < takes+600 {
				t.Errorf("%s is given up after %d s, while migrations may take %d s", d.Name, patience, takes)
			}
		}
		for component, pod := range pods(t, v) {
			for _, c := range pod.Spec.Containers {
				if c.Name != "api" && c.Name != "worker" && c.Name != "certificates" {
					continue
				}
				found++
				if c.StartupProbe.HTTPGet.Path != "/readyz" || c.ReadinessProbe.HTTPGet.Path != "/healthz" || c.LivenessProbe.HTTPGet.Path != "/healthz" {
					t.Errorf("%s/%s joins or leaves by other signs", component, c.Name)
				}
				if wait := int64(c.StartupProbe.PeriodSeconds) * int64(c.StartupProbe.FailureThreshold); wait < takes+300 {
					t.Errorf("%s/%s is begun anew after %d s of waiting for migrations that may take %d s", component, c.Name, wait, takes)
				}
				for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
					if probe.HTTPGet.Port.StrVal != "ops" || !strings.HasPrefix(setting(c, "STOA_OPS_ADDR"), ":") {
						t.Errorf("%s/%s is asked where it does not answer", component, c.Name)
					}
				}
			}
		}
		if found < 2 {
			t.Errorf("%d processes of the program only", found)
		}
	})
}

// TestAChangeOfVersionTakesNoReplicaAway looks at how Deployments are replaced, spread and disrupted.
func TestAChangeOfVersionTakesNoReplicaAway(t *testing.T) {
	each(t, func(t *testing.T, v values) {
		budgets := of[*policyv1.PodDisruptionBudget](t, v)
		for _, d := range of[*appsv1.Deployment](t, v) {
			if rolling := d.Spec.Strategy.RollingUpdate; rolling.MaxUnavailable.IntVal != 0 || rolling.MaxSurge.IntVal < 1 {
				t.Errorf("%s is fewer while it is replaced", d.Name)
			}
			pod, covered := d.Spec.Template, 0
			for _, b := range budgets {
				if labels.SelectorFromSet(b.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) {
					covered++
					if b.Spec.MaxUnavailable.IntVal != 1 {
						t.Errorf("%s may lose %s at once", d.Name, b.Spec.MaxUnavailable)
					}
				}
			}
			if covered != 1 {
				t.Errorf("%d budgets cover %s", covered, d.Name)
			}
			keys := map[string]bool{}
			for _, spread := range pod.Spec.TopologySpreadConstraints {
				keys[spread.TopologyKey] = true
				if !labels.SelectorFromSet(spread.LabelSelector.MatchLabels).Matches(labels.Set(pod.Labels)) {
					t.Errorf("%s is spread by labels that it has not", d.Name)
				}
			}
			if !keys[corev1.LabelTopologyZone] || !keys[corev1.LabelHostname] {
				t.Errorf("%s is spread over %v", d.Name, keys)
			}
			if !labels.SelectorFromSet(d.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) {
				t.Errorf("%s does not select its pods", d.Name)
			}
			if _, moves := d.Spec.Selector.MatchLabels["app.kubernetes.io/version"]; moves {
				t.Errorf("%s selects by what an upgrade changes", d.Name)
			}
		}
	})
}

// TestServicesLeadSomewhere finds a pod with the port for each Service.
func TestServicesLeadSomewhere(t *testing.T) {
	each(t, func(t *testing.T, v values) {
		all := pods(t, v)
		for _, s := range of[*corev1.Service](t, v) {
			for _, port := range s.Spec.Ports {
				found := 0
				for _, pod := range all {
					if !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
						continue
					}
					for _, c := range pod.Spec.Containers {
						for _, p := range c.Ports {
							if p.Name == port.TargetPort.StrVal {
								found++
							}
						}
					}
				}
				if found != 1 {
					t.Errorf("%s of %s leads to %d containers", port.Name, s.Name, found)
				}
			}
		}
	})
}

// job is the one that migrates.
func job(t *testing.T, v values) *batchv1.Job {
	t.Helper()
	jobs := of[*batchv1.Job](t, v)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	return jobs[0]
}

// TestMigrationsWaitForNobodyThatWaitsForThem is what makes a deadlock impossible: the job is an object like the others,
// and not one of Helm's hooks, for which all others would wait, or which would wait for them.
func TestMigrationsWaitForNobodyThatWaitsForThem(t *testing.T) {
	each(t, func(t *testing.T, v values) {
		for _, o := range objects(t, v) {
			if hook := o.GetAnnotations()["helm.sh/hook"]; hook != "" && hook != "test" {
				t.Errorf("%s %s is a hook (%s)", o.GetKind(), o.GetName(), hook)
			}
		}
		for component, pod := range pods(t, v) {
			if len(pod.Spec.InitContainers) > 0 {
				t.Errorf("%s waits before it begins", component)
			}
		}
		j := job(t, v)
		if j.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever || *j.Spec.BackoffLimit < 10 {
			t.Error("a database that comes late ends the migration for good")
		}
		if args := j.Spec.Template.Spec.Containers[0].Args; len(args) != 1 || args[0] != "migrate" {
			t.Errorf("the job runs %q", args)
		}
	})
}

// TestEachVersionHasAJobOfItsOwn has names differ wherever what is run differs, as a Job cannot be changed.
func TestEachVersionHasAJobOfItsOwn(t *testing.T) {
	first := job(t, least)
	if again := job(t, least); again.Name != first.Name {
		t.Errorf("the same is called %s and %s", first.Name, again.Name)
	}
	for _, change := range []values{"{image: {tag: 2.0.0}}", "{settings: {STOA_CELL_LOGINS: 9}}", "{migrations: {resources: {limits: {memory: 1Gi}}}}"} {
		if other := job(t, least+"\n---\n"+change); other.Name == first.Name {
			t.Errorf("with %s, too, the job is called %s", change, other.Name)
		}
	}
	if other := job(t, least+"\n---\n{api: {replicas: 9}}"); other.Name != first.Name {
		t.Error("more replicas have the migrations run anew")
	}
}
