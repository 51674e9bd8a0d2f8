package catalog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// Editions tells what shoppers see of a store apart from what they saw before: the store's
// own edition grows with each change, but that the time of a product or of a list of prices
// has come or is over changes nothing and shows all the same.
type Editions struct {
	db   *postgres.DB
	kept *cache.Cache[instants]
}

// Bounds of what is known of instants to come.
const (
	editionLife  = 30 * time.Second
	editionBytes = 8 << 20
)

// NewEditions makes Editions of the stores behind a door.
func NewEditions(db *postgres.DB) *Editions {
	return &Editions{db, cache.New[instants](editionLife, editionBytes)}
}

// instants are the times, in their order, at which products appear or go, or cost something
// else, while they are kept.
type instants []time.Time

// Size implements cache.Sized.
func (i instants) Size() int { return 64 + 24*len(i) }

// Of is the edition of what shoppers see of the context's store now. Within the life of
// what is kept of a store's instants, which any change of its products makes anew, it
// takes no statement. Where they cannot be read, it is the store's own edition: what was
// kept then is shown for its time.
func (e *Editions) Of(ctx context.Context, store *tenants.Store) string {
	own := store.Edition()
	coming, err := e.kept.Get(ctx, own, e.read)
	if err != nil {
		return own
	}
	now := time.Now()
	passed, _ := slices.BinarySearchFunc(coming, now, func(at, now time.Time) int {
		if at.After(now) {
			return 1
		}
		return -1
	})
	if passed == 0 {
		return own
	}
	return own + "@" + strconv.FormatInt(coming[passed-1].UnixNano(), 36)
}

// instantsSQL are the instants around now, in seconds from it by Postgres's clock, which
// is the one that decides. Those that have just passed are among them, as what was kept
// before one of them must not come back.
const instantsSQL = `
select distinct extract(epoch from at - now())::float8 from (
	select publish_at as at from products where publish_at between now() - $1::interval and now() + $1::interval
	union all select unpublish_at from products where unpublish_at between now() - $1::interval and now() + $1::interval
	union all select starts_at from price_lists where active and starts_at between now() - $1::interval and now() + $1::interval
	union all select ends_at from price_lists where active and ends_at between now() - $1::interval and now() + $1::interval
) x order by 1`

func (e *Editions) read(ctx context.Context) (instants, error) {
	var coming instants
	err := e.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, instantsSQL, 2*editionLife)
		if err != nil {
			return err
		}
		seconds, err := pgx.CollectRows(rows, pgx.RowTo[float64])
		now := time.Now() // a little after Postgres's, so that nothing is taken for passed too early
		for _, s := range seconds {
			coming = append(coming, now.Add(time.Duration(s*float64(time.Second))))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read when products appear: %w", err)
	}
	return coming, nil
}
