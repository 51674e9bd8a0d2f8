package catalog_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func (s *shelf) must(t *testing.T, fn func(ctx context.Context, tx *postgres.Tx) error) {
	t.Helper()
	if err := s.in(fn); err != nil {
		t.Fatal(err)
	}
}

// made is a product that is sold, and its variants.
func (s *shelf) made(t *testing.T, in catalog.ProductInput) (id catalog.ProductID, variants []catalog.VariantID) {
	t.Helper()
	in.Status, in.Handle = catalog.Active, strings.ToLower(in.Title)
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		made, err := s.CreateProducts(ctx, tx, []catalog.ProductInput{in})
		if err == nil {
			id, variants, err = made[0].ID, made[0].Variants, made[0].Err
		}
		return err
	})
	return id, variants
}

func (s *shelf) collection(t *testing.T, in catalog.CollectionInput) (id catalog.CollectionID) {
	t.Helper()
	s.must(t, func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = s.CreateCollection(ctx, tx, in)
		return err
	})
	return id
}

// holds are the titles of a collection's products, as shoppers read them, page by page.
func (s *shelf) holds(t *testing.T, id catalog.CollectionID) string {
	t.Helper()
	var titles []string
	after := ""
	for {
		page, err := catalog.ShopProducts(s.ctx, s.db, catalog.ShopFilter{CollectionID: string(id), After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(page.Data), `"title" : "`)[1:] {
			if title, _, _ := strings.Cut(part, `"`); title != "Default" {
				titles = append(titles, title)
			}
		}
		if after = page.Next; after == "" {
			return strings.Join(titles, " ")
		}
	}
}

func (s *shelf) wantHolds(t *testing.T, id catalog.CollectionID, want string) {
	t.Helper()
	if got := s.holds(t, id); got != want {
		t.Errorf("the collection holds %q, want %q", got, want)
	}
}

func rule(conditions ...string) *collections.Rule {
	r := &collections.Rule{}
	for _, c := range conditions {
		parts := strings.Fields(c)
		r.Conditions = append(r.Conditions, collections.Condition{Field: parts[0], Operator: parts[1], Value: strings.Join(parts[2:], " ")})
	}
	return r
}

func variantOf(stock, amount int64, former ...int64) catalog.VariantInput {
	v := catalog.NewVariant()
	v.Stock, v.SKU = stock, fmt.Sprintf("SKU-%d", amount)
	v.Prices = []catalog.Price{{Amount: amount, Currency: "EUR"}}
	if len(former) > 0 {
		v.Prices[0].CompareAt = &former[0]
	}
	return v
}

// Each field and each operator finds what it says.
func TestRulesFindProducts(t *testing.T) {
	t.Parallel()
	s := open(t)
	top := s.category(t, "Kitchen", "")
	below := s.category(t, "Cups", top)
	grams := 300
	cup := variantOf(5, 1200, 1500)
	cup.WeightGrams = &grams
	s.made(t, catalog.ProductInput{Title: "Cup", Vendor: "Example Mill", Type: "Cups", Tags: []string{"Clay", "blue"}, CategoryID: below, Variants: []catalog.VariantInput{cup}})
	s.made(t, catalog.ProductInput{Title: "Bowl", Tags: []string{"clay"}, CategoryID: top, Variants: []catalog.VariantInput{variantOf(0, 2000)}})
	s.made(t, catalog.ProductInput{Title: "Rug", Vendor: "Other", Variants: []catalog.VariantInput{variantOf(50, 9000)}})
	for condition, want := range map[string]string{
		"title equals cup":                     "Cup",
		"title not_equals cup":                 "Rug Bowl",
		"title contains U":                     "Rug Cup",
		"title starts_with r":                  "Rug",
		"title ends_with l":                    "Bowl",
		"vendor is_set":                        "Rug Cup",
		"vendor is_not_set":                    "Bowl",
		"product_type equals cups":             "Cup",
		"tag equals clay":                      "Bowl Cup",
		"tag not_equals blue":                  "Rug Bowl",
		"tag not_contains l":                   "Rug",
		"tag is_not_set":                       "Rug",
		"sku equals sku-2000":                  "Bowl",
		"variant_title equals default":         "Rug Bowl Cup",
		"category equals " + string(top):       "Bowl Cup",
		"category not_equals " + string(below): "Rug Bowl",
		"category is_not_set":                  "Rug",
		"price less_than 2000":                 "Cup",
		"price greater_than 1999":              "Rug Bowl",
		"price not_equals 2000":                "Rug Cup",
		"compare_at_price is_set":              "Cup",
		"on_sale equals true":                  "Cup",
		"on_sale equals false":                 "Rug Bowl",
		"stock less_than 6":                    "Bowl Cup",
		"stock equals 50":                      "Rug",
		"available equals false":               "Bowl",
		"weight_grams greater_than 200":        "Cup",
		"weight_grams is_not_set":              "Rug Bowl",
	} {
		id := s.collection(t, catalog.CollectionInput{Name: "One", Rule: rule(condition), SortOrder: "newest"})
		if got := s.holds(t, id); got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
	both := rule("tag equals clay", "price greater_than 1999")
	s.wantHolds(t, s.collection(t, catalog.CollectionInput{Name: "All", Rule: both}), "Bowl")
	both.Any = true
	id := s.collection(t, catalog.CollectionInput{Name: "Any", Rule: both, SortOrder: "price_descending"})
	s.wantHolds(t, id, "Rug Bowl Cup")
	for order, want := range map[string]string{"newest": "Rug Bowl Cup", "title": "Bowl Cup Rug", "price_ascending": "Cup Bowl Rug", "best_selling": "Cup Bowl Rug"} {
		s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
			return s.UpdateCollection(ctx, tx, id, 0, catalog.CollectionPatch{SortOrder: &order})
		})
		s.wantHolds(t, id, want)
	}
}

