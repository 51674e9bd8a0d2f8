// Extract writes terraform/check/schema/aws.json: of the provider for AWS the kinds that the modules use. It fetches the
// npm package @cdktf/provider-aws (37 MB), whose classes are generated from the provider's schema, and reads them. Run it
// in terraform/; make terraform-schemas does.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/terraform/check/schema"
)

const from = "@cdktf/provider-aws@21.22.1"

func main() {
	if err := extract(); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func extract() error {
	used, err := kinds()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "schemas-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pack := exec.Command("npm", "pack", "--silent", from)
	pack.Dir, pack.Stderr = dir, os.Stderr
	name, err := pack.Output()
	if err != nil {
		return fmt.Errorf("npm pack %s: %w", from, err)
	}
	p := &schema.Provider{Resources: map[string]*schema.Block{}, Data: map[string]*schema.Block{}}
	if err := classes(filepath.Join(dir, strings.TrimSpace(string(name))), used, p); err != nil {
		return err
	}
	for _, kind := range used {
		if p.Resources[kind] == nil && p.Data[strings.TrimPrefix(kind, "data ")] == nil {
			return fmt.Errorf("%s has no %s", from, kind)
		}
	}
	var text bytes.Buffer
	into := json.NewEncoder(&text)
	into.SetIndent("", " ")
	if err := into.Encode(p); err != nil {
		return err
	}
	return os.WriteFile("check/schema/aws.json", short.ReplaceAll(text.Bytes(), []byte("{$1}")), 0o644)
}

// short are an attribute's lines, which are written as one.
var short = regexp.MustCompile(`\{\s+("type": [^{}]*?)\s+\}`)

var head = regexp.MustCompile(`(?m)^(resource|data) "(aws_\w+)"`)

// kinds are those that the modules use: "aws_vpc", "data aws_region".
func kinds() (used []string, err error) {
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".tf") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range head.FindAllStringSubmatch(string(text), -1) {
			kind := found[2]
			if found[1] == "data" {
				kind = "data " + kind
			}
			used = append(used, kind)
		}
		return nil
	})
	slices.Sort(used)
	return slices.Compact(used), err
}

// folder is where the package has a kind: eks-cluster, data-aws-region.
func folder(kind string) string {
	if data, ok := strings.CutPrefix(kind, "data "); ok {
		return "data-" + strings.ReplaceAll(data, "_", "-")
	}
	return strings.ReplaceAll(strings.TrimPrefix(kind, "aws_"), "_", "-")
}

// classes reads the package's classes of the kinds used.
func classes(archive string, used []string, into *schema.Provider) error {
	at := map[string]string{"package/lib/provider/index.js": "provider"}
	for _, kind := range used {
		at["package/lib/"+folder(kind)+"/index.js"] = kind
	}
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		kind := at[header.Name]
		if kind == "" {
			continue
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return err
		}
		made, err := read(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		switch data, isData := strings.CutPrefix(kind, "data "); {
		case kind == "provider":
			into.Provider, into.Version = made, version.FindStringSubmatch(string(text))[1]
		case isData:
			into.Data[data] = made
		default:
			into.Resources[kind] = made
		}
	}
}
