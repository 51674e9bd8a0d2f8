// Package terraform_test holds what OpenTofu does not look at, which holds all else (make check-terraform): that nothing is
// left over or unsaid, that every policy is narrow, and that environments are guarded.
package terraform_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestVariablesAndOutputsAreSaid(t *testing.T) {
	for _, f := range trees(t) {
		for _, kind := range []string{"variable", "output"} {
			for name, b := range f.labelled(kind) {
				if text(b.Body.Attributes["description"]) == "" {
					t.Errorf("%s: the %s %s is not described", f.path, kind, name)
				}
				if kind == "variable" && b.Body.Attributes["type"] == nil {
					t.Errorf("%s: the variable %s has no type", f.path, name)
				}
			}
		}
	}
}

// TestEnvironmentsAreGuarded looks at where states lie, which account is touched and what production dares.
func TestEnvironmentsAreGuarded(t *testing.T) {
	for _, name := range []string{"dev", "staging", "prod"} {
		f := trees(t)["environments/"+name]
		backend := block(f.of("terraform")[0].Body, "backend")
		if backend == nil || backend.Labels[0] != "s3" || text(backend.Body.Attributes["key"]) != "stoa/"+name+".tfstate" {
			t.Fatalf("%s keeps its state elsewhere", name)
		}
		for _, must := range []string{"encrypt", "use_lockfile"} {
			if !says(backend.Body.Attributes[must], "true") {
				t.Errorf("%s: its state is without %s", name, must)
			}
		}
		provider := f.of("provider")[0].Body
		if provider.Attributes["allowed_account_ids"] == nil || block(provider, "default_tags") == nil {
			t.Errorf("%s touches any account, or leaves things without tags", name)
		}
		platform := f.of("module")[0].Body
		if text(platform.Attributes["environment"]) != name {
			t.Errorf("%s is another environment's", name)
		}
		if name == "prod" && (!says(platform.Attributes["survives_a_zone"], "true") || !says(platform.Attributes["deletion_protection"], "true") ||
			platform.Attributes["backup_region"] == nil) {
			t.Error("production may be lost")
		}
	}
}

func says(a *hclsyntax.Attribute, want string) bool {
	if a == nil {
		return false
	}
	value, broken := a.Expr.Value(nil)
	return !broken.HasErrors() && fmt.Sprintf("%#v", value) == "cty."+strings.ToUpper(want[:1])+want[1:]
}
