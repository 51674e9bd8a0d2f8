package facets_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/facets"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Each step of a history is a handful of transactions: few and short ones will do.
func init() {
	for name, value := range map[string]string{"rapid.checks": "5", "rapid.steps": "8"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// house is a store with categories, a collection, a custom field and a list of prices.
type house struct {
	*catalog.Service
	db         *postgres.DB
	ctx        context.Context
	categories []catalog.CategoryID // a tree: top, below, beside
	parents    map[catalog.CategoryID]catalog.CategoryID
	collection catalog.CollectionID
	sale       pricelists.ID
}

func open(t *testing.T) *house {
	t.Helper()
	p := testdb.Open(t)
	h := &house{Service: catalog.New(catalog.Unlimited{}), db: p.DB, ctx: p.Store(t), parents: map[catalog.CategoryID]catalog.CategoryID{}}
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		var parent catalog.CategoryID
		for _, name := range []string{"Kitchen", "Cups", "Rugs"} {
			if name == "Rugs" {
				parent = ""
			}
			id, err := h.CreateCategory(ctx, tx, catalog.CategoryInput{Name: name, ParentID: parent})
			if err != nil {
				return err
			}
			h.categories, h.parents[id], parent = append(h.categories, id), parent, id
		}
		var err error
		if h.collection, err = h.CreateCollection(ctx, tx, catalog.CollectionInput{Name: "By hand"}); err != nil {
			return err
		}
		if h.sale, err = pricelists.Create(ctx, tx, pricelists.Input{Name: "Sale", Kind: pricelists.Sale, Active: true}); err != nil {
			return err
		}
		_, err = fields.Create(ctx, tx, fields.Definition{Resource: fields.Products, Key: "material", Name: "Material", Type: fields.Text, List: true, Shown: true, Filterable: true})
		return err
	})
	return h
}

func (h *house) in(fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return h.db.InStore(h.ctx, fn)
}

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func (h *house) must(t fatal, fn func(ctx context.Context, tx *postgres.Tx) error) {
	t.Helper()
	if err := h.in(fn); err != nil {
		t.Fatal(err)
	}
}

// thing is a product as the model knows it.
type thing struct {
	id        catalog.ProductID
	title     string
	vendor    string
	category  catalog.CategoryID
	size      []string
	material  []string
	tags      []string
	price     []int64 // of each variant
	off       int64   // what the sale takes it to; 0 for none
	stock     []int64
	active    bool
	collected bool
	variants  []catalog.VariantID
}

func (m *thing) cheapest() int64 {
	low := slices.Min(m.price)
	if m.off > 0 {
		low = min(low, m.off)
	}
	return low
}

func (m *thing) available() bool {
	return slices.ContainsFunc(m.stock, func(n int64) bool { return n > 0 })
}

// values are what a thing has of each facet.
func (h *house) values(m *thing) map[string][]string {
	v := map[string][]string{search.AvailabilityFacet: {fmt.Sprint(m.available())}, search.OptionFacet + "Size": m.size, search.FieldFacet + "material": m.material}
	if m.vendor != "" {
		v[search.VendorFacet] = []string{m.vendor}
	}
	for c := m.category; c != ""; c = h.parents[c] {
		v[search.CategoryFacet] = append(v[search.CategoryFacet], string(c))
	}
	v[search.PriceFacet] = []string{bucket(m.cheapest())}
	return v
}

func bucket(price int64) string {
	ends := []int64{500, 1000, 2000, 5000, 10000}
	from := int64(0)
	for _, end := range ends {
		if price < end {
			return search.Range{From: from, Below: end}.String()
		}
		from = end
	}
	return "10000-20000"
}

func (h *house) passes(m *thing, f search.Filter) bool {
	if f.Facet == search.PriceFacet {
		r, _ := search.ParseRange(f.Value)
		return m.cheapest() >= r.From && m.cheapest() < r.Below
	}
	return slices.Contains(h.values(m)[f.Facet], f.Value)
}

// asked is what is asked of both.
type asked struct {
	word       string
	category   catalog.CategoryID
	collection bool
	tag        string
	filters    []search.Filter
}

