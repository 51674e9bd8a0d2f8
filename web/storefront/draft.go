package storefront

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// A draft order is paid at the checkout, beside the shopper's own cart: it has a cookie of
// its own, which counts there alone, until the order is placed or the shopper goes on with
// their cart.

// payDraft is where the link to a draft order leads.
func (v *visit) payDraft() error {
	ctx, id := v.r.Context(), v.r.PathValue("draft")
	var ref cart.Ref
	open := ids.Valid("cart", id) && v.config().Links.OpensDraft(ctx, id, v.r.URL.Query().Get("key"))
	if open {
		err := v.inStore(func(ctx context.Context, tx *postgres.Tx) (err error) {
			ref, open, err = v.config().Carts.OpenDraft(ctx, tx, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !open {
		v.message(http.StatusNotFound, "This link does not work any more", "The order was paid already, or was withdrawn, or its time is over. If you think otherwise, please write to the shop.", false)
		return nil
	}
	v.setCookie(draftCookie, ref.ID+"."+ref.Token, drafted)
	v.see("/checkout")
	return nil
}

// drafted is how long a browser holds a draft order; its link opens it again.
const drafted = 24 * time.Hour

// draftRef is the draft order that the browser is paying, if any.
func (v *visit) draftRef() (cart.Ref, bool) {
	if path := v.r.URL.Path; path != "/checkout" && !strings.HasPrefix(path, "/checkout/") {
		return cart.Ref{}, false
	}
	return v.held(draftCookie)
}

// leaveDraft goes on with the shopper's own cart.
func (v *visit) leaveDraft() {
	if _, held := v.held(draftCookie); held {
		v.setCookie(draftCookie, "", -time.Second)
	}
}

// gone is what is said of a draft order that cannot be paid as it is.
func (v *visit) gone() {
	v.message(http.StatusConflict, "This cannot be bought at the moment", "Something of this order is not to be had as it was agreed. Please write to the shop.", false)
}
