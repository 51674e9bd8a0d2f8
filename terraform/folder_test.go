package terraform_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// tree is a folder of Terraform's: a module, or an environment, which is one that nothing calls.
type tree struct {
	path   string
	blocks []*hclsyntax.Block
}

// trees are all folders, by path.
func trees(t *testing.T) map[string]*tree {
	t.Helper()
	all := map[string]*tree{}
	for _, pattern := range []string{"modules/*/*.tf", "environments/*/*.tf", "state/*.tf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			file, faults := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
			if faults.HasErrors() {
				t.Fatal(faults)
			}
			dir := filepath.Dir(path)
			if all[dir] == nil {
				all[dir] = &tree{path: dir}
			}
			all[dir].blocks = append(all[dir].blocks, file.Body.(*hclsyntax.Body).Blocks...)
		}
	}
	if len(all) != 12 {
		t.Fatalf("there are %d folders", len(all))
	}
	return all
}

// of are the blocks of a type.
func (f *tree) of(kind string) (found []*hclsyntax.Block) {
	for _, b := range f.blocks {
		if b.Type == kind {
			found = append(found, b)
		}
	}
	return found
}

// labelled are the blocks of a type by their last label.
func (f *tree) labelled(kind string) map[string]*hclsyntax.Block {
	found := map[string]*hclsyntax.Block{}
	for _, b := range f.of(kind) {
		found[b.Labels[len(b.Labels)-1]] = b
	}
	return found
}

// locals are the values of all locals blocks.
func (f *tree) locals() map[string]*hclsyntax.Attribute {
	found := map[string]*hclsyntax.Attribute{}
	for _, b := range f.of("locals") {
		for name, a := range b.Body.Attributes {
			found[name] = a
		}
	}
	return found
}

// text is what an argument says that is a string without anything to fill in.
func text(a *hclsyntax.Attribute) string {
	if a == nil {
		return ""
	}
	value, faults := a.Expr.Value(nil)
	if faults.HasErrors() || value.IsNull() || value.Type() != cty.String {
		return ""
	}
	return value.AsString()
}

// block is the first block of a type within another.
func block(in *hclsyntax.Body, kind string) *hclsyntax.Block {
	for _, b := range in.Blocks {
		if b.Type == kind {
			return b
		}
	}
	return nil
}
