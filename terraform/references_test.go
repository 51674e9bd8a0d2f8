package terraform_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stoacommerce/stoa/terraform/schemas"
)

// asked are all references within a body: var.name, aws_vpc.this.id. A dynamic block's own value is none.
func asked(body *hclsyntax.Body, own []string) (all []hcl.Traversal) {
	for _, a := range body.Attributes {
		for _, way := range a.Expr.Variables() {
			if !slices.Contains(own, way.RootName()) {
				all = append(all, way)
			}
		}
	}
	for _, b := range body.Blocks {
		switch {
		case b.Type == "dynamic":
			all = append(all, asked(b.Body, append([]string{b.Labels[0]}, own...))...)
		case b.Type == "lifecycle": // its arguments are of the resource itself
		default:
			all = append(all, asked(b.Body, own)...)
		}
	}
	return all
}

// names are a reference's names in order; what stands in brackets is left out.
func names(way hcl.Traversal) (all []string) {
	for _, step := range way {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			all = append(all, step.Name)
		case hcl.TraverseAttr:
			all = append(all, step.Name)
		}
	}
	return all
}

// has says whether a kind can be asked for a name.
func has(kind *schemas.Kind, name string) bool {
	spelling := name
	for i := strings.Index(spelling, "_"); i >= 0 && i+1 < len(spelling); i = strings.Index(spelling, "_") {
		spelling = spelling[:i] + strings.ToUpper(spelling[i+1:i+2]) + spelling[i+2:]
	}
	_, argument := kind.Arguments[name]
	return argument || kind.Blocks[name] != nil || slices.Contains(kind.Attributes, spelling)
}

// TestReferencesLeadSomewhere follows each reference to what it names, and looks for what nothing refers to.
func TestReferencesLeadSomewhere(t *testing.T) {
	provider, err := schemas.AWS()
	if err != nil {
		t.Fatal(err)
	}
	all, followed := trees(t), 0
	for _, f := range all {
		variables, locals, modules := f.labelled("variable"), f.locals(), f.labelled("module")
		used := map[string]bool{}
		for _, b := range f.blocks {
			own := []string{"each", "count", "self", "path"}
			if b.Type == "variable" {
				own = append(own, "string", "number", "bool", "list", "map", "object") // names of types
			}
			for _, way := range asked(b.Body, own) {
				n := names(way)
				followed++
				wrong := func(what string) {
					t.Errorf("%s: %s leads nowhere: %s", way.SourceRange(), strings.Join(n, "."), what)
				}
				if len(n) < 2 {
					wrong("it is one name alone")
					continue
				}
				switch n[0] {
				case "var":
					if used["var."+n[1]] = true; variables[n[1]] == nil {
						wrong("no such variable")
					}
				case "local":
					if used["local."+n[1]] = true; locals[n[1]] == nil {
						wrong("no such local value")
					}
				case "module":
					call := modules[n[1]]
					if call == nil || len(n) < 3 {
						wrong("no such module")
						continue
					}
					if all[filepath.Join(f.path, text(call.Body.Attributes["source"]))].labelled("output")[n[2]] == nil {
						wrong("the module has no such output")
					}
				case "data":
					f.follow(n[1:], "data", provider.Data, wrong)
				default:
					f.follow(n, "resource", provider.Resources, wrong)
				}
			}
		}
		for name := range variables {
			if !used["var."+name] {
				t.Errorf("%s: nothing uses the variable %s", f.path, name)
			}
		}
		for name := range locals {
			if !used["local."+name] {
				t.Errorf("%s: nothing uses the local value %s", f.path, name)
			}
		}
	}
	if followed < 300 {
		t.Errorf("%d references only", followed)
	}
}

// follow looks for what type.name.attribute names.
func (f *tree) follow(n []string, of string, kinds map[string]*schemas.Kind, wrong func(string)) {
	found := slices.ContainsFunc(f.of(of), func(b *hclsyntax.Block) bool { return len(n) > 1 && b.Labels[0] == n[0] && b.Labels[1] == n[1] })
	switch {
	case !found:
		wrong("there is no such " + of)
	case len(n) > 2 && kinds[n[0]] != nil && !has(kinds[n[0]], n[2]):
		wrong(n[0] + " has no " + n[2])
	}
}

// TestOutputsAreAskedFor has no module tell what nobody asks.
func TestOutputsAreAskedFor(t *testing.T) {
	all, asks := trees(t), map[string]bool{}
	for _, f := range all {
		modules := f.labelled("module")
		for _, b := range f.blocks {
			for _, way := range asked(b.Body, nil) {
				if n := names(way); len(n) > 2 && n[0] == "module" && modules[n[1]] != nil {
					asks[filepath.Join(f.path, text(modules[n[1]].Body.Attributes["source"]))+" "+n[2]] = true
				}
			}
		}
	}
	for path, f := range all {
		for name := range f.labelled("output") {
			if strings.HasPrefix(path, "modules/") && !asks[path+" "+name] {
				t.Errorf("%s: nothing asks for the output %s", path, name)
			}
		}
	}
}

// broad are actions that are allowed on everything, or without bounds, and why.
var broad = map[string]string{
	"kms:*": "the account's own right in its key",
	"s3:*":  "refused, to whoever is not on a sealed connection",
}

// TestPermissionsAreNarrow looks through every policy: on everything stands what only looks, or what a condition bounds.
func TestPermissionsAreNarrow(t *testing.T) {
	statements := 0
	for _, f := range trees(t) {
		for name, b := range f.labelled("data") {
			if b.Labels[0] != "aws_iam_policy_document" {
				continue
			}
			for _, s := range b.Body.Blocks {
				statements++
				actions, broken := s.Body.Attributes["actions"].Expr.Value(nil)
				if broken.HasErrors() {
					t.Fatalf("%s %s: %v", f.path, name, broken)
				}
				everything := false
				if r := s.Body.Attributes["resources"]; r != nil {
					for _, e := range r.Expr.(*hclsyntax.TupleConsExpr).Exprs {
						value, broken := e.Value(nil)
						everything = everything || !broken.HasErrors() && value.AsString() == "*"
					}
				}
				bounded := block(s.Body, "condition") != nil || block(s.Body, "principals") != nil
				for _, action := range actions.AsValueSlice() {
					a := action.AsString()
					if strings.HasSuffix(a, ":*") && broad[a] == "" {
						t.Errorf("%s %s: %s is every action", f.path, name, a)
					}
					_, verb, _ := strings.Cut(a, ":")
					looks := strings.HasPrefix(verb, "Describe") || strings.HasPrefix(verb, "Get") || strings.HasPrefix(verb, "List")
					if everything && !bounded && !looks && !strings.HasPrefix(verb, "Create") {
						t.Errorf("%s %s: %s on everything", f.path, name, a)
					}
				}
			}
		}
	}
	if statements < 15 {
		t.Errorf("%d statements only", statements)
	}
}
