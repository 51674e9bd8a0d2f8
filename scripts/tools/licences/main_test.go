package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsNotOnTheListIsNamed(t *testing.T) {
	allowed := parse("# a comment\nMIT\nISC\nMPL-2.0 ours # its files stay as they are\nnone old\n")
	parts := []part{
		{"a", []string{"MIT"}},
		{"ours", []string{"MPL-2.0"}},
		{"old", nil},
		{"choice", []string{"(GPL-3.0 OR ISC)"}},
		{"both", []string{"MIT AND ISC"}},
		{"theirs", []string{"MPL-2.0"}},
		{"half", []string{"MIT AND GPL-3.0"}},
		{"unknown", nil},
	}
	counts, wrong := judge(allowed, parts)
	var named []string
	for _, err := range wrong {
		name, _, _ := strings.Cut(err.Error(), " ")
		named = append(named, name)
	}
	if got := strings.Join(named, " "); got != "theirs half unknown" {
		t.Errorf("named are %s", got)
	}
	if counts["MPL-2.0"] != 2 || counts[none] != 2 || counts["MIT"] != 1 {
		t.Errorf("counted are %v", counts)
	}
}

func TestWhatOnlyDevelopmentNeedsDoesNotCount(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "package-lock.json")
	text := `{"packages": {"": {"license": "X"}, "node_modules/a": {"license": "MIT"}, "node_modules/b/node_modules/@c/d": {}, "node_modules/e": {"license": "Y", "dev": true}}}`
	if err := os.WriteFile(lock, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	parts, err := packagesOf(lock)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != 2 || parts[0].name != "@c/d" || parts[0].licences != nil || parts[1].name != "a" || parts[1].licences[0] != "MIT" {
		t.Errorf("parts are %+v", parts)
	}
}
