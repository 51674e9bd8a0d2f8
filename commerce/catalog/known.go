package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Known is a product as it stands, for whoever has to find out what is new about it. It
// is only read.
type Known struct {
	ID         ProductID
	Title      string
	Options    []Option
	CategoryID CategoryID
	Variants   []KnownVariant // in their order
	Images     []KnownImage   // in their order, those to be fetched and those that failed too

	product  *product
	variants []*variant
}

// KnownVariant is a variant as it stands.
type KnownVariant struct {
	ID        VariantID
	SKU       string
	Choices   []string
	Prices    []Price // by currency
	Available int64   // what is in stock and not promised
	ImageID   ImageID
}

// KnownImage is an image as it stands.
type KnownImage struct {
	ID        ImageID
	SourceURL string // where it was fetched from, if it was
	Ready     bool
	Failed    bool // it could not be fetched
}

// KnownByHandle reads products by their handles, by one statement for products, variants,
// prices and images each. Locked, others keep from changing them until the transaction
// ends.
func KnownByHandle(ctx context.Context, tx *postgres.Tx, handles []string, locked bool) (map[string]*Known, error) {
	known, err := known(ctx, tx, "handle", handles, locked)
	byHandle := make(map[string]*Known, len(known))
	for _, k := range known {
		byHandle[k.product.Handle] = k
	}
	return byHandle, err
}

// knownByID reads products by their IDs, and locks them.
func knownByID(ctx context.Context, tx *postgres.Tx, ids []ProductID) (map[ProductID]*Known, error) {
	return known(ctx, tx, "id", ids, true)
}

func known[T ~string](ctx context.Context, tx *postgres.Tx, column string, values []T, locked bool) (map[ProductID]*Known, error) {
	var products []*product
	query := tx.Bun.NewSelect().Model(&products).Where("p.? in (?)", bun.Ident(column), bun.List(values)).Order("p.id")
	if locked {
		query = query.For("no key update")
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products by %s: %w", column, err)
	}
	known := map[ProductID]*Known{}
	var list []string
	for _, p := range products {
		p.tidy()
		if p.Options == nil {
			p.Options = []Option{}
		}
		k := &Known{ID: p.ID, Title: p.Title, Options: p.Options, CategoryID: p.CategoryID, product: p}
		known[p.ID] = k
		list = append(list, string(p.ID))
	}
	if len(list) == 0 {
		return known, nil
	}
	if err := readVariants(ctx, tx, "product_id", list, known, locked); err != nil {
		return nil, err
	}
	return known, readImages(ctx, tx, list, known)
}

// readVariants gives products their variants, of which a column has one of the values. They
// are locked in the order of their IDs, as everybody locks them.
func readVariants[ID ~string](ctx context.Context, tx *postgres.Tx, column string, values []ID, known map[ProductID]*Known, locked bool) error {
	var variants []*variant
	query := tx.Bun.NewSelect().Model(&variants).Where("v.? in (?)", bun.Ident(column), bun.List(values)).Order("v.id")
	if locked {
		query = query.For("no key update")
	}
	if err := query.Scan(ctx); err != nil {
		return fmt.Errorf("read variants: %w", err)
	}
	available := map[VariantID]int64{}
	byID := map[VariantID]*variant{}
	for _, v := range variants {
		byID[v.ID] = v
		if v.Choices == nil {
			v.Choices = []string{}
		}
	}
	rows, err := tx.Query(ctx, `select v.id, v.stock - v.reserved, p.currency, p.amount, p.compare_at_amount
		from variants v left join prices p on p.variant_id = v.id where v.`+column+` = any($1) order by p.currency`, values)
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	var id VariantID
	var left int64
	var currency *string
	var amount, former *int64
	_, err = pgx.ForEachRow(rows, []any{&id, &left, &currency, &amount, &former}, func() error {
		available[id] = left
		if v := byID[id]; v != nil && currency != nil {
			v.Prices = append(v.Prices, Price{Amount: *amount, Currency: *currency, CompareAt: former})
		}
		currency, amount, former = nil, nil, nil
		return nil
	})
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	slices.SortStableFunc(variants, func(a, b *variant) int { return a.Position - b.Position })
	for _, v := range variants {
		k := known[v.ProductID]
		k.variants = append(k.variants, v)
		k.Variants = append(k.Variants, KnownVariant{v.ID, v.SKU, v.Choices, v.Prices, available[v.ID], v.ImageID})
	}
	return nil
}

func readImages(ctx context.Context, tx *postgres.Tx, products []string, known map[ProductID]*Known) error {
	rows, err := tx.Query(ctx, `select product_id, id, source_url, state from images where product_id = any($1) order by position, id`, products)
	if err != nil {
		return fmt.Errorf("read images: %w", err)
	}
	var of ProductID
	var image KnownImage
	var state string
	_, err = pgx.ForEachRow(rows, []any{&of, &image.ID, &image.SourceURL, &state}, func() error {
		image.Ready, image.Failed = state == imageReady, state == imageFailed
		known[of].Images = append(known[of].Images, image)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read images: %w", err)
	}
	return nil
}

// HandleOf makes a name for addresses of a text that is to be one: the text itself where
// it can be, and else what is nearest to it, or nothing.
func HandleOf(text string) string {
	if text = strings.TrimSpace(text); ValidHandle(text) {
		return text
	}
	return HandleFor(text, "")
}
