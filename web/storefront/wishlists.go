package storefront

import (
	"context"
	"net/http"

	"github.com/stoacommerce/stoa/commerce/wishlists"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// wishlist is a shopper's list, in the contract's form; see commerce/wishlists.
type wishlist struct {
	ID    string       `json:"id"`
	Name  string       `json:"name"`
	Share string       `json:"share_token"`
	Items []wishedItem `json:"items"`
}

type wishedItem struct {
	ID           string `json:"id"`
	Title        string `json:"title"`
	VariantTitle string `json:"variant_title"`
	Handle       string `json:"handle"`
	Shown        bool   `json:"shown"`
}

// wishlistsView is the lists of a shopper, or one that somebody shows them.
type wishlistsView struct {
	formView
	Lists []wishlist
	Own   bool
}

// shopsLists are more than a customer may have.
const shopsLists = 100

func (v *visit) lists(customerID string) ([]wishlist, error) {
	found, err := wishlists.Mine(v.r.Context(), v.config().DB, customerID, "", shopsLists)
	if err != nil {
		return nil, err
	}
	return decode[[]wishlist](found.Data, "wishlists")
}

func (v *visit) wishlistsPage() error { return v.showWishlists(http.StatusOK, page.Form{}) }

func (v *visit) showWishlists(status int, f page.Form) error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	p := &wishlistsView{formView: v.accountForm("Wishlists", f), Own: true}
	if p.Lists, err = v.lists(c.ID); err != nil {
		return err
	}
	return page.Personal(v.w, v.r, status, wishlistsPage(p))
}

// sharedWishlist is where the link leads that somebody was given.
func (v *visit) sharedWishlist() error {
	found, err := wishlists.Shared(v.r.Context(), v.config().DB, v.r.PathValue("share"))
	if err != nil {
		return err
	}
	p := &wishlistsView{formView: v.accountForm("Wishlists", page.Form{})}
	list, err := decode[wishlist](found.Data, "wishlist")
	if err != nil {
		return err
	}
	p.view.Title, p.Lists = list.Name, []wishlist{list}
	return page.Personal(v.w, v.r, http.StatusOK, wishlistsPage(p))
}

// changeWishlist does one of the things that a shopper does with their lists.
func (v *visit) changeWishlist(change func(ctx context.Context, tx *postgres.Tx, customerID string, f page.Form) error) error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error { return change(ctx, tx, c.ID, f) })
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showWishlists(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	v.see("/account/wishlists")
	return nil
}

func (v *visit) createWishlist() error {
	return v.changeWishlist(func(ctx context.Context, tx *postgres.Tx, customerID string, f page.Form) error {
		_, err := wishlists.Create(ctx, tx, customerID, f.Value("name"))
		return err
	})
}

// wish puts a product on the first of the shopper's lists, which is made where there is none.
func (v *visit) wish() error {
	name := v.view("", "").T("Wishlist")
	return v.changeWishlist(func(ctx context.Context, tx *postgres.Tx, customerID string, f page.Form) error {
		own, err := v.lists(customerID)
		if err != nil {
			return err
		}
		list := ""
		if len(own) > 0 {
			list = own[0].ID
		} else if list, err = wishlists.Create(ctx, tx, customerID, name); err != nil {
			return err
		}
		return wishlists.Add(ctx, tx, list, customerID, f.Value("product"), "")
	})
}

func (v *visit) unwish() error {
	return v.ofWishlist(func(ctx context.Context, tx *postgres.Tx, list, customerID string, f page.Form) error {
		return wishlists.Remove(ctx, tx, list, customerID, f.Value("item"))
	})
}

func (v *visit) shareWishlist() error {
	return v.ofWishlist(func(ctx context.Context, tx *postgres.Tx, list, customerID string, f page.Form) error {
		shared := f.Value("shared") != ""
		return wishlists.Update(ctx, tx, list, customerID, wishlists.Change{Shared: &shared}, 0)
	})
}

func (v *visit) deleteWishlist() error {
	return v.ofWishlist(func(ctx context.Context, tx *postgres.Tx, list, customerID string, _ page.Form) error {
		return wishlists.Delete(ctx, tx, list, customerID, 0)
	})
}

// ofWishlist changes the list that the address names.
func (v *visit) ofWishlist(change func(ctx context.Context, tx *postgres.Tx, list, customerID string, f page.Form) error) error {
	list := v.r.PathValue("list")
	if !ids.Valid("wish", list) {
		return problem.Missing("wishlist")
	}
	return v.changeWishlist(func(ctx context.Context, tx *postgres.Tx, customerID string, f page.Form) error {
		return change(ctx, tx, list, customerID, f)
	})
}
