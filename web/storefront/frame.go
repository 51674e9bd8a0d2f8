package storefront

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/web/page"
)

// frame is what surrounds every page of a shop: what the store says of itself, and what
// its shelves are called. It is read once for all pages of a revision.
type frame struct {
	settings    about
	access      settings.ShopAccess
	locale      string   // that everything is in, as far as it is translated
	chain       []string // whose texts are shown in it, the nearest first; none as they are written
	prefix      string   // of all its addresses, such as "/de"; empty for the store's own locale
	sandbox     bool
	live        string // where the live shop is, seen from a sandbox
	categories  []category
	collections []collection

	preview  string // of addresses, where the frame is the draft's
	editor   string // the origin that may show the draft in a frame
	decor    themes.Shop
	look     themes.Look
	pictures map[string]picture // that the design shows

	theme, icon *page.Asset
}

// Size implements cache.Sized.
func (f *frame) Size() int { return 64<<10 + 512*(len(f.categories)+len(f.collections)) }

// A merchant may have more of both than a page can show; what is beyond can still be
// reached through its parents.
const (
	mostCategories  = 500
	mostCollections = 100
	shelfPage       = 100
	frameLife       = 30 * time.Second
	frameBytes      = 64 << 20
)

// frame is the store's in one of its locales, kept or read now; in a preview, whose addresses
// begin with its prefix, it is read each time.
func (s *Shop) frame(ctx context.Context, store tenants.Store, locale string, chain []string, preview string) (*frame, error) {
	read := func(ctx context.Context) (*frame, error) {
		accepts, err := s.config.AcceptsOrders(ctx, &store)
		if err != nil {
			return nil, fmt.Errorf("may %s take orders: %w", store.ID, err)
		}
		raw, err := settings.Shop(ctx, s.config.DB, chain, string(store.Ref.Mode), s.config.Links.Base(store), accepts, terms(store).Test())
		if err != nil {
			return nil, fmt.Errorf("settings of %s: %w", store.ID, err)
		}
		access, err := settings.Access(ctx, s.config.DB)
		if err != nil {
			return nil, fmt.Errorf("who may come into %s: %w", store.ID, err)
		}
		about, err := decode[about](raw.Data, "settings")
		if err != nil {
			return nil, err
		}
		categories, err := all[category](ctx, mostCategories, func(after string) (postgres.Page, error) {
			return catalog.ShopCategories(ctx, s.config.DB, chain, after, shelfPage)
		})
		if err != nil {
			return nil, fmt.Errorf("categories of %s: %w", store.ID, err)
		}
		collections, err := all[collection](ctx, mostCollections, func(after string) (postgres.Page, error) {
			return catalog.ShopCollections(ctx, s.config.DB, chain, after, shelfPage)
		})
		if err != nil {
			return nil, fmt.Errorf("collections of %s: %w", store.ID, err)
		}
		shop, err := themes.ReadShop(ctx, s.config.DB, chain, preview != "")
		if err != nil {
			return nil, fmt.Errorf("theme of %s: %w", store.ID, err)
		}
		pictures, err := decode[map[string]picture](shop.Images, "pictures")
		if err != nil {
			return nil, err
		}
		look := shop.Design.Look(about.AccentColor)
		live := store
		live.Domain, live.Ref.Mode = "", principal.Live // whose own domain it leads on to
		f := &frame{live: s.config.Links.ShopURL(&live), settings: about, access: access, sandbox: store.Ref.Mode == principal.Test, categories: categories, collections: collections, locale: locale, chain: chain, prefix: preview,
			preview: preview, editor: s.config.Editor, decor: shop, look: look, pictures: pictures,
			theme: stylesheet(look), icon: favicon(about.Name, look.Light)}
		if len(chain) > 0 {
			f.prefix += "/" + locale
		}
		return f, nil
	}
	if preview != "" {
		return read(ctx)
	}
	return s.frames.Get(ctx, store.Edition()+"\x00"+locale, read)
}

// children are the categories below one, or at the top when parent is empty.
func (f *frame) children(parent string) []category {
	var list []category
	for _, c := range f.categories {
		if c.ParentID == parent {
			list = append(list, c)
		}
	}
	return list
}

