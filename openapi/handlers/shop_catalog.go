package handlers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/facets"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// ShopCatalog answers what shoppers ask about the shop and what it sells.
type ShopCatalog struct {
	DB      *postgres.DB
	ShopURL ShopURL
	// Customers knows who is signed in: groups of them may pay other prices.
	Customers *customers.Service
	// Editions tells what shoppers see from what they saw before, and knows the locales.
	Editions *catalog.Editions
	// Speller corrects what is looked for and not found; nil corrects nothing.
	Speller *search.Speller
	// Counter counts what is looked for; nil counts nothing. The same within the life of an
	// answer counts once.
	Counter *search.Counter
	// Answers keeps what is the same for all shoppers, or for all of a group, by Editions; nil
	// keeps nothing.
	Answers *cache.Cache[Answer]
	// AcceptsOrders says whether carts of the store can be completed.
	AcceptsOrders func(ctx context.Context, store *tenants.Store) (bool, error)
}

// Operations are the handlers by operationId.
func (h *ShopCatalog) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"getShop":             h.asked(h.settings),
		"listShopProducts":    h.priced(h.products),
		"getShopProduct":      h.priced(h.product),
		"listShopVariants":    h.priced(h.variants),
		"getRecommendations":  h.priced(h.together),
		"listShopCategories":  h.kept(h.categories),
		"getShopCategory":     h.kept(h.category),
		"listShopCollections": h.kept(h.collections),
		"getShopCollection":   h.kept(h.collection),
		"searchShop":          h.priced(h.search),
		"getShopFacets":       h.kept(h.facets),
		"suggestInShop":       h.kept(h.suggestions),
		"listShopPages":       h.kept(h.entries(content.Page)),
		"getShopPage":         h.kept(h.entry(content.Page)),
		"listShopPosts":       h.kept(h.entries(content.Post)),
		"getShopPost":         h.kept(h.entry(content.Post)),
		"getShopMenu":         h.kept(h.menu),
	}
}

// toShopper is a handler that shows texts in locales, and prices to who is in groups.
type toShopper func(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error)

// shopper is who asks: the groups are those of the customer who is signed in, if anybody is,
// in their order, and the locales those that they read best.
func (h *ShopCatalog) shopper(ctx context.Context, req *openapi.Request) (catalog.Shopper, error) {
	to := catalog.Shopper{Currency: req.Query.Get("currency")}
	locale, chain, err := readLocale(ctx, req, h.Editions)
	if err != nil {
		return to, err
	}
	to.Locale, to.Locales = locale, chain
	if token := req.Header.Get("Customer-Token"); token != "" {
		customer, err := h.Customers.Authenticate(ctx, token)
		if err != nil {
			return to, err
		}
		req.Of(customer.ID)
		to.Groups = customer.GroupIDs
	}
	return to, nil
}

// readLocale finds the locale that serves best who asks: by the parameter, else by
// Accept-Language. It says so in the answer, whatever comes of it, and writes it into the
// parameter, so that two ways to ask for the same are the same to caches and cursors.
func readLocale(ctx context.Context, req *openapi.Request, editions *catalog.Editions) (locale string, chain []string, err error) {
	set, err := editions.Locales(ctx, req.Caller.Store)
	if err != nil {
		return "", nil, err
	}
	asked := req.Query.Get("locale")
	locale = set.Match(cmp.Or(asked, strings.Join(req.Header.Values("Accept-Language"), ",")))
	if asked != "" {
		req.Query.Set("locale", locale)
	}
	req.Writer.Add("Vary", "Accept-Language")
	req.Writer.Set("Content-Language", locale)
	return locale, set.Chain(locale), nil
}

// asked answers anew each time.
func (h *ShopCatalog) asked(handle toShopper) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		to, err := h.shopper(ctx, req)
		if err != nil {
			return nil, err
		}
		return handle(ctx, req, to)
	}
}

// priced answers from what was answered before to the same groups.
func (h *ShopCatalog) priced(handle toShopper) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		to, err := h.shopper(ctx, req)
		if err != nil {
			return nil, err
		}
		return h.answer(ctx, req, to, handle)
	}
}

// settings answers what the shop says of itself from what was answered before. Whether it takes
// orders is not known by its edition.
func (h *ShopCatalog) settings(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	accepts, err := h.AcceptsOrders(ctx, req.Caller.Store)
	if err != nil {
		return nil, err
	}
	to.Groups = []string{fmt.Sprint(accepts, terms(req.Caller.Store).Test())} // which stand in the key
	return h.answer(ctx, req, to, h.shop)
}

