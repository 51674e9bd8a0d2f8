// Package terraform_test holds the modules and environments against the provider's own schema and against each other, as
// terraform validate does, which would need the provider itself.
package terraform_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stoacommerce/stoa/terraform/schemas"
)

// meta are arguments and blocks that every resource, data source and module may have.
var meta = []string{"for_each", "count", "depends_on", "provider", "providers", "lifecycle", "source"}

// faults are what is wrong with a body by its schema.
func faults(where string, body *hclsyntax.Body, schema schemas.Body) (all []string) {
	given := map[string]bool{}
	for name, a := range body.Attributes {
		given[name] = true
		argument, known := schema.Arguments[name]
		switch {
		case slices.Contains(meta, name):
		case !known:
			all = append(all, fmt.Sprintf("%s has no argument %s", where, name))
		case !fits(a.Expr, argument.Type):
			all = append(all, fmt.Sprintf("%s.%s is no %s", where, name, argument.Type))
		}
	}
	for _, b := range body.Blocks {
		kind, inner := b.Type, b.Body
		if kind == "dynamic" && len(b.Labels) == 1 {
			kind = b.Labels[0]
			if content := block(b.Body, "content"); content != nil {
				inner = content.Body
			}
		}
		given[kind] = true
		switch below := schema.Blocks[kind]; {
		case slices.Contains(meta, kind):
		case below == nil:
			all = append(all, fmt.Sprintf("%s has no block %s", where, kind))
		default:
			all = append(all, faults(where+"."+kind, inner, below.Body)...)
		}
	}
	for name, argument := range schema.Arguments {
		if argument.Required && !given[name] {
			all = append(all, fmt.Sprintf("%s needs the argument %s", where, name))
		}
	}
	for name, below := range schema.Blocks {
		if below.Required && !given[name] {
			all = append(all, fmt.Sprintf("%s needs the block %s", where, name))
		}
	}
	return all
}

// fits says whether an expression can be of a type, as far as its form tells.
func fits(e hclsyntax.Expression, kind string) bool {
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		return kind == "string" || kind == "number" && e.IsStringLiteral() && strings.Trim(text(&hclsyntax.Attribute{Expr: e}), "0123456789") == ""
	case *hclsyntax.TupleConsExpr:
		return kind == "list"
	case *hclsyntax.ObjectConsExpr:
		return kind == "map"
	case *hclsyntax.LiteralValueExpr:
		return kind != "list" && kind != "map" || e.Val.IsNull()
	default:
		return true
	}
}

func TestKindsAreTheProviders(t *testing.T) {
	provider, err := schemas.AWS()
	if err != nil {
		t.Fatal(err)
	}
	all, count := slices.Collect(maps.Values(trees(t))), 0
	for _, f := range all {
		for _, kind := range []string{"resource", "data"} {
			of := provider.Resources
			if kind == "data" {
				of = provider.Data
			}
			for _, b := range f.of(kind) {
				count++
				schema := of[b.Labels[0]]
				if schema == nil {
					t.Errorf("%s: there is no %s %s, or schemas/aws.json has it not: make terraform-schemas", f.path, kind, b.Labels[0])
					continue
				}
				for _, fault := range faults(f.path+": "+strings.Join(b.Labels, "."), b.Body, schema.Body) {
					t.Error(fault)
				}
			}
		}
	}
	if count < 80 {
		t.Errorf("%d resources and data sources only", count)
	}
	for _, kind := range slices.Sorted(maps.Keys(provider.Resources)) {
		if !slices.ContainsFunc(all, func(f *tree) bool {
			return slices.ContainsFunc(f.of("resource"), func(b *hclsyntax.Block) bool { return b.Labels[0] == kind })
		}) {
			t.Errorf("schemas/aws.json has %s, which nothing uses: make terraform-schemas", kind)
		}
	}
}

// TestFaultsAreSeen has the test above not be one that cannot fail.
func TestFaultsAreSeen(t *testing.T) {
	provider, err := schemas.AWS()
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		`cidr_blok = "10.0.0.0/16"`:    "no argument cidr_blok",
		`enable_dns_support = ["yes"]`: "enable_dns_support is no boolean",
		`tags = "a"`:                   "tags is no map",
		"timeout {\n}":                 "no block timeout",
		"dynamic \"timeout\" {\n for_each = []\n content {\n}\n}":         "no block timeout",
		"vpc_config {\n subnet_ids = []\n subnets = []\n}\n name = \"a\"": "vpc_config has no argument subnets",
		"vpc_config {\n}\n name = \"a\"\n role_arn = \"a\"":               "vpc_config needs the argument subnet_ids",
		"name = \"a\"\n role_arn = \"a\"":                                 "needs the block vpc_config",
		"role_arn = \"a\"\n vpc_config {\n subnet_ids = []\n}":            "needs the argument name",
	} {
		file, broken := hclsyntax.ParseConfig([]byte(source), "wrong.tf", hcl.InitialPos)
		if broken.HasErrors() {
			t.Fatal(broken)
		}
		kind := "aws_vpc"
		if strings.Contains(want, "vpc_config") || strings.Contains(want, "name") {
			kind = "aws_eks_cluster"
		}
		if all := faults("it", file.Body.(*hclsyntax.Body), provider.Resources[kind].Body); !slices.ContainsFunc(all, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("%s: %q does not say %q", source, all, want)
		}
	}
}

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

// TestModulesAreCalledAsTheyAre holds every call of a module against its variables.
func TestModulesAreCalledAsTheyAre(t *testing.T) {
	all, called := trees(t), map[string]bool{}
	for _, f := range all {
		for name, call := range f.labelled("module") {
			path := filepath.Join(f.path, text(call.Body.Attributes["source"]))
			module := all[path]
			if module == nil {
				t.Errorf("%s: the module %s lies nowhere (%s)", f.path, name, path)
				continue
			}
			called[path] = true
			variables := module.labelled("variable")
			for input := range call.Body.Attributes {
				if variables[input] == nil && !slices.Contains(meta, input) {
					t.Errorf("%s: the module %s has no variable %s", f.path, name, input)
				}
			}
			for variable, b := range variables {
				if call.Body.Attributes[variable] == nil && b.Body.Attributes["default"] == nil {
					t.Errorf("%s: the module %s is not given %s", f.path, name, variable)
				}
			}
		}
	}
	for path := range all {
		if strings.HasPrefix(path, "modules/") && !called[path] {
			t.Errorf("nothing calls %s", path)
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
