package openapi

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/stoacommerce/stoa/platform/problem"
)

// problem turns any error into the answer that a client gets. An error that is not a
// problem is a fault of ours: it is logged here, once, and told as nothing more than that.
// What the log is to say of the request besides is given as of.
func (rt *Router) problem(r *http.Request, err error, of ...any) *Response {
	p := problem.As(err)
	var tooLarge *http.MaxBytesError
	switch {
	case p != nil:
	case errors.As(err, &tooLarge):
		p = problem.New(problem.TooLarge, "body_too_large", "The body is larger than %d bytes.", tooLarge.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		p = problem.New(problem.DeadlineExceeded, "deadline_exceeded", "The request took too long.").Because(err)
	case errors.Is(err, context.Canceled):
		// Nobody is there to read it.
		p = problem.New(problem.Unavailable, "client_gone", "The request was cancelled.")
	default:
		p = problem.New(problem.Internal, "internal_error", "Something went wrong on our side. The request ID tells us what.").Because(err)
	}
	if p.Kind >= problem.Internal && p.Code != "client_gone" {
		rt.config.Log.ErrorContext(r.Context(), "request failed", append(of, "error", err, "method", r.Method, "path", r.URL.Path, "status", int(p.Kind))...)
	}
	return problemResponse(p, r.URL.Path, rt.config.Client.RequestID(r.Context()))
}

// ProblemResponse is the answer that tells of a problem, for doors that are not the
// contract's own.
func problemResponse(p *problem.Problem, instance, requestID string) *Response {
	kind := p.Type
	if kind == "" {
		kind = "/docs/errors#" + p.Code
	}
	body := map[string]any{
		"type": kind, "title": http.StatusText(int(p.Kind)), "status": int(p.Kind),
		"detail": p.Detail, "instance": instance, "code": p.Code, "request_id": requestID,
	}
	if len(p.Faults) > 0 {
		body["errors"] = p.Faults[:min(len(p.Faults), maxFaults)]
	}
	maps.Copy(body, p.Extra)
	res := (&Response{Status: int(p.Kind), code: p.Code}).With("Content-Type", "application/problem+json").With("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		seconds := int((p.RetryAfter + 999_999_999) / 1_000_000_000)
		res.With("Retry-After", strconv.Itoa(seconds))
		body["retry_after"] = seconds
	}
	// Nothing in body fails to marshal: details are strings and numbers.
	res.Body, _ = json.Marshal(body)
	return res
}

// maxFaults bounds how many faults one answer names.
const maxFaults = 100

func (rt *Router) notFound(w http.ResponseWriter, r *http.Request) {
	rt.fail(w, r, problem.New(problem.NotFound, "not_found", "There is no such path."))
}

// fail answers a request that no operation was found for.
func (rt *Router) fail(w http.ResponseWriter, r *http.Request, err error) {
	res := rt.problem(r, err)
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(res.Body.([]byte))
	}
}
