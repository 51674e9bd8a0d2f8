package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// purpose is what a one-time token opens.
type purpose string

const (
	verifyEmail   purpose = "verify_email"
	resetPassword purpose = "reset_password"
	changeEmail   purpose = "change_email"
)

// How long tokens hold, and how many mails of one purpose an account gets within an hour:
// beyond it the latest ones have to do.
const (
	verifyFor  = 48 * time.Hour
	resetFor   = time.Hour
	changeFor  = 24 * time.Hour
	mailsAHour = 5
)

const (
	countTokens = `select count(*) from account_tokens where account_id = $1 and purpose = $2 and created_at > now() - interval '1 hour'`

	insertToken = `
insert into account_tokens (hash, account_id, purpose, email, expires_at)
values ($1, $2, $3, $4, now() + $5::interval)`

	selectToken = `select account_id, email from account_tokens where hash = $1 and purpose = $2 and expires_at > now() for update`

	deleteTokens = `delete from account_tokens where account_id = $1 and purpose = any($2)`
)

// issue makes a token that will travel by mail; "" when the account was sent too many.
func issue(ctx context.Context, tx *postgres.Tx, accountID string, p purpose, email string, valid time.Duration) (string, error) {
	var recent int
	if err := tx.QueryRow(ctx, countTokens, accountID, string(p)).Scan(&recent); err != nil {
		return "", fmt.Errorf("count tokens of %s: %w", accountID, err)
	}
	if recent >= mailsAHour {
		return "", nil
	}
	secret := token.New("tok")
	if _, err := tx.Exec(ctx, insertToken, token.Hash(secret), accountID, string(p), email, valid); err != nil {
		return "", fmt.Errorf("issue a token to %s: %w", accountID, err)
	}
	return secret, nil
}

// redeem finds whom a token was issued to, and for which address. The caller ends it by
// spend, in the same transaction.
func redeem(ctx context.Context, tx *postgres.Tx, secret string, p purpose) (accountID, email string, err error) {
	err = tx.QueryRow(ctx, selectToken, token.Hash(secret), string(p)).Scan(&accountID, &email)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", "", problem.New(problem.Unprocessable, "token_invalid", "The token from the mail is wrong, used or too old. Ask for another.").
			At("/token", "token_invalid", "There is no such token.")
	}
	if err != nil {
		return "", "", fmt.Errorf("find a token: %w", err)
	}
	return accountID, email, nil
}

// spend ends all of an account's tokens of these purposes.
func spend(ctx context.Context, tx *postgres.Tx, accountID string, purposes ...purpose) error {
	names := make([]string, len(purposes))
	for i, p := range purposes {
		names[i] = string(p)
	}
	if _, err := tx.Exec(ctx, deleteTokens, accountID, names); err != nil {
		return fmt.Errorf("spend tokens of %s: %w", accountID, err)
	}
	return nil
}
