package credit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MaxCards is how many gift cards are issued at once.
const MaxCards = 1_000

// Issue is a gift card to be made.
type Issue struct {
	Amount     money.Money
	ExpiresAt  *time.Time // never when nil
	CustomerID *string    // whose it is, if that is known
	Note       string     // for the staff
}

// Patch changes a gift card; what is nil stays. A pointer to nil takes a value away.
type Patch struct {
	Active     *bool
	ExpiresAt  **time.Time
	CustomerID **string
	Note       *string
}

// Issued is a new gift card with its code, which nobody can tell again.
type Issued struct {
	ID   ID
	Code string
}

// IssueCards makes so many gift cards that are all alike but for their codes.
func IssueCards(ctx context.Context, tx *postgres.Tx, in Issue, count int) ([]Issued, error) {
	wrong := unkept()
	if in.Amount.Amount < 1 || in.Amount.Amount > MaxBalance {
		wrong.At("/amount/amount", "out_of_range", "It is 1 to %d.", MaxBalance)
	}
	var sold bool
	if err := tx.QueryRow(ctx, `select $1 = any(currencies) from settings`, in.Amount.Currency).Scan(&sold); err != nil {
		return nil, fmt.Errorf("read the shop's currencies: %w", err)
	}
	if !sold {
		wrong.At("/amount/currency", "currency_not_sold", "This shop does not sell in %s.", in.Amount.Currency)
	}
	if count < 1 || count > MaxCards {
		wrong.At("/count", "out_of_range", "At most %d are made at once.", MaxCards)
	}
	now := clock.Now()
	model := account{
		Kind: GiftCard, Currency: in.Amount.Currency, Balance: in.Amount.Amount, Active: true, ExpiresAt: in.ExpiresAt, CustomerID: in.CustomerID,
		Note: in.Note, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := model.check(ctx, tx, &account{}, wrong); err != nil {
		return nil, err
	}
	cards, issued, entries := make([]account, count), make([]Issued, count), make([]entry, count)
	for i := range cards {
		code := drawCode()
		cards[i] = model
		cards[i].ID, cards[i].CodeDigest, cards[i].LastCharacters = ID(ids.New("gc")), Digest(code), code[len(code)-lastCharacters:]
		issued[i] = Issued{cards[i].ID, code}
		entries[i] = entry{ID: ids.New("cre"), AccountID: cards[i].ID, Kind: "issue", Amount: in.Amount.Amount, Balance: in.Amount.Amount, CreatedAt: now}
	}
	if _, err := tx.Bun.NewInsert().Model(&cards).Exec(ctx); err != nil {
		return nil, fmt.Errorf("issue gift cards: %w", err)
	}
	if _, err := tx.Bun.NewInsert().Model(&entries).Exec(ctx); err != nil {
		return nil, fmt.Errorf("issue gift cards: %w", err)
	}
	for i := range cards {
		journal.Event(ctx, tx, "gift_card.created", string(cards[i].ID), cards[i].event())
		journal.Audit(ctx, tx, journal.Entry{Action: "gift_card.create", ObjectID: string(cards[i].ID), After: &cards[i]})
	}
	return issued, nil
}

func unkept() *problem.Problem {
	return problem.New(problem.Unprocessable, "invalid_gift_card", "The gift card cannot be kept as it is.")
}

// check notes what is wrong with a gift card, beside what was wrong with it before, and
// gives what it has found.
func (a *account) check(ctx context.Context, tx *postgres.Tx, before *account, wrong *problem.Problem) error {
	if a.ExpiresAt != nil && (before.ExpiresAt == nil || !before.ExpiresAt.Equal(*a.ExpiresAt)) && !a.ExpiresAt.After(clock.Now()) {
		wrong.At("/expires_at", "out_of_range", "It expires in the future, if at all.")
	}
	if a.Note = strings.TrimSpace(a.Note); len([]rune(a.Note)) > maxNote {
		wrong.At("/note", "out_of_range", "A note has at most %d characters.", maxNote)
	}
	if a.CustomerID != nil && (before.CustomerID == nil || *before.CustomerID != *a.CustomerID) {
		found, err := known(ctx, tx, *a.CustomerID)
		if err != nil {
			return err
		}
		if !found {
			wrong.At("/customer_id", "unknown_reference", "There is no such customer.")
		}
	}
	return wrong.OrNil()
}

// UpdateCard changes a gift card that has the version meant; zero is any. One that is not
// active pays for nothing; attempts that it was spent by before go on.
func UpdateCard(ctx context.Context, tx *postgres.Tx, id ID, meant int, patch Patch) error {
	a, err := hold(ctx, tx, id, GiftCard, "gift card", meant)
	if err != nil {
		return err
	}
	before := *a
	merge.Set(&a.Active, patch.Active)
	merge.Set(&a.ExpiresAt, patch.ExpiresAt)
	merge.Set(&a.CustomerID, patch.CustomerID)
	merge.Set(&a.Note, patch.Note)
	if err := a.check(ctx, tx, &before, unkept()); err != nil {
		return err
	}
	if same(&before, a) {
		return nil
	}
	a.Version, a.UpdatedAt = a.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(a).Column("active", "expires_at", "customer_id", "note", "version", "updated_at").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update gift card %s: %w", id, err)
	}
	journal.Event(ctx, tx, "gift_card.updated", string(id), a.event())
	journal.Audit(ctx, tx, journal.Entry{Action: "gift_card.update", ObjectID: string(id), Before: &before, After: a})
	return nil
}

func same(a, b *account) bool {
	return a.Active == b.Active && a.Note == b.Note && equal(a.CustomerID, b.CustomerID, func(x, y string) bool { return x == y }) &&
		equal(a.ExpiresAt, b.ExpiresAt, time.Time.Equal)
}

func equal[T any](a, b *T, alike func(T, T) bool) bool {
	return (a == nil) == (b == nil) && (a == nil || alike(*a, *b))
}
