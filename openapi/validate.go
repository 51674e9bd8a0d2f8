package openapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// checkPath answers 404 for path parameters that can be no ID of what they should name.
func (r *Request) checkPath() error {
	for name, prefix := range r.Operation.ids {
		if !ids.Valid(prefix, r.Params[name]) {
			return problem.Missing(strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", " "))
		}
	}
	for _, value := range r.Params {
		if !plain(value) {
			return problem.New(problem.NotFound, "not_found", "There is no such path.")
		}
	}
	return nil
}

// validate reads the rest of the request and holds it against the contract, naming every
// fault at once.
func (r *Request) validate(ctx context.Context) error {
	if err := r.checkPath(); err != nil {
		return err
	}
	if r.Operation.versioned && r.Header.Get("If-Match") == "" {
		return problem.New(problem.PreconditionRequired, "if_match_required", "%s needs If-Match.", r.Operation.ID).
			At("If-Match", "required", "Give the ETag of what the change is meant for; * is for whatever is there.")
	}
	wrong := problem.New(problem.Invalid, "invalid_request", "The request breaks the contract of %s.", r.Operation.ID)
	if err := r.readQuery(wrong); err != nil {
		return err
	}
	if err := r.readBody(wrong); err != nil {
		return err
	}
	if len(wrong.Faults) > 0 || !r.Operation.checks {
		return wrong.OrNil()
	}
	// The validator reads the body for itself.
	request := r.HTTP
	if r.Body != nil {
		request = r.HTTP.Clone(ctx)
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		request.ContentLength = int64(len(r.Body))
	}
	err := openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
		Request: request, PathParams: r.Params, QueryParams: r.Query, Route: r.Operation.route,
		Options: &openapi3filter.Options{
			MultiError:          true,
			ExcludeRequestBody:  r.Body == nil,
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
			SkipSettingDefaults: true,
		},
	})
	if err != nil {
		collect(wrong, err, "")
		if len(wrong.Faults) == 0 {
			wrong.At("", "invalid", "%s", firstLine(err.Error()))
		}
		if len(wrong.Faults) == 1 && wrong.Faults[0].Pointer == "Idempotency-Key" && wrong.Faults[0].Code == "required" {
			wrong.Code = "idempotency_key_required" // what is most often forgotten has a code of its own
		}
	}
	return wrong.OrNil()
}

func (r *Request) readQuery(wrong *problem.Problem) error {
	query, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return wrong.At("?", "syntax", "The query string cannot be read.")
	}
	r.Query = query
	for name, values := range query {
		switch {
		case !plain(name) || slices.ContainsFunc(values, func(v string) bool { return !plain(v) }):
			wrong.At("?"+strings.ToValidUTF8(name, "\uFFFD"), "characters", "It holds characters that are not text.")
		case !r.Operation.query[name]:
			wrong.At("?"+name, "unknown_parameter", "%s has no query parameter of this name.", r.Operation.ID)
		case len(values) > 1:
			wrong.At("?"+name, "repeated", "It is given %d times.", len(values))
		}
	}
	return nil
}

func (r *Request) readBody(wrong *problem.Problem) error {
	if len(r.Operation.media) == 0 {
		return nil
	}
	most := int64(maxJSON)
	if r.Operation.streams {
		most = r.router.config.MaxUpload
		httpserver.AllowBody(r.HTTP, most)
	}
	r.HTTP.Body = http.MaxBytesReader(nil, r.HTTP.Body, most)
	given := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	if given != "" && (err != nil || !slices.Contains(r.Operation.media, media)) {
		return problem.New(problem.UnsupportedMediaType, "unsupported_media_type", "The body's media type is %q; %s takes: %s.",
			given, r.Operation.ID, strings.Join(r.Operation.media, ", "))
	}
	if r.Operation.streams {
		if given == "" {
			return problem.New(problem.UnsupportedMediaType, "unsupported_media_type", "The body's media type is missing; %s takes: %s.",
				r.Operation.ID, strings.Join(r.Operation.media, ", "))
		}
		return nil
	}
	body, err := io.ReadAll(r.HTTP.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return problem.New(problem.Invalid, "invalid_body", "The body broke off.").Because(err)
	}
	if len(body) > 0 && given == "" {
		return problem.New(problem.UnsupportedMediaType, "unsupported_media_type", "The body's media type is missing; %s takes: %s.",
			r.Operation.ID, strings.Join(r.Operation.media, ", "))
	}
	if !utf8.Valid(body) {
		return wrong.At("", "encoding", "The body is not UTF-8.")
	}
	// Postgres keeps no NUL in a text, and nobody means one.
	if bytes.IndexByte(body, 0) >= 0 || hasEscapedNUL(body) {
		return wrong.At("", "characters", "The body holds the character U+0000, which no text may have.")
	}
	r.Body = body
	return nil
}

// hasEscapedNUL finds \u0000 in JSON, but not the text \\u0000.
func hasEscapedNUL(body []byte) bool {
	for {
		i := bytes.Index(body, []byte(`\u0000`))
		if i < 0 {
			return false
		}
		slashes := 0
		for j := i; j >= 0 && body[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 1 {
			return true
		}
		body = body[i+6:]
	}
}

// plain says whether a text is UTF-8 without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f })
}

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
		place := prefix
		if e.Parameter != nil {
			place = e.Parameter.Name
			if e.Parameter.In == "query" {
				place = "?" + place
			}
		}
		if e.Err == nil {
			wrong.At(place, "invalid", "%s", firstLine(e.Reason))
			return
		}
		if errors.Is(e.Err, openapi3filter.ErrInvalidRequired) {
			wrong.At(place, "required", "It is required and missing.")
			return
		}
		collect(wrong, e.Err, place)
	case *openapi3.SchemaError:
		if e.Origin != nil && (e.SchemaField == "allOf" || e.SchemaField == "oneOf" || e.SchemaField == "anyOf") {
			var nested *openapi3.SchemaError
			var several openapi3.MultiError
			if errors.As(e.Origin, &nested) || errors.As(e.Origin, &several) {
				collect(wrong, e.Origin, prefix)
				return
			}
		}
		place := prefix
		for _, part := range e.JSONPointer() {
			place += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
		}
		code := e.SchemaField
		if code == "properties" || code == "additionalProperties" {
			code = "unknown_field"
		}
		wrong.At(place, code, "%s", firstLine(e.Reason))
	case *openapi3filter.ParseError:
		wrong.At(prefix, "syntax", "%s", firstLine(e.Error()))
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

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s, _, _ = strings.Cut(s, "Schema:")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.TrimSpace(s)
}