// Answer is an answer that is the same for all shoppers of a store, or of a group.
type Answer struct{ *openapi.Response }

// Size implements cache.Sized.
func (a Answer) Size() int {
	body, _ := a.Body.([]byte)
	return len(body) + 512
}

// How long and how much of the catalogue is kept. All that shoppers see makes a new edition
// when it changes; the time is for an edition that was never told.
// suggested is how many of each kind are suggested, and recommended how many products, unless
// somebody asks for another number.
const (
	suggested   = 5
	recommended = 4
)

const (
	answerLife  = 30 * time.Second
	answerBytes = 64 << 20
)

// NewAnswers makes room for answers. looked is told each look-up and may be nil.
func NewAnswers(looked func(hit bool)) *cache.Cache[Answer] {
	answers := cache.New[Answer](answerLife, answerBytes)
	answers.Looked = looked
	return answers
}

// ShareAnswers has the replicas share their answers.
func ShareAnswers(answers *cache.Cache[Answer], beside *cache.Shared) *cache.Cache[Answer] {
	answers.Beside, answers.Write, answers.Read = beside, Answer.write, readAnswer
	return answers
}

// head is what an answer is beside its body, which follows it in a line of its own.
type head struct {
	Status  int         `json:"status"`
	Header  http.Header `json:"header"`
	Version int         `json:"version"`
	Empty   bool        `json:"empty"`
}

func (a Answer) write() []byte {
	body, written := a.Body.([]byte)
	if !written && a.Body != nil || a.Stream != nil || a.Redacted != nil {
		return nil
	}
	raw, err := json.Marshal(head{a.Status, a.Header, a.Version, a.Body == nil})
	if err != nil {
		return nil
	}
	return append(append(raw, '\n'), body...)
}

func readAnswer(raw []byte) (Answer, error) {
	first, body, _ := bytes.Cut(raw, []byte("\n"))
	var h head
	if err := json.Unmarshal(first, &h); err != nil {
		return Answer{}, fmt.Errorf("read a shared answer: %w", err)
	}
	r := &openapi.Response{Status: h.Status, Header: h.Header, Version: h.Version}
	if !h.Empty {
		r.Body = body
	}
	return Answer{r}, nil
}

// kept answers from what was answered before to anybody.
func (h *ShopCatalog) kept(handle toShopper) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		to, err := h.shopper(ctx, req)
		if err != nil {
			return nil, err
		}
		to.Groups = nil
		return h.answer(ctx, req, to, handle)
	}
}

// answer answers from what was answered before, for the same edition of the store, to those
// who are in the same groups and read the same locale.
func (h *ShopCatalog) answer(ctx context.Context, req *openapi.Request, to catalog.Shopper, handle toShopper) (*openapi.Response, error) {
	if h.Answers == nil {
		return handle(ctx, req, to)
	}
	// A cursor in the query is signed by us, so that nobody can ask for endless pages.
	key := strings.Join([]string{req.Caller.Store.ID, h.Editions.Of(ctx, req.Caller.Store), strings.Join(to.Groups, ","), to.Locale, req.HTTP.URL.Path, req.Query.Encode()}, "\x00")
	answer, err := h.Answers.Get(ctx, key, func(ctx context.Context) (Answer, error) {
		response, err := handle(ctx, req, to)
		return Answer{response}, err
	})
	return answer.Response, err
}

func (h *ShopCatalog) shop(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	store := req.Caller.Store
	accepts, err := h.AcceptsOrders(ctx, store)
	if err != nil {
		return nil, err
	}
	shop, err := settings.Shop(ctx, h.DB, to.Locales, string(store.Ref.Mode), h.ShopURL(store), accepts, terms(store).Test())
	if err != nil {
		return nil, err
	}
	return openapi.OK(shop.Data).Tagged(shop.Version), nil
}

func (h *ShopCatalog) products(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	q := req.Query
	return h.page(ctx, req, to, catalog.ShopFilter{
		CategoryID: q.Get("category_id"), CollectionID: q.Get("collection_id"), Tag: q.Get("tag"), Field: customField(q),
	})
}

func (h *ShopCatalog) search(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	return h.page(ctx, req, to, catalog.ShopFilter{Words: req.Query.Get("q")})
}

