package helm_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// definitions are where projects keep the definitions of their kinds: a Go module, and the folder in it.
var definitions = map[string]string{
	"github.com/cloudnative-pg/cloudnative-pg@v1.27.0":      "config/crd/bases",
	"github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0": "config/crd/bases",
	"github.com/cert-manager/cert-manager@v1.21.2":          "deploy/crds",
	"github.com/external-secrets/external-secrets@v0.16.2":  "config/crds/bases",
}

// defined are the definitions of kinds beyond Kubernetes' own, by apiVersion and kind.
var defined = sync.OnceValues(func() (map[string]*apiextensions.JSONSchemaProps, error) {
	found := map[string]*apiextensions.JSONSchemaProps{}
	for module, folder := range definitions {
		command := exec.Command("go", "mod", "download", "-json", module)
		command.Dir = os.TempDir() // no module's own versions count
		command.Env = append(os.Environ(), "GOFLAGS=")
		out, err := command.Output()
		var at struct{ Dir string }
		if err != nil || json.Unmarshal(out, &at) != nil {
			return nil, &os.PathError{Op: "go mod download", Path: module + ": " + string(out), Err: err}
		}
		paths, err := filepath.Glob(filepath.Join(at.Dir, folder, "*.yaml"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			var crd apiextensionsv1.CustomResourceDefinition
			if err := yaml.Unmarshal(text, &crd); err != nil {
				return nil, err
			}
			for _, version := range crd.Spec.Versions {
				schema := &apiextensions.JSONSchemaProps{}
				if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, schema, nil); err != nil {
					return nil, err
				}
				found[crd.Spec.Group+"/"+version.Name+" "+crd.Spec.Names.Kind] = schema
			}
		}
	}
	return found, nil
})

// faults are what is wrong with an object of a kind that is not Kubernetes' own: fields that its definition does not
// have, and values that it refuses.
func faults(t *testing.T, o *unstructured.Unstructured) (all []string) {
	t.Helper()
	if o.GroupVersionKind().Group == "monitoring.coreos.com" {
		return strictly(t, o)
	}
	kinds, err := defined()
	if err != nil {
		t.Fatal(err)
	}
	schema := kinds[o.GetAPIVersion()+" "+o.GetKind()]
	if schema == nil {
		return []string{"nobody defines this kind"}
	}
	structural, err := structuralschema.NewStructural(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pruning.PruneWithOptions(o.DeepCopy().Object, structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		all = append(all, "unknown field "+path)
	}
	validator, _, err := validation.NewSchemaValidator(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range validation.ValidateCustomResource(nil, o.Object, validator) {
		all = append(all, fault.Error())
	}
	return all
}

// strictly decodes a kind of the Prometheus operator's, whose definitions are in no module, as its type.
func strictly(t *testing.T, o *unstructured.Unstructured) (all []string) {
	t.Helper()
	into := map[string]any{
		"ServiceMonitor": &monitoringv1.ServiceMonitor{}, "PodMonitor": &monitoringv1.PodMonitor{}, "PrometheusRule": &monitoringv1.PrometheusRule{},
	}[o.GetKind()]
	if into == nil {
		return []string{"nobody defines this kind"}
	}
	text, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := kjson.UnmarshalStrict(text, into)
	if err != nil {
		return []string{err.Error()}
	}
	for _, fault := range wrong {
		all = append(all, fault.Error())
	}
	return all
}

// TestObjectsAreWhatTheirKindsSay decodes every object of every installation strictly.
func TestObjectsAreWhatTheirKindsSay(t *testing.T) {
	kinds := map[string]bool{}
	each(t, func(t *testing.T, v values) {
		all := objects(t, v)
		if builtIn := typed(t, all); len(builtIn) < 8 {
			t.Errorf("%d objects only are of Kubernetes' own kinds", len(builtIn))
		}
		names := map[string]bool{}
		for _, o := range all {
			kinds[o.GetKind()] = true
			if name := o.GetKind() + " " + o.GetName(); names[name] {
				t.Errorf("%s is there twice", name)
			} else {
				names[name] = true
			}
			if o.GetNamespace() != "stoa" || o.GetLabels()["app.kubernetes.io/instance"] != "stoa" {
				t.Errorf("%s %s does not say where it belongs", o.GetKind(), o.GetName())
			}
			if scheme.Scheme.Recognizes(o.GroupVersionKind()) {
				continue
			}
			for _, fault := range faults(t, o) {
				t.Errorf("%s %s: %s", o.GetKind(), o.GetName(), fault)
			}
		}
	})
	for _, kind := range []string{
		"Deployment", "Job", "StatefulSet", "Service", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "ServiceAccount",
		"ConfigMap", "PersistentVolumeClaim", "Pod", "Issuer", "Certificate", "ExternalSecret", "Cluster", "ObjectStore", "ScheduledBackup", "ServiceMonitor",
		"PodMonitor", "PrometheusRule",
	} {
		if !kinds[kind] {
			t.Errorf("no installation has a %s", kind)
		}
	}
	if kinds["Secret"] {
		t.Error("the chart makes a Secret; secrets come by reference alone")
	}
}

// TestFaultsOfKindsAreSeen has the test above not be one that cannot fail.
func TestFaultsOfKindsAreSeen(t *testing.T) {
	for text, want := range map[string]string{
		`{apiVersion: cert-manager.io/v1, kind: Certificate, spec: {secretName: a, issuerRef: {name: a}, dnsName: [a]}}`: "unknown field spec.dnsName",
		`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, spec: {instances: none}}`:                                    "spec.instances",
		`{apiVersion: external-secrets.io/v1, kind: ExternalSecret, spec: {data: [{secretKey: a}]}}`:                     "remoteRef",
		`{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, spec: {endpoint: []}}`:                             "endpoint",
		`{apiVersion: example.com/v1, kind: Thing}`:                                                                      "nobody defines",
	} {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		if all := faults(t, o); !slices.ContainsFunc(all, func(fault string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("%s: %q does not say %q", text, all, want)
		}
	}
}
