package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// VariantEdit is what is to become of one of several variants. Choices, images and places
// are each variant's own, and not for edits.
type VariantEdit struct {
	VariantPatch          // its prices replace all that there are
	SetPrices    []Price  // those in their currencies; others stay
	RemovePrices []string // those in these currencies
	AdjustPrice  *PriceAdjustment
}

// PriceAdjustment changes the price in one currency, where a variant has one.
type PriceAdjustment struct {
	Currency  string
	BPS       int64 // hundredths of a percent: -1000 is a tenth less
	Amount    int64 // is added after that, in the minor unit
	CompareAt CompareAt
}

// CompareAt is what becomes of the former price that is shown struck through.
type CompareAt string

// What becomes of it: it stays, it is the price as it was before, or it goes.
const (
	KeepCompareAt   CompareAt = ""
	FormerCompareAt CompareAt = "former"
	RemoveCompareAt CompareAt = "remove"
)

func (a *PriceAdjustment) apply(price *Price) {
	was := price.Amount
	price.Amount = (was*(10_000+a.BPS)*2+10_000)/20_000 + a.Amount // half a unit is rounded up
	switch a.CompareAt {
	case FormerCompareAt:
		price.CompareAt = &was
	case RemoveCompareAt:
		price.CompareAt = nil
	}
}

func (e VariantEdit) apply(v *variant) {
	e.VariantPatch.apply(v)
	v.Prices = slices.Clone(v.Prices)
	for _, set := range e.SetPrices {
		v.Prices = append(slices.DeleteFunc(v.Prices, func(p Price) bool { return p.Currency == set.Currency }), set)
	}
	v.Prices = slices.DeleteFunc(v.Prices, func(p Price) bool { return slices.Contains(e.RemovePrices, p.Currency) })
	for i := range v.Prices {
		if e.AdjustPrice != nil && v.Prices[i].Currency == e.AdjustPrice.Currency {
			e.AdjustPrice.apply(&v.Prices[i])
		}
	}
	slices.SortFunc(v.Prices, func(a, b Price) int { return strings.Compare(a.Currency, b.Currency) })
}

// variantUndo takes an edit back from a variant that has the version still.
type variantUndo struct {
	Version int
	Patch   VariantPatch
}

// EditVariants changes several variants, each by its edit, by as many statements as one
// takes. One that is refused does not keep the others from being changed.
func (s *Service) EditVariants(ctx context.Context, tx *postgres.Tx, ids []VariantID, edits []VariantEdit) ([]Done, error) {
	patches := make([]fields.Values, len(edits))
	for i, e := range edits {
		patches[i] = e.CustomFields
	}
	return s.eachVariant(ctx, tx, ids, patches, func(i int, v *variant, book *fields.Book) error {
		edits[i].apply(v)
		wrong := problem.New(problem.Unprocessable, "invalid_variant", "The variant cannot be kept as it is.")
		if err := book.Write(ctx, tx, &v.CustomFields, patches[i], wrong); err != nil {
			return err
		}
		return wrong.OrNil()
	})
}

// UneditVariants takes edits back, which left undos.
func (s *Service) UneditVariants(ctx context.Context, tx *postgres.Tx, ids []VariantID, undos []json.RawMessage) ([]Done, error) {
	read, patches := make([]variantUndo, len(undos)), make([]fields.Values, len(undos))
	for i := range undos {
		if err := json.Unmarshal(undos[i], &read[i]); err != nil {
			return nil, fmt.Errorf("read what undoes the edit of %s: %w", ids[i], err)
		}
		patches[i] = read[i].Patch.CustomFields
	}
	return s.eachVariant(ctx, tx, ids, patches, func(i int, v *variant, book *fields.Book) error {
		undo := read[i]
		if v.Version != undo.Version {
			return changedSince()
		}
		undo.Patch.apply(v)
		book.Restore(&v.CustomFields, patches[i])
		return nil
	})
}

// several are variants, locked with their products.
type several struct {
	products map[ProductID]*product
	variants map[VariantID]*variant
}

// lockSeveral locks variants after their products, and reads their prices. Those that
// there are not are left out.
func lockSeveral(ctx context.Context, tx *postgres.Tx, ids []VariantID) (several, error) {
	s := several{map[ProductID]*product{}, map[VariantID]*variant{}}
	var products []*product
	err := tx.Bun.NewSelect().Model(&products).Where("p.id in (select product_id from variants where id in (?))", bun.List(ids)).Order("p.id").For("no key update").Scan(ctx)
	if err != nil {
		return s, fmt.Errorf("read products: %w", err)
	}
	known := map[ProductID]*Known{}
	for _, p := range products {
		p.tidy()
		s.products[p.ID], known[p.ID] = p, &Known{}
	}
	if len(known) == 0 {
		return s, nil
	}
	if err := readVariants(ctx, tx, "id", ids, known, true); err != nil {
		return s, err
	}
	for _, k := range known {
		for _, v := range k.variants {
			s.variants[v.ID] = v
		}
	}
	return s, nil
}

