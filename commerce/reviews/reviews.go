// Package reviews is what shoppers think of products. A customer has one review of a product;
// the merchant looks at each before others see it, and again when it was changed. A product
// has the sum and the number of the ratings that are shown, so that lists show their average
// without reading reviews.
package reviews

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// State is what the merchant makes of a review.
type State string

// The states. Only those that are approved are shown to others.
const (
	Pending  State = "pending"
	Approved State = "approved"
	Rejected State = "rejected"
)

// Bounds of texts, in characters.
const (
	maxTitle  = 120
	maxBody   = 5000
	maxAuthor = 80
)

// Review is a review in short, as events tell of one.
type Review struct {
	ID         string `json:"id"`
	ProductID  string `json:"product_id"`
	CustomerID string `json:"customer_id"`
	Rating     int    `json:"rating"`
	State      State  `json:"state"`
}

// Input is what a shopper writes; of a change, nil leaves a thing as it is.
type Input struct {
	Rating *int
	Title  *string
	Body   *string
	Author *string // what the shopper is called beside it
}

// written is what there is of a review.
type written struct {
	Rating    int        `json:"rating"`
	Title     string     `json:"title"`
	Body      string     `json:"body"`
	Author    string     `json:"author"`
	State     State      `json:"state"`
	Reply     string     `json:"reply"`
	RepliedAt *time.Time `json:"-"`
}

// apply makes a change of the shopper's and notes what is wrong with it.
func (w *written) apply(in Input, p *problem.Problem) {
	if in.Rating != nil {
		if w.Rating = *in.Rating; w.Rating < 1 || w.Rating > 5 {
			p.At("/rating", "rating", "A rating is 1 to 5.")
		}
	}
	for _, text := range []struct {
		at         string
		into, from *string
		most       int
		lines      bool
	}{{"/title", &w.Title, in.Title, maxTitle, false}, {"/body", &w.Body, in.Body, maxBody, true}, {"/author", &w.Author, in.Author, maxAuthor, false}} {
		if text.from == nil {
			continue
		}
		*text.into = strings.TrimSpace(*text.from)
		fits(p, text.at, *text.into, text.most, text.lines)
	}
}

// fits notes a text that is too long, or has characters that do not show.
func fits(p *problem.Problem, at, text string, most int, lines bool) {
	odd := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && (!lines || r != '\n' && r != '\r' && r != '\t') })
	switch {
	case utf8.RuneCountInString(text) > most:
		p.At(at, "maxLength", "It has at most %d characters.", most)
	case odd || !utf8.ValidString(text):
		p.At(at, "characters", "It is plain text.")
	}
}

func invalid() *problem.Problem {
	return problem.New(problem.Unprocessable, "review_invalid", "The review cannot be like this.")
}

// writeSQL keeps a review of a product that the shop shows, and says whether its customer
// has bought it.
const writeSQL = `
insert into reviews (id, product_id, customer_id, rating, title, body, author, locale, verified)
select $1, p.id, $2, $4, $5, $6, coalesce(nullif($7, ''), nullif(split_part(c.name, ' ', 1), ''), ''), $8, exists (
	select from orders o join order_lines l on l.order_id = o.id
	where o.customer_id = c.id and l.product_id = p.id and o.state in ('open', 'completed') and o.payment_state in ('paid', 'partially_refunded', 'refunded'))
from products p, customers c where c.id = $2 and (p.handle = $3 or p.id = $3) and ` + catalog.Published + `
returning product_id, author`

// Write keeps a customer's review of a product, by its handle or ID, for the merchant to look
// at. Without an author's name it bears the customer's first one.
func Write(ctx context.Context, tx *postgres.Tx, customerID, product, locale string, in Input) (string, error) {
	w, wrong := written{State: Pending}, invalid()
	w.apply(in, wrong)
	if err := wrong.OrNil(); err != nil {
		return "", err
	}
	r := Review{ID: ids.New("rev"), CustomerID: customerID, Rating: w.Rating, State: Pending}
	err := tx.QueryRow(ctx, writeSQL, r.ID, customerID, product, w.Rating, w.Title, w.Body, w.Author, locale).Scan(&r.ProductID, &w.Author)
	var refused *pgconn.PgError
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return "", problem.Missing("product")
	case errors.As(err, &refused) && refused.ConstraintName == "reviews_one":
		return "", problem.New(problem.Conflict, "review_exists", "You have written a review of this product already. Change that one.")
	case err != nil:
		return "", fmt.Errorf("write a review: %w", err)
	}
	journal.Event(ctx, tx, "review.created", r.ID, r)
	journal.Audit(ctx, tx, journal.Entry{Action: "review.create", ObjectID: r.ID, After: map[string]any{"product_id": r.ProductID, "rating": r.Rating}})
	return r.ID, nil
}

const lockSQL = `select product_id, customer_id, version, rating, title, body, author, state, reply, replied_at from reviews where id = $1 and ($2 = '' or customer_id = $2) for update`

func lock(ctx context.Context, tx *postgres.Tx, id, customerID string, meant int) (Review, written, error) {
	r, w, version := Review{ID: id}, written{}, 0
	err := tx.QueryRow(ctx, lockSQL, id, customerID).Scan(&r.ProductID, &r.CustomerID, &version, &w.Rating, &w.Title, &w.Body, &w.Author, &w.State, &w.Reply, &w.RepliedAt)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return r, w, problem.Missing("review")
	case err != nil:
		return r, w, fmt.Errorf("lock review %s: %w", id, err)
	}
	r.Rating, r.State = w.Rating, w.State
	return r, w, problem.Outdated(version, meant)
}

