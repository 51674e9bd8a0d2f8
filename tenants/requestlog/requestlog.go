// Package requestlog keeps the calls of the API: who asked a store for what, and what was
// answered. They are written off the request's way, many at a time, and are gone with the
// partition of the day that the store's plan names. A busy or broken database costs calls
// in the log, never a call.
package requestlog

import (
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// State says how much of a body is kept.
type State string

// The states. Whole is as it came; of a redacted body secrets were taken out; a cut one was
// too large to keep, or no text; an erased one went with the data of a person.
const (
	None     State = "none"
	Whole    State = "whole"
	Redacted State = "redacted"
	Cut      State = "cut"
	Erased   State = "erased"
)

// MaxBody is the largest body that is kept, in bytes.
const MaxBody = 16 << 10

// Call is a call that was answered.
type Call struct {
	ID         string
	Store      postgres.StoreRef
	Plan       string
	At         time.Time
	Took       time.Duration
	Operation  string
	Method     string
	Status     int
	Code       string // of the problem
	Actor      principal.Principal
	APIVersion string
	DryRun     bool

	// Size is what the call holds of memory until it is written, in bytes; Content says what
	// is kept of it. It is asked off the request's way, as taking secrets out takes time.
	Size    int
	Content func() Content
}

// Content is what was said in a call, without secrets.
type Content struct {
	Path     string
	Query    string // as in an address
	Headers  map[string]string
	IP       string
	Request  Body
	Response Body

	// SignedIn says that a shopper asked with a token of theirs, and Customer who that is, where
	// it came to be known.
	SignedIn bool
	Customer string
}

// Body is a body of JSON, and how much of it is kept.
type Body struct {
	JSON  []byte
	State State
}
