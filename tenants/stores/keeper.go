package stores

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stoacommerce/stoa/migrations"
)

// Keeper keeps the platform ready for births: some schemas in each cell, leftovers swept,
// and deleted stores gone once their time is over. Several may run at once.
type Keeper struct {
	Stores *Service
	Ready  int           // schemas kept ready in each cell that takes new stores
	Every  time.Duration // how often it looks; half a second when zero
	Clean  time.Duration // how often it sweeps and purges; a minute when zero
	Log    *slog.Logger
}

// Run keeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	every, clean := k.Every, k.Clean
	if every == 0 {
		every = 500 * time.Millisecond
	}
	if clean == 0 {
		clean = time.Minute
	}
	look := time.NewTicker(every)
	defer look.Stop()
	var cleaned time.Time
	for {
		k.Fill(ctx)
		if time.Since(cleaned) >= clean {
			k.clean(ctx)
			cleaned = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// Fill makes the schemas that are missing, one after another so that traffic is not
// disturbed. A cell that does not answer is left for the next time.
func (k *Keeper) Fill(ctx context.Context) {
	cells, err := k.Stores.Cells(ctx)
	if err != nil {
		k.log(ctx, "cells cannot be read", "error", err)
		return
	}
	for _, cell := range cells {
		if !cell.Up || !cell.Accepting {
			continue
		}
		for range k.Ready - cell.Ready {
			_, err := k.Stores.config.Maker.Make(ctx, cell.Name)
			if errors.Is(err, migrations.ErrFull) {
				break
			}
			if err != nil {
				k.log(ctx, "a schema cannot be made", "cell", cell.Name, "error", err)
				break
			}
		}
	}
}

func (k *Keeper) clean(ctx context.Context) {
	if swept, err := k.Stores.Sweep(ctx); err != nil {
		k.log(ctx, "leftovers cannot be swept", "error", err)
	} else if swept > 0 {
		k.Log.InfoContext(ctx, "leftovers of births were swept", "schemas", swept)
	}
	if purged, err := k.Stores.Purge(ctx); err != nil {
		k.log(ctx, "deleted stores cannot be purged", "error", err)
	} else if purged > 0 {
		k.Log.InfoContext(ctx, "deleted stores are gone", "stores", purged)
	}
}

// log tells of a fault, unless it is only that the time is over.
func (k *Keeper) log(ctx context.Context, text string, args ...any) {
	if ctx.Err() == nil {
		k.Log.WarnContext(ctx, text, args...)
	}
}
