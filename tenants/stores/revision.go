package stores

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

type touchKey struct{}

// Touch notes that a store's transaction changes what shoppers see: once it is
// committed, the store's revision grows, and pages that were kept under the former one
// are not shown any more. A transaction with an event of the catalogue needs no Touch.
func Touch(tx *postgres.Tx) { tx.SetValue(touchKey{}, true) }

// seen are the beginnings of the types of events that tell of what all shoppers see.
var seen = []string{"product.", "category.", "collection.", "inventory.", "translation.", "page.", "post."}

// Touched says whether a transaction changes what shoppers see.
func Touched(tx *postgres.Tx) bool {
	if tx.Value(touchKey{}) != nil {
		return true
	}
	return slices.ContainsFunc(journal.Events(tx), func(e journal.Recorded) bool {
		return slices.ContainsFunc(seen, func(kind string) bool { return strings.HasPrefix(e.Type, kind) })
	})
}

const bumpRevision = `update stores set revision = revision + 1 where id = $1`

// bumpTime bounds how long a committed change waits for its revision to be written.
const bumpTime = 2 * time.Second

// Committed grows the revision of a store whose shoppers will see a change. It is made to be
// postgres.Config.Committed. A process that dies in between leaves the former revision,
// so a page must not be kept by its revision alone, but for a bounded time as well.
func (s *Service) Committed(tx *postgres.Tx) {
	if !Touched(tx) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), bumpTime)
	defer cancel()
	err := s.db.InControl(ctx, func(ctx context.Context, control *postgres.Tx) error {
		if _, err := control.Exec(ctx, bumpRevision, tx.Store.ID); err != nil {
			return err
		}
		rec, err := scan(control.QueryRow(ctx, selectByID, tx.Store.ID))
		s.forgetAfter(ctx, control, rec)
		return err
	})
	if err != nil {
		s.config.Log.WarnContext(ctx, "a store's revision was not grown", "store", tx.Store.ID, "error", err)
	}
}
