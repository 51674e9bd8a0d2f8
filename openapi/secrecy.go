package openapi

import (
	"bytes"
	"encoding/json"

	"github.com/getkin/kin-openapi/openapi3"
)

// removed stands in place of what is not written down.
const removed = "[removed]"

// secrecy is what of a body the contract says is not to be written down: passwords, which
// have that format, and what is writeOnly or x-secret. Nil is nothing.
type secrecy struct {
	whole  bool
	fields map[string]*secrecy
	items  *secrecy
	others *secrecy // properties that the schema doesn't name
}

// secret says whether a schema is itself of something secret.
func secret(s *openapi3.Schema) bool {
	marked, _ := s.Extensions["x-secret"].(bool)
	return marked || s.WriteOnly || s.Format == "password"
}

// secrecyOf reads a schema. What refers to itself is read once.
func secrecyOf(ref *openapi3.SchemaRef, within map[*openapi3.Schema]bool) *secrecy {
	if ref == nil || ref.Value == nil || within[ref.Value] {
		return nil
	}
	s := ref.Value
	if secret(s) {
		return &secrecy{whole: true}
	}
	if marked, _ := ref.Extensions["x-secret"].(bool); marked {
		return &secrecy{whole: true}
	}
	within[s] = true
	defer delete(within, s)
	all := &secrecy{fields: map[string]*secrecy{}, items: secrecyOf(s.Items, within), others: secrecyOf(s.AdditionalProperties.Schema, within)}
	for name, property := range s.Properties {
		all.field(name, secrecyOf(property, within))
	}
	for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, part := range parts {
			all.join(secrecyOf(part, within))
		}
	}
	if !all.whole && len(all.fields) == 0 && all.items == nil && all.others == nil {
		return nil
	}
	return all
}

func (s *secrecy) field(name string, of *secrecy) {
	switch known := s.fields[name]; {
	case of == nil:
	case known == nil:
		s.fields[name] = of
	default:
		known.join(of)
	}
}

// join has s hold what other holds too.
func (s *secrecy) join(other *secrecy) {
	if other == nil {
		return
	}
	s.whole = s.whole || other.whole
	for name, of := range other.fields {
		s.field(name, of)
	}
	for _, pair := range []struct{ mine, theirs **secrecy }{{&s.items, &other.items}, {&s.others, &other.others}} {
		if *pair.mine == nil {
			*pair.mine = *pair.theirs
		} else {
			(*pair.mine).join(*pair.theirs)
		}
	}
}

// redact takes what is secret out of a body. It says whether anything was taken, and gives
// nothing where the body cannot be read.
func (s *secrecy) redact(body []byte) (redacted []byte, taken bool) {
	if s == nil {
		return body, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil, true
	}
	value, taken = s.strip(value)
	if !taken {
		return body, false
	}
	redacted, err := json.Marshal(value)
	if err != nil {
		return nil, true
	}
	return redacted, true
}

func (s *secrecy) strip(value any) (any, bool) {
	if s == nil || value == nil {
		return value, false
	}
	if s.whole {
		return removed, true
	}
	taken := false
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			of := s.fields[name]
			if of == nil {
				of = s.others
			}
			stripped, gone := of.strip(v[name])
			v[name], taken = stripped, taken || gone
		}
	case []any:
		for i := range v {
			stripped, gone := s.items.strip(v[i])
			v[i], taken = stripped, taken || gone
		}
	}
	return value, taken
}
