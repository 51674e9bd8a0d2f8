package helm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/helm"
)

// TestWhatIsMadeOfTheChartIsCurrent holds the manifests, the README and the schema against the chart and the program.
func TestWhatIsMadeOfTheChartIsCurrent(t *testing.T) {
	files, err := helm.Written(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		now, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !bytes.Equal(now, want) {
			t.Errorf("%s is not current; run make manifests (%v)", path, err)
		}
	}
	there, err := helm.Rendered(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(there) < 8 {
		t.Errorf("there are %d manifests only", len(there))
	}
	for _, path := range there {
		if files[path] == nil {
			t.Errorf("%s is made of nothing any more; run make manifests", path)
		}
	}
}

// TestValuesThatCannotBeAreNamed tries what operators mistype.
func TestValuesThatCannotBeAreNamed(t *testing.T) {
	for wrong, names := range map[values][]string{
		"{baseDomain: shops.example, secrets: {existingSecret: ''}}":                                              {"secrets.existingSecret"},
		"secrets: {existingSecret: stoa}":                                                                         {"baseDomain"},
		least + "\n---\n{replicas: 3}":                                                                            {"replicas"},
		least + "\n---\n{api: {replica: 3}}":                                                                      {"api", "replica"},
		least + "\n---\n{api: {replicas: three}}":                                                                 {"api/replicas", "integer"},
		least + "\n---\n{api: {resources: {requests: {memory: 1GB}}}}":                                            {"api/resources/requests/memory", "1GB"},
		least + "\n---\n{settings: {STOA_LOG_LEVL: debug}}":                                                       {"/settings", "STOA_LOG_LEVL"},
		least + "\n---\n{settings: {STOA_DATABASE_URL: 'postgres://'}}":                                           {"/settings", "STOA_DATABASE_URL"},
		least + "\n---\n{settings: {STOA_HTTP_ADDR: ':80'}}":                                                      {"/settings", "STOA_HTTP_ADDR"},
		least + "\n---\n{secrets: {variables: [STOA_REDIS_URL]}}":                                                 {"secrets/variables", "contains"},
		least + "\n---\n{secrets: {variables: [STOA_SECRET_KEYS, STOA_LOG_LEVEL]}}":                               {"secrets/variables/1"},
		least + "\n---\n{environment: prod}":                                                                      {"environment", "production"},
		least + "\n---\n{domains: {addresses: [lb.example]}}":                                                     {"domains/addresses/0"},
		least + "\n---\n{trustedProxies: [10.0.0.1]}":                                                             {"trustedProxies/0"},
		least + "\n---\n{ingress: {enabled: true}}":                                                               {"ingress.enabled", "nginx.enabled"},
		least + "\n---\n{ingress: {enabled: true}, nginx: {enabled: false}, domains: {addresses: [203.0.113.7]}}": {"domains.addresses"},
		least + "\n---\n{tls: {certManager: {issuer: {name: ''}}}}":                                               {"tls.certManager.issuer.name"},
		least + "\n---\n{tls: {certManager: {issuer: {create: true}}}}":                                           {"tls.certManager.issuer.email"},
		least + "\n---\n{redis: {bundled: {enabled: true}}}":                                                      {"redis.bundled.passwordSecret.name"},
		least + "\n---\n{postgres: {bundled: {enabled: true, backups: {enabled: true}}}}":                         {"postgres.bundled.backups.destination"},
		least + "\n---\n{secrets: {external: {enabled: true}}}":                                                   {"secrets.external.store.name"},
	} {
		_, err := render(t, wrong)
		if err == nil {
			t.Errorf("%s is taken", wrong)
			continue
		}
		for _, name := range names {
			if !strings.Contains(strings.ReplaceAll(err.Error(), "'", ""), name) {
				t.Errorf("%s: the error does not name %s: %v", wrong, name, err)
			}
		}
	}
}

// TestEachValueIsUsed has no value that changes nothing by being misspelt in a template.
func TestEachValueIsUsed(t *testing.T) {
	templates := &bytes.Buffer{}
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range c.Templates {
		templates.Write(template.Data)
	}
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for key, value := range tree {
			if !bytes.Contains(templates.Bytes(), []byte("."+key)) && prefix != "STOA" {
				t.Errorf("no template mentions .%s (%s%s)", key, prefix, key)
			}
			if below, ok := value.(map[string]any); ok && prefix+key != "networkPolicy" && !strings.HasSuffix(key, "esources") && key != "labels" {
				walk(prefix+key+".", below)
			}
		}
	}
	walk("", c.Values)
}