// category is the one with this handle or ID, or nil.
func (f *frame) category(name string) *category {
	for i := range f.categories {
		if c := &f.categories[i]; c.Handle == name || c.ID == name {
			return c
		}
	}
	return nil
}

// path are the categories from the top down to this one.
func (f *frame) path(c *category) []category {
	var path []category
	for c != nil && len(path) < 20 { // a merchant's tree is no deeper
		path = append(path, *c)
		if c.ParentID == "" {
			break
		}
		c = f.category(c.ParentID)
	}
	slices.Reverse(path)
	return path
}

func (f *frame) collection(name string) *collection {
	for i := range f.collections {
		if c := &f.collections[i]; c.Handle == name || c.ID == name {
			return c
		}
	}
	return nil
}

// view is a page about to be rendered: its frame, and what stands in the page's head.
type view struct {
	*frame
	words

	Title       string
	Description string
	Path        string // the page's own, without what is not part of it
	Base        string // scheme and host
	Currency    string // the one that prices are shown in
	Query       string // what was searched for
	Alone       bool   // search engines are to leave it out
	Image       *picture
	Product     bool // the page is about one
	Drafted     bool // it is about a draft order, not the shopper's own cart
	Outside     bool // who reads it may not come into the shop
	Feed        bool // it is one of those that the blog's feed tells of
}

// kind is what the page is about, in Open Graph's words.
func (v *view) kind() string {
	if v.Product {
		return "product"
	}
	return "website"
}

// title is the page's title in the browser.
func (v *view) title() string {
	if v.Title == "" || v.Title == v.settings.Name {
		return v.settings.Name
	}
	return v.Title + " – " + v.settings.Name
}

// to is the address of a page of the shop, which keeps the currency that was chosen.
func (v *view) to(parts ...string) templ.SafeURL {
	path := ""
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	if path == "" {
		path = "/"
	}
	return templ.SafeURL(v.in(path, nil))
}

// way is the address of a page in the frame's locale.
func (f *frame) way(path string) templ.SafeURL { return templ.SafeURL(f.prefix + path) }

// in adds the locale to a path, a query, and the currency to the query.
func (v *view) in(path string, query url.Values) string {
	if query == nil {
		query = url.Values{}
	}
	if v.Currency != v.settings.Currency {
		query.Set("currency", v.Currency)
	}
	path = v.prefix + path
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// spoken is the shop in one of its locales.
type spoken struct {
	Locale string
	Name   string        // of the language, in itself
	To     templ.SafeURL // this page in it
	Path   string        // the same without what was chosen, for search engines
}

// languages is the page in all locales that the shop is to be had in, the store's own first.
// Of pages that are for one shopper, it is the shop's first page.
func (v *view) languages() []spoken {
	list := make([]spoken, len(v.settings.Locales))
	for i, locale := range v.settings.Locales {
		other, elsewhere := *v, *v.frame
		elsewhere.prefix = v.preview
		if i > 0 {
			elsewhere.prefix += "/" + locale
		}
		other.frame = &elsewhere
		query := url.Values{}
		if v.Query != "" {
			query.Set("q", v.Query)
		}
		path := v.Path
		if path == "" {
			path = "/"
		}
		list[i] = spoken{locale, page.LanguageName(locale), templ.SafeURL(other.in(path, query)), elsewhere.prefix + v.Path}
	}
	return list
}

// otherCurrency is this page with prices in another currency.
func (v *view) otherCurrency(code string) templ.SafeURL {
	other := *v
	other.Currency = code
	query := url.Values{}
	if v.Query != "" {
		query.Set("q", v.Query)
	}
	return templ.SafeURL(other.in(v.Path, query))
}

func (v *view) money(m money.Money) string { return m.Format(v.locale) }

// taxNote is what has to stand by a price.
func (v *view) taxNote() string {
	if v.settings.PricesIncludeTax {
		return v.T("Tax included, plus shipping")
	}
	return v.T("Plus tax and shipping")
}
