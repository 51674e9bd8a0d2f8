package storefront

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// How much stands on a page.
const (
	perPage    = 24
	mostAisles = 8
	alsoShown  = 4 // of what goes with a product
	mostQuery  = 255

	reviewsShown = 3 // on a product's page
)

// products is everything that there is, the latest first.
func (v *visit) products() error {
	l := v.list("Everything", "/products")
	return v.listed(l, catalog.ShopFilter{})
}

func (v *visit) category() error {
	c := v.frame.category(v.r.PathValue("handle"))
	if c == nil {
		return v.renamed(catalog.KindCategory, "/categories/", problem.Missing("category"))
	}
	if v.r.PathValue("handle") != c.Handle {
		return v.moved("/categories/" + c.Handle)
	}
	l := v.list(c.Name, "/categories/"+c.Handle)
	l.Intro, l.Below = c.Description, v.children(c.ID)
	l.tell(c.SEOTitle, c.SEODescription)
	l.Crumbs = nil
	for _, above := range v.path(c) {
		l.Crumbs = append(l.Crumbs, crumb{above.Name, l.to("categories", above.Handle)})
	}
	l.Crumbs[len(l.Crumbs)-1].To = ""
	return v.listed(l, catalog.ShopFilter{CategoryID: c.ID})
}

func (v *visit) collection() error {
	c := v.frame.collection(v.r.PathValue("handle"))
	if c == nil {
		return v.renamed(catalog.KindCollection, "/collections/", problem.Missing("collection"))
	}
	if v.r.PathValue("handle") != c.Handle {
		return v.moved("/collections/" + c.Handle)
	}
	l := v.list(c.Name, "/collections/"+c.Handle)
	l.Prose = c.Description
	l.tell(c.SEOTitle, c.SEODescription)
	return v.listed(l, catalog.ShopFilter{CollectionID: c.ID})
}

// moved sends those who came by another name to the address that counts.
func (v *visit) moved(path string) error {
	if v.r.URL.RawQuery != "" {
		path += "?" + v.r.URL.RawQuery
	}
	http.Redirect(v.w, v.r, v.prefix+path, http.StatusMovedPermanently)
	return nil
}

// renamed sends those to a thing who come by a handle that it once had. Err is why there
// is none of this handle.
func (v *visit) renamed(kind catalog.Kind, folder string, err error) error {
	handle := v.r.PathValue("handle")
	if !problem.Is(err, "not_found") || !readable(handle) {
		return err
	}
	now, moved := catalog.Moved(v.r.Context(), v.config().DB, kind, handle)
	if moved != nil {
		return moved
	}
	return v.moved(folder + now)
}

// list begins a page with a list of products.
func (v *visit) list(heading, path string) *listView {
	l := &listView{view: v.view("", path)}
	l.Heading = l.T(heading)
	l.Title = l.Heading
	l.Crumbs = []crumb{{Name: l.Heading}}
	return l
}

// tell notes what search engines are to show of a list, where that is something of its own.
func (l *listView) tell(title, description string) {
	if title != "" {
		l.Title = title
	}
	l.Description = description
}

// listed reads and shows the page of a list that the address asks for.
func (v *visit) listed(l *listView, f catalog.ShopFilter) error {
	f.Filters, f.Order = v.narrowedBy()
	keep := l.query(f.Filters, f.Order)
	query := maps.Clone(keep)
	l.Alone = len(query) > 0
	if after := v.after(); after != "" {
		query.Set("after", after)
		f.After, l.Later, l.First, l.Alone = after, true, l.in(l.Path, maps.Clone(keep)), true
	}
	return v.shared(l.Path, query, func(ctx context.Context) (*page.Rendered, error) {
		if err := v.fill(ctx, l, f, keep); err != nil {
			return nil, err
		}
		if l.Description == "" {
			l.Description = shorten(stripTags(l.Intro+" "+l.Prose), 160)
		}
		return page.Render(ctx, listing(l))
	})
}

// fill reads a list's products. keep is what the next page's address has besides.
func (v *visit) fill(ctx context.Context, l *listView, f catalog.ShopFilter, keep url.Values) error {
	f.Limit = perPage
	if l.Currency != l.settings.Currency { // the main one has its own indexes
		f.Currency = l.Currency
	}
	found, err := v.shop.goods(ctx, f)
	if err != nil {
		return err
	}
	l.Products = found.Products
	v.narrow(ctx, l, f)
	if found.Next != "" {
		query := url.Values{"after": {found.Next}}
		for name, values := range keep {
			query[name] = values
		}
		l.Next = l.in(l.Path, query)
	}
	for _, p := range l.Products {
		if len(p.Images) > 0 {
			l.Image = &p.Images[0]
			break
		}
	}
	return nil
}

