// Release builds the program for those who did not build it: for each platform an archive
// and what is in it (SBOM), with sums, provenance and what changed; or, with -image, the
// binary for an image and its SBOM. The same commit gives the same bytes, wherever it is
// built, by the same version of Go.
//
//	go run ./internal/release -to bin/release linux/amd64 darwin/arm64
//	go run ./internal/release -image -to bin/image linux/amd64
//	go run ./internal/release -provenance -to bin/image image.tar=sha256:…
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.to, "to", "bin/release", "the folder to write into; what it held is thrown away")
	flag.StringVar(&o.builder, "builder", "", "who builds, as a URI, for the provenance; by hand when empty")
	image := flag.Bool("image", false, "only the binary and its SBOM, for an image")
	provenance := flag.Bool("provenance", false, "only the provenance, of name=sha256:… each")
	flag.Parse()
	do := release
	switch {
	case *image:
		do = forImage
	case *provenance:
		do = provenanceOf
	}
	if err := do(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

type options struct{ to, builder string }

// A source is the commit that is built.
type source struct {
	version string    // by its tag, and how far it is from it
	commit  string    // in full
	time    time.Time // of the commit; what is built bears it
}

// release makes everything that is published for the platforms (os/arch).
func release(o options, platforms []string) error {
	if len(platforms) == 0 {
		return fmt.Errorf("name a platform, such as linux/amd64")
	}
	s, err := here()
	if err != nil {
		return err
	}
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	changes, err := changesOf(string(changelog), s.version)
	if err != nil {
		return err
	}
	if err := empty(o.to); err != nil {
		return err
	}
	var made []string
	for _, platform := range platforms {
		name := "stoa-" + s.version + "-" + strings.ReplaceAll(platform, "/", "-")
		folder := filepath.Join(o.to, name)
		if err := build(s, platform, folder); err != nil {
			return err
		}
		if err := components(s, filepath.Join(folder, "stoa"), filepath.Join(o.to, name+".cdx.json")); err != nil {
			return err
		}
		for _, file := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
			if err := copyFile(file, filepath.Join(folder, file)); err != nil {
				return err
			}
		}
		if err := archive(folder, filepath.Join(o.to, name+".tar.gz"), s.time); err != nil {
			return err
		}
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
		made = append(made, name+".tar.gz", name+".cdx.json")
		fmt.Println(filepath.Join(o.to, name+".tar.gz"))
	}
	const office = "back-office.cdx.json"
	if err := officeComponents(s, "web/admin/package-lock.json", filepath.Join(o.to, office)); err != nil {
		return err
	}
	return publish(o, s, append(made, office), changes)
}

// publish writes what tells of the files that were made.
func publish(o options, s source, made []string, changes string) error {
	var subjects []subject
	var sums strings.Builder
	for _, name := range slices.Sorted(slices.Values(made)) {
		sum, err := digest(filepath.Join(o.to, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
		subjects = append(subjects, subject{Name: name, Digest: map[string]string{"sha256": sum}})
	}
	statement, err := statementOf(s, cmp.Or(o.builder, byHand), subjects)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"SHA256SUMS": sums.String(), "CHANGES.md": changes, "provenance.json": statement} {
		if err := os.WriteFile(filepath.Join(o.to, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// forImage makes what deploy/image/Dockerfile copies.
func forImage(o options, platforms []string) error {
	if len(platforms) != 1 {
		return fmt.Errorf("an image is for one platform, such as linux/amd64; given were %d", len(platforms))
	}
	s, err := here()
	if err != nil {
		return err
	}
	if err := empty(o.to); err != nil {
		return err
	}
	context := filepath.Join(o.to, "context")
	if err := build(s, platforms[0], context); err != nil {
		return err
	}
	// Copied into the image, it is the folder that the program may write to, where nothing is mounted.
	if err := os.MkdirAll(filepath.Join(context, "empty"), 0o755); err != nil {
		return err
	}
	if err := copyFile("LICENSE", filepath.Join(context, "LICENSE")); err != nil {
		return err
	}
	return components(s, filepath.Join(context, "stoa"), filepath.Join(o.to, "stoa.cdx.json"))
}

// provenanceOf says where things came from that were made elsewhere, such as an image.
func provenanceOf(o options, named []string) error {
	s, err := here()
	if err != nil {
		return err
	}
	var subjects []subject
	for _, one := range named {
		name, sum, ok := strings.Cut(one, "=sha256:")
		if raw, err := hex.DecodeString(sum); !ok || name == "" || err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("%q is not name=sha256:…", one)
		}
		subjects = append(subjects, subject{Name: name, Digest: map[string]string{"sha256": sum}})
	}
	statement, err := statementOf(s, cmp.Or(o.builder, byHand), subjects)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.to, "provenance.json"), []byte(statement), 0o644)
}

// empty makes a folder that holds nothing.
func empty(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.MkdirAll(folder, 0o755)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// digest is a file's SHA-256, in hexadecimal digits.
func digest(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
