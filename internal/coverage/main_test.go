package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesBelowTheLeastAreNamed(t *testing.T) {
	t.Chdir(t.TempDir()) // no folders here: only what the profile tells counts
	profile := filepath.Join(t.TempDir(), "coverage.out")
	text := "mode: atomic\n"
	for _, line := range []string{
		"commerce/cart/a.go:1.1,2.1 8 1", "commerce/cart/b.go:1.1,2.1 2 0",
		"commerce/cart/x.gen.go:1.1,2.1 99 0",
		// Two test binaries saw this file; one of them ran it.
		"commerce/orders/a.go:1.1,2.1 5 0", "commerce/orders/a.go:1.1,2.1 5 3",
		"billing/a.go:1.1,2.1 7 0", "billing/a.go:3.1,4.1 3 1",
		"platform/ids/a.go:1.1,2.1 7 0", "commerce/shoptest/a.go:1.1,2.1 7 0",
	} {
		text += module + "/" + line + "\n"
	}
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := run(&out, profile, 80, []string{"commerce", "billing"})
	if err == nil || err.Error() != "1 package(s) covered less than 80 %: billing" {
		t.Errorf("answered %v", err)
	}
	if want := "  30.0 %  billing  below 80 %\n  80.0 %  commerce/cart\n 100.0 %  commerce/orders\n"; out.String() != want {
		t.Errorf("printed\n%s, want\n%s", out.String(), want)
	}
	if err := run(&out, profile, 25, []string{"commerce", "billing"}); err != nil {
		t.Errorf("all are above 25 %%: %v", err)
	}
}
