package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// raw stands in a body for text that is no JSON, or that encoding/json would not write.
type raw string

// written is a body as it is sent.
func written(value any) []byte {
	var raws []string
	var mark func(any) any
	mark = func(value any) any {
		switch v := value.(type) {
		case raw:
			raws = append(raws, string(v))
			return fmt.Sprintf("@@raw-%d@@", len(raws)-1)
		case map[string]any:
			marked := map[string]any{}
			for name, inner := range v {
				marked[name] = mark(inner)
			}
			return marked
		case []any:
			marked := make([]any, len(v))
			for i, inner := range v {
				marked[i] = mark(inner)
			}
			return marked
		}
		return value
	}
	text, err := json.Marshal(mark(value))
	if err != nil {
		panic(err)
	}
	for i, r := range raws {
		text = bytes.Replace(text, fmt.Appendf(nil, `"@@raw-%d@@"`, i), []byte(r), 1)
	}
	return text
}

// writer makes bodies by their schemas, that name things by these IDs.
type writer struct{ ids map[string]string }

// value is what a schema takes: all there can be, or only what there must be.
func (w writer) value(ref *openapi3.SchemaRef, full bool) any {
	s := flat(ref)
	if prefix, ok := s.Extensions["x-id"].(string); ok {
		return w.ids[prefix]
	}
	switch {
	case s.Type.Is("object"):
		object := map[string]any{}
		for name, property := range s.Properties {
			if full || slices.Contains(s.Required, name) {
				object[name] = w.value(property, full)
			}
		}
		if len(object) < int(s.MinProps) {
			first := slices.Sorted(maps.Keys(s.Properties))[0]
			object[first] = w.value(s.Properties[first], full)
		}
		return object
	case s.Type.Is("array"):
		if !full && s.MinItems == 0 {
			return []any{}
		}
		return []any{w.value(s.Items, full)}
	case s.Example != nil:
		return s.Example
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("integer"), s.Type.Is("number"):
		if s.Min != nil {
			return *s.Min
		}
		return 1
	}
	return strings.Repeat("x", int(max(s.MinLength, 1)))
}

// flat is a schema with what its allOf adds to it. Where there are several, the first is
// taken.
func flat(ref *openapi3.SchemaRef) *openapi3.Schema {
	s := *ref.Value
	for _, several := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		if len(several) == 0 {
			continue
		}
		inner := flat(several[0])
		inner.Nullable = s.Nullable
		return inner
	}
	return &s
}

// change is a body with one fault in it.
type change struct {
	what string
	body any
}

// faults are bodies that the schema refuses, each by one fault: at every place of a body
// that has all there can be.
func (w writer) faults(ref *openapi3.SchemaRef) []change {
	whole := w.value(ref, true)
	var list []change
	w.walk(ref, whole, "", func(place string, s *openapi3.Schema, present any, put func(any) any) {
		add := func(what string, value any) { list = append(list, change{place + " " + what, put(value)}) }
		for _, wrong := range wrongTypes(s) {
			add(fmt.Sprintf("is %.20v", wrong), wrong)
		}
		if !s.Nullable {
			add("is null", nil)
		}
		switch {
		case s.Type.Is("object"):
			object := present.(map[string]any)
			for _, name := range s.Required {
				less := maps.Clone(object)
				delete(less, name)
				add("lacks "+name, less)
			}
			more := maps.Clone(object)
			more["no_such_field"] = 1
			add("has an unknown field", more)
		case s.Type.Is("array"):
			if s.MaxItems != nil && *s.MaxItems <= 300 {
				add("has too many", slices.Repeat(present.([]any), int(*s.MaxItems)+1))
			}
			if s.MinItems > 0 {
				add("is empty", []any{})
			}
		case s.Type.Is("integer"):
			if s.Min != nil {
				add("is too small", *s.Min-1)
			}
			if s.Max != nil {
				add("is too large", *s.Max+1)
			}
		case s.Type.Is("string"):
			add("holds NUL", raw(`"a\u0000b"`))
			add("is no UTF-8", raw("\"a\xffb\""))
			if s.MinLength > 0 {
				add("is empty", "")
			}
			if s.MaxLength != nil && *s.MaxLength < 100_000 {
				add("is too long", strings.Repeat("x", int(*s.MaxLength)+1))
			}
			if len(s.Enum) > 0 || s.Pattern != "" || s.Format == "date-time" || s.Format == "date" {
				add("is nonsense", " \u0001 no such thing! ")
			}
		}
	})
	return list
}