// What sells best is counted anew by a job, which asks for the next one as long as the
// collection is in that order, and does nothing where another has done it.
func TestBestSellersAreCountedAnew(t *testing.T) {
	t.Parallel()
	s := open(t)
	var ids []catalog.ProductID
	for _, title := range []string{"Cup", "Bowl"} {
		id, _ := s.made(t, catalog.ProductInput{Title: title})
		ids = append(ids, id)
	}
	best := s.collection(t, catalog.CollectionInput{Name: "Best", Products: ids, SortOrder: "best_selling"})
	exec := func(sql string, args ...any) {
		t.Helper()
		s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		})
	}
	exec(`insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ('ord_1', 1, 'cart_1', '', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 1, 0, 0, 1)`)
	exec(`insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, quantity, unit_amount, total_amount, tax_amount, requires_shipping, tracks_stock)
		values ('orl_1', 'ord_1', 0, 'var_1', $1, 'Bowl', '', 3, 0, 0, 0, true, false)`, string(ids[1]))
	ranker := &collections.Ranker{DB: s.db}
	rank := func() {
		t.Helper()
		if err := ranker.Rank(s.ctx, collections.RankArgs{Collection: string(best)}); err != nil {
			t.Fatal(err)
		}
	}
	rank()
	s.wantHolds(t, best, "Cup Bowl") // counted when it was made, a moment ago
	exec(`update collections set ranked_at = now() - interval '2 hours'`)
	rank()
	s.wantHolds(t, best, "Bowl Cup")
	exec(`update order_lines set quantity = 1, product_id = $1`, string(ids[0]))
	exec(`update collections set ranked_at = now() - interval '2 hours', sort_order = 'title'`)
	rank()
	s.wantHolds(t, best, "Bowl Cup") // it is in another order
}

