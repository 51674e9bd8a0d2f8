package catalog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// Editions tells what shoppers see of a store apart from what they saw before: the store's
// own edition grows with each change, but that the time of a product, of a list of prices or of a page
// has come or is over changes nothing and shows all the same. They know the store's locales
// besides, so that what is kept can be kept by them.
type Editions struct {
	db   *postgres.DB
	kept *cache.Cache[ahead]
}

// Bounds of what is known of instants to come.
const (
	editionLife  = 30 * time.Second
	editionBytes = 8 << 20
)

// NewEditions makes Editions of the stores behind a door.
func NewEditions(db *postgres.DB) *Editions {
	return &Editions{db, cache.New[ahead](editionLife, editionBytes)}
}

// ahead is what is known of a store for a while: the times, in their order, at which products
// appear or go, or cost something else, and the locales that shoppers choose from.
type ahead struct {
	instants []time.Time
	locales  *locales.Set
}

// Size implements cache.Sized.
func (a ahead) Size() int { return 2<<10 + 24*len(a.instants) }

// Locales are those that shoppers of the context's store choose from.
func (e *Editions) Locales(ctx context.Context, store *tenants.Store) (*locales.Set, error) {
	a, err := e.kept.Get(ctx, store.Edition(), e.read)
	return a.locales, err
}

// Of is the edition of what shoppers see of the context's store now. Within the life of
// what is kept of a store's instants, which any change of its products makes anew, it
// takes no statement. Where they cannot be read, it is the store's own edition: what was
// kept then is shown for its time.
func (e *Editions) Of(ctx context.Context, store *tenants.Store) string {
	own := store.Edition()
	a, err := e.kept.Get(ctx, own, e.read)
	if err != nil {
		return own
	}
	coming := a.instants
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

// aheadSQL are the store's locales, and the instants around now, in seconds from it by
// Postgres's clock, which is the one that decides. Those that have just passed are among them,
// as what was kept before one of them must not come back.
const aheadSQL = `
select locale, array(select l.of->>'locale' from jsonb_array_elements(locales) with ordinality l(of, n) where (l.of->>'published')::boolean order by l.n),
	array(select distinct extract(epoch from at - now())::float8 from (
		select publish_at as at from products where publish_at between now() - $1::interval and now() + $1::interval
		union all select unpublish_at from products where unpublish_at between now() - $1::interval and now() + $1::interval
		union all select published_at from contents where published_at between now() - $1::interval and now() + $1::interval
		union all select starts_at from price_lists where active and starts_at between now() - $1::interval and now() + $1::interval
		union all select ends_at from price_lists where active and ends_at between now() - $1::interval and now() + $1::interval
	) x order by 1)
from settings where id = 1`

func (e *Editions) read(ctx context.Context) (ahead, error) {
	var a ahead
	err := e.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var first string
		var others []string
		var seconds []float64
		err := tx.QueryRow(ctx, aheadSQL, 2*editionLife).Scan(&first, &others, &seconds)
		now := time.Now() // a little after Postgres's, so that nothing is taken for passed too early
		for _, s := range seconds {
			a.instants = append(a.instants, now.Add(time.Duration(s*float64(time.Second))))
		}
		a.locales = locales.New(first, others...)
		return err
	})
	if err != nil {
		return ahead{}, fmt.Errorf("read a store's locales and when products appear: %w", err)
	}
	return a, nil
}
