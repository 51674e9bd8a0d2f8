package main

import (
	"archive/tar"
	"compress/gzip"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// here is the commit that is checked out.
func here() (source, error) {
	var s source
	var date string
	for _, ask := range []struct {
		into *string
		args []string
	}{
		{&s.version, []string{"describe", "--tags", "--always", "--dirty"}},
		{&s.commit, []string{"rev-parse", "HEAD"}},
		{&date, []string{"log", "-1", "--format=%cI"}},
	} {
		out, err := run(nil, "git", ask.args...)
		if err != nil {
			return s, err
		}
		*ask.into = strings.TrimSpace(out)
	}
	at, err := time.Parse(time.RFC3339, date)
	s.time = at.UTC()
	return s, err
}

// static leaves out what would load a library of the system at run time, and so need a
// linker that an image from scratch does not have: pictures are then written by the codec
// that is compiled in, as on any machine without that library.
const static = "nodynamic"

// build builds the program for a platform (os/arch) into a folder. Nothing of this machine
// is in it: no path, no flag of its environment.
func build(s source, platform, folder string) error {
	system, architecture, ok := strings.Cut(platform, "/")
	if !ok {
		return fmt.Errorf("%q is not a platform, such as linux/amd64", platform)
	}
	flags := fmt.Sprintf("-s -w -X main.version=%s -X main.commit=%.12s", s.version, s.commit)
	binary := filepath.Join(folder, "stoa")
	if _, err := run([]string{"CGO_ENABLED=0", "GOFLAGS=", "GOOS=" + system, "GOARCH=" + architecture, "GOAMD64=v1", "GOARM64=v8.0"},
		"go", "build", "-trimpath", "-buildvcs=true", "-tags", static, "-ldflags", flags, "-o", binary, "./cmd/stoa"); err != nil || system != "linux" {
		return err
	}
	file, err := elf.Open(binary)
	if err != nil {
		return err
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			err = fmt.Errorf("%s is linked dynamically: it would start in no image from scratch", binary)
		}
	}
	return errors.Join(err, file.Close())
}

// components writes the SBOM of a binary: the modules that are linked into it.
func components(s source, binary, to string) error {
	_, err := run([]string{"GOFLAGS="}, "go", "tool", "-modfile=scripts/tools/go.mod", "cyclonedx-gomod",
		"bin", "-json", "-noserial", "-notimestamp", "-std", "-version", s.version, "-output", to, binary)
	return err
}

// officeComponents writes the SBOM of the back office: npm's packages that it is made of, by
// what its lock file says.
func officeComponents(s source, lock, to string) error {
	text, err := os.ReadFile(lock)
	if err != nil {
		return err
	}
	var locked struct {
		Packages map[string]struct {
			Version, License string
			Dev              bool
		}
	}
	if err := json.Unmarshal(text, &locked); err != nil {
		return fmt.Errorf("read %s: %w", lock, err)
	}
	type object = map[string]any
	components := []object{}
	for _, path := range slices.Sorted(maps.Keys(locked.Packages)) {
		p := locked.Packages[path]
		if path == "" || p.Dev {
			continue
		}
		name := path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		purl := "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + p.Version
		components = append(components, object{
			"type": "library", "bom-ref": path, "name": name, "version": p.Version, "purl": purl,
			"licenses": []object{{"expression": p.License}},
		})
	}
	bill, err := json.MarshalIndent(object{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
		"metadata": object{
			"timestamp": s.time.Format(time.RFC3339),
			"component": object{"type": "application", "bom-ref": "back-office", "name": "stoa-back-office", "version": s.version},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(bill, '\n'), 0o644)
}

// archive packs the files of a folder, below its name, all of one time and nobody's.
func archive(folder, to string, at time.Time) (err error) {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(file)
	packed := tar.NewWriter(zipped)
	defer func() { err = errors.Join(err, packed.Close(), zipped.Close(), file.Close()) }()
	entries, err := os.ReadDir(folder) // in the order of their names
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if entry.Name() == "stoa" {
			mode = 0o755
		}
		header := &tar.Header{Name: filepath.Base(folder) + "/" + entry.Name(), Mode: mode, Size: int64(len(content)), ModTime: at, Format: tar.FormatUSTAR}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := packed.Write(content); err != nil {
			return err
		}
	}
	return nil
}

// run gives what a command prints, with variables beside those of the environment.
func run(variables []string, name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), variables...)
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return string(out), nil
}
