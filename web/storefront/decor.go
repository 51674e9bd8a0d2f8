package storefront

import (
	"net/url"
	"strings"

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

// shelves are the folders of things by the types of links to them.
var shelves = map[string]string{"product": "products", "category": "categories", "collection": "collections"}

// lead is where a link leads and what that is called; false where there is nothing any more.
func (v *view) lead(l themes.Link) (item navItem, there bool) {
	switch l.Type {
	case "home":
		return navItem{Name: v.T("Home"), To: v.to()}, true
	case "products":
		return navItem{Name: v.T("Everything"), To: v.to("products"), Current: v.Path == "/products"}, true
	case "search":
		return navItem{Name: v.T("Search"), To: v.to("search")}, true
	case "account":
		return navItem{Name: v.T("Account"), To: v.way("/account")}, true
	case "newsletter":
		return navItem{Name: v.T("Newsletter"), To: v.to("newsletter")}, true
	case "url":
		address := *l.URL
		if strings.HasPrefix(address, "/") {
			address = v.preview + address
		}
		return navItem{Name: *l.URL, To: templ.URL(address)}, true
	}
	if l.ResourceID == nil {
		return navItem{}, false
	}
	target, there := v.targets[*l.ResourceID]
	path := "/" + shelves[l.Type] + "/" + url.PathEscape(target.Handle)
	return navItem{Name: target.Title, To: templ.SafeURL(v.in(path, nil)), Current: v.Path == path}, there
}

// menu is a menu as the merchant has arranged it, or as the shop arranges it by itself.
func (v *view) menu(name string) []navItem {
	if arranged, ok := v.menus[name]; ok {
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
		shown.Name = said(item.Label, shown.Name)
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