// eachVariant locks variants and saves what fn makes of each that it does not refuse by a
// problem. The book is that of the custom fields that the patches are of.
func (s *Service) eachVariant(ctx context.Context, tx *postgres.Tx, ids []VariantID, patches []fields.Values, fn func(i int, v *variant, book *fields.Book) error) ([]Done, error) {
	book, err := fields.Open(ctx, tx, fields.Variants, patches...)
	if err != nil {
		return nil, err
	}
	all, err := lockSeveral(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	done, changed, prices, touched := make([]Done, len(ids)), []*variant{}, []*variant{}, map[ProductID]*product{}
	for i, id := range ids {
		v := all.variants[id]
		if v == nil {
			done[i].Err = problem.Missing("variant")
			continue
		}
		before := *v
		c := check("invalid_variant", "The variant cannot be kept as it is.")
		err := fn(i, v, book.For())
		if err == nil {
			c.variant(v, all.products[v.ProductID].Options, "")
			err = c.wrong.OrNil()
		}
		samePrices := slices.EqualFunc(before.Prices, v.Prices, func(a, b Price) bool { return reflect.DeepEqual(a, b) })
		if samePrices {
			v.Prices = before.Prices
		}
		switch {
		case err != nil && problem.As(err) == nil:
			return nil, err
		case err != nil:
			done[i].Err = err
			continue
		case reflect.DeepEqual(before, *v):
			continue
		case !samePrices:
			prices = append(prices, v)
		}
		v.Version++
		undo, err := json.Marshal(variantUndo{v.Version, before.from(v, samePrices)})
		if err != nil {
			return nil, fmt.Errorf("keep what undoes the edit of %s: %w", id, err)
		}
		done[i].Changed, done[i].Undo = true, undo
		changed, touched[v.ProductID] = append(changed, v), all.products[v.ProductID]
		journal.Audit(ctx, tx, journal.Entry{Action: "variant.update", ObjectID: string(id), Before: before.told(), After: v.told()})
	}
	if err := updateVariants(ctx, tx, changed); err != nil {
		return nil, err
	}
	if err := replacePrices(ctx, tx, prices); err != nil {
		return nil, err
	}
	return done, touchProducts(ctx, tx, byID(touched))
}

// byID are products in the order of their IDs.
func byID(products map[ProductID]*product) []*product {
	list := make([]*product, 0, len(products))
	for _, p := range products {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *product) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list
}

// from is what makes a variant of another that edits have made of it.
func (v *variant) from(o *variant, samePrices bool) VariantPatch {
	patch := VariantPatch{
		SKU: differs(v.SKU, o.SKU), Barcode: differs(v.Barcode, o.Barcode), TrackStock: differs(v.TrackStock, o.TrackStock), Oversell: differs(v.Oversell, o.Oversell),
		RequiresShipping: differs(v.RequiresShipping, o.RequiresShipping), Taxable: differs(v.Taxable, o.Taxable), TaxClass: differs(v.TaxClass, o.TaxClass),
		WeightGrams: missing(v.WeightGrams, o.WeightGrams), Length: missing(v.Length, o.Length), Width: missing(v.Width, o.Width), Height: missing(v.Height, o.Height),
		NetContent: missing(v.NetContent, o.NetContent), Cost: missing(v.cost(), o.cost()), CustomFields: fields.Differing(v.CustomFields, o.CustomFields),
	}
	if !samePrices {
		patch.Prices = append([]Price{}, v.Prices...)
	}
	return patch
}

// missing is a value that may be missing, and that another differs from, or nil.
func missing[T comparable](value, other *T) *sql.Null[T] {
	switch {
	case value == nil && other == nil, value != nil && other != nil && *value == *other:
		return nil
	case value == nil:
		return &sql.Null[T]{}
	}
	return &sql.Null[T]{V: *value, Valid: true}
}

// cost is what one costs the merchant, or nil.
func (v *variant) cost() *money.Money {
	if v.CostAmount == nil {
		return nil
	}
	return &money.Money{Amount: *v.CostAmount, Currency: v.CostCurrency}
}
