package helm_test

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/stoacommerce/stoa/helm"
)

const root = ".."

var loaded = sync.OnceValues(func() (*chart.Chart, error) { return helm.Load(root) })

// values are written as YAML: what differs from the chart's own.
type values string

// least are the values without which nothing can be installed.
const least values = "{baseDomain: shops.example, secrets: {existingSecret: stoa}, tls: {certManager: {issuer: {name: letsencrypt}}}}"

// installations are what the chart is tried with: each file of values, and what they have not between them.
var installations = map[string]values{
	"dev":      "file: values-dev.yaml",
	"staging":  "file: values-staging.yaml",
	"prod":     "file: values-prod.yaml",
	"least":    least,
	"ingress":  least + "\n---\n{nginx: {enabled: false}, ingress: {enabled: true, className: nginx, annotations: {a: b}}}",
	"issuer":   least + "\n---\n{tls: {certManager: {issuer: {create: true, email: operations@shops.example, dns01: {route53: {region: eu-central-1}}}}}}",
	"own tls":  least + "\n---\n{tls: {existingSecret: tls, certManager: {enabled: false}}}",
	"no walls": least + "\n---\n{networkPolicy: {enabled: false}}",
	"bundled": least + `
---
secrets: {variables: [STOA_SECRET_KEYS, STOA_SMTP_URL]}
postgres: {bundled: {enabled: true, parameters: {work_mem: 8MB}, storage: {storageClass: fast}, walStorage: {storageClass: fast}, antiAffinity: required,
  backups: {enabled: true, destination: s3://backups/stoa, endpoint: https://storage.example, encryption: "", credentials: {name: backups}}}}
redis: {bundled: {enabled: true, passwordSecret: {name: redis}, storage: {storageClass: fast}}}
files: {volume: {enabled: true, storageClass: shared}}`,
	"everything": least + `
---
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", pullSecrets: [registry]}
settings: {STOA_LOG_LEVEL: debug, STOA_WORKERS: 4, STOA_TRACE_RATIO: 0.5, STOA_OTLP_ENDPOINT: "http://collector.monitoring:4318"}
certificateAuthorities: authorities
serviceAccount: {annotations: {a: b}}
api: {autoscaling: {enabled: true}, podAnnotations: {a: b}, priorityClassName: high, nodeSelector: {a: b}, tolerations: [{key: a, operator: Exists}]}
worker: {autoscaling: {enabled: true}, podAnnotations: {a: b}, priorityClassName: high, nodeSelector: {a: b}, tolerations: [{key: a, operator: Exists}]}
migrations: {priorityClassName: high, nodeSelector: {a: b}, tolerations: [{key: a, operator: Exists}]}
nginx: {settings: {STOA_NGINX_REAL_IP: "set_real_ip_from 10.0.0.0/8;"}, podAnnotations: {a: b}, service: {loadBalancerClass: x, loadBalancerSourceRanges: [192.0.2.0/24], annotations: {a: b}}}
domains: {addresses: [203.0.113.7, "2001:db8::7"], acme: {email: operations@shops.example}}
files: {volume: {enabled: true, existingClaim: files}}
monitoring: {serviceMonitor: {enabled: true, labels: {a: b}}, rules: {enabled: true, labels: {a: b}}, dashboards: {enabled: true}}
networkPolicy: {egress: [{to: [{namespaceSelector: {}}], ports: [{port: 4318}]}]}`,
}

// merged are the values of all documents, later ones over earlier ones; "file: NAME" is a file of the chart.
func merged(t *testing.T, c *chart.Chart, v values) map[string]any {
	t.Helper()
	all := map[string]any{}
	for document := range strings.SplitSeq(string(v), "\n---\n") {
		next := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(document), &next); err != nil {
			t.Fatalf("values %q: %v", document, err)
		}
		if name, ok := next["file"].(string); ok {
			var err error
			if next, err = helm.ValuesFile(c, name); err != nil {
				t.Fatal(err)
			}
		}
		all = chartutil.CoalesceTables(next, all)
	}
	return all
}

func render(t *testing.T, v values) (manifest string, err error) {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	made, err := helm.Render(c, merged(t, c, v))
	if err != nil {
		return "", err
	}
	manifest = made.Manifest
	for _, hook := range made.Hooks {
		manifest += "\n---\n" + hook.Manifest
	}
	return manifest, nil
}

// objects are what an installation makes, tests included.
func objects(t *testing.T, v values) (all []*unstructured.Unstructured) {
	t.Helper()
	manifest, err := render(t, v)
	if err != nil {
		t.Fatal(err)
	}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{}
		if err := yaml.UnmarshalStrict(document, &object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object) > 0 {
			all = append(all, &unstructured.Unstructured{Object: object})
		}
	}
	if len(all) < 8 {
		t.Fatalf("an installation has %d objects only", len(all))
	}
	return all
}

// strict decodes built-in kinds, and refuses fields that they do not have.
var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// typed are the objects of Kubernetes' own kinds, as its types.
func typed(t *testing.T, all []*unstructured.Unstructured) (objects []runtime.Object) {
	t.Helper()
	for _, o := range all {
		if !scheme.Scheme.Recognizes(o.GroupVersionKind()) {
			continue
		}
		text, err := o.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		objects = append(objects, object)
	}
	return objects
}

// of are the objects of a type.
func of[T runtime.Object](t *testing.T, v values) (found []T) {
	t.Helper()
	for _, object := range typed(t, objects(t, v)) {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// pods are the templates of all pods, by the name of their component.
func pods(t *testing.T, v values) map[string]corev1.PodTemplateSpec {
	t.Helper()
	found := map[string]corev1.PodTemplateSpec{}
	for _, object := range typed(t, objects(t, v)) {
		var pod corev1.PodTemplateSpec
		switch o := object.(type) {
		case *appsv1.Deployment:
			pod = o.Spec.Template
		case *appsv1.StatefulSet:
			pod = o.Spec.Template
		case *batchv1.Job:
			pod = o.Spec.Template
		case *corev1.Pod:
			pod = corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
		default:
			continue
		}
		found[pod.Labels["app.kubernetes.io/component"]] = pod
	}
	return found
}

// each runs a test for every installation.
func each(t *testing.T, test func(t *testing.T, v values)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(installations)) {
		t.Run(name, func(t *testing.T) { test(t, installations[name]) })
	}
}
