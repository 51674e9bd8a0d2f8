package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Root is the file that everything else is found from.
const Root = "openapi.yaml"

// sections says which section of the components each file's definitions belong to;
// files in schemas/ hold schemas.
var sections = map[string]string{
	"parameters.yaml": "parameters",
	"headers.yaml":    "headers",
	"responses.yaml":  "responses",
	"callbacks.yaml":  "callbacks",
}

// sectionOrder is the order of the sections in the bundle.
var sectionOrder = []string{"securitySchemes", "parameters", "headers", "responses", "callbacks", "schemas"}

// Bundle makes one document of the root and every file it refers to, keeping the order
// in which things are written. Components keep the name they have in their file, and so
// have to be named uniquely over all files of a section; a clash is an error.
func Bundle(files fs.FS) (*yaml.Node, error) {
	b := &bundler{files: files, parsed: map[string]*yaml.Node{}, components: map[string]map[string]component{}}
	root, err := b.parse(Root)
	if err != nil {
		return nil, err
	}
	if err := b.mountPaths(member(root, "paths")); err != nil {
		return nil, err
	}
	written := member(root, "components")
	if err := b.adopt(written); err != nil {
		return nil, err
	}
	if err := b.rewrite(root, Root); err != nil {
		return nil, err
	}
	b.writeComponents(written)
	return root, nil
}

// component is a definition that the bundle has taken up, and the file it is from.
type component struct {
	file string
	node *yaml.Node
}

type bundler struct {
	files      fs.FS
	parsed     map[string]*yaml.Node
	components map[string]map[string]component // section → name → definition
}

// parse reads a file once and gives its top-level mapping.
func (b *bundler) parse(file string) (*yaml.Node, error) {
	if node, ok := b.parsed[file]; ok {
		return node, nil
	}
	text, err := fs.ReadFile(b.files, file)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("parse %s: not a mapping", file)
	}
	b.parsed[file] = doc.Content[0]
	return doc.Content[0], nil
}

// mountPaths puts every path item in place of the reference to its file.
func (b *bundler) mountPaths(paths *yaml.Node) error {
	if paths == nil {
		return errors.New("bundle the contract: the root has no paths")
	}
	for i := 0; i < len(paths.Content); i += 2 {
		name, item := paths.Content[i].Value, paths.Content[i+1]
		ref := member(item, "$ref")
		if ref == nil {
			return fmt.Errorf("bundle path %s: it is not a reference to a file", name)
		}
		file, definition, err := b.resolve(ref.Value, Root)
		if err != nil {
			return fmt.Errorf("bundle path %s: %w", name, err)
		}
		if err := b.rewrite(definition, file); err != nil {
			return fmt.Errorf("bundle path %s: %w", name, err)
		}
		paths.Content[i+1] = definition
	}
	return nil
}

// adopt takes up the components that the root names itself.
func (b *bundler) adopt(components *yaml.Node) error {
	for i := 0; i < len(components.Content); i += 2 {
		section, members := components.Content[i].Value, components.Content[i+1]
		for j := 0; j < len(members.Content); j += 2 {
			name, node := members.Content[j].Value, members.Content[j+1]
			if ref := member(node, "$ref"); ref != nil {
				if err := b.takeUp(ref.Value, Root); err != nil {
					return err
				}
				continue
			}
			b.keep(section, name, component{file: Root, node: node})
		}
	}
	return nil
}

