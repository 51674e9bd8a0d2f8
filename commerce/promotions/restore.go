package promotions

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// cameTo says which uses are still of an order, or of one that is being paid for: the others
// would have been taken back meanwhile.
const cameTo = `(exists (select from orders o where o.id = r.order_id) or exists (select from payments y where y.order_id = r.order_id and y.state <> 'failed'))`

// kept are the rows of a promotion by which it can be brought back. Who used it is among
// them, as its limits count on that; commerce/privacy sees to it that they can be erased.
var (
	codeRows = postgres.Part{Table: "promotion_codes", Of: "x.promotion_id = $1"}
	kept     = []postgres.Part{{Table: "promotions", Of: "x.id = $1"}, codeRows, {Table: "promotion_uses", Of: "x.promotion_id = $1", Back: cameTo}}
)

// usedSQL has a promotion and its codes used as often as there are uses, where some were not
// brought back.
const usedSQL = `
with u as (select code, count(*) as n from promotion_uses where promotion_id = $1 group by code),
coded as (update promotion_codes c set used = least(c.used, coalesce((select n from u where u.code = c.code), 0)) where c.promotion_id = $1)
update promotions set used = least(used, coalesce((select sum(n) from u), 0)) where id = $1`

// Restore brings back a promotion that was deleted, with its codes and who used it.
func Restore(ctx context.Context, tx *postgres.Tx, id string, rows json.RawMessage) error {
	if err := tx.Restore(ctx, rows, kept...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, usedSQL, id); err != nil {
		return fmt.Errorf("count the uses of promotion %s: %w", id, err)
	}
	p, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	if p.Active {
		if err := roomLeft(ctx, tx, MaxActive+1); err != nil { // it is among them already
			return err
		}
	}
	if err := know(ctx, tx, &p.Rule, &Rule{}); err != nil {
		return err
	}
	journal.Event(ctx, tx, "promotion.created", id, named{p.ID, p.Title})
	journal.Audit(ctx, tx, journal.Entry{Action: "promotion.restore", ObjectID: id, After: p.told()})
	return nil
}

// RestoreCodes brings back codes that were taken away from a promotion.
func RestoreCodes(ctx context.Context, tx *postgres.Tx, id string, rows json.RawMessage) error {
	p, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	if err := tx.Restore(ctx, rows, codeRows); err != nil {
		return err
	}
	return p.coded(ctx, tx, "promotion.add_codes", rows)
}

// TakeCodes takes codes away that a promotion was given, unless some of them were used.
func TakeCodes(ctx context.Context, tx *postgres.Tx, id string, rows json.RawMessage) error {
	p, err := lock(ctx, tx, ID(id), 0)
	if err != nil {
		return err
	}
	var all bool
	err = tx.QueryRow(ctx, `with given as (select r->>'code' as code from jsonb_array_elements($2::jsonb->'promotion_codes') r),
		taken as (delete from promotion_codes c using given where c.promotion_id = $1 and c.code = given.code and c.used = 0 returning c.code)
		select (select count(*) from given) = (select count(*) from taken)`, id, string(rows)).Scan(&all)
	if err != nil {
		return fmt.Errorf("take the codes of promotion %s: %w", id, err)
	}
	if !all {
		return problem.New(problem.Conflict, "changed_since", "Some of these codes were used or taken away since, and all stay.")
	}
	return p.coded(ctx, tx, "promotion.remove_codes", rows)
}

// coded tells that a promotion, which is locked, has got codes or lost them. Their rows are
// kept, so that it can be taken back.
func (p *promotion) coded(ctx context.Context, tx *postgres.Tx, action string, rows json.RawMessage) error {
	var codes struct {
		Rows []struct{ Code string } `json:"promotion_codes"`
	}
	if err := json.Unmarshal(rows, &codes); err != nil {
		return fmt.Errorf("read the codes of promotion %s: %w", p.ID, err)
	}
	list := make([]string, len(codes.Rows))
	for i, row := range codes.Rows {
		list[i] = row.Code
	}
	entry := journal.Entry{Action: action, ObjectID: string(p.ID), Kept: rows}
	told := map[string]any{"codes": list}
	if entry.After = told; action == "promotion.remove_codes" {
		entry.Before, entry.After = told, nil
	}
	journal.Event(ctx, tx, "promotion.updated", string(p.ID), named{p.ID, p.Title})
	journal.Audit(ctx, tx, entry)
	return nil
}
