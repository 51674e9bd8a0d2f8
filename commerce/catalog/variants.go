package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// insertVariants inserts variants without stock, and their prices.
func insertVariants(ctx context.Context, tx *postgres.Tx, variants []*variant) error {
	if _, err := tx.Bun.NewInsert().Model(&variants).Exec(ctx); err != nil {
		return fmt.Errorf("insert variants: %w", err)
	}
	if err := insertPrices(ctx, tx, variants...); err != nil {
		return err
	}
	var priced []string // no list can have prices of them yet
	for _, v := range variants {
		if len(v.Prices) > 0 {
			priced = append(priced, string(v.ID))
		}
	}
	return pricelists.Begin(ctx, tx, priced...)
}

func insertPrices(ctx context.Context, tx *postgres.Tx, variants ...*variant) error {
	var of, currencies []string
	var amounts []int64
	var former []*int64
	for _, v := range variants {
		for _, price := range v.Prices {
			of, currencies = append(of, string(v.ID)), append(currencies, price.Currency)
			amounts, former = append(amounts, price.Amount), append(former, price.CompareAt)
		}
	}
	if len(of) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `insert into prices (variant_id, currency, amount, compare_at_amount)
		select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])`, of, currencies, amounts, former)
	if err != nil {
		return fmt.Errorf("insert prices: %w", err)
	}
	return nil
}

// variantsOf are a product's variants in their order, with their prices.
func variantsOf(ctx context.Context, tx *postgres.Tx, id ProductID) ([]*variant, error) {
	var variants []*variant
	if err := tx.Bun.NewSelect().Model(&variants).Where("v.product_id = ?", id).Order("position", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the variants of %s: %w", id, err)
	}
	rows, err := tx.Query(ctx, `select p.variant_id, p.amount, p.currency, p.compare_at_amount
		from prices p join variants v on v.id = p.variant_id where v.product_id = $1 order by p.currency`, id)
	if err != nil {
		return nil, fmt.Errorf("read the prices of %s: %w", id, err)
	}
	byID := make(map[VariantID]*variant, len(variants))
	for _, v := range variants {
		byID[v.ID] = v
	}
	var of VariantID
	var price Price
	_, err = pgx.ForEachRow(rows, []any{&of, &price.Amount, &price.Currency, &price.CompareAt}, func() error {
		if v := byID[of]; v != nil {
			v.Prices = append(v.Prices, price)
		}
		price.CompareAt = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the prices of %s: %w", id, err)
	}
	return variants, nil
}

// CreateVariant adds a variant to a product, in the last place.
func (s *Service) CreateVariant(ctx context.Context, tx *postgres.Tx, productID ProductID, in VariantInput) (VariantID, error) {
	book, err := fields.Open(ctx, tx, fields.Variants, in.CustomFields)
	if err != nil {
		return "", err
	}
	p, err := lockProduct(ctx, tx, productID)
	if err != nil {
		return "", err
	}
	others, err := variantsOf(ctx, tx, p.ID)
	if err != nil {
		return "", err
	}
	if len(others) >= maxVariants {
		return "", tooManyVariants()
	}
	v := newVariant(p.ID, nextPlace(others), in)
	c := check("invalid_variant", "The variant cannot be kept as it is.")
	c.variant(v, p.Options, "")
	c.stock(in, "")
	c.distinct(append(others, v), func(int) string { return "/option_values" })
	if err := c.imageOf(ctx, tx, p.ID, v.ImageID); err != nil {
		return "", err
	}
	if err := book.Write(ctx, tx, &v.CustomFields, in.CustomFields, c.wrong); err != nil {
		return "", err
	}
	if err := c.wrong.OrNil(); err != nil {
		return "", err
	}
	if err := insertVariants(ctx, tx, []*variant{v}); err != nil {
		return "", err
	}
	if err := inventory.Begin(ctx, tx, []inventory.Line{{VariantID: inventory.VariantID(v.ID), Quantity: in.Stock}}); err != nil {
		return "", err
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return "", err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "variant.create", ObjectID: string(v.ID), After: v.told()})
	return v.ID, nil
}

// nextPlace is the place behind a product's variants, which are in their order. There may
// be gaps between them.
func nextPlace(variants []*variant) int {
	if len(variants) == 0 {
		return 0
	}
	return variants[len(variants)-1].Position + 1
}

func tooManyVariants() error {
	return problem.New(problem.Unprocessable, "variant_limit", "A product has at most %d variants.", maxVariants)
}

// imageOf checks that a picture is one of the product's.
func (c checker) imageOf(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID) error {
	if id == "" {
		return nil
	}
	var found bool
	if err := tx.QueryRow(ctx, `select exists (select from images where id = $1 and product_id = $2)`, id, productID).Scan(&found); err != nil {
		return fmt.Errorf("look for image %s: %w", id, err)
	}
	if !found {
		c.wrong.At("/image_id", "not_found", "The product has no such image.")
	}
	return nil
}

// lockVariant locks a variant's product and reads all of its variants; the variant is the
// one at the index.
func lockVariant(ctx context.Context, tx *postgres.Tx, id VariantID, meant int) (*product, []*variant, int, error) {
	var productID ProductID
	err := tx.QueryRow(ctx, `select product_id from variants where id = $1`, id).Scan(&productID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil, 0, problem.Missing("variant")
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("read variant %s: %w", id, err)
	}
	p, err := lockProduct(ctx, tx, productID)
	if err != nil {
		return nil, nil, 0, err
	}
	if err := problem.Outdated(p.Version, meant); err != nil {
		return nil, nil, 0, err
	}
	variants, err := variantsOf(ctx, tx, productID)
	if err != nil {
		return nil, nil, 0, err
	}
	at := slices.IndexFunc(variants, func(v *variant) bool { return v.ID == id })
	if at < 0 { // deleted while we waited
		return nil, nil, 0, problem.Missing("variant")
	}
	return p, variants, at, nil
}

