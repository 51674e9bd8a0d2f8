package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChangesAreCutFromTheChangelog(t *testing.T) {
	const changelog = "# Changelog\n\n## Unreleased\n\n### Added\n\n- Next.\n\n## 1.2.0 (2026-11-01)\n\n- Second.\n\n## 1.1.0 (2026-10-01)\n\n- First.\n"
	for version, want := range map[string]string{
		"v1.2.0":               "- Second.\n",
		"v1.1.0":               "- First.\n",
		"v1.2.0-3-gabcdef0":    "### Added\n\n- Next.\n",
		"v1.2.0-dirty":         "### Added\n\n- Next.\n",
		"a9ed09cb":             "### Added\n\n- Next.\n",
		"v1.2.0-3-gab12-dirty": "### Added\n\n- Next.\n",
	} {
		if got, err := changesOf(changelog, version); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", version, got, err, want)
		}
	}
	if _, err := changesOf(changelog, "v1.3.0"); err == nil || !strings.Contains(err.Error(), `nothing under "## 1.3.0"`) {
		t.Errorf("a version that the changelog does not know: %v", err)
	}
}

func TestAnArchiveIsTheSameWheneverItIsMade(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var made [2][]byte
	for i := range made {
		folder := filepath.Join(t.TempDir(), "stoa-v1")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"stoa", "LICENSE"} {
			file := filepath.Join(folder, name)
			if err := errors.Join(os.WriteFile(file, []byte(name), 0o600), os.Chtimes(file, time.Now(), time.Unix(int64(i), 0))); err != nil {
				t.Fatal(err)
			}
		}
		if err := archive(folder, folder+".tar.gz", at); err != nil {
			t.Fatal(err)
		}
		var err error
		if made[i], err = os.ReadFile(folder + ".tar.gz"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two archives of the same files differ")
	}
	zipped, err := gzip.NewReader(bytes.NewReader(made[0]))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for r := tar.NewReader(zipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(at) || header.Uid != 0 {
			t.Errorf("%s bears %v and belongs to %d", header.Name, header.ModTime, header.Uid)
		}
		found[header.Name] = header.Mode
	}
	if len(found) != 2 || found["stoa-v1/stoa"] != 0o755 || found["stoa-v1/LICENSE"] != 0o644 {
		t.Errorf("it holds %v", found)
	}
}

func TestProvenanceNamesCommitAndSubjects(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	text, err := statementOf(source{version: "v1.0.0", commit: "0123"}, "https://builder.example", []subject{{"stoa.tar.gz", map[string]string{"sha256": sum}}})
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Type      string `json:"_type"`
		Subject   []subject
		Predicate struct {
			BuildDefinition struct {
				ResolvedDependencies []struct{ Digest map[string]string }
			}
			RunDetails struct{ Builder struct{ ID string } }
		}
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	p := s.Predicate
	if s.Type != "https://in-toto.io/Statement/v1" || len(s.Subject) != 1 || s.Subject[0].Digest["sha256"] != sum ||
		p.BuildDefinition.ResolvedDependencies[0].Digest["gitCommit"] != "0123" || p.RunDetails.Builder.ID != "https://builder.example" {
		t.Errorf("it says %s", text)
	}
	if _, err := statementOf(source{}, byHand, nil); err == nil {
		t.Error("a statement about nothing was made")
	}
	if err := provenanceOf(options{to: t.TempDir()}, []string{"image=sha256:12"}); err == nil || !strings.Contains(err.Error(), "is not name=sha256:") {
		t.Errorf("a digest that is none: %v", err)
	}
}

func TestTheBackOfficesPackagesAreNamed(t *testing.T) {
	to := filepath.Join(t.TempDir(), "office.json")
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	if err := officeComponents(source{version: "v1", time: at}, "../../web/admin/package-lock.json", to); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		Metadata   struct{ Timestamp time.Time }
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range bill.Components {
		found[c.Name] = c.Purl
		if c.Version == "" {
			t.Errorf("%s has no version", c.Name)
		}
	}
	if !strings.HasPrefix(found["react"], "pkg:npm/react@") || !strings.HasPrefix(found["@mantine/core"], "pkg:npm/%40mantine/core@") || !bill.Metadata.Timestamp.Equal(at) {
		t.Errorf("it names %d packages, of %v", len(found), bill.Metadata.Timestamp)
	}
	if found["vite"] != "" {
		t.Error("it names what only building needs")
	}
}
