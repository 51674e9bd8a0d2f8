package contract

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ForModels changes a bundled document so that Go types made of it are pleasant to use.
//
// In the body of a merge patch null and absence differ, and a property that takes null
// stays nullable (nullable.Nullable[T]). Everywhere else absence means nothing: there a
// property that may be null becomes a pointer that is written as null. There, too, an array
// without an item and no array differ.
func ForModels(root *yaml.Node) {
	schemas := member(member(root, "components"), "schemas")
	for name, schema := range entries(schemas) {
		if strings.HasSuffix(name, "Update") {
			emptiable(schema)
		} else {
			plainPointers(schema)
		}
	}
}

// emptiable has the optional arrays of an object written when they are there, and be it empty.
func emptiable(schema *yaml.Node) {
	required := member(schema, "required")
	for name, property := range entries(member(schema, "properties")) {
		kind := member(property, "type")
		if kind == nil || kind.Value != "array" || member(property, "nullable") != nil || contains(required, name) {
			continue
		}
		set(property, "x-omitempty", false)
		set(property, "x-omitzero", true)
	}
}

// plainPointers makes the nullable properties of an object optional, always written, and
// no longer nullable.
func plainPointers(schema *yaml.Node) {
	required := member(schema, "required")
	for name, property := range entries(member(schema, "properties")) {
		if member(property, "nullable") == nil {
			continue
		}
		remove(property, "nullable")
		dropNullFromEnum(property)
		set(property, "x-omitempty", false)
		if required != nil {
			dropItem(required, name)
		}
	}
	if required != nil && len(required.Content) == 0 {
		remove(schema, "required")
	}
}

// dropNullFromEnum takes null out of an enum's values: the pointer stands for it.
func dropNullFromEnum(property *yaml.Node) {
	if enum := member(property, "enum"); enum != nil {
		dropItem(enum, "null")
	}
}

// entries are those of a mapping, of which there may be none.
func entries(mapping *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; mapping != nil && i < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i].Value, mapping.Content[i+1]) {
				return
			}
		}
	}
}

// set adds a property that says yes or no.
func set(of *yaml.Node, name string, value bool) {
	of.Content = append(of.Content, scalar(name), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)})
}

func contains(sequence *yaml.Node, value string) bool {
	return sequence != nil && slices.ContainsFunc(sequence.Content, func(item *yaml.Node) bool { return item.Value == value })
}

func dropItem(sequence *yaml.Node, value string) {
	for i, item := range sequence.Content {
		if item.Value == value {
			sequence.Content = append(sequence.Content[:i], sequence.Content[i+1:]...)
			return
		}
	}
}

func remove(mapping *yaml.Node, key string) {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content = append(mapping.Content[:i], mapping.Content[i+2:]...)
			return
		}
	}
}