// scoped says whether a thing matches all but the filters, and out are the facets whose
// filters keep it out.
func (h *house) scoped(m *thing, a asked) (scoped bool, out []string) {
	if !m.active || a.word != "" && !strings.Contains(strings.ToLower(m.title), a.word) || a.collection && !m.collected || a.tag != "" && !slices.Contains(m.tags, a.tag) {
		return false, nil
	}
	if a.category != "" && !slices.Contains(h.values(m)[search.CategoryFacet], string(a.category)) {
		return false, nil
	}
	for _, c := range search.ByFacet(a.filters) {
		if !slices.ContainsFunc(c.Values, func(value string) bool { return h.passes(m, search.Filter{Facet: c.Facet, Value: value}) }) {
			out = append(out, c.Facet)
		}
	}
	return true, out
}

// wants is what the model says: "facet:value=count", in their order.
func (h *house) wants(things []*thing, a asked) (total int, counts []string, low, high int64) {
	count, low := map[string]int64{}, int64(-1)
	for _, m := range things {
		scoped, out := h.scoped(m, a)
		if !scoped || len(out) > 1 {
			continue
		}
		if len(out) == 0 {
			total++
		}
		for facet, values := range h.values(m) {
			if len(out) == 1 && out[0] != facet {
				continue
			}
			for _, value := range values {
				if facet != search.CategoryFacet || !slices.Contains(h.above(a.category), value) {
					count[facet+":"+value]++
				}
			}
			if facet == search.PriceFacet {
				if low < 0 || m.cheapest() < low {
					low = m.cheapest()
				}
				high = max(high, m.cheapest())
			}
		}
		for _, f := range a.filters {
			if usual := f.Facet != search.PriceFacet || f.Value == bucket(m.cheapest()); !usual && h.passes(m, f) && (len(out) == 0 || out[0] == f.Facet) {
				count[f.String()]++
			}
		}
	}
	for _, f := range a.filters {
		count[f.String()] += 0
	}
	for key, n := range count {
		counts = append(counts, fmt.Sprint(key, "=", n))
	}
	sort.Strings(counts)
	return total, counts, low, high
}

// above are a category and those above it.
func (h *house) above(c catalog.CategoryID) (list []string) {
	for ; c != ""; c = h.parents[c] {
		list = append(list, string(c))
	}
	return list
}

