// Package helm renders the chart stoa and keeps what is made of it current: the manifests in deploy/manifests,
// the table of values in its README and the names of settings in its schema. Its tests hold the chart against
// Kubernetes' own types, against the program and against itself, by topic.
//
// It is a module of its own, so that the program needs nothing of Helm's and Kubernetes'.
package helm

import (
	"fmt"
	"path/filepath"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"sigs.k8s.io/yaml"
)

// KubeVersion is the version of Kubernetes that is rendered for.
const KubeVersion = "v1.34.0"

// Dir is the chart's folder below the project's.
const Dir = "helm/stoa"

// Load reads the chart of the project at root.
func Load(root string) (*chart.Chart, error) {
	c, err := loader.Load(filepath.Join(root, Dir))
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", Dir, err)
	}
	return c, nil
}

// ValuesFile reads a file of values beside the chart's own, such as values-prod.yaml.
func ValuesFile(c *chart.Chart, name string) (map[string]any, error) {
	for _, f := range c.Raw {
		if f.Name != name {
			continue
		}
		values := map[string]any{}
		if err := yaml.UnmarshalStrict(f.Data, &values); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return values, nil
	}
	return nil, fmt.Errorf("the chart has no file %s", name)
}

// Render gives what helm install would send to Kubernetes in the namespace stoa, as a release of the same name. The
// values go over the chart's; ones that its schema refuses are an error that names them.
func Render(c *chart.Chart, values map[string]any) (*release.Release, error) {
	version, err := chartutil.ParseKubeVersion(KubeVersion)
	if err != nil {
		return nil, fmt.Errorf("version of Kubernetes: %w", err)
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.ReleaseName, install.Namespace, install.KubeVersion = "stoa", "stoa", version
	install.DryRun, install.ClientOnly, install.Replace = true, true, true
	made, err := install.Run(c, values)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", c.Name(), err)
	}
	return made, nil
}
