package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// inverses take back what is no update, creation or deletion of a record, by their actions.
var inverses map[string]func(context.Context, *openapi.Request, audit.Entry) ([]step, error)

func init() { // they ask for operations, and so for what undoes them
	inverses = map[string]func(context.Context, *openapi.Request, audit.Entry) ([]step, error){
		"price_list.set_prices": formerPrices, "price_list.reduce": formerPrices,
		"collection.add": takenOut, "collection.remove": putBack, "collection.move": movedBack,
	}
}

// formerPrices sets prices of a list again that a change has set or taken away.
func formerPrices(_ context.Context, _ *openapi.Request, e audit.Entry) ([]step, error) {
	var before, after struct{ Prices []pricelists.Entry }
	if err := json.Unmarshal(e.Before, &before); err != nil {
		return nil, fmt.Errorf("read former prices: %w", err)
	}
	if err := json.Unmarshal(e.After, &after); err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	type place struct {
		variant, currency string
		quantity          int
	}
	at := func(p pricelists.Entry) place { return place{p.VariantID, p.Currency, p.MinQuantity} }
	left := map[place]*int64{}
	for _, p := range after.Prices {
		left[at(p)] = p.Amount
	}
	same := func(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }
	former := slices.DeleteFunc(before.Prices, func(p pricelists.Entry) bool { return same(p.Amount, left[at(p)]) })
	body := map[string]any{"prices": former}
	check := func(ctx context.Context, tx *postgres.Tx) error {
		now, err := pricelists.Present(ctx, tx, pricelists.ID(e.ObjectID), former)
		if err != nil {
			return err
		}
		wrong := since()
		for _, p := range now {
			if !same(p.Amount, left[at(p)]) {
				wrong.At("/prices", "changed_since", "The change left %s of %s in %s, and now it is %s.", brief(left[at(p)]), p.VariantID, p.Currency, brief(p.Amount))
			}
		}
		return wrong.OrNil()
	}
	q := openapi.Question{Operation: "setPriceListPrices", Params: map[string]string{"price_list_id": e.ObjectID}, Body: body}
	return []step{{Question: q, patch: body, check: check}}, nil
}

// contents is what the audit tells of a change of what is in a collection.
type contents struct {
	Added          []string
	Removed, Moved string
	Position       *int
}

func readContents(e audit.Entry) (before, after contents, err error) {
	if len(e.Before) > 0 {
		if err := json.Unmarshal(e.Before, &before); err != nil {
			return before, after, fmt.Errorf("read what was in a collection: %w", err)
		}
	}
	if err := json.Unmarshal(e.After, &after); err != nil {
		return before, after, fmt.Errorf("read what is in a collection: %w", err)
	}
	return before, after, nil
}

func ofProduct(operation, collection, product string) openapi.Question {
	return openapi.Question{Operation: operation, Params: map[string]string{"collection_id": collection, "product_id": product}}
}

// takenOut takes products out of a collection that were put into it.
func takenOut(_ context.Context, _ *openapi.Request, e audit.Entry) (steps []step, err error) {
	_, after, err := readContents(e)
	for _, product := range after.Added {
		steps = append(steps, step{Question: ofProduct("removeCollectionProduct", e.ObjectID, product)})
	}
	return steps, err
}

// putBack puts a product into a collection again, in the place that it had where that is by
// hand.
func putBack(ctx context.Context, req *openapi.Request, e audit.Entry) ([]step, error) {
	before, after, err := readContents(e)
	if err != nil {
		return nil, err
	}
	r, _, _ := recordOf(e.Action)
	now, _, err := r.read(ctx, req, e.ObjectID, nil)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"product_ids": []string{after.Removed}}
	steps := []step{{Question: openapi.Question{Operation: "addCollectionProducts", Params: map[string]string{"collection_id": e.ObjectID}, Body: body}, patch: body}}
	if now["sort_order"] == "manual" && before.Position != nil {
		return append(steps, moving(e.ObjectID, after.Removed, *before.Position)), nil
	}
	return steps, nil
}

// movedBack gives a product of a collection the place that it had.
func movedBack(_ context.Context, _ *openapi.Request, e audit.Entry) ([]step, error) {
	before, after, err := readContents(e)
	if err != nil || before.Position == nil {
		return nil, err
	}
	return []step{moving(e.ObjectID, after.Moved, *before.Position)}, nil
}

func moving(collection, product string, position int) step {
	q := ofProduct("moveCollectionProduct", collection, product)
	q.Body = map[string]any{"position": position}
	return step{Question: q, patch: q.Body}
}