// Whatever becomes of the catalogue, and whatever is chosen, counts and lists are what a model
// says that walks over all products.
func TestFacetsAreWhatAModelSays(t *testing.T) {
	t.Parallel()
	h := open(t)
	vendors, sizes, materials, words := []string{"", "Example Mill", "Other: 100%"}, []string{"S", "M", "L/XL"}, []string{"linen", "wool", "clay"}, []string{"cup", "rug", "bowl"}
	made := 0 // products in all runs
	rapid.Check(t, func(r *rapid.T) {
		var things []*thing
		h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `delete from products`)
			return err
		})
		some := func(of []string, what string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID).Draw(r, what)
		}
		pick := func() *thing { return things[rapid.IntRange(0, len(things)-1).Draw(r, "which")] }
		category := func() catalog.CategoryID {
			return rapid.SampledFrom(append([]catalog.CategoryID{""}, h.categories...)).Draw(r, "category")
		}
		amount := rapid.SampledFrom([]int64{0, 499, 500, 1200, 1999, 2000, 12000})
		add := func(r *rapid.T) {
			m := &thing{
				title: rapid.SampledFrom(words).Draw(r, "title") + " of " + rapid.SampledFrom(words).Draw(r, "more"), vendor: rapid.SampledFrom(vendors).Draw(r, "vendor"),
				category: category(), size: some(sizes, "sizes"), material: some(materials, "materials"), tags: some([]string{"new", "old"}, "tags"), active: rapid.IntRange(0, 5).Draw(r, "draft") > 0,
			}
			in := catalog.ProductInput{Title: m.title, Vendor: m.vendor, CategoryID: m.category, Tags: m.tags, Status: catalog.Draft, CustomFields: fields.Values{}}
			if m.active {
				in.Status = catalog.Active
			}
			if len(m.material) > 0 {
				list := make([]any, len(m.material))
				for i, value := range m.material {
					list[i] = value
				}
				in.CustomFields["material"] = list
			}
			for i := range max(1, len(m.size)) {
				v := catalog.NewVariant()
				m.price, m.stock = append(m.price, amount.Draw(r, "price")), append(m.stock, rapid.Int64Range(0, 1).Draw(r, "stock"))
				v.Stock, v.Prices = m.stock[i], []catalog.Price{{Amount: m.price[i], Currency: "EUR"}, {Amount: 7, Currency: "USD"}}
				if len(m.size) > 0 {
					v.Choices = []string{m.size[i]}
				}
				in.Variants = append(in.Variants, v)
			}
			made++
			in.Handle = fmt.Sprint("thing-", made)
			if len(m.size) > 0 {
				in.Options = []catalog.Option{{Name: "Size", Values: m.size}}
			}
			h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
				made, err := h.CreateProducts(ctx, tx, []catalog.ProductInput{in})
				if err == nil {
					err = made[0].Err
					m.id, m.variants = made[0].ID, made[0].Variants
				}
				return err
			})
			things = append(things, m)
		}
		for range 8 {
			add(r)
		}
		steps := map[string]func(*rapid.T){
			"add": add,
			"change": func(r *rapid.T) {
				m := pick()
				m.vendor, m.category = rapid.SampledFrom(vendors).Draw(r, "vendor"), category()
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					return h.UpdateProduct(ctx, tx, m.id, 0, catalog.ProductPatch{Vendor: &m.vendor, CategoryID: &m.category})
				})
			},
			"show or hide": func(r *rapid.T) {
				m := pick()
				m.active = !m.active
				status := catalog.Draft
				if m.active {
					status = catalog.Active
				}
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					return h.UpdateProduct(ctx, tx, m.id, 0, catalog.ProductPatch{Status: &status})
				})
			},
			"price": func(r *rapid.T) {
				m := pick()
				m.price[0] = amount.Draw(r, "price")
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					return h.UpdateVariant(ctx, tx, m.variants[0], 0, catalog.VariantPatch{Prices: []catalog.Price{{Amount: m.price[0], Currency: "EUR"}}})
				})
			},
			"sell or stock up": func(r *rapid.T) {
				m := pick()
				i := rapid.IntRange(0, len(m.variants)-1).Draw(r, "variant")
				m.stock[i] = 1 - m.stock[i]
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Correction, Lines: inventory.Change([]inventory.Line{{VariantID: inventory.VariantID(m.variants[i]), Quantity: 2*m.stock[i] - 1}})})
					return err
				})
			},
			"put on sale": func(r *rapid.T) {
				m := pick()
				m.off = rapid.SampledFrom([]int64{1, 600, 1500}).Draw(r, "off")
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					return pricelists.SetPrices(ctx, tx, h.sale, []pricelists.Entry{{VariantID: string(m.variants[0]), Currency: "EUR", MinQuantity: 1, Amount: &m.off}})
				})
			},
			"collect": func(r *rapid.T) {
				m := pick()
				m.collected = true
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error {
					return h.AddToCollection(ctx, tx, h.collection, []catalog.ProductID{m.id})
				})
			},
			"remove": func(r *rapid.T) {
				if len(things) < 3 {
					return
				}
				m := pick()
				things = slices.DeleteFunc(things, func(o *thing) bool { return o == m })
				h.must(r, func(ctx context.Context, tx *postgres.Tx) error { return h.DeleteProduct(ctx, tx, m.id, 0) })
			},
			"": func(r *rapid.T) { h.compare(r, things, vendors, sizes, materials, words) },
		}
		r.Repeat(steps)
	})
}

