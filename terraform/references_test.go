package terraform_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// asked are all references within a body: var.name, aws_vpc.this.id.
func asked(body *hclsyntax.Body) (all []hcl.Traversal) {
	for _, a := range body.Attributes {
		all = append(all, a.Expr.Variables()...)
	}
	for _, b := range body.Blocks {
		all = append(all, asked(b.Body)...)
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

// TestNothingIsLeftOver looks for variables and local values that nothing uses.
func TestNothingIsLeftOver(t *testing.T) {
	asks := 0
	for _, f := range trees(t) {
		used := map[string]bool{}
		for _, b := range f.blocks {
			for _, way := range asked(b.Body) {
				if n := names(way); len(n) > 1 {
					used[n[0]+"."+n[1]] = true
					asks++
				}
			}
		}
		for name := range f.labelled("variable") {
			if !used["var."+name] {
				t.Errorf("%s: nothing uses the variable %s", f.path, name)
			}
		}
		for name := range f.locals() {
			if !used["local."+name] {
				t.Errorf("%s: nothing uses the local value %s", f.path, name)
			}
		}
	}
	if asks < 300 {
		t.Errorf("%d references only", asks)
	}
}

// TestOutputsAreAskedFor has no module tell what nobody asks.
func TestOutputsAreAskedFor(t *testing.T) {
	all, asks := trees(t), map[string]bool{}
	for _, f := range all {
		modules := f.labelled("module")
		for _, b := range f.blocks {
			for _, way := range asked(b.Body) {
				n := names(way)
				if len(n) < 2 || n[0] != "module" || modules[n[1]] == nil {
					continue
				}
				module := filepath.Join(f.path, text(modules[n[1]].Body.Attributes["source"]))
				if len(n) == 2 { // all that it tells
					asks[module] = true
				} else {
					asks[module+" "+n[2]] = true
				}
			}
		}
	}
	for path, f := range all {
		for name := range f.labelled("output") {
			if strings.HasPrefix(path, "modules/") && !asks[path] && !asks[path+" "+name] {
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
