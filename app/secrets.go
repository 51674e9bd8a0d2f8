package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/app/reseal"
)

// RotateSecrets seals everything at rest anew under the newest key of the ring. It may be
// broken off and run again.
func RotateSecrets(ctx context.Context, config Config, build Build, term Terminal) (err error) {
	if err := notEmbedded(config); err != nil {
		return err
	}
	m, err := openMachinery(ctx, config, build, term.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(context.WithoutCancel(ctx))) }()
	return reseal.Run(ctx, m.db, m.ring, func(c reseal.Count) { fmt.Fprintln(term.Out, c) })
}