func (h *house) compare(r *rapid.T, things []*thing, vendors, sizes, materials, words []string) {
	var a asked
	a.word = rapid.SampledFrom([]string{"", "", "cup", "ru"}).Draw(r, "word")
	a.category = rapid.SampledFrom([]catalog.CategoryID{"", "", h.categories[0], h.categories[1]}).Draw(r, "in category")
	a.collection = rapid.IntRange(0, 4).Draw(r, "in collection") == 0
	a.tag = rapid.SampledFrom([]string{"", "", "new"}).Draw(r, "tag")
	facet := rapid.Custom(func(r *rapid.T) search.Filter {
		switch rapid.IntRange(0, 5).Draw(r, "facet") {
		case 0:
			return search.Filter{Facet: search.VendorFacet, Value: rapid.SampledFrom(vendors[1:]).Draw(r, "vendor")}
		case 1:
			return search.Filter{Facet: search.OptionFacet + "Size", Value: rapid.SampledFrom(sizes).Draw(r, "size")}
		case 2:
			return search.Filter{Facet: search.FieldFacet + "material", Value: rapid.SampledFrom(materials).Draw(r, "material")}
		case 3:
			return search.Filter{Facet: search.PriceFacet, Value: rapid.SampledFrom([]string{"500-1000", "1000-2000", "2000-", "100-1500"}).Draw(r, "price")}
		case 4:
			return search.Filter{Facet: search.AvailabilityFacet, Value: rapid.SampledFrom([]string{"true", "false"}).Draw(r, "available")}
		}
		return search.Filter{Facet: search.CategoryFacet, Value: string(rapid.SampledFrom(h.categories).Draw(r, "category"))}
	})
	var texts []string
	for _, f := range rapid.SliceOfN(facet, 0, 4).Draw(r, "filters") {
		texts = append(texts, f.String())
	}
	var err error
	if a.filters, err = search.ParseFilters(texts); err != nil {
		r.Fatal(err)
	}
	ask := search.Asked{Query: search.Parse(a.word), CategoryID: string(a.category), Tag: a.tag, Filters: a.filters}
	filter := catalog.ShopFilter{CategoryID: string(a.category), Tag: a.tag, Words: a.word, Filters: a.filters, Limit: 3}
	if a.collection {
		ask.CollectionID, filter.CollectionID = string(h.collection), string(h.collection)
	}
	got, err := facets.Count(h.ctx, h.db, nil, ask)
	if err != nil {
		r.Fatal(err)
	}
	var counts []string
	low, high := int64(-1), int64(0)
	for _, f := range got.Facets {
		if f.PriceMin != nil {
			low, high = f.PriceMin.Amount, f.PriceMax.Amount
		}
		for _, v := range f.Values {
			counts = append(counts, fmt.Sprint(f.Key, ":", v.Value, "=", v.Count))
		}
	}
	sort.Strings(counts)
	total, want, least, most := h.wants(things, a)
	for i := range want {
		want[i] = strings.NewReplacer("%25", "%", "%3A", ":").Replace(want[i])
	}
	if got.Total != total || !slices.Equal(counts, want) || low != least || high != most {
		r.Fatalf("%+v:\n%d %v %d-%d, want\n%d %v %d-%d", a, got.Total, counts, low, high, total, want, least, most)
	}
	filter.Order = rapid.SampledFrom([]search.Order{"", search.Newest, search.Title, search.PriceAscending, search.PriceDescending}).Draw(r, "order")
	h.lists(r, things, a, filter)
}

// lists compares what a list has, page by page, and its order.
func (h *house) lists(r *rapid.T, things []*thing, a asked, filter catalog.ShopFilter) {
	known := map[string]*thing{}
	for _, m := range things {
		if scoped, out := h.scoped(m, a); scoped && len(out) == 0 {
			known[string(m.id)] = m
		}
	}
	want := len(known)
	var last *thing
	n := 0
	for {
		page, err := catalog.ShopProducts(h.ctx, h.db, filter)
		if err != nil {
			r.Fatal(err)
		}
		var list []struct{ ID string }
		if err := json.Unmarshal(page.Data, &list); err != nil {
			r.Fatal(err)
		}
		for _, p := range list {
			m := known[p.ID]
			if m == nil {
				r.Fatalf("%+v lists %s, which it should not or has listed before", filter, p.ID)
			}
			delete(known, p.ID)
			if last != nil {
				out := filter.Order == search.Newest && last.id < m.id || filter.Order == search.Title && last.title > m.title ||
					filter.Order == search.PriceAscending && last.cheapest() > m.cheapest() || filter.Order == search.PriceDescending && last.cheapest() < m.cheapest()
				if out {
					r.Fatalf("%s: %+v before %+v", filter.Order, last, m)
				}
			}
			last = m
			n++
		}
		if filter.After = page.Next; filter.After == "" {
			break
		}
	}
	if n != want {
		r.Fatalf("%+v lists %d of %d", filter, n, want)
	}
}

