package storefront

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/commerce/themes"
)

// navItem is a link of a menu as it is shown.
type navItem struct {
	Name    string
	To      templ.SafeURL
	Current bool
	Below   []navItem
}

// image is one of the shop's own pictures, or nil.
func (f *frame) image(id *string) *picture {
	if id == nil {
		return nil
	}
	if p, there := f.pictures[*id]; there {
		return &p
	}
	return nil
}

// lead is where a link leads and what that is called; false where there is nothing any more.
func (v *view) lead(l themes.Link) (item navItem, there bool) {
	to, there := v.decor.Lead(l)
	item = navItem{Name: to.Title, To: templ.URL(to.URL), Current: to.Path != "" && v.Path == to.Path}
	if to.URL == "" {
		item.To = templ.SafeURL(v.in(to.Path, nil))
	}
	switch l.Type {
	case "home":
		item.Name = v.T("Home")
	case "products":
		item.Name = v.T("Everything")
	case "search":
		item.Name = v.T("Search")
	case "blog":
		item.Name = v.T("Blog")
	case "contact":
		item.Name = v.T("Write to us")
	case "account":
		item.Name = v.T("Account")
	case "newsletter":
		item.Name = v.T("Newsletter")
	case "url":
		item.Name = *l.URL
		if to.URL == "" {
			item.To = templ.SafeURL(v.preview + to.Path) // as it is written
		}
	}
	return item, there
}

// menu is a menu as the merchant has arranged it, or as the shop arranges it by itself.
func (v *view) menu(name string) []navItem {
	if arranged, ok := v.decor.Menus[name]; ok {
		return v.arranged(arranged)
	}
	all := navItem{Name: v.T("Everything"), To: v.to("products"), Current: v.Path == "/products"}
	if name == "header" {
		if list := v.aisleItems("", true); len(list) > 0 {
			return append([]navItem{all}, list...)
		}
		return nil
	}
	shop := navItem{Name: v.T("Shop"), Below: append([]navItem{all}, v.aisleItems("", false)...)}
	shop.Below = append(shop.Below, navItem{Name: v.T("Newsletter"), To: v.to("newsletter")})
	list := []navItem{shop}
	var collections []navItem
	for i, c := range v.collections {
		if i < mostAisles {
			collections = append(collections, navItem{Name: c.Name, To: v.to("collections", c.Handle)})
		}
	}
	if len(collections) > 0 {
		list = append(list, navItem{Name: v.T("Collections"), Below: collections})
	}
	return list
}

func (v *view) arranged(items []themes.Item) []navItem {
	var list []navItem
	for _, item := range items {
		shown, there := v.lead(item.Link)
		if !there {
			continue
		}
		shown.Name = either(item.Label, shown.Name)
		shown.Below = v.arranged(item.Items)
		list = append(list, shown)
	}
	return list
}

// aisleItems are the categories below one, as many as a menu has room for, with those below them
// where that is wanted.
func (v *view) aisleItems(parent string, deep bool) []navItem {
	var list []navItem
	for i, c := range v.children(parent) {
		if i == mostAisles {
			break
		}
		path := "/categories/" + url.PathEscape(c.Handle)
		item := navItem{Name: c.Name, To: v.to("categories", c.Handle), Current: v.Path == path}
		if deep {
			item.Below = v.aisleItems(c.ID, false)
		}
		list = append(list, item)
	}
	return list
}

// columns are the foot's menu as it is shown: links with others below them are columns, and the
// rest are in one of their own.
func (v *view) columns() []navItem {
	var columns, single []navItem
	for _, item := range v.menu("footer") {
		if len(item.Below) > 0 {
			columns = append(columns, item)
		} else {
			single = append(single, item)
		}
	}
	if len(single) > 0 {
		columns = append([]navItem{{Name: v.T("Shop"), Below: single}}, columns...)
	}
	return columns
}
