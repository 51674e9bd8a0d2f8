package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// ItemPatch changes how a variant's stock is watched and oversold; nil leaves a thing as it
// is, and what is not valid removes it.
type ItemPatch struct {
	LowStock   *sql.Null[int]       // at so many on hand stock is low
	Limit      *sql.Null[int]       // how far it may be oversold
	ExpectedOn *sql.Null[time.Time] // the day when there is more of it
}

// item is what the audit keeps of it.
type item struct {
	LowStock   *int    `json:"low_stock_threshold"`
	Limit      *int    `json:"backorder_limit"`
	ExpectedOn *string `json:"backorder_expected_on"`
}

const itemSQL = `select json_build_object('low_stock_threshold', low_stock_threshold, 'backorder_limit', backorder_limit,
	'backorder_expected_on', backorder_expected_on)::text from variants where id = $1 for no key update`

// UpdateItem changes how a variant's stock is watched and oversold. Whether it is counted
// and may be oversold at all is the catalogue's.
func UpdateItem(ctx context.Context, tx *postgres.Tx, id VariantID, patch ItemPatch) error {
	var raw []byte
	err := tx.QueryRow(ctx, itemSQL, id).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("variant")
	}
	if err != nil {
		return fmt.Errorf("read stock item %s: %w", id, err)
	}
	var before item
	if err := json.Unmarshal(raw, &before); err != nil {
		return fmt.Errorf("read stock item %s: %w", id, err)
	}
	after := before
	number(&after.LowStock, patch.LowStock)
	number(&after.Limit, patch.Limit)
	if on := patch.ExpectedOn; on != nil {
		after.ExpectedOn = nil
		if on.Valid {
			day := on.V.Format(time.DateOnly)
			after.ExpectedOn = &day
		}
	}
	_, err = tx.Exec(ctx, `update variants set low_stock_threshold = $2, backorder_limit = $3, backorder_expected_on = $4::date, updated_at = now()
		where id = $1`, id, after.LowStock, after.Limit, after.ExpectedOn)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23514" {
		return problem.New(problem.Conflict, "stock_reserved", "More of it is owed already.").
			At("/backorder_limit", "stock_reserved", "Adjust the stock first.")
	}
	if err != nil {
		return fmt.Errorf("write stock item %s: %w", id, err)
	}
	stores.Touch(tx)
	journal.Event(ctx, tx, "inventory.item_updated", string(id), map[string]any{
		"variant_id": id, "low_stock_threshold": after.LowStock, "backorder_limit": after.Limit, "backorder_expected_on": after.ExpectedOn,
	})
	journal.Audit(ctx, tx, journal.Entry{Action: "inventory_item.update", ObjectID: string(id), Before: before, After: after})
	return nil
}

func number(field **int, value *sql.Null[int]) {
	if value == nil {
		return
	}
	*field = nil
	if value.Valid {
		*field = &value.V
	}
}