// after is the position in a list that the address names; what cannot be one is none.
func (v *visit) after() string {
	after := v.r.URL.Query().Get("after")
	product, _, _ := strings.Cut(after, ":")
	if !ids.Valid("prod", product) || len(after) > 1200 || !utf8.ValidString(after) || strings.ContainsFunc(after, unicode.IsControl) {
		return ""
	}
	return after
}

// asked is what somebody looks for, as a line.
func (v *visit) asked() string {
	text := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(v.r.URL.Query().Get("q"), ""), func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c)
	}), " ")
	if letters := []rune(text); len(letters) > mostQuery {
		text = string(letters[:mostQuery])
	}
	return text
}

// search finds products. Its pages are the same for all who look for the same.
func (v *visit) search() error {
	text := v.asked()
	l := &listView{view: v.view("", "/search")}
	l.Title, l.Query, l.Alone = l.T("Search"), text, true
	f := catalog.ShopFilter{Words: text, After: v.after(), Counter: v.config().Counter}
	f.Filters, f.Order = v.narrowedBy()
	keep := l.query(f.Filters, f.Order)
	query := maps.Clone(keep)
	if f.After != "" {
		query.Set("after", f.After)
		l.Later, l.First = true, l.in("/search", maps.Clone(keep))
	}
	return v.shared("/search", query, func(ctx context.Context) (*page.Rendered, error) {
		if text != "" {
			if err := v.fill(ctx, l, f, keep); err != nil {
				return nil, err
			}
		}
		return page.Render(ctx, searching(l))
	})
}

// productPage is a product with the variant that the address names, or the first that
// can be bought.
func (v *visit) productPage() error {
	handle := v.r.PathValue("handle")
	chosen := v.r.URL.Query().Get("variant")
	if !readable(handle) || len(chosen) > 64 {
		return problem.Missing("product")
	}
	query := url.Values{}
	if chosen != "" {
		query.Set("variant", chosen)
	}
	err := v.shared("/products/"+handle, query, func(ctx context.Context) (*page.Rendered, error) {
		p := &productView{view: v.view("", "")}
		var err error
		if p.product, err = v.shop.product(ctx, p.Currency, handle); err != nil {
			return nil, err
		}
		if p.Chosen = p.variant(chosen); p.Chosen == nil {
			if chosen != "" {
				return nil, problem.Missing("variant")
			}
			p.Chosen = p.first()
		}
		p.view.Product = true
		p.view.Path = "/products/" + url.PathEscape(p.product.Handle)
		p.view.Title, p.view.Description = p.product.Title, p.plain()
		if p.SEOTitle != "" {
			p.view.Title = p.SEOTitle
		}
		if images := p.gallery(p.Chosen); len(images) > 0 {
			p.view.Image = &images[0]
		}
		p.Crumbs = v.crumbsOf(p)
		if p.Rating != nil {
			found, err := reviews.Shown(ctx, v.config().DB, p.product.ID, "", reviewsShown)
			if err != nil {
				return nil, err
			}
			if p.Reviews, err = decode[[]review](found.Data, "reviews"); err != nil {
				return nil, err
			}
		}
		if p.Others, err = v.shop.together(ctx, p.Currency, p.product.ID); err != nil {
			return nil, err
		}
		return page.Render(ctx, productPage(p))
	})
	return v.renamed(catalog.KindProduct, "/products/", err)
}

// readable says whether a part of an address can be the name of something.
func readable(name string) bool {
	return len(name) <= mostQuery && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

func (v *visit) crumbsOf(p *productView) []crumb {
	var list []crumb
	if c := v.frame.category(p.CategoryID); c != nil && p.CategoryID != "" {
		for _, above := range v.path(c) {
			list = append(list, crumb{above.Name, p.to("categories", above.Handle)})
		}
	}
	return append(list, crumb{Name: p.product.Title})
}

// variantURL is the product with another variant chosen.
func (p *productView) variantURL(v *variant) templ.SafeURL {
	return templ.SafeURL(p.in("/products/"+url.PathEscape(p.product.Handle), url.Values{"variant": {v.ID}}))
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
