package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// shelf is a store with a catalogue.
type shelf struct {
	*catalog.Service
	db  *postgres.DB
	ctx context.Context
}

func open(t *testing.T) *shelf {
	t.Helper()
	p := testdb.Open(t)
	return &shelf{catalog.New(catalog.Unlimited{}), p.DB, p.Store(t)}
}

// in runs fn in the store.
func (s *shelf) in(fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return s.db.InStore(s.ctx, fn)
}

func (s *shelf) category(t *testing.T, name string, parent catalog.CategoryID) (id catalog.CategoryID) {
	t.Helper()
	err := s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = s.CreateCategory(ctx, tx, catalog.CategoryInput{Name: name, ParentID: parent})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *shelf) product(in catalog.ProductInput) (id catalog.ProductID, err error) {
	err = s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = s.CreateProduct(ctx, tx, in)
		return err
	})
	return id, err
}

// Two moves that are each allowed make a circle together: one of them must be refused.
func TestMovesAtOnceMakeNoCircle(t *testing.T) {
	t.Parallel()
	s := open(t)
	for round := range 5 {
		a, b := s.category(t, fmt.Sprint("A", round), ""), s.category(t, fmt.Sprint("B", round), "")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, move := range [][2]catalog.CategoryID{{a, b}, {b, a}} {
			wg.Go(func() {
				errs[i] = s.in(func(ctx context.Context, tx *postgres.Tx) error {
					return s.UpdateCategory(ctx, tx, move[0], 0, catalog.CategoryPatch{ParentID: &move[1]})
				})
			})
		}
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if problem.Is(err, "category_cycle") {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 1 {
			t.Errorf("%d of two moves were refused", refused)
		}
	}
}

// Products, collections and categories of one name, made at once, have handles of their own.
func TestHandlesAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, err := s.product(catalog.ProductInput{Title: "Same name"}); err != nil {
				t.Error(err)
			}
			err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
				if _, err := s.CreateCollection(ctx, tx, catalog.CollectionInput{Name: "Same name"}); err != nil {
					return err
				}
				_, err := s.CreateCategory(ctx, tx, catalog.CategoryInput{Name: "Same name"})
				return err
			})
			// Two of a name at the same instant: the later gives up after some tries.
			if err != nil && !problem.Is(err, "handle_taken") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
		var products, first, last int
		err := tx.QueryRow(ctx, `select count(*), count(*) filter (where handle = 'same-name'), count(*) filter (where handle = 'same-name-12') from products`).Scan(&products, &first, &last)
		if products != 12 || first != 1 || last != 1 {
			t.Errorf("%d products, %d first, %d last", products, first, last)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What is made costs the same few statements however many variants it has.
func TestAProductsMakingIsAFewStatements(t *testing.T) {
	t.Parallel()
	s := open(t)
	var counts []int64
	for _, n := range []int{1, 2048} {
		in := catalog.ProductInput{Title: "Many", Options: []catalog.Option{{Name: "Tens"}, {Name: "Ones"}}}
		for i := range n {
			v := catalog.NewVariant()
			v.Choices, v.Stock = []string{fmt.Sprint(i / 64), fmt.Sprint(i % 64)}, int64(i+1)
			v.Prices = []catalog.Price{{Amount: 100, Currency: "EUR"}, {Amount: 120, Currency: "USD"}}
			for at, choice := range v.Choices {
				if option := &in.Options[at]; !slices.Contains(option.Values, choice) {
					option.Values = append(option.Values, choice)
				}
			}
			in.Variants = append(in.Variants, v)
		}
		ctx, count := postgres.Counting(s.ctx)
		err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := s.CreateProduct(ctx, tx, in)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, count.Statements.Load())
	}
	if counts[0] != counts[1] || counts[0] > 12 {
		t.Errorf("%d statements for one variant, %d for 2048", counts[0], counts[1])
	}
	in := catalog.ProductInput{Title: "Too many", Options: []catalog.Option{{Name: "No", Values: []string{"a"}}}}
	for range 2049 {
		in.Variants = append(in.Variants, catalog.NewVariant())
	}
	if _, err := s.product(in); !problem.Is(err, "invalid_product") {
		t.Errorf("2049 variants: %v", err)
	}
}

