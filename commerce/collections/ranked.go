package collections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// bestSelling is the order by what was sold. It follows sales within rankEvery, as a sale
// must not wait for the others of its product.
const (
	bestSelling = "best_selling"
	rankEvery   = time.Hour
)

// JobRank is the kind of the job that counts anew what a collection sells best; its
// arguments are RankArgs.
const JobRank = "collections.rank"

// RankArgs are the arguments of a JobRank.
type RankArgs struct {
	Collection string `json:"collection"`
}

// Ranker counts anew what sells best.
type Ranker struct{ DB *postgres.DB }

// Register has the workers do so.
func (r *Ranker) Register(w *jobs.Workers) {
	w.Handle(JobRank, jobs.With(r.Rank))
}

// Rank does a JobRank, and has it done again as long as the collection is in that order.
// Of several that were asked for, one goes on.
func (r *Ranker) Rank(ctx context.Context, args RankArgs) error {
	return r.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
		var id string
		err := tx.QueryRow(ctx, `select id from collections where id = $1 and sort_order = $2 and ranked_at < $3 for no key update`,
			args.Collection, bestSelling, clock.Now().Add(-rankEvery/2)).Scan(&id)
		if errors.Is(err, postgres.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read collection %s: %w", args.Collection, err)
		}
		if err := Alone(ctx, tx); err != nil {
			return err
		}
		if err := Rebuild(ctx, tx, id); err != nil {
			return err
		}
		return KeepRanked(ctx, tx, id, bestSelling)
	})
}

// KeepRanked has a collection whose order was just made anew be kept in it, if it is by
// what sells best.
func KeepRanked(ctx context.Context, tx *postgres.Tx, collection, sortOrder string) error {
	if sortOrder != bestSelling {
		return nil
	}
	now := clock.Now()
	if _, err := tx.Exec(ctx, `update collections set ranked_at = $2 where id = $1`, collection, now); err != nil {
		return fmt.Errorf("rank collection %s: %w", collection, err)
	}
	journal.JobAt(tx, now.Add(rankEvery), JobRank, RankArgs{collection})
	return nil
}
