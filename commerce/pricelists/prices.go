package pricelists

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The bounds of prices.
const (
	MaxBatch    = 1_000 // that are set at once
	maxQuantity = 9_999
	maxAmount   = 999_999_999_999 // as in the catalogue
)

// Entry is a price of a list.
type Entry struct {
	VariantID   string `json:"variant_id"`
	Currency    string `json:"currency"`
	MinQuantity int    `json:"min_quantity"` // from so many on
	Amount      *int64 `json:"amount"`       // in the currency's minor unit; nil takes the price away
}

func checkEntries(entries []Entry) error {
	wrong := problem.New(problem.Unprocessable, "invalid_price_list", "The prices cannot be kept as they are.")
	type key struct {
		variant, currency string
		quantity          int
	}
	seen := map[key]bool{}
	for i, e := range entries {
		at := fmt.Sprintf("/prices/%d", i)
		if !money.Known(e.Currency) {
			wrong.At(at+"/currency", "currency", "There is no currency %q.", e.Currency)
		}
		if e.MinQuantity < 1 || e.MinQuantity > maxQuantity {
			wrong.At(at+"/min_quantity", "out_of_range", "A quantity is 1 to %d.", maxQuantity)
		}
		if e.Amount != nil && (*e.Amount < 0 || *e.Amount > maxAmount) {
			wrong.At(at+"/amount", "out_of_range", "A price is 0 to %d.", maxAmount)
		}
		k := key{e.VariantID, e.Currency, e.MinQuantity}
		if seen[k] {
			wrong.At(at, "repeated", "There is another price of this variant, currency and quantity.")
		}
		seen[k] = true
	}
	if len(entries) > MaxBatch {
		wrong.At("/prices", "maxItems", "There may be %d.", MaxBatch)
	}
	return wrong.OrNil()
}

const entryRecord = `jsonb_to_recordset($2::jsonb) as e(variant_id text, currency text, min_quantity int, amount bigint)`

const (
	removePricesSQL = `delete from price_list_prices x using ` + entryRecord + `
		where x.price_list_id = $1 and x.variant_id = e.variant_id and x.currency = e.currency and x.min_quantity = e.min_quantity and e.amount is null`

	putPricesSQL = `insert into price_list_prices as x (price_list_id, variant_id, currency, min_quantity, amount)
		select $1, e.variant_id, e.currency, e.min_quantity, e.amount from ` + entryRecord + ` where e.amount is not null
		on conflict (variant_id, currency, price_list_id, min_quantity) do update set amount = excluded.amount where x.amount <> excluded.amount`
)

// SetPrices sets prices of a list, adds those that it has none of, and takes those away that
// have no amount.
func SetPrices(ctx context.Context, tx *postgres.Tx, id ID, entries []Entry) error {
	if err := checkEntries(entries); err != nil {
		return err
	}
	before := &told{}
	return setPrices(ctx, tx, id, func(l *list) (variants []string, changed int64, err error) {
		if variants, err = knowVariants(ctx, tx, entries); err != nil {
			return nil, 0, err
		}
		if before.Prices, err = Present(ctx, tx, id, entries); err != nil {
			return nil, 0, err
		}
		raw, err := json.Marshal(entries)
		if err != nil {
			return nil, 0, fmt.Errorf("set prices: %w", err)
		}
		for _, sql := range []string{removePricesSQL, putPricesSQL} {
			tag, err := tx.Exec(ctx, sql, id, string(raw))
			if err != nil {
				return nil, 0, fmt.Errorf("set prices of %s: %w", id, err)
			}
			changed += tag.RowsAffected()
		}
		return variants, changed, nil
	}, journal.Entry{Action: "price_list.set_prices", Before: before, After: told{entries}})
}

// told are prices as the audit keeps them, in the words of the contract.
type told struct {
	Prices []Entry `json:"prices"`
}

// Present are a list's prices of now, in the places of others: those that it has none of are
// without an amount. The list is kept from changing until the transaction ends.
func Present(ctx context.Context, tx *postgres.Tx, id ID, of []Entry) ([]Entry, error) {
	if _, err := lock(ctx, tx, id, 0); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("read prices of %s: %w", id, err)
	}
	rows, err := tx.Query(ctx, `select e.variant_id, e.currency, e.min_quantity, x.amount from `+entryRecord+`
		left join price_list_prices x on x.price_list_id = $1 and x.variant_id = e.variant_id and x.currency = e.currency and x.min_quantity = e.min_quantity
		order by e.variant_id, e.currency, e.min_quantity`, id, string(raw))
	if err != nil {
		return nil, fmt.Errorf("read prices of %s: %w", id, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}

// setPrices has prices of a list changed by put, which keeps their variants from being deleted
// and gives them, and how many prices it changed.
func setPrices(ctx context.Context, tx *postgres.Tx, id ID, put func(*list) ([]string, int64, error), entry journal.Entry) error {
	l, err := lock(ctx, tx, id, 0)
	if err != nil {
		return err
	}
	if l.public() {
		if err := alone(ctx, tx); err != nil {
			return err
		}
	}
	variants, changed, err := put(l)
	if err != nil || changed == 0 {
		return err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from price_list_prices where price_list_id = $1`, id).Scan(&count); err != nil {
		return fmt.Errorf("count the prices of %s: %w", id, err)
	}
	if count > MaxPrices {
		return problem.New(problem.Unprocessable, "price_list_limit", "A price list has at most %d prices.", MaxPrices)
	}
	if err := l.save(ctx, tx); err != nil {
		return err
	}
	if l.public() {
		if err := rerecord(ctx, tx, variants); err != nil {
			return err
		}
	}
	l.tell(ctx, tx, "updated", entry)
	return nil
}

// knowVariants refuses variants that there are not, and keeps the others from being deleted
// until the transaction ends.
func knowVariants(ctx context.Context, tx *postgres.Tx, entries []Entry) ([]string, error) {
	asked := make([]string, len(entries))
	for i, e := range entries {
		asked[i] = e.VariantID
	}
	rows, err := tx.Query(ctx, `select id from variants where id = any($1) order by id for key share`, asked)
	if err != nil {
		return nil, fmt.Errorf("look for variants: %w", err)
	}
	variants, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for variants: %w", err)
	}
	known := map[string]bool{}
	for _, id := range variants {
		known[id] = true
	}
	wrong := problem.New(problem.Unprocessable, "unknown_reference", "There is no such variant.")
	for i, id := range asked {
		if !known[id] {
			wrong.At(fmt.Sprintf("/prices/%d/variant_id", i), "unknown_reference", "There is no such variant.")
		}
	}
	return variants, wrong.OrNil()
}
