package mailer

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// scarceAtOnce is how many variants a mail names.
const scarceAtOnce = 50

// StockLow writes to those of the context's store's staff who keep its stock what has become
// scarce, once for all of it.
func (m *Mailer) StockLow(ctx context.Context, args inventory.ScarceArgs) error {
	ref, within := postgres.StoreFrom(ctx)
	if !within {
		return postgres.ErrNoStore
	}
	read := clock.Now()
	data := mail.StockLow{}
	err := m.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, more, err := inventory.BecameScarce(ctx, tx, args, scarceAtOnce)
		for _, s := range list {
			data.Items = append(data.Items, mail.StockItem(s))
		}
		data.More = more
		return err
	})
	if err != nil || len(data.Items) == 0 {
		return err
	}
	from, err := m.sender(ctx, ref.ID, data.Kind())
	if problem.Is(err, "not_found") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mail %s: %w", args.MailID, err)
	}
	staff, err := m.config.Staff(ctx, ref.ID, "inventory:write")
	if err != nil {
		return fmt.Errorf("staff of store %s: %w", ref.ID, err)
	}
	message, err := m.write(from, from.locale, data)
	if err != nil {
		return fmt.Errorf("mail %s: %w", args.MailID, err)
	}
	for _, to := range staff {
		message.ID, message.StoreID, message.To = copyID(args.MailID, to), ref.ID, to
		if err := m.hand(ctx, message, ref.Mode); err != nil {
			return err
		}
	}
	return m.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return inventory.ScarceTold(ctx, tx, read) })
}

// copyID is the ID of the copy of a mail that goes to somebody: the same whenever it is sent.
func copyID(id, to string) string {
	sum := sha256.Sum256([]byte(id + " " + to))
	return ids.FromBytes("mail", [16]byte(sum[:16]))
}
