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

// BalanceAsOf is what there was on an account at an instant, as the API shows it.
func BalanceAsOf(ctx context.Context, db *postgres.DB, id string, at time.Time) (json.RawMessage, error) {
	balance, err := db.JSON(ctx, asOfSQL, id, at)
	if err != nil {
		return nil, fmt.Errorf("read the balance of %s as it was: %w", id, err)
	}
	return balance, nil
}
