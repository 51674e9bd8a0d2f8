package storefront

import (
	"cmp"
	"context"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// homeView is the shop's first page.
type homeView struct {
	*view
	Sections []section
}

// section is a section with what it shows.
type section struct {
	themes.Section
	First      bool // it is the topmost
	Picture    *picture
	Products   []product
	Product    *product
	Collection *collection
	Aisles     []aisle
	Praise     []praise
	Posts      []entry
	Empty      bool // the shop has nothing to sell yet
}

// aisle is a category with a picture of something in it.
type aisle struct {
	category
	Picture *picture
}

// praise is a review, and what it is of.
type praise struct {
	review
	ProductTitle  string `json:"product_title"`
	ProductHandle string `json:"product_handle"`
}

// How much stands in sections that say nothing of it, and how many collections are looked at for
// one with something in it.
const (
	inCollage  = 3
	mostLooked = 3
)

// home is the shop's first page: the sections that the merchant has arranged.
func (v *visit) home() error {
	return v.shared("/", nil, func(ctx context.Context) (*page.Rendered, error) {
		h := &homeView{view: v.view("", "/")}
		h.Description = cmp.Or(shorten(v.settings.Description, 160), h.T("Everything that %s has, to be ordered here.", v.settings.Name))
		for _, s := range v.decor.Design.Home {
			if s.Hidden {
				continue
			}
			filled := section{Section: s, First: len(h.Sections) == 0}
			switch shows, err := v.fillSection(ctx, h, &filled); {
			case err != nil:
				return nil, err
			case shows:
				h.Sections = append(h.Sections, filled)
			}
			if h.Image == nil {
				h.Image = filled.seen()
			}
		}
		return page.Render(ctx, home(h))
	})
}

// seen is the first picture of a section.
func (s *section) seen() *picture {
	if s.Picture != nil {
		return s.Picture
	}
	for i := range s.Products {
		if len(s.Products[i].Images) > 0 {
			return &s.Products[i].Images[0]
		}
	}
	return nil
}

// fillSection reads what a section shows, by a statement or none; it says whether that is
// anything. What a section names and is not there any more is left out.
func (v *visit) fillSection(ctx context.Context, h *homeView, s *section) (shows bool, err error) {
	s.Picture = v.image(s.ImageID)
	switch s.Type {
	case "hero":
		if s.Picture == nil {
			s.Products, err = v.some(ctx, catalog.ShopFilter{Currency: h.Currency, Limit: 8})
			s.Empty = len(s.Products) == 0
			s.Products = pictured(s.Products, inCollage)
		}
		return true, err
	case "product_grid":
		f := catalog.ShopFilter{Currency: h.Currency, Limit: s.Limit}
		if s.Order != "newest" {
			f.Order = search.Order(s.Order)
		}
		s.Products, err = v.some(ctx, f)
		return len(s.Products) > 0, err
	case "featured_collection":
		return v.fillCollection(ctx, h, s)
	case "featured_product":
		p, err := v.shop.product(ctx, h.Currency, *s.ProductID)
		if problem.Is(err, "not_found") {
			return false, nil
		}
		s.Product = &p
		return true, err
	case "category_list":
		s.Aisles, err = v.aisles(ctx, s.CategoryIDs)
		return len(s.Aisles) > 0, err
	case "blog_posts":
		p, err := content.ShopList(ctx, v.config().DB, content.Post, "", readerOf(ctx).locales, "", s.Limit)
		if err != nil {
			return false, err
		}
		s.Posts, err = decode[[]entry](p.Data, "posts")
		return len(s.Posts) > 0, err
	case "testimonials":
		raw, err := reviews.Praise(ctx, v.config().DB, s.Limit)
		if err != nil {
			return false, err
		}
		s.Praise, err = decode[[]praise](raw, "praise")
		return len(s.Praise) > 0, err
	case "gallery":
		for _, p := range s.Pictures {
			if v.image(&p.ImageID) != nil {
				return true, nil
			}
		}
		return false, nil
	}
	return true, nil
}

// some are a few products.
func (v *visit) some(ctx context.Context, f catalog.ShopFilter) ([]product, error) {
	found, err := v.shop.goods(ctx, f)
	return found.Products, err
}

// pictured are so many products that have pictures.
func pictured(list []product, most int) []product {
	var out []product
	for _, p := range list {
		if len(p.Images) > 0 && len(out) < most {
			out = append(out, p)
		}
	}
	return out
}

// fillCollection reads the first products of a collection, or of the latest that has any.
func (v *visit) fillCollection(ctx context.Context, h *homeView, s *section) (bool, error) {
	for i := range v.collections {
		c := &v.collections[i]
		if s.CollectionID != nil && *s.CollectionID != c.ID {
			continue
		}
		if s.CollectionID == nil && i == mostLooked {
			break
		}
		list, err := v.some(ctx, catalog.ShopFilter{Currency: h.Currency, CollectionID: c.ID, Limit: s.Limit})
		if err != nil {
			return false, err
		}
		if len(list) > 0 {
			s.Collection, s.Products = c, list
			return true, nil
		}
	}
	return false, nil
}

// aisles are categories, or those at the top, in which there is something, each with a picture
// of something in it.
func (v *visit) aisles(ctx context.Context, named []string) ([]aisle, error) {
	var list []aisle
	if len(named) == 0 {
		for _, c := range v.children("") {
			if len(named) < mostAisles {
				named = append(named, c.ID)
			}
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	raw, err := catalog.ShelfPictures(ctx, v.config().DB, readerOf(ctx).locales, named)
	if err != nil {
		return nil, err
	}
	pictures, err := decode[map[string]*picture](raw, "pictures of categories")
	if err != nil {
		return nil, err
	}
	for _, id := range named {
		c := v.frame.category(id)
		if shown, sells := pictures[id]; sells && c != nil {
			list = append(list, aisle{*c, shown})
		}
	}
	return list, nil
}

// headline is what the shop says first where the merchant has it say nothing else: what it is
// about where that is short, else its name, and what it is about beneath.
func (f *frame) headline() (headline, rest string) {
	text := strings.TrimSpace(f.settings.Description)
	if text == "" {
		return f.settings.Name, ""
	}
	first, rest := text, ""
	for _, end := range []string{". ", "! ", "? ", "\n"} {
		if i := strings.Index(text, end); i >= 0 && i+1 < len(first) {
			first, rest = text[:i+1], text[i+1:]
		}
	}
	if utf8.RuneCountInString(first) > 80 {
		return f.settings.Name, shorten(text, 320)
	}
	return strings.TrimSuffix(strings.TrimSpace(first), "."), shorten(strings.TrimSpace(rest), 320)
}

// either is a text of a section, or another where it has none.
func either(text *string, otherwise string) string {
	if text == nil {
		return otherwise
	}
	return *text
}