func (h *ShopCatalog) page(ctx context.Context, req *openapi.Request, to catalog.Shopper, filter catalog.ShopFilter) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	if filter.Filters, err = search.ParseFilters(req.Query["filter"]); err != nil {
		return nil, err
	}
	filter.Order, filter.Speller, filter.Counter = search.Order(req.Query.Get("sort")), h.Speller, h.Counter
	filter.Groups, filter.Locales = to.Groups, to.Locales
	filter.Currency, filter.Media = req.Query.Get("currency"), h.ShopURL(req.Caller.Store)
	filter.After, filter.Limit = after, req.Limit(shopPage)
	page, err := catalog.ShopProducts(ctx, h.DB, filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) facets(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	q := req.Query
	filters, err := search.ParseFilters(q["filter"])
	if err != nil {
		return nil, err
	}
	found, err := facets.Count(ctx, h.DB, h.Speller, search.Asked{
		Query: search.Parse(q.Get("q")), CategoryID: q.Get("category_id"), CollectionID: q.Get("collection_id"), Tag: q.Get("tag"),
		Filters: filters, Currency: q.Get("currency"), Locales: to.Locales,
	})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("write facets: %w", err)
	}
	return openapi.OK(body).Tagged(0), nil
}

func (h *ShopCatalog) suggestions(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	most := suggested
	if asked := req.Query.Get("per_kind"); asked != "" {
		most, _ = strconv.Atoi(asked) // a number by the contract
	}
	body, err := catalog.Suggest(ctx, h.DB, h.Speller, req.Query.Get("q"), h.ShopURL(req.Caller.Store), most, to.Locales)
	if err != nil {
		return nil, err
	}
	return openapi.OK(body).Tagged(0), nil
}

func (h *ShopCatalog) product(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	product, err := catalog.ShopProduct(ctx, h.DB, h.ShopURL(req.Caller.Store), req.Param("handle_or_id"), catalog.MostShown, to)
	if err != nil {
		return h.moved(ctx, req, catalog.KindProduct, err)
	}
	return openapi.OK(product.Data).Tagged(product.Version), nil
}

func (h *ShopCatalog) variants(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	filter, err := variantFilter(req, shopPage)
	if err != nil {
		return nil, err
	}
	page, err := catalog.ShopVariants(ctx, h.DB, req.Param("handle_or_id"), filter, to)
	if err != nil {
		return h.moved(ctx, req, catalog.KindProduct, err)
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) together(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	most := recommended
	if asked := req.Query.Get("most"); asked != "" {
		most, _ = strconv.Atoi(asked) // a number by the contract
	}
	products, err := catalog.BoughtTogether(ctx, h.DB, h.ShopURL(req.Caller.Store), req.Param("handle_or_id"), most, to)
	if err != nil {
		return h.moved(ctx, req, catalog.KindProduct, err)
	}
	return openapi.OK(fmt.Appendf(nil, `{"products":%s}`, products)).Tagged(0), nil
}

func (h *ShopCatalog) categories(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.ShopCategories(ctx, h.DB, to.Locales, after, req.Limit(shopPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) category(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	category, err := catalog.ShopCategory(ctx, h.DB, to.Locales, req.Param("handle_or_id"))
	if err != nil {
		return h.moved(ctx, req, catalog.KindCategory, err)
	}
	return openapi.OK(category.Data).Tagged(category.Version), nil
}

func (h *ShopCatalog) collections(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.ShopCollections(ctx, h.DB, to.Locales, after, req.Limit(shopPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) collection(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	collection, err := catalog.ShopCollection(ctx, h.DB, to.Locales, req.Param("handle_or_id"))
	if err != nil {
		return h.moved(ctx, req, catalog.KindCollection, err)
	}
	return openapi.OK(collection.Data).Tagged(collection.Version), nil
}

// moved shows those the way who ask for a thing by a handle that it once had. Err is why
// there is none of this handle.
func (h *ShopCatalog) moved(ctx context.Context, req *openapi.Request, kind catalog.Kind, err error) (*openapi.Response, error) {
	if !problem.Is(err, "not_found") {
		return nil, err
	}
	former := req.Param("handle_or_id")
	now, err := catalog.Moved(ctx, h.DB, kind, former)
	if err != nil {
		return nil, err
	}
	// The path's template is the operation's own, and handles need no escaping.
	way := url.URL{Path: strings.Replace(req.Operation.Path, "{handle_or_id}", now, 1), RawQuery: req.HTTP.URL.RawQuery}
	return openapi.Moved(way.String()), nil
}
