package handlers

import (
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/tenants"
)

// actor is who did something, in the contract's words.
func actor(a tenants.Actor) gen.Actor {
	return gen.Actor{Kind: gen.ActorKind(a.Kind), ID: orNil(a.ID), Label: a.Label}
}
