package credit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// asOfSQL sums what came and went of the account $1 until the instant $2.
const asOfSQL = `select json_build_object('amount', coalesce((select sum(amount) from credit_entries where account_id = a.id and created_at <= $2), 0)::bigint, 'currency', a.currency)
from credit_accounts a where a.id = $1`

// storeCreditAsOfSQL does so with all accounts of the customer $1 that there were.
const storeCreditAsOfSQL = `select coalesce(json_agg(json_build_object('currency', a.currency,
	'amount', coalesce((select sum(e.amount) from credit_entries e where e.account_id = a.id and e.created_at <= $2), 0)::bigint) order by a.currency), '[]')
from credit_accounts a where a.customer_id = $1 and a.kind = 'store_credit' and a.created_at <= $2`

// StoreCreditAsOf is what a customer could spend at an instant, by currency, as the API shows
// it.
func StoreCreditAsOf(ctx context.Context, db *postgres.DB, customer string, at time.Time) (json.RawMessage, error) {
	balances, err := db.JSON(ctx, storeCreditAsOfSQL, customer, at)
	if err != nil {
		return nil, fmt.Errorf("read the store credit of %s as it was: %w", customer, err)
	}
	return balances, nil
}

// BalanceAsOf is what there was on an account at an instant, as the API shows it.
func BalanceAsOf(ctx context.Context, db *postgres.DB, id string, at time.Time) (json.RawMessage, error) {
	balance, err := db.JSON(ctx, asOfSQL, id, at)
	if err != nil {
		return nil, fmt.Errorf("read the balance of %s as it was: %w", id, err)
	}
	return balance, nil
}
