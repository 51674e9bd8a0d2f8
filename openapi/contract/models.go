package contract

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// ForModels changes a bundled document so that Go types made of it are pleasant to use.
//
// In the body of a merge patch null and absence differ, and a property that takes null
// stays nullable (nullable.Nullable[T]). Everywhere else absence means nothing: there a
// property that may be null becomes a pointer that is written as null.
func ForModels(root *yaml.Node) {
	schemas := member(member(root, "components"), "schemas")
	for i := 0; i < len(schemas.Content); i += 2 {
		if name := schemas.Content[i].Value; !strings.HasSuffix(name, "Update") {
			plainPointers(schemas.Content[i+1])
		}
	}
}

// plainPointers makes the nullable properties of an object optional, always written, and
// no longer nullable.
func plainPointers(schema *yaml.Node) {
	properties, required := member(schema, "properties"), member(schema, "required")
	if properties == nil {
		return
	}
	for i := 0; i < len(properties.Content); i += 2 {
		name, property := properties.Content[i].Value, properties.Content[i+1]
		if member(property, "nullable") == nil {
			continue
		}
		remove(property, "nullable")
		dropNullFromEnum(property)
		property.Content = append(property.Content, scalar("x-omitempty"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
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