// lockVariants keeps a product's variants from being sold until the transaction ends. They
// are locked in the order of their IDs, as those who sell several do, and whether a change
// of them may be is judged by the stock there is then.
func lockVariants(ctx context.Context, tx *postgres.Tx, id ProductID) error {
	if _, err := tx.Exec(ctx, `select from variants where product_id = $1 order by id for update`, id); err != nil {
		return fmt.Errorf("lock the variants of %s: %w", id, err)
	}
	return nil
}

// UpdateVariant changes a variant.
func (s *Service) UpdateVariant(ctx context.Context, tx *postgres.Tx, id VariantID, meant int, patch VariantPatch) error {
	book, err := fields.Open(ctx, tx, fields.Variants, patch.CustomFields)
	if err != nil {
		return err
	}
	p, variants, at, err := lockVariant(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	v := variants[at]
	before := *v
	patch.apply(v)
	c := check("invalid_variant", "The variant cannot be kept as it is.")
	c.variant(v, p.Options, "")
	c.distinct(variants, func(int) string { return "/option_values" })
	if err := c.imageOf(ctx, tx, p.ID, v.ImageID); err != nil {
		return err
	}
	if err := book.Write(ctx, tx, &v.CustomFields, patch.CustomFields, c.wrong); err != nil {
		return err
	}
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	moved := patch.Position != nil && *patch.Position != v.Position
	if !moved && reflect.DeepEqual(before, *v) {
		return nil
	}
	if err := lockVariants(ctx, tx, p.ID); err != nil {
		return err
	}
	if err := saveVariant(ctx, tx, v, patch.Prices != nil); err != nil {
		return err
	}
	if moved {
		variants = slices.Insert(slices.Delete(variants, at, at+1), min(*patch.Position, len(variants)-1), v)
		if err := placeVariants(ctx, tx, variants); err != nil {
			return err
		}
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "variant.update", ObjectID: string(v.ID), Before: before.told(), After: v.told()})
	return nil
}

func (patch VariantPatch) apply(v *variant) {
	merge.Set(&v.SKU, patch.SKU)
	merge.Set(&v.Barcode, patch.Barcode)
	merge.Set(&v.TrackStock, patch.TrackStock)
	merge.Set(&v.Oversell, patch.Oversell)
	merge.Set(&v.RequiresShipping, patch.RequiresShipping)
	merge.Set(&v.Taxable, patch.Taxable)
	merge.Set(&v.TaxClass, patch.TaxClass)
	merge.Set(&v.ImageID, patch.ImageID)
	if patch.Choices != nil {
		v.Choices = slices.Clone(patch.Choices)
	}
	if patch.Prices != nil {
		v.Prices = append([]Price(nil), patch.Prices...)
		slices.SortFunc(v.Prices, func(a, b Price) int { return strings.Compare(a.Currency, b.Currency) })
	}
	setNull(&v.WeightGrams, patch.WeightGrams)
	setNull(&v.Length, patch.Length)
	setNull(&v.Width, patch.Width)
	setNull(&v.Height, patch.Height)
	setNull(&v.NetContent, patch.NetContent)
	if patch.Cost != nil {
		var cost *money.Money
		setNull(&cost, patch.Cost)
		v.costs(cost)
	}
}

// setNull sets what may be missing, unless the patch leaves it alone.
func setNull[T any](field **T, value *sql.Null[T]) {
	if value == nil {
		return
	}
	*field = nil
	if value.Valid {
		*field = &value.V
	}
}

func saveVariant(ctx context.Context, tx *postgres.Tx, v *variant, prices bool) error {
	v.Version, v.UpdatedAt = v.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(v).WherePK().Exec(ctx); err != nil {
		if violates(err, "variants_check") || violates(err, "stock_levels_check") {
			return problem.New(problem.Conflict, "stock_reserved", "More is promised or sold than there is in stock: adjust the stock first.")
		}
		return fmt.Errorf("update variant %s: %w", v.ID, err)
	}
	if !prices {
		return nil
	}
	return replacePrices(ctx, tx, []*variant{v})
}

// placeVariants numbers variants in the order given.
func placeVariants(ctx context.Context, tx *postgres.Tx, variants []*variant) error {
	order := make([]string, len(variants))
	for i, v := range variants {
		order[i], v.Position = string(v.ID), i
	}
	_, err := tx.Exec(ctx, `update variants v set position = w.n - 1 from unnest($1::text[]) with ordinality w(id, n)
		where v.id = w.id and v.position <> w.n - 1`, order)
	if err != nil {
		return fmt.Errorf("place variants: %w", err)
	}
	return nil
}

// DeleteVariant deletes a variant, unless it is its product's last.
func (s *Service) DeleteVariant(ctx context.Context, tx *postgres.Tx, id VariantID, meant int) error {
	p, variants, at, err := lockVariant(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	if len(variants) == 1 {
		return problem.New(problem.Conflict, "last_variant", "A product keeps at least one variant.")
	}
	v := variants[at]
	if err := lockVariants(ctx, tx, p.ID); err != nil {
		return err
	}
	kept, err := keepVariant(ctx, tx, v.ID)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from variants where id = $1`, v.ID); err != nil {
		return fmt.Errorf("delete variant %s: %w", v.ID, err)
	}
	if err := placeVariants(ctx, tx, slices.Delete(variants, at, at+1)); err != nil {
		return err
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "variant.delete", ObjectID: string(v.ID), Before: v.told(), Kept: kept})
	return nil
}
