package helm_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// TestPodsAreRestricted judges every pod as Kubernetes' own admission does, and beyond that.
func TestPodsAreRestricted(t *testing.T) {
	judge, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	each(t, func(t *testing.T, v values) {
		all := pods(t, v)
		if len(all) < 4 {
			t.Fatalf("%d pods only", len(all))
		}
		for component, pod := range all {
			if verdict := policy.AggregateCheckResults(judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec)); !verdict.Allowed {
				t.Errorf("%s: %s: %s", component, verdict.ForbiddenReason(), verdict.ForbiddenDetail())
			}
			if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token || pod.Spec.ServiceAccountName != "stoa" {
				t.Errorf("%s has a token of Kubernetes', or another's account", component)
			}
			for _, c := range pod.Spec.Containers {
				if !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.RunAsUser < 10000 {
					t.Errorf("%s/%s may write its image or is somebody of the node", component, c.Name)
				}
				if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s/%s says not what it needs", component, c.Name)
				}
			}
		}
	})
	loose := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "any"}}}}
	if policy.AggregateCheckResults(judge.EvaluatePod(restricted, &loose.ObjectMeta, &loose.Spec)).Allowed {
		t.Error("a pod without a security context is taken for restricted")
	}
}

// TestSecretsAreFiles has no secret's value in the environment, but for the password that an address is made of, and no
// file of merchants where it is not needed.
func TestSecretsAreFiles(t *testing.T) {
	each(t, func(t *testing.T, v values) {
		for component, pod := range pods(t, v) {
			mounted := map[string]bool{}
			for _, volume := range pod.Spec.Volumes {
				if volume.Projected == nil {
					continue
				}
				for _, source := range volume.Projected.Sources {
					for _, item := range source.Secret.Items {
						mounted["/run/secrets/stoa/"+item.Path] = true
					}
				}
			}
			for _, c := range pod.Spec.Containers {
				for _, variable := range c.Env {
					if from := variable.ValueFrom; from != nil && variable.Name != "REDIS_PASSWORD" {
						t.Errorf("%s/%s: %s is a secret in the environment", component, c.Name, variable.Name)
					}
					if len(variable.Name) > 5 && variable.Name[len(variable.Name)-5:] == "_FILE" && !mounted[variable.Value] {
						t.Errorf("%s/%s: %s names %s, which nothing mounts", component, c.Name, variable.Name, variable.Value)
					}
				}
			}
			if (component == "migrate" || component == "nginx") && mounted["/run/secrets/stoa/STOA_FILES_URL"] {
				t.Errorf("%s has the key to merchants' files", component)
			}
		}
	})
}