// keep writes a review that was changed, and what its product comes to.
func keep(ctx context.Context, tx *postgres.Tx, r Review, before, now written) error {
	_, err := tx.Exec(ctx, `update reviews set rating = $2, title = $3, body = $4, author = $5, state = $6, reply = $7, replied_at = $8, version = version + 1, updated_at = now() where id = $1`,
		r.ID, now.Rating, now.Title, now.Body, now.Author, now.State, now.Reply, now.RepliedAt)
	if err != nil {
		return fmt.Errorf("change review %s: %w", r.ID, err)
	}
	r.Rating, r.State = now.Rating, now.State
	journal.Event(ctx, tx, "review.updated", r.ID, r)
	if before.State == Approved || now.State == Approved {
		stores.Touch(tx)
	}
	return count(ctx, tx, r.ProductID, before.shown(), now.shown())
}

// shown is what a review adds to its product: its rating, if others see it, else 0.
func (w written) shown() int {
	if w.State != Approved {
		return 0
	}
	return w.Rating
}

// count keeps what the ratings of a product come to when one that was before is now another;
// 0 is none. It grows and shrinks under the product's lock, so that no two changes at once
// lose one another.
func count(ctx context.Context, tx *postgres.Tx, product string, before, now int) error {
	if before == now {
		return nil
	}
	more := min(now, 1) - min(before, 1)
	if _, err := tx.Exec(ctx, `update products set rating_sum = rating_sum + $2, rating_count = rating_count + $3 where id = $1`, product, now-before, more); err != nil {
		return fmt.Errorf("count the ratings of %s: %w", product, err)
	}
	stores.Touch(tx)
	return nil
}

// Change changes a customer's own review. The merchant looks at it anew, and until then
// others do not see it.
func Change(ctx context.Context, tx *postgres.Tx, id, customerID string, in Input, version int) error {
	r, before, err := lock(ctx, tx, id, customerID, version)
	if err != nil {
		return err
	}
	now, wrong := before, invalid()
	now.apply(in, wrong)
	if err := wrong.OrNil(); err != nil {
		return err
	}
	now.State = Pending
	journal.Audit(ctx, tx, journal.Entry{Action: "review.update", ObjectID: id, Before: map[string]any{"rating": before.Rating, "state": before.State}, After: map[string]any{"rating": now.Rating, "state": now.State}})
	return keep(ctx, tx, r, before, now)
}

// Moderation is what the merchant makes of a review; nil leaves a thing as it is.
type Moderation struct {
	State *State
	Reply *string // empty removes it
}

// Moderate says whether others see a review, and answers it.
func Moderate(ctx context.Context, tx *postgres.Tx, id string, m Moderation, version int) error {
	r, before, err := lock(ctx, tx, id, "", version)
	if err != nil {
		return err
	}
	now, wrong := before, invalid()
	if m.State != nil {
		now.State = *m.State
	}
	if m.Reply != nil {
		now.Reply, now.RepliedAt = strings.TrimSpace(*m.Reply), nil
		fits(wrong, "/reply", now.Reply, maxBody, true)
		if now.Reply != "" {
			at := clock.Now()
			now.RepliedAt = &at
		}
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "review.moderate", ObjectID: id, Before: map[string]any{"state": before.State, "reply": before.Reply}, After: map[string]any{"state": now.State, "reply": now.Reply}})
	return keep(ctx, tx, r, before, now)
}

// Delete deletes a review: a customer's own, or with no customer any.
func Delete(ctx context.Context, tx *postgres.Tx, id, customerID string, version int) error {
	r, before, err := lock(ctx, tx, id, customerID, version)
	if err != nil {
		return err
	}
	var kept json.RawMessage
	if customerID == "" { // what its author deletes does not come back
		if kept, err = tx.Keep(ctx, id, reviewRows); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `delete from reviews where id = $1`, id); err != nil {
		return fmt.Errorf("delete review %s: %w", id, err)
	}
	journal.Event(ctx, tx, "review.deleted", id, map[string]string{"id": id})
	journal.Audit(ctx, tx, journal.Entry{Action: "review.delete", ObjectID: id, Before: map[string]any{"product_id": r.ProductID, "rating": r.Rating, "state": before.State, "reply": before.Reply}, Kept: kept})
	return count(ctx, tx, r.ProductID, before.shown(), 0)
}

// reviewRows are the rows of a review by which it can be brought back; commerce/privacy sees
// to it that its author can be erased from them.
var reviewRows = postgres.Part{Table: "reviews", Of: "x.id = $1"}

// Restore brings back a review that the merchant deleted.
func Restore(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := tx.Restore(ctx, kept, reviewRows); err != nil {
		return err
	}
	r, now, err := lock(ctx, tx, id, "", 0)
	if err != nil {
		return err
	}
	journal.Event(ctx, tx, "review.created", id, r)
	journal.Audit(ctx, tx, journal.Entry{Action: "review.restore", ObjectID: id, After: map[string]any{"state": now.State, "reply": now.Reply}})
	return count(ctx, tx, r.ProductID, 0, now.shown())
}

// Forget deletes all reviews of a customer who is to be deleted, and says how many there were.
func Forget(ctx context.Context, tx *postgres.Tx, customerID string) (int64, error) {
	rows, err := tx.Query(ctx, `select id from reviews where customer_id = $1 order by product_id`, customerID)
	if err != nil {
		return 0, fmt.Errorf("reviews of %s: %w", customerID, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("reviews of %s: %w", customerID, err)
	}
	for _, id := range all {
		if err := Delete(ctx, tx, id, customerID, 0); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}
