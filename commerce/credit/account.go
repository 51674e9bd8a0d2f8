package credit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The bounds of accounts.
const (
	MaxBalance = 999_999_999_999
	maxNote    = 2_000 // characters
	maxReason  = 255
)

// ID names an account: gc_… a gift card, sca_… a customer's store credit.
type ID string

// The kinds of accounts, which are the names of the providers that payments by them have.
const (
	GiftCard    = "gift_card"
	StoreCredit = "store_credit"
)

// Providers is SQL for both of them, as a list.
const Providers = `('` + GiftCard + `', '` + StoreCredit + `')`

// account is a row of credit_accounts, and what the audit keeps of one.
type account struct {
	bun.BaseModel `bun:"table:credit_accounts,alias:a" json:"-"`

	ID             ID         `bun:"id,pk" json:"id"`
	Kind           string     `bun:"kind" json:"kind"`
	Currency       string     `bun:"currency" json:"currency"`
	Balance        int64      `bun:"balance" json:"balance"`
	CodeDigest     []byte     `bun:"code_digest" json:"-"`
	LastCharacters string     `bun:"last_characters" json:"last_characters,omitempty"`
	CustomerID     *string    `bun:"customer_id" json:"customer_id"`
	Active         bool       `bun:"active" json:"active"`
	ExpiresAt      *time.Time `bun:"expires_at" json:"expires_at"`
	Note           string     `bun:"note" json:"note,omitempty"`
	Version        int        `bun:"version" json:"version"`
	CreatedAt      time.Time  `bun:"created_at" json:"-"`
	UpdatedAt      time.Time  `bun:"updated_at" json:"-"`
}

// hold locks an account of a kind, for the version that a change is meant for; zero is any.
func hold(ctx context.Context, tx *postgres.Tx, id ID, kind, what string, meant int) (*account, error) {
	a := &account{}
	if err := tx.Hold(ctx, a, id, what, postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	if a.Kind != kind {
		return nil, problem.Missing(what)
	}
	return a, problem.Outdated(a.Version, meant)
}

// event is what events tell of an account.
func (a *account) event() any {
	balance := money.New(a.Balance, a.Currency)
	if a.Kind == StoreCredit {
		return map[string]any{"id": a.ID, "customer_id": a.CustomerID, "balance": balance}
	}
	return map[string]any{"id": a.ID, "last_characters": a.LastCharacters, "balance": balance, "active": a.Active}
}

// oneLine says whether a text is one line, and not longer than it may be.
func oneLine(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, unicode.IsControl)
}

// known keeps a customer from being deleted until the transaction ends, or says that there
// is none.
func known(ctx context.Context, tx *postgres.Tx, customer string) (bool, error) {
	var found string
	err := tx.QueryRow(ctx, `select id from customers where id = $1 for key share`, customer).Scan(&found)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read customer %s: %w", customer, err)
	}
	return true, nil
}
