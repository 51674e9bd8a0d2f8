package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/stoacommerce/stoa/platform/problem"
)

// collect walks the validator's errors and names each fault with its place.
func collect(wrong *problem.Problem, err error, prefix string) {
	if len(wrong.Faults) >= maxFaults {
		return
	}
	switch e := err.(type) { //nolint:errorlint // a walk over the tree, one level at a time
	case openapi3.MultiError:
		for _, inner := range e {
			collect(wrong, inner, prefix)
		}
	case *openapi3filter.RequestError:
		collectRequest(wrong, e, prefix)
	case *openapi3.SchemaError:
		if e.Origin != nil && (e.SchemaField == "allOf" || e.SchemaField == "oneOf" || e.SchemaField == "anyOf") {
			var nested *openapi3.SchemaError
			var several openapi3.MultiError
			if errors.As(e.Origin, &nested) || errors.As(e.Origin, &several) {
				collect(wrong, e.Origin, prefix)
				return
			}
		}
		for _, part := range e.JSONPointer() {
			prefix += "/" + escaped(part)
		}
		if name, unknown := unknownField(e); unknown {
			wrong.At(prefix+"/"+escaped(name), "unknown_field", "There is no field of this name.")
			return
		}
		wrong.At(prefix, e.SchemaField, "%s", explain(e))
	default:
		var several openapi3.MultiError
		if errors.As(err, &several) {
			collect(wrong, several, prefix)
			return
		}
		var schema *openapi3.SchemaError
		if errors.As(err, &schema) {
			collect(wrong, schema, prefix)
			return
		}
		wrong.At(prefix, "invalid", "%s", firstLine(fmt.Sprint(err)))
	}
}

// collectRequest names what is wrong with a parameter, or with the body as a whole.
func collectRequest(wrong *problem.Problem, e *openapi3filter.RequestError, place string) {
	var unread *openapi3filter.ParseError
	p := e.Parameter
	if p != nil {
		place = p.Name
		if p.In == "query" {
			place = "?" + place
		}
	}
	switch {
	case e.Err == nil:
		wrong.At(place, "invalid", "%s", firstLine(e.Reason))
	case errors.Is(e.Err, openapi3filter.ErrInvalidRequired):
		wrong.At(place, "required", "It is required and missing.")
	case !errors.As(e.Err, &unread):
		collect(wrong, e.Err, place)
	case p != nil && p.Schema != nil && p.Schema.Value.Type != nil:
		wrong.At(place, "type", "It must be %s.", ofType(p.Schema.Value))
	default:
		wrong.At(place, "syntax", "The body is not JSON: %s", firstLine(cmp.Or(unread.RootCause(), error(unread)).Error()))
	}
}

// escaped is a name as a part of a JSON pointer.
func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// unknownField is the name of a field that the schema does not know. The validator tells it
// in its text alone, in Go's quotes.
func unknownField(e *openapi3.SchemaError) (name string, unknown bool) {
	if e.SchemaField != "properties" && e.SchemaField != "additionalProperties" {
		return "", false
	}
	quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(e.Reason, "property "))
	if err != nil {
		return "", false
	}
	name, err = strconv.Unquote(quoted)
	return name, err == nil
}

// explain says for a person which rule of the contract a value breaks.
func explain(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "It is required and missing."
	case "nullable":
		return "It may not be null."
	case "type":
		if s.Type != nil {
			return "It must be " + ofType(s) + "."
		}
	case "minimum":
		return "It must be at least " + strconv.FormatFloat(*s.Min, 'f', -1, 64) + "."
	case "maximum":
		return "It must be at most " + strconv.FormatFloat(*s.Max, 'f', -1, 64) + "."
	case "enum":
		allowed := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			allowed[i] = fmt.Sprint(value)
		}
		return firstLine("It must be one of: " + strings.Join(allowed, ", "))
	case "minLength":
		return fmt.Sprintf("It must have at least %d characters.", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("It must have at most %d characters.", *s.MaxLength)
	case "pattern":
		return firstLine("It does not match the pattern " + s.Pattern)
	case "minProperties":
		return "It holds nothing."
	case "uniqueItems":
		return "It holds something twice."
	}
	return firstLine(e.Reason)
}

// ofType names what a schema takes, such as "an integer".
func ofType(s *openapi3.Schema) string {
	names := make([]string, 0, 1)
	for _, name := range s.Type.Slice() {
		article := "a "
		if strings.ContainsAny(name[:1], "aio") {
			article = "an "
		}
		if name == "boolean" {
			article, name = "", "true or false"
		}
		names = append(names, article+name)
	}
	return strings.Join(names, " or ")
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s, _, _ = strings.Cut(s, "Schema:")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.TrimSpace(s)
}
