package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobScarce is the kind of the job that writes to the staff what has become scarce; its
// arguments are ScarceArgs.
const JobScarce = "stock_low"

// JobBack is the kind of the job that tells shoppers that a variant is back; its arguments
// are BackArgs, and commerce/alerts does it.
const JobBack = "back_in_stock"

// BackArgs name the variant.
type BackArgs struct {
	VariantID string `json:"variant_id"`
}

// tellBack has whoever waits for a variant told.
func tellBack(tx *postgres.Tx, id VariantID) {
	journal.Job(tx, JobBack, BackArgs{string(id)})
}

// gather is how long what becomes scarce is gathered, to be told by one mail.
const gather = 10 * time.Minute

// ScarceArgs say when something became scarce.
type ScarceArgs struct {
	MailID string    `json:"mail_id"` // so that sending twice can be noticed
	At     time.Time `json:"at"`
}

// tellStaff has the staff told, together with all that becomes scarce until then.
func tellStaff(tx *postgres.Tx) {
	now := clock.Now()
	journal.JobAt(tx, now.Add(gather), JobScarce, ScarceArgs{ids.New("mail"), now})
}

// Scarce is a variant of which little is left.
type Scarce struct {
	Title  string
	SKU    string
	OnHand int64
}

// scarceSQL is what became scarce since the staff was told and is so still, at most $2 and
// how many there are. It is nothing where another job told of what happened at $1.
const scarceSQL = `
with since as (select coalesce(low_stock_told_at, $1::timestamptz - interval '1 day') as at from settings)
select ` + Title + `, coalesce(v.sku, ''), v.stock, count(*) over () from since s, variants v join products p on p.id = v.product_id
where s.at < $1 and v.track_stock and v.stock <= coalesce(v.low_stock_threshold, 0)
	and v.id in (select e.object_id from events e where e.created_at > s.at and e.type in ('` + low + `', '` + out + `'))
order by v.stock, v.id limit $2`

// BecameScarce is what the staff has not been told of yet, at most most of it, and how much
// there is besides.
func BecameScarce(ctx context.Context, tx *postgres.Tx, args ScarceArgs, most int) (list []Scarce, more int, err error) {
	rows, err := tx.Query(ctx, scarceSQL, args.At, most)
	if err == nil {
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Scarce, err error) {
			return s, row.Scan(&s.Title, &s.SKU, &s.OnHand, &more)
		})
	}
	if err != nil {
		return nil, 0, fmt.Errorf("what became scarce: %w", err)
	}
	return list, more - len(list), nil
}

// ScarceTold notes that the staff was told of all that became scarce until an instant.
func ScarceTold(ctx context.Context, tx *postgres.Tx, at time.Time) error {
	if _, err := tx.Exec(ctx, `update settings set low_stock_told_at = greatest(low_stock_told_at, $1) where id = 1`, at); err != nil {
		return fmt.Errorf("note that the staff knows: %w", err)
	}
	return nil
}