// A change of a product, a price or the stock shows in the collections with its commit.
func TestCollectionsFollowTheirProducts(t *testing.T) {
	t.Parallel()
	s := open(t)
	product, variants := s.made(t, catalog.ProductInput{Title: "Cup", Tags: []string{"clay"}, Variants: []catalog.VariantInput{variantOf(2, 1000)}})
	clay := s.collection(t, catalog.CollectionInput{Name: "Clay", Rule: rule("tag equals clay")})
	cheap := s.collection(t, catalog.CollectionInput{Name: "Cheap", Rule: rule("price less_than 1500")})
	few := s.collection(t, catalog.CollectionInput{Name: "Few", Rule: rule("stock less_than 2")})
	by := s.collection(t, catalog.CollectionInput{Name: "By hand", Products: []catalog.ProductID{product}})
	show := func(wantClay, wantCheap, wantFew string) {
		t.Helper()
		s.wantHolds(t, clay, wantClay)
		s.wantHolds(t, cheap, wantCheap)
		s.wantHolds(t, few, wantFew)
	}
	show("Cup", "Cup", "")
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return s.UpdateProduct(ctx, tx, product, 0, catalog.ProductPatch{Tags: []string{"glass"}})
	})
	show("", "Cup", "")
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return s.UpdateVariant(ctx, tx, variants[0], 0, catalog.VariantPatch{Prices: []catalog.Price{{Amount: 1600, Currency: "EUR"}}})
	})
	show("", "", "")
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		sold := []inventory.Line{{VariantID: inventory.VariantID(variants[0]), Quantity: 1}}
		held, err := inventory.Claim(ctx, tx, "cart_1", sold)
		if err != nil {
			return err
		}
		sold[0].LocationID = held[0].Parts[0].LocationID
		return inventory.Settle(ctx, tx, "cart_1", "ord_1", sold)
	})
	show("", "", "Cup")
	s.wantHolds(t, by, "Cup")
	archived := catalog.Archived
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return s.UpdateProduct(ctx, tx, product, 0, catalog.ProductPatch{Status: &archived})
	})
	show("", "", "")
	s.wantHolds(t, by, "")

	err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
		return s.AddToCollection(ctx, tx, clay, []catalog.ProductID{product})
	})
	if !problem.Is(err, "collection_by_rule") {
		t.Error(err)
	}
	// Without its rule it keeps what it had.
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return s.UpdateCollection(ctx, tx, few, 0, catalog.CollectionPatch{Rule: &sql.Null[collections.Rule]{}})
	})
	active := catalog.Active
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return s.UpdateProduct(ctx, tx, product, 0, catalog.ProductPatch{Status: &active})
	})
	show("", "", "Cup")
}

func TestAnOrderByHand(t *testing.T) {
	t.Parallel()
	s := open(t)
	var products []catalog.ProductID
	for _, title := range []string{"D", "A", "C", "B"} {
		id, _ := s.made(t, catalog.ProductInput{Title: title})
		products = append(products, id)
	}
	id := s.collection(t, catalog.CollectionInput{Name: "By hand", Products: products})
	s.wantHolds(t, id, "D A C B")
	move := func(product catalog.ProductID, position int) error {
		return s.in(func(ctx context.Context, tx *postgres.Tx) error {
			return s.MoveInCollection(ctx, tx, id, product, position)
		})
	}
	for _, step := range []struct {
		product, position int
		want              string
	}{{0, 2, "A C D B"}, {3, 0, "B A C D"}, {3, 0, "B A C D"}, {1, 99, "B C D A"}} {
		if err := move(products[step.product], step.position); err != nil {
			t.Fatal(err)
		}
		s.wantHolds(t, id, step.want)
	}
	if err := move("prod_none", 0); !problem.Is(err, "not_found") {
		t.Error(err)
	}
	for _, order := range []struct{ order, want string }{{"title", "A B C D"}, {"manual", "A B C D"}} {
		s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
			return s.UpdateCollection(ctx, tx, id, 0, catalog.CollectionPatch{SortOrder: &order.order})
		})
		s.wantHolds(t, id, order.want)
		if err := move(products[0], 0); problem.Is(err, "collection_sorted") != (order.order == "title") {
			t.Error(err)
		}
	}
	s.wantHolds(t, id, "D A B C")
}

