// Package alerts tells shoppers that something is back in stock. Who asks for it is asked by
// a mail whether it was them; whoever says so is written to once, and forgotten.
package alerts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Wish is somebody's wish to be told when a variant is back.
type Wish struct {
	VariantID string
	Email     string
	Locale    string // of the mails; empty for the store's
}

// askSQL keeps the wish $1 for the variant $2, and gives its ID when the mail that asks
// whether it was them is to be written: once an hour at most.
const askSQL = `
insert into stock_alerts (id, variant_id, email, locale) values ($1, $2, $3, $4)
on conflict (variant_id, email) do update set locale = excluded.locale, asked_at = now()
where stock_alerts.confirmed_at is null and stock_alerts.asked_at < now() - interval '1 hour' returning id`

// Ask keeps a wish, and has the shopper asked whether it was them. Whether they did so before
// is not told.
func Ask(ctx context.Context, tx *postgres.Tx, w Wish) error {
	email := address.Email(w.Email)
	if !address.ValidEmail(email) {
		return problem.New(problem.Unprocessable, "details_invalid", "The address cannot be right.").At("/email", "email", "This is no e-mail address.")
	}
	var sold bool
	err := tx.QueryRow(ctx, `select `+inStock+` from variants v join products p on p.id = v.product_id where v.id = $1 and p.status = 'active' for key share of v`, w.VariantID).Scan(&sold)
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.New(problem.Unprocessable, "variant_unavailable", "This variant is not sold.").At("/variant_id", "not_found", "There is no such variant for sale.")
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", w.VariantID, err)
	}
	if sold {
		return problem.New(problem.Unprocessable, "in_stock", "It can be bought.").At("/variant_id", "in_stock", "There is enough of it.")
	}
	id := ids.New("alr")
	err = tx.QueryRow(ctx, askSQL, id, w.VariantID, email, w.Locale).Scan(&id)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return fmt.Errorf("keep a wish for %s: %w", w.VariantID, err)
	}
	if err == nil {
		journal.Job(tx, JobMail, MailArgs{MailID: ids.New("mail"), AlertID: id})
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "stock_alert.ask", ObjectID: w.VariantID})
	return nil
}

// inStock is whether a variant v can be bought.
const inStock = `(not v.track_stock or v.oversell or v.stock > v.reserved)`

// Confirm says that whoever has a wish wants it. It is false for one that there is not any
// more. What came back meanwhile is told at once.
func Confirm(ctx context.Context, tx *postgres.Tx, id string) (bool, error) {
	var variant string
	err := tx.QueryRow(ctx, `update stock_alerts set confirmed_at = coalesce(confirmed_at, now()) where id = $1 returning variant_id`, id).Scan(&variant)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("confirm %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "stock_alert.confirm", ObjectID: id})
	journal.Job(tx, inventory.JobBack, inventory.BackArgs{VariantID: variant})
	return true, nil
}

// End forgets a wish, whether or not there is one.
func End(ctx context.Context, tx *postgres.Tx, id string) error {
	tag, err := tx.Exec(ctx, `delete from stock_alerts where id = $1`, id)
	if err != nil {
		return fmt.Errorf("end %s: %w", id, err)
	}
	if tag.RowsAffected() > 0 {
		journal.Audit(ctx, tx, journal.Entry{Action: "stock_alert.end", ObjectID: id})
	}
	return nil
}

// atOnce is how many are told by one job, before it asks for the next to go on.
const atOnce = 200

// backSQL takes wishes for the variant $1, if it can be bought now.
const backSQL = `
delete from stock_alerts a using variants v where v.id = a.variant_id and ` + inStock + ` and a.id in (
	select id from stock_alerts where variant_id = $1 and confirmed_at is not null order by confirmed_at, id limit $2 for update skip locked
) returning a.id, a.email, a.locale`

// Tell has those told who want to know that a variant is back. Their wishes end with it.
func Tell(ctx context.Context, tx *postgres.Tx, args inventory.BackArgs) error {
	rows, err := tx.Query(ctx, backSQL, args.VariantID, atOnce)
	if err != nil {
		return fmt.Errorf("who wants %s: %w", args.VariantID, err)
	}
	mail := MailArgs{VariantID: args.VariantID}
	told := 0
	_, err = pgx.ForEachRow(rows, []any{&mail.AlertID, &mail.Email, &mail.Locale}, func() error {
		told++
		mail.MailID = ids.New("mail")
		journal.Job(tx, JobMail, mail)
		return nil
	})
	if err != nil {
		return fmt.Errorf("who wants %s: %w", args.VariantID, err)
	}
	if told > 0 {
		journal.Audit(ctx, tx, journal.Entry{Action: "stock_alert.tell", ObjectID: args.VariantID, After: map[string]any{"mails": told}})
	}
	if told == atOnce {
		journal.Job(tx, inventory.JobBack, args)
	}
	return nil
}