// wrongTypes are values that a schema of this type never takes.
func wrongTypes(s *openapi3.Schema) []any {
	switch {
	case s.Type.Is("object"):
		return []any{[]any{}, "x", 1}
	case s.Type.Is("array"):
		return []any{map[string]any{}, "x", true}
	case s.Type.Is("boolean"):
		return []any{"true", 1}
	case s.Type.Is("integer"):
		return []any{"12", 1.5, true, raw("1e400"), raw("9223372036854775808"), raw("-9223372036854775809"), raw("1e-400"), raw("NaN")}
	}
	return []any{12, true, []any{}, map[string]any{"a": map[string]any{}}}
}

// walk visits every place of a value. put gives the whole value with another in its place.
func (w writer) walk(ref *openapi3.SchemaRef, value any, place string, visit func(place string, s *openapi3.Schema, present any, put func(any) any)) {
	var step func(ref *openapi3.SchemaRef, value any, place string, put func(any) any)
	step = func(ref *openapi3.SchemaRef, value any, place string, put func(any) any) {
		s := flat(ref)
		visit(place, s, value, put)
		switch v := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if s.Properties[name] == nil {
					continue // of a free form
				}
				step(s.Properties[name], v[name], place+"/"+name, func(other any) any {
					changed := maps.Clone(v)
					changed[name] = other
					return put(changed)
				})
			}
		case []any:
			if len(v) > 0 {
				step(s.Items, v[0], place+"/0", func(other any) any {
					changed := slices.Clone(v)
					changed[0] = other
					return put(changed)
				})
			}
		}
	}
	step(ref, value, place, func(other any) any { return other })
}

// foreign are bodies that would do, were there not one ID in them that names nothing here.
func (w writer) foreign(ref *openapi3.SchemaRef, others map[string]string) []change {
	var list []change
	w.walk(ref, w.value(ref, true), "", func(place string, s *openapi3.Schema, _ any, put func(any) any) {
		prefix, ok := s.Extensions["x-id"].(string)
		if !ok {
			return
		}
		list = append(list, change{place + " is another store's", put(others[prefix])})
		list = append(list, change{place + " is of another type", put("req_01jd3v7m2kf8r9e0abcdefghjk")})
		list = append(list, change{place + " is no ID", put("'; drop table orders --")})
	})
	return list
}

// oddities are bodies that the schema takes, and that nobody would send.
func (w writer) oddities(ref *openapi3.SchemaRef) []change {
	list := []change{{"all there can be", w.value(ref, true)}, {"what there must be", w.value(ref, false)}}
	replaced := func(what string, other func(s *openapi3.Schema) (any, bool)) {
		w.walk(ref, w.value(ref, true), "", func(place string, s *openapi3.Schema, _ any, put func(any) any) {
			if value, ok := other(s); ok {
				list = append(list, change{place + " " + what, put(value)})
			}
		})
	}
	text := func(s *openapi3.Schema) bool {
		_, id := s.Extensions["x-id"]
		return s.Type.Is("string") && !id && len(s.Enum) == 0 && s.Pattern == ""
	}
	replaced("holds control characters", func(s *openapi3.Schema) (any, bool) {
		return "a\u0001\u0007\u001b[31m\r\n\t\u007f\u0085\u2028\u202e\ufeff\ufffe", text(s) && (s.MaxLength == nil || *s.MaxLength > 20)
	})
	replaced("is half a character", func(s *openapi3.Schema) (any, bool) { return raw(`"\ud800x\udc00"`), text(s) })
	replaced("is as long as can be", func(s *openapi3.Schema) (any, bool) {
		return strings.Repeat("𝕊", int(*orZero(s.MaxLength))), text(s) && s.MaxLength != nil && *s.MaxLength < 100_000
	})
	replaced("is as large as can be", func(s *openapi3.Schema) (any, bool) {
		return *orZero(s.Max), s.Type.Is("integer") && s.Max != nil
	})
	replaced("is as small as can be", func(s *openapi3.Schema) (any, bool) {
		return *orZero(s.Min), s.Type.Is("integer") && s.Min != nil
	})
	replaced("is null", func(s *openapi3.Schema) (any, bool) { return nil, s.Nullable })
	replaced("is an end of time", func(s *openapi3.Schema) (any, bool) {
		return "9999-12-31T23:59:60.999999999+23:59", s.Format == "date-time"
	})
	replaced("is the beginning of time", func(s *openapi3.Schema) (any, bool) { return "0000-01-01T00:00:00-23:59", s.Format == "date-time" })
	return list
}

func orZero[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}
