// Package problem holds the errors that may be told to a client. Every other error is
// a fault of ours and reaches a client only as a generic 500.
package problem

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind says how a problem is to be answered; the HTTP layer maps it to a status.
type Kind int

// The kinds, with the status that each is answered with.
const (
	Invalid              Kind = 400
	Unauthenticated      Kind = 401
	Forbidden            Kind = 403
	NotFound             Kind = 404
	MethodNotAllowed     Kind = 405
	Conflict             Kind = 409
	Gone                 Kind = 410
	Stale                Kind = 412
	TooLarge             Kind = 413
	UnsupportedMediaType Kind = 415
	Unprocessable        Kind = 422
	PreconditionRequired Kind = 428
	Limited              Kind = 429
	Internal             Kind = 500
	Unavailable          Kind = 503
	DeadlineExceeded     Kind = 504
)

// Fault is one thing wrong with a request, and where: Pointer is a JSON pointer into
// the body, or "?name" for a query parameter, or a header's name.
type Fault struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// Problem is an error that a client is told of. Code is stable and documented; Detail
// is for a person. The zero value is not useful; make one with New.
type Problem struct {
	Kind       Kind
	Code       string
	Detail     string
	Type       string         // a URI; "about:blank" semantics when empty
	Faults     []Fault        // every fault at once
	RetryAfter time.Duration  // how long to wait, when known
	Extra      map[string]any // further members of the answer
	cause      error
}

// New makes a problem with a formatted public text.
func New(kind Kind, code, detail string, args ...any) *Problem {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Problem{Kind: kind, Code: code, Detail: detail}
}

// At adds a fault at a place of the request and returns the problem.
func (p *Problem) At(pointer, code, detail string, args ...any) *Problem {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	p.Faults = append(p.Faults, Fault{Pointer: pointer, Code: code, Detail: detail})
	return p
}

// Has says whether something was found wrong at a place of the request.
func (p *Problem) Has(pointer string) bool {
	return slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Pointer == pointer })
}

// With adds a member to the answer and returns the problem.
func (p *Problem) With(key string, value any) *Problem {
	if p.Extra == nil {
		p.Extra = map[string]any{}
	}
	p.Extra[key] = value
	return p
}

// Because keeps the inner cause for the log; a client never sees it.
func (p *Problem) Because(err error) *Problem {
	p.cause = err
	return p
}

// OrNil is nil when nothing was found wrong, for validations that collect faults.
func (p *Problem) OrNil() error {
	if p == nil || len(p.Faults) == 0 {
		return nil
	}
	return p
}

// Error is the text for the log, with the inner cause.
func (p *Problem) Error() string {
	text := p.Code + ": " + p.Detail
	for _, f := range p.Faults {
		text += fmt.Sprintf("; %s: %s", f.Pointer, f.Detail)
	}
	if p.cause != nil {
		text += ": " + p.cause.Error()
	}
	return text
}

// Unwrap gives the inner cause.
func (p *Problem) Unwrap() error { return p.cause }

// As finds the problem within err, or nil.
func As(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Is says whether err is a problem with this code.
func Is(err error, code string) bool {
	p := As(err)
	return p != nil && p.Code == code
}

// Outdated refuses a change that was meant for another version than the present one; meant
// for zero is for any.
func Outdated(version, meant int) error {
	if meant != 0 && meant != version {
		return New(Stale, "stale", "It has changed since: the version is %d now.", version)
	}
	return nil
}

// Missing is the answer for a thing that does not exist, or exists elsewhere.
func Missing(what string) *Problem {
	return New(NotFound, "not_found", "There is no such %s.", what)
}
