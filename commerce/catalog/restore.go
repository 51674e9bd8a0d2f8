package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// columns are the columns that the rows have which were kept of parts, by table.
func columns(ctx context.Context, tx *postgres.Tx, parts []part, kept string) (map[string]string, error) {
	var tables []string
	for _, p := range parts {
		tables = append(tables, p.table)
	}
	return tx.KeptColumns(ctx, tables, kept)
}

// restoreParts inserts the rows that were kept of parts. What there is of variants is
// counted anew, and what they cost is looked up in the lists of now.
func restoreParts(ctx context.Context, tx *postgres.Tx, parts []part, kept string) error {
	if err := pricelists.Beside(ctx, tx); err != nil {
		return err
	}
	of, err := columns(ctx, tx, parts, kept)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if of[p.table] == "" {
			continue // there are no rows of it
		}
		_, err := tx.Exec(ctx, `insert into `+p.table+` (`+of[p.table]+`) select `+of[p.table]+` from jsonb_array_elements($1::jsonb) d,
			jsonb_populate_recordset(null::`+p.table+`, d->'`+p.table+`') r where `+p.keep, kept)
		if err != nil {
			return fmt.Errorf("restore %s: %w", p.table, err)
		}
	}
	for table, resource := range map[string]fields.Resource{"products": fields.Products, "variants": fields.Variants} {
		if err := fields.Prune(ctx, tx, resource, `select t->>'id' from jsonb_array_elements($1::jsonb) d, jsonb_array_elements(d->'`+table+`') t`, kept); err != nil {
			return err
		}
	}
	const restored = `select v->>'id' from jsonb_array_elements($1::jsonb) d, jsonb_array_elements(d->'variants') v`
	rows, err := tx.Query(ctx, restored, kept)
	if err != nil {
		return fmt.Errorf("read what was restored: %w", err)
	}
	variants, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read what was restored: %w", err)
	}
	if err := pricelists.Record(ctx, tx, variants...); err != nil {
		return err
	}
	return inventory.Recount(ctx, tx, restored, kept)
}

// RestoreProducts brings products back that were removed, as they were. A handle that
// somebody else has by now is not taken from them, and the plan's limit holds; a category
// or a collection that is gone is left out.
func (s *Service) RestoreProducts(ctx context.Context, tx *postgres.Tx, ids []ProductID, undos []json.RawMessage) ([]Done, error) {
	room, most, err := s.room(ctx, tx)
	if err != nil {
		return nil, err
	}
	done, kept := make([]Done, len(ids)), map[ProductID]json.RawMessage{}
	for i, id := range ids {
		if most > 0 && len(kept) >= room {
			done[i].Err = planLimit(most)
			continue
		}
		kept[id] = undos[i]
	}
	raw, err := json.Marshal(values(kept))
	if err != nil {
		return nil, fmt.Errorf("restore products: %w", err)
	}
	of, err := columns(ctx, tx, productParts[:1], string(raw))
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return done, nil
	}
	rows, err := tx.Query(ctx, `insert into products (`+of["products"]+`) select `+of["products"]+` from jsonb_array_elements($1::jsonb) d, jsonb_populate_record(null::products,
			d->'products'->0 || case when exists (select from categories where id = d->'products'->0->>'category_id') then '{}' else '{"category_id": null}' end::jsonb) r
		on conflict do nothing returning id, handle, title, status`, string(raw))
	if err != nil {
		return nil, fmt.Errorf("restore products: %w", err)
	}
	restored, back := map[ProductID]bool{}, []json.RawMessage{}
	var p summary
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Handle, &p.Title, &p.Status}, func() error {
		restored[p.ID], back = true, append(back, kept[p.ID])
		journal.Event(ctx, tx, "product.created", string(p.ID), p)
		journal.Audit(ctx, tx, journal.Entry{Action: "product.restore", ObjectID: string(p.ID), After: p})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("restore products: %w", err)
	}
	for i, id := range ids {
		if done[i].Changed = restored[id]; !restored[id] && done[i].Err == nil {
			done[i].Err = problem.New(problem.Conflict, "handle_taken", "Another product has its handle by now.")
		}
	}
	if len(restored) == 0 {
		return done, nil
	}
	if raw, err = json.Marshal(back); err != nil {
		return nil, fmt.Errorf("restore products: %w", err)
	}
	if err := restoreParts(ctx, tx, productParts, string(raw)); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `update settings set product_count = product_count + $1 where id = 1`, len(restored)); err != nil {
		return nil, fmt.Errorf("count products: %w", err)
	}
	journal.Usage(tx, "products", int64(len(restored)))
	return done, index(ctx, tx, slices.Collect(maps.Keys(restored))...)
}

