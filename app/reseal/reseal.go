// Package reseal seals everything that lies sealed anew under the newest key of the ring,
// so that older keys can be taken off it.
//
// What lies under the newest key already is left alone: a run that was broken off is
// simply run again. The programs that are running must know the newest key before, or
// they could not open what was sealed with it; and what one of them seals while it does not
// seal with the newest key itself needs another run.
//
// Answers with secrets that are kept for Idempotency-Key are passed over: they are gone
// after ten minutes. So are the request log, which is gone after a month at most, and whom an
// erasure that is under way is of: an older key stays on the ring for as long.
package reseal

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants/domains"
	"github.com/stoacommerce/stoa/webhooks"
)

// Count says what became of the values of one place.
type Count struct {
	Place    string // table.column
	Resealed int    // sealed anew
	Current  int    // under the newest key already
	Failed   int    // could not be opened: under none of the ring's keys, or damaged
}

// String is a line for whoever watches.
func (c Count) String() string {
	return fmt.Sprintf("%s: %d sealed anew, %d under the newest key already, %d not opened", c.Place, c.Resealed, c.Current, c.Failed)
}

// batch is how many rows are held at a time.
const batch = 200

// column is a column of sealed values in the control database.
type column struct {
	place   string
	list    string // the rows after the key $1, at most $2: key and value
	update  string // the row $1 gets the value $2
	binding func(key string) string
}

var columns = []column{
	{
		place:   "cell_logins.password_sealed",
		list:    `select cell || '/' || login as key, password_sealed from cell_logins where cell || '/' || login > $1 order by 1 limit $2 for no key update`,
		update:  `update cell_logins set password_sealed = $2 where cell || '/' || login = $1`,
		binding: postgres.LoginBinding,
	}, {
		place:   "platform_secrets.sealed",
		list:    `select name, sealed from platform_secrets where name > $1 order by 1 limit $2 for no key update`,
		update:  `update platform_secrets set sealed = $2 where name = $1`,
		binding: secrets.PepperBinding,
	}, {
		place:   "accounts.totp_sealed",
		list:    `select id, totp_sealed from accounts where id > $1 and totp_sealed is not null order by 1 limit $2 for no key update`,
		update:  `update accounts set totp_sealed = $2 where id = $1`,
		binding: func(id string) string { return secrets.Bind("platform", "accounts.totp_sealed", id) },
	}, {
		place:   "certificates.key_sealed",
		list:    `select domain_id, key_sealed from certificates where domain_id > $1 order by 1 limit $2 for no key update`,
		update:  `update certificates set key_sealed = $2 where domain_id = $1`,
		binding: domains.KeyBinding,
	},
}

// secret is what stores keep sealed in a place of their own.
type secret struct {
	place string
	walk  func(ctx context.Context, tx *postgres.Tx, ref postgres.StoreRef, again func(sealed []byte, binding string) []byte) error
}

var kept = []secret{
	{"webhook_endpoints.secrets", func(ctx context.Context, tx *postgres.Tx, _ postgres.StoreRef, again func([]byte, string) []byte) error {
		return webhooks.Reseal(ctx, tx, again)
	}},
	{"settings.payments", payments.Reseal},
	{"rate_services.secret", rates.Reseal},
	{"documents.sealed", documents.Reseal},
}

// Run seals everything anew and tells of each place when it is done with it. Its error
// names what could not be opened, once for each place, and what could not be reached.
func Run(ctx context.Context, db *postgres.DB, ring *secrets.Ring, told func(Count)) error {
	var errs []error
	for _, c := range columns {
		count, err := c.reseal(ctx, db, ring)
		told(count)
		errs = append(errs, err)
	}
	for _, k := range kept {
		count, err := k.stores(ctx, db, ring)
		told(count)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// reseal goes through one column, a batch a transaction.
func (c column) reseal(ctx context.Context, db *postgres.DB, ring *secrets.Ring) (Count, error) {
	count, after := Count{Place: c.place}, ""
	var failed error
	for {
		var rows []row
		var part Count
		err := db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			found, err := tx.Query(ctx, c.list, after, batch)
			if err != nil {
				return err
			}
			if rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[row]); err != nil {
				return err
			}
			for _, r := range rows {
				sealed, err := ring.Reseal(r.Sealed, c.binding(r.Key))
				switch {
				case err != nil:
					part.Failed++
					failed = fmt.Errorf("%s: %w", c.place, err)
					continue
				case !ring.NeedsRotation(r.Sealed):
					part.Current++
					continue
				}
				if _, err := tx.Exec(ctx, c.update, r.Key, sealed); err != nil {
					return err
				}
				part.Resealed++
			}
			return nil
		})
		if err != nil {
			return count, fmt.Errorf("reseal %s: %w", c.place, err)
		}
		count = count.plus(part)
		if len(rows) < batch {
			return count, failed
		}
		after = rows[len(rows)-1].Key
	}
}

// row is a sealed value and the name of its row.
type row struct {
	Key    string
	Sealed []byte
}

func (c Count) plus(part Count) Count {
	return Count{Place: c.Place, Resealed: c.Resealed + part.Resealed, Current: c.Current + part.Current, Failed: c.Failed + part.Failed}
}

const selectSides = `select number, cell, login, store_id, mode from schemas where state = 'taken' and number > $1 order by number limit $2`

// stores goes through the secrets of all stores. A store that cannot be reached
// does not stop the others.
func (k secret) stores(ctx context.Context, db *postgres.DB, ring *secrets.Ring) (Count, error) {
	count, after := Count{Place: k.place}, int64(0)
	var errs []error
	for {
		var refs []postgres.StoreRef
		err := db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			rows, err := tx.Query(ctx, selectSides, after, batch)
			if err != nil {
				return err
			}
			refs, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (ref postgres.StoreRef, err error) {
				err = r.Scan(&ref.Schema, &ref.Cell, &ref.Login, &ref.ID, (*string)(&ref.Mode))
				return ref, err
			})
			return err
		})
		if err != nil {
			return count, errors.Join(append(errs, fmt.Errorf("list stores: %w", err))...)
		}
		for _, ref := range refs {
			part, err := k.side(ctx, db, ring, ref)
			count = count.plus(part)
			if err != nil && len(errs) < 20 {
				errs = append(errs, fmt.Errorf("reseal %s of store %s: %w", count.Place, ref.ID, err))
			}
		}
		if len(refs) < batch {
			return count, errors.Join(errs...)
		}
		after = refs[len(refs)-1].Schema
	}
}

// side goes through one side of a store.
func (k secret) side(ctx context.Context, db *postgres.DB, ring *secrets.Ring, ref postgres.StoreRef) (part Count, err error) {
	var unopened error
	err = db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
		part = Count{}
		return k.walk(ctx, tx, ref, func(sealed []byte, binding string) []byte {
			again, err := ring.Reseal(sealed, binding)
			switch {
			case err != nil:
				part.Failed++
				unopened = err
			case !ring.NeedsRotation(sealed):
				part.Current++
			default:
				part.Resealed++
			}
			return again
		})
	})
	if err != nil {
		return Count{}, err
	}
	return part, unopened
}
