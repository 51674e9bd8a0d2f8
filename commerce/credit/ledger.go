package credit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// entry is a row of credit_entries.
type entry struct {
	bun.BaseModel `bun:"table:credit_entries,alias:e"`

	ID        string    `bun:"id,pk"`
	AccountID ID        `bun:"account_id"`
	Kind      string    `bun:"kind"`
	Amount    int64     `bun:"amount"`
	Balance   int64     `bun:"balance"`
	OrderID   string    `bun:"order_id,nullzero"`
	PaymentID string    `bun:"payment_id,nullzero"`
	RefundID  string    `bun:"refund_id,nullzero"`
	Reason    string    `bun:"reason"`
	CreatedAt time.Time `bun:"created_at"`
}

// Adjustment is credit that the staff give, or take away where it is negative.
type Adjustment struct {
	Amount money.Money
	Reason string
}

func (adj Adjustment) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_credit", "The balance cannot be changed like this.")
	if n := adj.Amount.Amount; n == 0 || n < -MaxBalance || n > MaxBalance {
		wrong.At("/amount/amount", "out_of_range", "It is something, and at most %d either way.", MaxBalance)
	}
	if adj.Reason == "" || !oneLine(adj.Reason, maxReason) {
		wrong.At("/reason", "characters", "It is one line of 1 to %d characters.", maxReason)
	}
	return wrong.OrNil()
}

// AdjustCard changes a gift card's balance by hand, whether or not the card can be used, and
// gives the entry's ID.
func AdjustCard(ctx context.Context, tx *postgres.Tx, id ID, adj Adjustment) (string, error) {
	if err := adj.check(); err != nil {
		return "", err
	}
	a, err := hold(ctx, tx, id, GiftCard, "gift card", 0)
	if err != nil {
		return "", err
	}
	return a.adjust(ctx, tx, adj)
}

// AdjustStoreCredit changes a customer's store credit by hand, and gives the entry's ID. The
// first of a currency opens the account.
func AdjustStoreCredit(ctx context.Context, tx *postgres.Tx, customer string, adj Adjustment) (string, error) {
	if err := adj.check(); err != nil {
		return "", err
	}
	if !money.Known(adj.Amount.Currency) {
		return "", problem.New(problem.Unprocessable, "invalid_credit", "The balance cannot be changed like this.").
			At("/amount/currency", "currency", "There is no currency %q.", adj.Amount.Currency)
	}
	a, err := storeCredit(ctx, tx, customer, adj.Amount.Currency)
	if err != nil {
		return "", err
	}
	return a.adjust(ctx, tx, adj)
}

// storeCredit holds a customer's account in a currency, which it opens where there is none.
func storeCredit(ctx context.Context, tx *postgres.Tx, customer, currency string) (*account, error) {
	found, err := known(ctx, tx, customer)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, problem.Missing("customer")
	}
	var id ID
	_, err = tx.Exec(ctx, `insert into credit_accounts (id, kind, currency, customer_id) values ($1, 'store_credit', $3, $2) on conflict do nothing`, ids.New("sca"), customer, currency)
	if err == nil {
		err = tx.QueryRow(ctx, `select id from credit_accounts where kind = 'store_credit' and customer_id = $1 and currency = $2`, customer, currency).Scan(&id)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store credit of %s: %w", customer, err)
	}
	return hold(ctx, tx, id, StoreCredit, "store credit", 0)
}

func (a *account) adjust(ctx context.Context, tx *postgres.Tx, adj Adjustment) (string, error) {
	if adj.Amount.Currency != a.Currency {
		return "", problem.New(problem.Unprocessable, "invalid_credit", "The balance cannot be changed like this.").
			At("/amount/currency", "currency", "The account is in %s.", a.Currency)
	}
	if a.Balance > MaxBalance-adj.Amount.Amount {
		return "", a.exceeded()
	}
	before := *a
	e := entry{Kind: "adjustment", Amount: adj.Amount.Amount, Reason: adj.Reason}
	if err := a.post(ctx, tx, &e); err != nil {
		return "", err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: a.Kind + ".adjust", ObjectID: string(a.ID), Before: &before, After: a, Reason: adj.Reason})
	return e.ID, nil
}

// exceeded refuses what the balance has no room for.
func (a *account) exceeded() error {
	balance := money.New(a.Balance, a.Currency)
	return problem.New(problem.Conflict, "balance_exceeded", "The balance is %s, and is never less than nothing or more than %s.", balance, money.New(MaxBalance, a.Currency)).
		With("balance", balance)
}

// postSQL moves the balance of the account $2 by $4, unless it would be negative, and writes
// the entry down.
const postSQL = `
with a as (
	update credit_accounts set balance = balance + $4, version = version + 1, updated_at = $9
	where id = $2 and balance + $4 >= 0 returning *
)
insert into credit_entries (id, account_id, kind, amount, balance, order_id, payment_id, refund_id, reason, created_at)
select $1, a.id, $3, $4, a.balance, nullif($5, ''), nullif($6, ''), nullif($7, ''), $8, $9 from a
returning balance, (select version from a)`

// post writes an entry of the account, which is held, and tells of its balance.
func (a *account) post(ctx context.Context, tx *postgres.Tx, e *entry) error {
	e.ID, e.AccountID, e.CreatedAt = ids.New("cre"), a.ID, clock.Now()
	err := tx.QueryRow(ctx, postSQL, e.ID, a.ID, e.Kind, e.Amount, e.OrderID, e.PaymentID, e.RefundID, e.Reason, e.CreatedAt).Scan(&e.Balance, &a.Version)
	if errors.Is(err, postgres.ErrNoRows) {
		return a.exceeded()
	}
	if err != nil {
		return fmt.Errorf("write an entry of %s: %w", a.ID, err)
	}
	a.Balance = e.Balance
	journal.Event(ctx, tx, a.Kind+".updated", string(a.ID), a.event())
	return nil
}