// Whatever happens at once, the collections hold what their rules say.
func TestCollectionsHoldWhatTheirRulesSayWhateverHappensAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	kitchen, garden := s.category(t, "Kitchen", ""), s.category(t, "Garden", "")
	inner := s.category(t, "Cups", kitchen)
	var products []catalog.ProductID
	var variants []catalog.VariantID
	for i := range 6 {
		p, v := s.made(t, catalog.ProductInput{Title: fmt.Sprint("P", i), CategoryID: inner, Variants: []catalog.VariantInput{variantOf(20, 1000)}})
		products, variants = append(products, p), append(variants, v[0])
	}
	var made []catalog.CollectionID
	for _, r := range []*collections.Rule{
		rule("tag equals a", "price less_than 1000"), rule("stock less_than 15"), rule("available equals true", "tag equals b"),
		rule("category equals " + string(kitchen)), nil,
	} {
		in := catalog.CollectionInput{Name: "C", Rule: r, SortOrder: "price_ascending"}
		if r == nil {
			in.Products = products
		}
		made = append(made, s.collection(t, in))
	}
	tags := [][]string{{}, {"a"}, {"b"}, {"a", "b"}}
	statuses := []catalog.Status{catalog.Active, catalog.Archived}
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(worker), 7))
			for range 25 {
				at := dice.IntN(len(products))
				what := dice.IntN(6)
				err := s.in(func(ctx context.Context, tx *postgres.Tx) error {
					switch what {
					case 0:
						return s.UpdateProduct(ctx, tx, products[at], 0, catalog.ProductPatch{Tags: tags[dice.IntN(4)], Status: &statuses[dice.IntN(2)]})
					case 1:
						return s.UpdateVariant(ctx, tx, variants[at], 0, catalog.VariantPatch{Prices: []catalog.Price{{Amount: dice.Int64N(2000), Currency: "EUR"}}})
					case 2:
						to := []catalog.CategoryID{kitchen, garden}[dice.IntN(2)]
						return s.UpdateCategory(ctx, tx, inner, 0, catalog.CategoryPatch{ParentID: &to})
					case 3:
						r := rule(fmt.Sprint("stock less_than ", dice.IntN(20)))
						return s.UpdateCollection(ctx, tx, made[1], 0, catalog.CollectionPatch{Rule: &sql.Null[collections.Rule]{V: *r, Valid: true}})
					default:
						lines := []inventory.Line{{VariantID: inventory.VariantID(variants[at]), Quantity: 1}, {VariantID: inventory.VariantID(variants[(at+1)%6]), Quantity: 1}}
						cart := ids.New("cart")
						held, err := inventory.Claim(ctx, tx, cart, lines)
						if err != nil {
							return err
						}
						for i := range lines {
							lines[i].LocationID = held[i].Parts[0].LocationID
						}
						return inventory.Settle(ctx, tx, cart, "ord_1", lines)
					}
				})
				if err != nil && !problem.Is(err, "out_of_stock") {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	state := func(tx *postgres.Tx) (state string) {
		err := tx.QueryRow(s.ctx, `select coalesce(string_agg(collection_id || product_id || sort_key || shown, ' ' order by collection_id, product_id), '') from collection_products`).Scan(&state)
		if err != nil {
			t.Error(err)
		}
		return state
	}
	s.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		before := state(tx)
		list := make([]string, len(made))
		for i, id := range made {
			list[i] = string(id)
		}
		if err := collections.Rebuild(ctx, tx, list...); err != nil {
			return err
		}
		if after := state(tx); after != before || !slices.Contains(strings.Fields(before), strings.Fields(after)[0]) {
			t.Errorf("the collections held\n%s\nand by their rules\n%s", before, after)
		}
		return nil
	})
}