func TestBoundsThatTheContractHoldsAreTheDomainsToo(t *testing.T) {
	t.Parallel()
	s := open(t)
	many := make([]string, 251)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	heavy := -1
	for name, in := range map[string]catalog.ProductInput{
		"title":       {Title: strings.Repeat("x", 256)},
		"handle":      {Title: "x", Handle: "No Handle"},
		"tags":        {Title: "x", Tags: many},
		"four":        {Title: "x", Options: []catalog.Option{{"a", []string{"1"}}, {"b", []string{"1"}}, {"c", []string{"1"}}, {"d", []string{"1"}}}},
		"no choices":  {Title: "x", Options: []catalog.Option{{"a", nil}}},
		"choices":     {Title: "x", Options: []catalog.Option{{"a", many}}},
		"stock":       {Title: "x", Variants: []catalog.VariantInput{{TrackStock: true, Stock: -1}}},
		"weight":      {Title: "x", Variants: []catalog.VariantInput{{WeightGrams: &heavy}}},
		"amount":      {Title: "x", Variants: []catalog.VariantInput{{Prices: []catalog.Price{{Amount: -1, Currency: "EUR"}}}}},
		"old amount":  {Title: "x", Variants: []catalog.VariantInput{{Prices: []catalog.Price{{Currency: "EUR", CompareAt: new(int64(-1))}}}}},
		"description": {Title: "x", Description: strings.Repeat("<p>x</p>", 10000)},
	} {
		if _, err := s.product(in); !problem.Is(err, "invalid_product") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.product(catalog.ProductInput{Title: "x", Variants: []catalog.VariantInput{{Oversell: true, TrackStock: true, Stock: -1}}}); err != nil {
		t.Errorf("less than nothing of what may oversell: %v", err)
	}
}

// Options come to a product that has none, and go again, as long as its variants differ.
func TestOptionsComeAndGo(t *testing.T) {
	t.Parallel()
	s := open(t)
	id, err := s.product(catalog.ProductInput{Title: "Shirt", Variants: []catalog.VariantInput{{SKU: "S-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	options := func(options ...catalog.Option) error {
		return s.in(func(ctx context.Context, tx *postgres.Tx) error {
			return s.UpdateProduct(ctx, tx, id, 0, catalog.ProductPatch{Options: append([]catalog.Option{}, options...)})
		})
	}
	titles := func() string {
		var titles []string
		s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select array_agg(title order by position) from variants where product_id = $1`, id).Scan(&titles)
		})
		return strings.Join(titles, ", ")
	}
	size, colour := catalog.Option{Name: "Size", Values: []string{"S", "M"}}, catalog.Option{Name: "Colour", Values: []string{"Sand", "Ink"}}
	if err := options(size); err != nil || titles() != "S" {
		t.Errorf("with sizes there are %s: %v", titles(), err)
	}
	if err := options(colour, size); err != nil || titles() != "Sand / S" {
		t.Errorf("with colours before sizes there are %s: %v", titles(), err)
	}
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := s.CreateVariant(ctx, tx, id, catalog.VariantInput{Choices: []string{"Sand", "M"}})
		return err
	})
	if err := options(colour); !problem.Is(err, "invalid_product") || titles() != "Sand / S, Sand / M" {
		t.Errorf("sizes of two variants went, and there are %s: %v", titles(), err)
	}
	if err := options(size); err != nil || titles() != "S, M" {
		t.Errorf("without colours there are %s: %v", titles(), err)
	}
	if err := options(catalog.Option{Name: "Size"}, colour); !problem.Is(err, "invalid_product") {
		t.Errorf("an option without choices: %v", err)
	}
}

// A change of stock while a variant's rules change: whichever comes first, the check of
// the table is never broken, and the answer is an honest one.
func TestRulesAndSalesAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	id, err := s.product(catalog.ProductInput{Title: "x", Variants: []catalog.VariantInput{{TrackStock: true, Stock: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	variant := catalog.VariantID(s.variants(t, id)[0])
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
				oversell := i%4 == 0
				if i%2 == 0 {
					return s.UpdateVariant(ctx, tx, variant, 0, catalog.VariantPatch{Oversell: &oversell})
				}
				_, err := inventory.Claim(ctx, tx, ids.New("cart"), []inventory.Line{{VariantID: inventory.VariantID(variant), Quantity: 1}})
				if problem.Is(err, "out_of_stock") {
					return nil
				}
				return err
			})
			if err != nil && !problem.Is(err, "stock_reserved") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestWithoutAStoreThereIsNoCatalogue(t *testing.T) {
	p := testdb.Open(t)
	if _, err := catalog.Products(context.Background(), p.DB, catalog.ProductFilter{Limit: 1}); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("products of no store: %v", err)
	}
	if err := catalog.HasProduct(context.Background(), p.DB, "prod_x"); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("a product of no store: %v", err)
	}
}

// Everything that is done to a catalogue at once, in any order: no deadlock, and nothing
// but honest refusals.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	category := s.category(t, "Shirts", "")
	var products []catalog.ProductID
	var variants []inventory.VariantID
	for range 4 {
		in := catalog.ProductInput{Title: "x", CategoryID: category, Options: []catalog.Option{{Name: "Size", Values: []string{"S", "M", "L"}}}}
		for _, size := range in.Options[0].Values {
			v := catalog.NewVariant()
			v.Choices, v.Stock = []string{size}, 1000
			in.Variants = append(in.Variants, v)
		}
		id, err := s.product(in)
		if err != nil {
			t.Fatal(err)
		}
		products = append(products, id)
		variants = append(variants, s.variants(t, id)...)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for round := range 12 {
				product := products[rand.IntN(len(products))]
				variant := variants[rand.IntN(len(variants))]
				err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
					switch (worker + round) % 8 {
					case 0:
						at := round % 3
						return s.UpdateVariant(ctx, tx, catalog.VariantID(variant), 0, catalog.VariantPatch{Position: &at})
					case 1:
						title := fmt.Sprint("title ", worker, round)
						return s.UpdateProduct(ctx, tx, product, 0, catalog.ProductPatch{Title: &title, CategoryID: &category})
					case 2:
						if round == 10 {
							return s.DeleteProduct(ctx, tx, product, 0)
						}
						// As a change of the store's language does: the settings' row comes first.
						if err := stores.Alone(ctx, tx); err != nil {
							return err
						}
						return search.Reindex(ctx, tx)
					case 3:
						if round == 11 {
							return s.DeleteCategory(ctx, tx, category, 0)
						}
						_, err := s.CreateProduct(ctx, tx, catalog.ProductInput{Title: "new", CategoryID: category})
						return err
					case 4:
						return s.DeleteVariant(ctx, tx, catalog.VariantID(variant), 0)
					}
					var lines []inventory.Line
					for _, i := range rand.Perm(len(variants)) {
						lines = append(lines, inventory.Line{VariantID: variants[i], Quantity: 1})
					}
					_, err := inventory.Reserve(ctx, tx, "cart_1", lines[:5])
					return err
				})
				if err != nil && problem.As(err) == nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// variants are a product's variants, in their order.
func (s *shelf) variants(t *testing.T, id catalog.ProductID) []inventory.VariantID {
	t.Helper()
	o, err := catalog.Product(s.ctx, s.db, "", id)
	if err != nil {
		t.Fatal(err)
	}
	var product struct {
		Variants []struct{ ID inventory.VariantID }
	}
	if err := json.Unmarshal(o.Data, &product); err != nil {
		t.Fatal(err)
	}
	var list []inventory.VariantID
	for _, v := range product.Variants {
		list = append(list, v.ID)
	}
	return list
}

// Whatever somebody writes into the field of a search is answered.
func TestAnythingCanBeSearchedFor(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.product(catalog.ProductInput{Title: "Linen shirt", Status: catalog.Active}); err != nil {
		t.Fatal(err)
	}
	alphabet := []rune(`ab1é ß'"\:*&|!()<->@#%_.,/ʼŉ½ﬁⅣ日本मा٣ กำ` + "\u0301\u200d\U0001F600\u2028")
	for range 300 {
		text := make([]rune, 1+rand.IntN(12))
		for i := range text {
			text[i] = alphabet[rand.IntN(len(alphabet))]
		}
		if _, err := catalog.ShopProducts(s.ctx, s.db, catalog.ShopFilter{Words: string(text), Limit: 5}); err != nil {
			t.Errorf("%q: %v", string(text), err)
		}
	}
}
