package storefront

import (
	"net/http"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// The shop's cookies. Browsers take cookies of this prefix only over a connection that is
// secure, for this host alone and all of its paths; that is, for one shop.
const (
	cartCookie   = "__Host-stoa-cart"   // <cart's ID>.<its token>
	draftCookie  = "__Host-stoa-draft"  // the same of a draft order
	ordersCookie = "__Host-stoa-orders" // <order's ID>.<its key>, several with a ~ in between

	doorCookie     = "__Host-stoa-door"     // the key of a shop that is not open
	customerCookie = "__Host-stoa-customer" // the token of a shopper's session
)

// ordersLife is how long a browser may look at its orders without the link in the mail.
const ordersLife = 30 * 24 * time.Hour

// mostOrders is how many orders a browser remembers; the links in mails open older ones.
const mostOrders = 5

// cartRef is the cart that the browser holds, if any; at the checkout, the draft order that
// it is paying.
func (v *visit) cartRef() (cart.Ref, bool) {
	if ref, held := v.draftRef(); held {
		return ref, true
	}
	return v.held(cartCookie)
}

// held is the cart of a cookie.
func (v *visit) held(cookie string) (cart.Ref, bool) {
	c, err := v.r.Cookie(cookie)
	if err != nil {
		return cart.Ref{}, false
	}
	id, token, found := strings.Cut(c.Value, ".")
	if !found || !ids.Valid("cart", id) || token == "" || len(token) > 100 {
		return cart.Ref{}, false
	}
	return cart.Ref{ID: id, Token: token}, true
}

func (v *visit) keepCart(ref cart.Ref) { v.setCookie(cartCookie, ref.ID+"."+ref.Token, cart.Lifetime) }

// dropCart forgets the cart that cartRef gives.
func (v *visit) dropCart() {
	if _, held := v.draftRef(); held {
		v.setCookie(draftCookie, "", -time.Second)
		return
	}
	v.setCookie(cartCookie, "", -time.Second)
}

// session is the token of the session that the browser holds, if any.
func (v *visit) session() string {
	c, err := v.r.Cookie(customerCookie)
	if err != nil || len(c.Value) > 100 {
		return ""
	}
	return c.Value
}

func (v *visit) setCookie(name, value string, life time.Duration) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// keepOrder lets the browser look at an order from now on.
func (v *visit) keepOrder(orderID string) {
	ref, _ := postgres.StoreFrom(v.r.Context())
	kept := []string{orderID + "." + v.config().Links.key(ref, orderID)}
	if c, err := v.r.Cookie(ordersCookie); err == nil {
		for other := range strings.SplitSeq(c.Value, "~") {
			if id, _, _ := strings.Cut(other, "."); id != orderID && ids.Valid("ord", id) && len(kept) < mostOrders {
				kept = append(kept, other)
			}
		}
	}
	v.setCookie(ordersCookie, strings.Join(kept, "~"), ordersLife)
}

// mayOpen says whether the browser holds the key of an order.
func (v *visit) mayOpen(orderID string) bool {
	c, err := v.r.Cookie(ordersCookie)
	if err != nil {
		return false
	}
	ref, _ := postgres.StoreFrom(v.r.Context())
	for kept := range strings.SplitSeq(c.Value, "~") {
		if id, key, _ := strings.Cut(kept, "."); id == orderID && v.config().Links.opens(ref, orderID, key) {
			return true
		}
	}
	return false
}
