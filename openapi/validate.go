package openapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
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
	// The validator reads the body for itself.
	request := r.HTTP
	if r.Body != nil {
		request = r.HTTP.Clone(ctx)
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		request.ContentLength = int64(len(r.Body))
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: r.Params, QueryParams: r.Query, Route: r.Operation.route,
		Options: &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true},
	}
	var faults openapi3.MultiError
	for _, p := range r.Operation.parameters {
		// The validator looks long at what may be missing and is.
		if !p.Required && !r.gives(p) || p.In == "query" && wrong.Has("?"+p.Name) {
			continue
		}
		if err := openapi3filter.ValidateParameter(ctx, input, p); err != nil {
			faults = append(faults, err)
		}
	}
	if r.Body != nil {
		if err := openapi3filter.ValidateRequestBody(ctx, input, r.Operation.Spec.RequestBody.Value); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		collect(wrong, faults, "")
		if len(wrong.Faults) == 0 {
			wrong.At("", "invalid", "%s", firstLine(faults.Error()))
		}
		if len(wrong.Faults) == 1 && wrong.Faults[0].Pointer == "Idempotency-Key" && wrong.Faults[0].Code == "required" {
			wrong.Code = "idempotency_key_required" // what is most often forgotten has a code of its own
		}
	}
	return wrong.OrNil()
}

// gives says whether the request has a value for a parameter.
func (r *Request) gives(p *openapi3.Parameter) bool {
	switch p.In {
	case "query":
		return r.Query.Has(p.Name)
	case "header":
		return len(r.Header.Values(p.Name)) > 0
	default:
		return true
	}
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
		case len(values) > 1 && !r.Operation.many[name]:
			wrong.At("?"+name, "repeated", "It is given %d times.", len(values))
		case r.Operation.times[name] != "" && !inCalendar(r.Operation.times[name], values[0]):
			wrong.At("?"+name, "format", "There is no such time.")
		}
	}
	return nil
}

// The library's own check is a pattern, which lets the 31st of February and the year 0 through.
func init() {
	openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(text string) error {
		if !inCalendar(time.RFC3339, text) {
			return errors.New("there is no such time")
		}
		return nil
	}))
}

// inCalendar says whether a text of the right form is a time, which 31 February and the year
// 0 are not.
func inCalendar(layout, text string) bool {
	at, err := time.Parse(layout, text)
	return err == nil && at.Year() > 0
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