// rewrite turns every reference below node, which stands in file, into one within the
// bundle, and takes up what it refers to.
func (b *bundler) rewrite(node *yaml.Node, file string) error {
	if node.Kind == yaml.MappingNode {
		if ref := member(node, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode {
			return b.rewriteReference(ref, file)
		}
		if mapping := member(member(node, "discriminator"), "mapping"); mapping != nil {
			for i := 1; i < len(mapping.Content); i += 2 {
				if err := b.rewriteReference(mapping.Content[i], file); err != nil {
					return err
				}
			}
		}
	}
	for _, child := range node.Content {
		if err := b.rewrite(child, file); err != nil {
			return err
		}
	}
	return nil
}

// rewriteReference turns one reference, which stands in file, into one within the bundle.
func (b *bundler) rewriteReference(ref *yaml.Node, file string) error {
	if strings.HasPrefix(ref.Value, "#/components/") {
		return nil
	}
	if err := b.takeUp(ref.Value, file); err != nil {
		return fmt.Errorf("%s line %d: %w", file, ref.Line, err)
	}
	target, name, err := b.locate(ref.Value, file)
	if err != nil {
		return err
	}
	ref.Value = "#/components/" + section(target) + "/" + name
	return nil
}

// takeUp makes the definition that ref names a component of the bundle.
func (b *bundler) takeUp(ref, from string) error {
	file, definition, err := b.resolve(ref, from)
	if err != nil {
		return err
	}
	_, name, _ := b.locate(ref, from)
	if known, ok := b.components[section(file)][name]; ok {
		if known.file != file {
			return fmt.Errorf("%s stands in %s and in %s", name, known.file, file)
		}
		return nil
	}
	b.keep(section(file), name, component{file: file, node: definition})
	return b.rewrite(definition, file)
}

func (b *bundler) keep(section, name string, c component) {
	if b.components[section] == nil {
		b.components[section] = map[string]component{}
	}
	b.components[section][name] = c
}

// locate splits a reference into the file and the name within it.
func (b *bundler) locate(ref, from string) (file, name string, err error) {
	file, pointer, found := strings.Cut(ref, "#/")
	if !found || strings.Contains(pointer, "/") {
		return "", "", fmt.Errorf("reference %q does not name a definition of a file", ref)
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer)
	if file == "" {
		return from, name, nil
	}
	return path.Join(path.Dir(from), file), name, nil
}

// resolve finds the definition that ref names.
func (b *bundler) resolve(ref, from string) (file string, definition *yaml.Node, err error) {
	file, name, err := b.locate(ref, from)
	if err != nil {
		return "", nil, err
	}
	top, err := b.parse(file)
	if err != nil {
		return "", nil, err
	}
	if definition = member(top, name); definition == nil {
		return "", nil, fmt.Errorf("reference %q names nothing", ref)
	}
	return file, definition, nil
}

// writeComponents replaces the root's components by everything that was taken up.
func (b *bundler) writeComponents(components *yaml.Node) {
	components.Content = nil
	for _, section := range sectionOrder {
		names := make([]string, 0, len(b.components[section]))
		for name := range b.components[section] {
			names = append(names, name)
		}
		slices.Sort(names)
		members := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range names {
			members.Content = append(members.Content, scalar(name), b.components[section][name].node)
		}
		components.Content = append(components.Content, scalar(section), members)
	}
}

// section is the section of the components that a file's definitions belong to.
func section(file string) string {
	if s, ok := sections[file]; ok {
		return s
	}
	return "schemas"
}

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// member is the value of a mapping's key, or nil.
func member(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// EncodeYAML writes a bundled document as YAML.
func EncodeYAML(root *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# Code generated by openapi/contract/bundle. DO NOT EDIT.\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("encode the contract as YAML: %w", err)
	}
	return out.Bytes(), nil
}

// EncodeJSON writes a bundled document as JSON, in the order in which it is written.
func EncodeJSON(root *yaml.Node) ([]byte, error) {
	var compact, out bytes.Buffer
	if err := encodeJSON(&compact, root); err != nil {
		return nil, fmt.Errorf("encode the contract as JSON: %w", err)
	}
	if err := json.Indent(&out, compact.Bytes(), "", " "); err != nil {
		return nil, fmt.Errorf("encode the contract as JSON: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func encodeJSON(out *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i < len(node.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, node.Content[i].Value); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := encodeJSON(out, node.Content[i+1]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range node.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := encodeJSON(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	default:
		var value any
		if err := node.Decode(&value); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		return writeJSON(out, value)
	}
}

// writeJSON writes a scalar without escaping what only HTML needs escaped.
func writeJSON(out *bytes.Buffer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the encoder ends every value with a newline
	return nil
}
