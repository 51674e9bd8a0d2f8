package guides_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/docs/guides"
)

var link = regexp.MustCompile(`\]\(([a-z-]+)\.md[#)]`)

// Every guide is in the index, once, by its own title or a shorter one, and no link leads nowhere.
func TestTheIndexIsWhole(t *testing.T) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	var names, there []string
	for _, g := range guides.All() {
		names = append(names, g.Name)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f, ".md")
		if name != guides.Index {
			there = append(there, name)
		}
		text, ok := guides.Text(name)
		if !ok || !strings.HasPrefix(text, "# ") {
			t.Errorf("%s has no title", f)
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, ok := guides.Text(m[1]); !ok {
				t.Errorf("%s links to %s, which is not there", f, m[1])
			}
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, there) {
		t.Errorf("the index has %v, and there are %v", names, there)
	}
	for _, name := range []string{"../README", "guides.go", "", "nothing"} {
		if _, ok := guides.Text(name); ok {
			t.Errorf("%q is a guide", name)
		}
	}
}
