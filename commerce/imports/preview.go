package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// foreseen is what a preview has to know later of a product that would have been made.
type foreseen struct {
	Title string `json:"title"`
}

// foresee puts groups in, gives their rows their fates, and takes everything back. What
// earlier rows of the file would have made is not there: that they would have is said, and
// counted towards what the plan allows. It does nothing for an import that is no preview,
// and for what is refused.
func (r *run) foresee(ctx context.Context, from int64, groups []group, refusal error) error {
	if !r.preview || refusal != nil {
		return nil
	}
	return r.service.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tx.Discard()
		o, err := operations.Lock(ctx, tx, r.id, from)
		if err != nil {
			return err
		}
		if r.customers {
			return r.takePeople(ctx, tx, groups)
		}
		var before int
		if err := tx.QueryRow(ctx, `select count(*) from operation_rows where operation_id = $1 and input is not null`, r.id).Scan(&before); err != nil {
			return fmt.Errorf("count what would have been made: %w", err)
		}
		if before > 0 {
			if _, err := tx.Exec(ctx, `update settings set product_count = product_count + $1 where id = 1`, before); err != nil {
				return fmt.Errorf("count what would have been made: %w", err)
			}
		}
		b := &batch{run: r, operation: o, made: map[string]catalog.CategoryID{}}
		if err := b.apply(ctx, tx, groups); err != nil {
			return err
		}
		return b.foreseen()
	})
}

// foreseen takes from the rows what there is not once everything is taken back.
func (b *batch) foreseen() error {
	for _, p := range b.plans {
		for i, r := range p.rows {
			if r.undo = nil; p.known != nil || i > 0 || r.outcome != Created {
				continue
			}
			raw, err := json.Marshal(foreseen{p.input.Title})
			if err != nil {
				return fmt.Errorf("keep what would have been made: %w", err)
			}
			r.input = raw
		}
	}
	return nil
}

// foreseenSQL finds the rows of an operation that would have made products of these handles.
const foreseenSQL = `select w.handle, r.line, r.input->>'title' from unnest($2::text[]) w(handle), lateral (
		select line, input from operation_rows where operation_id = $1 and handle = w.handle and object_id <> '' and input is not null order by line limit 1
	) r`

// earlier gives fates to drafts of products that earlier rows would have made, and leaves
// the rest.
func (b *batch) earlier(ctx context.Context, tx *postgres.Tx, drafts []*draft) ([]*draft, error) {
	handles, list := map[string]*draft{}, make([]string, len(drafts))
	for i, d := range drafts {
		handles[d.handle], list[i] = d, d.handle
	}
	rows, err := tx.Query(ctx, foreseenSQL, b.operation.ID, list)
	if err != nil {
		return nil, fmt.Errorf("look for what would have been made: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var handle, title string
		var line int
		if err := rows.Scan(&handle, &line, &title); err != nil {
			return nil, fmt.Errorf("look for what would have been made: %w", err)
		}
		d := handles[handle]
		if d.titled && *d.product.Title != title {
			d.repeated(line, title)
			continue
		}
		for _, r := range d.rows {
			r.outcome = Updated
			r.say(message(Info, "made_before", "", "It goes to the product of line %d, which is not there yet.", line))
		}
		d.handle = ""
	}
	return remaining(drafts), rows.Err()
}

// repeated refuses a product whose handle another product of the file has.
func (d *draft) repeated(line int, title string) {
	d.table.wrong(d.rows[0], colHandle, "handle_repeated", "Line %d has another product of this handle, %q. Give this one a handle of its own.", line, title)
	d.refuse()
}

// remaining are the drafts whose rows have no fate yet.
func remaining(drafts []*draft) (rest []*draft) {
	for _, d := range drafts {
		if d.handle != "" {
			rest = append(rest, d)
		}
	}
	return rest
}
