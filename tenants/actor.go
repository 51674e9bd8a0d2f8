package tenants

import (
	"context"

	"github.com/stoacommerce/stoa/platform/principal"
)

// Actor is who did something, as it is kept with what was done: a copy, because accounts
// and keys change their names and go away.
type Actor struct {
	Kind  principal.Kind `json:"kind"`
	ID    string         `json:"id"`
	Label string         `json:"label"`
}

// Acting is who acts in ctx.
func Acting(ctx context.Context) Actor {
	who := principal.From(ctx)
	return Actor{Kind: who.Kind, ID: who.ID, Label: who.Label}
}
