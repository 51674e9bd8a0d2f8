// Extract writes terraform/schemas/aws.json: of the provider for AWS the kinds that the modules use. It fetches the npm
// package @cdktf/provider-aws (37 MB), into which the provider's schema is generated as types, and reads their
// declarations. Run it in terraform/; make terraform-schemas does.
package main

import (
	"archive/tar"
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

	"github.com/stoacommerce/stoa/terraform/schemas"
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
	provider := &schemas.Provider{Resources: map[string]*schemas.Kind{}, Data: map[string]*schemas.Kind{}}
	if err := declarations(filepath.Join(dir, strings.TrimSpace(string(name))), used, provider); err != nil {
		return err
	}
	for _, kind := range used {
		if provider.Resources[kind] == nil && provider.Data[strings.TrimPrefix(kind, "data ")] == nil {
			return fmt.Errorf("%s has no %s", from, kind)
		}
	}
	text, err := json.MarshalIndent(provider, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile("schemas/aws.json", append(text, '\n'), 0o644)
}

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

// declarations reads the package's declarations of the kinds used.
func declarations(archive string, used []string, into *schemas.Provider) error {
	at := map[string]string{}
	for _, kind := range used {
		at["package/lib/"+folder(kind)+"/index.d.ts"] = kind
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
		made, version, err := declared(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if into.Version = version; strings.HasPrefix(kind, "data ") {
			into.Data[strings.TrimPrefix(kind, "data ")] = made
		} else {
			into.Resources[kind] = made
		}
	}
}

var (
	declaration = regexp.MustCompile(`(?ms)^export interface (\w+)[^{]*\{\n(.*?)^\}`)
	field       = regexp.MustCompile(`(?s)/docs/(?:resources|data-sources)/\w+#(\w+) .*?readonly (\w+)(\??): (.*);\s*$`)
	class       = regexp.MustCompile(`(?ms)^export declare class \w+ extends cdktf\.Terraform(?:Resource|DataSource) \{\n(.*?)^\}`)
	getter      = regexp.MustCompile(`(?m)^    get (\w+)\(\)`)
	provider    = regexp.MustCompile(`providers/hashicorp/aws/([0-9.]+)/docs`)
)

// declared is a kind as its declaration has it, with the provider's version.
func declared(text string) (*schemas.Kind, string, error) {
	interfaces := map[string]string{}
	config := ""
	for _, found := range declaration.FindAllStringSubmatch(text, -1) {
		interfaces[found[1]] = found[2]
		if strings.HasSuffix(found[1], "Config") && strings.Contains(found[0], "extends cdktf.TerraformMetaArguments") {
			config = found[1]
		}
	}
	version, members := provider.FindStringSubmatch(text), class.FindStringSubmatch(text)
	if config == "" || version == nil || members == nil {
		return nil, "", errors.New("its declaration is not of the form that is known")
	}
	kind := &schemas.Kind{Body: body(interfaces, config)}
	for _, found := range getter.FindAllStringSubmatch(members[1], -1) {
		if !strings.HasSuffix(found[1], "Input") {
			kind.Attributes = append(kind.Attributes, found[1])
		}
	}
	return kind, version[1], nil
}

// body is what an interface declares: a member that is of another interface is a block.
func body(interfaces map[string]string, name string) schemas.Body {
	b := schemas.Body{Arguments: map[string]schemas.Argument{}, Blocks: map[string]*schemas.Block{}}
	for part := range strings.SplitSeq(interfaces[name], "    /**\n") {
		found := field.FindStringSubmatch(part)
		if found == nil {
			continue
		}
		required, kind := found[3] == "", found[4]
		of := strings.Trim(strings.TrimSuffix(strings.Split(kind, " ")[0], "[]"), "()")
		if _, nested := interfaces[of]; nested {
			b.Blocks[found[1]] = &schemas.Block{Required: required, Body: body(interfaces, of)}
			continue
		}
		b.Arguments[found[1]] = schemas.Argument{Required: required, Type: typeOf(kind)}
	}
	return b
}

func typeOf(kind string) string {
	switch {
	case strings.HasPrefix(kind, "{"):
		return "map"
	case strings.Contains(kind, "[]"):
		return "list"
	case strings.HasPrefix(kind, "number"):
		return "number"
	case strings.HasPrefix(kind, "boolean"):
		return "boolean"
	default:
		return "string"
	}
}