// A price that a list will make another by the clock counts from its instant on, whether or
// not the index is written anew by then.
func TestPricesCountByTheClock(t *testing.T) {
	t.Parallel()
	h := open(t)
	var made []catalog.Made
	h.must(t, func(ctx context.Context, tx *postgres.Tx) (err error) {
		v := catalog.NewVariant()
		v.Prices = []catalog.Price{{Amount: 9000, Currency: "EUR"}}
		made, err = h.CreateProducts(ctx, tx, []catalog.ProductInput{{Title: "Rug", Status: catalog.Active, Variants: []catalog.VariantInput{v}}})
		return err
	})
	sold := int64(700)
	starts := time.Now().Add(400 * time.Millisecond)
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := pricelists.Update(ctx, tx, h.sale, 0, pricelists.Patch{StartsAt: &sql.Null[time.Time]{V: starts, Valid: true}}); err != nil {
			return err
		}
		return pricelists.SetPrices(ctx, tx, h.sale, []pricelists.Entry{{VariantID: string(made[0].Variants[0]), Currency: "EUR", MinQuantity: 1, Amount: &sold}})
	})
	price := func() string {
		f, err := facets.Count(h.ctx, h.db, nil, search.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range f.Facets {
			if f.Key == search.PriceFacet {
				return fmt.Sprint(f.PriceMin.Amount, " ", f.Values[0].Value)
			}
		}
		return ""
	}
	if got := price(); got != "9000 5000-10000" && time.Now().Before(starts) {
		t.Errorf("before its time: %s", got)
	}
	time.Sleep(time.Until(starts.Add(20 * time.Millisecond)))
	if got := price(); got != "700 500-1000" {
		t.Errorf("once it has come: %s", got)
	}
	var jobs int
	ref, _ := postgres.StoreFrom(h.ctx)
	err := h.db.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where kind = $1 and store = $2`, search.JobDue, postgres.RoleName(ref.Cell, ref.Schema)).Scan(&jobs)
	})
	if err != nil {
		t.Fatal(err)
	}
	if jobs == 0 {
		t.Error("nobody will write the index anew")
	}
	if err := (&search.Due{DB: h.db}).Write(h.ctx); err != nil {
		t.Fatal(err)
	}
	var stored string
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select prices[1] || ' ' || (prices_until is null) from product_index`).Scan(&stored)
	})
	if stored != "700 true" {
		t.Errorf("written anew, the index has %s", stored)
	}
}

// The index follows the store's settings and its definitions of fields.
func TestTheIndexFollowsSettingsAndFields(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		v := catalog.NewVariant()
		v.Prices = []catalog.Price{{Amount: 9000, Currency: "EUR"}, {Amount: 10000, Currency: "USD"}}
		_, err := h.CreateProducts(ctx, tx, []catalog.ProductInput{{
			Title: "Rug", Status: catalog.Active, Variants: []catalog.VariantInput{v}, CustomFields: fields.Values{"material": []any{"wool"}},
		}})
		return err
	})
	has := func(currency string) string {
		f, err := facets.Count(h.ctx, h.db, nil, search.Asked{Currency: currency})
		if err != nil {
			return err.Error()
		}
		out := []string{}
		for _, f := range f.Facets {
			if f.PriceMin != nil {
				out = append(out, fmt.Sprint(f.PriceMin.Amount, f.PriceMin.Currency))
			}
			if f.Name != nil {
				out = append(out, *f.Name)
			}
		}
		return strings.Join(out, " ")
	}
	if got := has("") + ", " + has("USD"); got != "9000EUR Material, 10000USD Material" {
		t.Errorf("at first: %s", got)
	}
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update settings set currency = 'USD', currencies = '{USD}'`); err != nil {
			return err
		}
		return search.Reindex(ctx, tx)
	})
	if got := has("") + ", " + has("EUR"); !strings.HasPrefix(got, "10000USD Material, ") || !strings.Contains(got, "EUR") {
		t.Errorf("in dollars alone: %s", got)
	}
	var id fields.ID
	h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select id from field_definitions`).Scan(&id)
	})
	filterable := func(may bool) {
		h.must(t, func(ctx context.Context, tx *postgres.Tx) error {
			return fields.Update(ctx, tx, id, 0, fields.Patch{Filterable: &may})
		})
	}
	filterable(false)
	if got := has(""); got != "10000USD" {
		t.Errorf("with a field that is not filtered by: %s", got)
	}
	filterable(true)
	if got := has(""); got != "10000USD Material" {
		t.Errorf("with one that is again: %s", got)
	}
}