func values[K comparable, V any](m map[K]V) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// removedVariant is what is looked at of a variant before it is brought back.
type removedVariant struct {
	ProductID ProductID `json:"product_id"`
	Variants  []struct {
		Choices []string `json:"options"`
	} `json:"variants"`
}

// RestoreVariants brings variants back that were removed, as they were and in their
// places, where their product is still there, still knows their choices and has no other
// variant of them.
func (s *Service) RestoreVariants(ctx context.Context, tx *postgres.Tx, ids []VariantID, undos []json.RawMessage) ([]Done, error) {
	removed, list := make([]removedVariant, len(ids)), []string{}
	for i := range ids {
		if err := json.Unmarshal(undos[i], &removed[i]); err != nil || len(removed[i].Variants) != 1 {
			return nil, fmt.Errorf("read what restores %s: %w", ids[i], err)
		}
		list = append(list, string(removed[i].ProductID))
	}
	var products []*product
	if err := tx.Bun.NewSelect().Model(&products).Where("p.id in (?)", bun.List(list)).Order("p.id").For("no key update").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	known := map[ProductID]*product{}
	for _, p := range products {
		known[p.ID] = p
	}
	taken, counts, err := takenChoices(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	done, back, touched := make([]Done, len(ids)), []json.RawMessage{}, map[ProductID]*product{}
	for i, r := range removed {
		p, choices := known[r.ProductID], r.Variants[0].Choices
		key := string(r.ProductID) + "\x00" + strings.Join(choices, "\x00")
		c := check("variants_do_not_fit", "Its choices are not the product’s any more.")
		switch {
		case p == nil:
			done[i].Err = problem.Missing("product")
		case !c.fits(p.Options, choices, "/option_values"):
			done[i].Err = c.wrong
		case taken[key]:
			done[i].Err = problem.New(problem.Conflict, "changed_since", "There is another variant of its choices by now.")
		case counts[r.ProductID] >= maxVariants:
			done[i].Err = tooManyVariants()
		default:
			done[i].Changed, taken[key], touched[r.ProductID] = true, true, p
			counts[r.ProductID]++
			back = append(back, undos[i])
			journal.Audit(ctx, tx, journal.Entry{Action: "variant.restore", ObjectID: string(ids[i]), After: map[string]ProductID{"product_id": r.ProductID}})
		}
	}
	raw, err := json.Marshal(back)
	if err != nil {
		return nil, fmt.Errorf("restore variants: %w", err)
	}
	if err := restoreParts(ctx, tx, variantParts, string(raw)); err != nil {
		return nil, err
	}
	return done, touchProducts(ctx, tx, byID(touched))
}

// takenChoices are the choices of which products have variants, and how many they have.
func takenChoices(ctx context.Context, tx *postgres.Tx, products []string) (map[string]bool, map[ProductID]int, error) {
	rows, err := tx.Query(ctx, `select product_id, options from variants where product_id = any($1)`, products)
	if err != nil {
		return nil, nil, fmt.Errorf("read choices: %w", err)
	}
	taken, counts := map[string]bool{}, map[ProductID]int{}
	var id ProductID
	var choices []string
	_, err = pgx.ForEachRow(rows, []any{&id, &choices}, func() error {
		taken[string(id)+"\x00"+strings.Join(choices, "\x00")] = true
		counts[id]++
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read choices: %w", err)
	}
	return taken, counts, nil
}

// ForgetRemoved has the files deleted of images that were removed, or whose products were, and
// will not be restored.
func ForgetRemoved(tx *postgres.Tx, undos []json.RawMessage) error {
	var images []*image
	for _, undo := range undos {
		var kept struct {
			Images []*image `json:"images"`
		}
		if err := json.Unmarshal(undo, &kept); err != nil {
			return fmt.Errorf("read the images of what was removed: %w", err)
		}
		images = append(images, kept.Images...)
	}
	deleteFiles(tx, images...)
	return nil
}
