package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	// takeReady takes the schema that waited longest.
	takeReady = `
update schemas set state = 'taken', store_id = $2, mode = $3, taken_at = now()
where number = (select number from schemas where cell = $1 and state = 'ready' order by number limit 1 for update skip locked)
returning cell, login, number`

	selectTaken = `select cell, login, number from schemas where store_id = $1 and mode = $2 and state = 'taken'`

	putBack = `update schemas set state = 'ready', store_id = null, mode = null, taken_at = null where number = $1 and state = 'taken' and store_id = $2`

	// takeAway marks schemas that were taken for stores which did not come to be, as ones
	// whose making was cut short: the maker's Sweep clears those away.
	takeAway = `
update schemas set state = 'making', store_id = null, mode = null, taken_at = null, created_at = now() - interval '1 day'
where state = 'taken' and taken_at < now() - $1::interval
	and not exists (select 1 from stores s where s.live_schema = schemas.number or s.test_schema = schemas.number)`
)

// take takes a schema of a cell for a side of a store: a ready one, or one that is made
// now. A schema that is taken already for that side is given again.
func (s *Service) take(ctx context.Context, cell, storeID string, mode principal.Mode) (postgres.StoreRef, error) {
	ref := postgres.StoreRef{ID: storeID, Mode: mode}
	// Another birth may be quicker at taking what was made here.
	for range 5 {
		err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			err := tx.QueryRow(ctx, selectTaken, storeID, string(mode)).Scan(&ref.Cell, &ref.Login, &ref.Schema)
			if !errors.Is(err, postgres.ErrNoRows) {
				return err
			}
			return tx.QueryRow(ctx, takeReady, cell, storeID, string(mode)).Scan(&ref.Cell, &ref.Login, &ref.Schema)
		})
		switch {
		case err == nil:
			return ref, nil
		case isUnique(err, "schemas_store"):
			continue // somebody took one for this very side
		case !errors.Is(err, postgres.ErrNoRows):
			return ref, fmt.Errorf("take a schema of cell %s: %w", cell, err)
		}
		if _, err := s.config.Maker.Make(ctx, cell); err != nil {
			return ref, err
		}
	}
	return ref, fmt.Errorf("take a schema of cell %s: others are always quicker", cell)
}

// giveBack gives a schema back that was taken and furnished in vain, wiped.
func (s *Service) giveBack(ctx context.Context, ref postgres.StoreRef) error {
	err := s.db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, unfurnish)
		return err
	})
	if err != nil {
		return fmt.Errorf("wipe schema %d: %w", ref.Schema, err)
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, putBack, ref.Schema, ref.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("give schema %d back: %w", ref.Schema, err)
	}
	return nil
}

// settleTime bounds what one cell may take of a birth before the next is tried.
const settleTime = 5 * time.Second

// settle finds the emptiest cell that takes a new store, and furnishes a schema there.
// Cells that are full or do not answer are passed over.
func (s *Service) settle(ctx context.Context, in Birth) (postgres.StoreRef, error) {
	cells, err := s.cells(ctx)
	if err != nil {
		return postgres.StoreRef{}, err
	}
	id := ids.New("sto")
	var last error
	for _, patient := range []bool{false, true} { // those that did not answer just now come last
		for _, cell := range cells {
			if !cell.Accepting || cell.Ready == 0 && cell.used >= cell.Capacity || s.avoided(cell.Name) != patient {
				continue
			}
			ref, err := s.settleIn(ctx, cell.Name, id, in)
			if err == nil {
				return ref, nil
			}
			if !errors.Is(err, migrations.ErrFull) && !outOfReach(ctx, err) {
				return ref, err
			}
			s.config.Log.WarnContext(ctx, "a new store passes a cell over", "cell", cell.Name, "error", err)
			last = err
			// The schema taken there, if any, stays taken in the name of an ID that no
			// store will have, and is swept.
			id = ids.New("sto")
		}
	}
	return postgres.StoreRef{}, noRoom(last)
}

// noRoom is the problem that no cell takes a store, or a store's sandbox, now.
func noRoom(cause error) error {
	p := problem.New(problem.Unavailable, "no_cell_available", "There is no room for another store at the moment. Try again shortly.").Because(cause)
	p.RetryAfter = 10 * time.Second
	return p
}

func (s *Service) settleIn(ctx context.Context, cell, id string, in Birth) (postgres.StoreRef, error) {
	bounded, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	ref, err := s.take(bounded, cell, id, principal.Live)
	if err != nil {
		if !errors.Is(err, migrations.ErrFull) && outOfReach(ctx, err) {
			s.notReached(cell)
		}
		return ref, err
	}
	s.config.Reached("taken")
	if err := s.furnish(bounded, ref, in); err != nil {
		if outOfReach(ctx, err) {
			s.notReached(cell)
		}
		return ref, err
	}
	s.config.Reached("furnished")
	return ref, nil
}

// Sweep takes away what births that were cut short had taken, and has the schemas
// cleared away. It gives how many there were.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	var orphans int
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, takeAway, s.config.Orphaned)
		orphans = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sweep orphaned schemas: %w", err)
	}
	_, err = s.config.Maker.Sweep(ctx)
	return orphans, err
}
