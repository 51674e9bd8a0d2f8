package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stoacommerce/stoa/terraform/check/schema"
)

var (
	version = regexp.MustCompile(`providerVersion: '([0-9.]+)'`)
	class   = regexp.MustCompile(`(?ms)^class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}`)
	// written are the functions that say how a nested block is written down.
	written = regexp.MustCompile(`(?ms)^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}`)
	// input is one that may be given: its name, whether it is a block, how many there may be, and of what.
	input = regexp.MustCompile(`(?m)^\s+(\w+): \{\n\s+value: .*\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",`)
	// member is one that is a class of its own; what stands above it says whether the provider fills it in.
	member = regexp.MustCompile(`// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n\s+this\._\w+ = new (\w+?)(OutputReference|List|Map)\(this, "\w+"(?:, (true|false))?\)`)
	// getter is a value that can be asked for.
	getter = regexp.MustCompile(`(?m)^    get (\w+)\(\) \{\n\s+return (cdktf\.Fn\.tolist\()?this\.get(\w+)Attribute\('(\w+)'\)`)
)

// source is the text of one kind: its classes, and how what is nested in them is written down.
type source struct {
	classes, written map[string]string
}

// read is a kind, or the provider, as its class has it.
func read(text string) (*schema.Block, error) {
	s, top := source{classes: map[string]string{}, written: map[string]string{}}, ""
	for _, found := range class.FindAllStringSubmatch(text, -1) {
		s.classes[found[1]] = found[3]
		if strings.HasPrefix(found[2], "Terraform") {
			top = found[1]
		}
	}
	for _, found := range written.FindAllStringSubmatch(text, -1) {
		s.written[strings.ToLower(found[1])] = found[2]
	}
	if top == "" {
		return nil, errors.New("its class is not of the form that is known")
	}
	_, inputs, _ := strings.Cut(s.classes[top], "synthesizeHclAttributes()")
	return s.block(s.classes[top], inputs)
}

// block is what a class declares, whose inputs are written down elsewhere.
func (s source) block(text, inputs string) (*schema.Block, error) {
	b := &schema.Block{Attributes: map[string]*schema.Attribute{}, Blocks: map[string]*schema.Nested{}}
	members := map[string][]string{}
	for _, found := range member.FindAllStringSubmatch(text, -1) {
		members[found[1]] = found
	}
	for _, found := range input.FindAllStringSubmatch(inputs, -1) {
		name, kind, of := found[1], found[3], found[4]
		if found[2] == "false" {
			kind, err := typeOf(kind, of)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			// What has to be given cannot be taken back. Of what is nested in the provider's own there is no class, and
			// nothing has to be given.
			optional := text == "" || strings.Contains(text, "    reset"+camel(name)+"() {")
			b.Attributes[name] = &schema.Attribute{Type: kind, Required: !optional, Optional: optional, Computed: optional && (name == "id" || name == "region")}
			continue
		}
		within, err := s.nested(strings.TrimSuffix(of, "List"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m := members[name]
		if m == nil {
			m = make([]string, 8)
		}
		if m[2] == "true" { // the provider fills it in where it is not given, so that it is no block but a list of objects
			b.Attributes[name] = &schema.Attribute{Type: object(kind, within), Optional: true, Computed: true}
			continue
		}
		nested := &schema.Nested{Nesting: kind, Block: within}
		if kind == "struct" {
			nested.Nesting = "single"
		} else {
			if m[4] == "true" {
				nested.Min = 1
			}
			if m[6] == "OutputReference" {
				nested.Max = 1
			}
		}
		b.Blocks[name] = nested
	}
	return b, s.known(b, text, members)
}

// got is what the functions give by which values are asked for.
var got = map[string]struct{ many, of string }{
	"String": {"simple", "string"}, "Number": {"simple", "number"}, "Boolean": {"simple", "boolean"},
	"List": {"list", "string"}, "NumberList": {"list", "number"}, "StringMap": {"map", "string"},
}

// known adds to a block what only the provider knows.
func (s source) known(b *schema.Block, text string, members map[string][]string) error {
	for _, found := range getter.FindAllStringSubmatch(text, -1) {
		name := found[4]
		if b.Attributes[name] != nil {
			continue
		}
		is, ok := got[found[3]]
		if !ok {
			return fmt.Errorf("%s: get%sAttribute is not known", name, found[3])
		}
		if found[2] != "" {
			is.many = "set"
		}
		typed, err := typeOf(is.many, is.of)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.Attributes[name] = &schema.Attribute{Type: typed, Computed: true}
	}
	for name, m := range members {
		if b.Attributes[name] != nil || b.Blocks[name] != nil {
			continue
		}
		within, err := s.nested(m[5])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		many := "list"
		if m[7] == "true" {
			many = "set"
		}
		b.Attributes[name] = &schema.Attribute{Type: object(many, within), Computed: true}
	}
	return nil
}

// nested is the block that a class of its own declares.
func (s source) nested(name string) (*schema.Block, error) {
	inputs, ok := s.written[strings.ToLower(name)]
	if !ok {
		return nil, fmt.Errorf("nothing is known of %s", name)
	}
	return s.block(s.classes[name+"OutputReference"], inputs)
}

// camel is a name as methods have it: subnet_ids is SubnetIds.
func camel(name string) (joined string) {
	for part := range strings.SplitSeq(name, "_") {
		if part != "" {
			joined += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return joined
}

// typeOf is a type as Terraform writes it.
func typeOf(many, of string) (json.RawMessage, error) {
	one := strings.TrimSuffix(strings.TrimSuffix(of, "List"), "Map")
	switch one {
	case "boolean":
		one = "bool"
	case "string", "number":
	default:
		return nil, fmt.Errorf("%s %s is no type that is known", many, of)
	}
	switch many {
	case "simple":
		return json.Marshal(one)
	case "list", "set", "map":
		return json.Marshal([]string{many, one})
	}
	return nil, fmt.Errorf("%s %s is no type that is known", many, of)
}

// object is the type of a list or set of objects.
func object(many string, of *schema.Block) json.RawMessage {
	attributes := map[string]json.RawMessage{}
	for name, a := range of.Attributes {
		attributes[name] = a.Type
	}
	for name, n := range of.Blocks {
		attributes[name] = object(n.Nesting, n.Block)
	}
	text, err := json.Marshal([]any{many, []any{"object", attributes}})
	if err != nil {
		panic(err) // of strings and maps alone
	}
	return text
}
