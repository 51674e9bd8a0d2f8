package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Whoever may see an order asks by a form to send back what was sent of it, and sees on its page
// how far that has come.
func TestAShopperAsksToSendSomethingBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.product(t, "Cup", nil)
	b := h.visitor(t, s.label)
	b.put("/products/linen-shirt", "2")
	b.put("/products/cup", "1")
	order := b.pay(b.toPayment(), "succeeds").status(http.StatusSeeOther).leadsTo()
	form := order + "/returns"
	b.get(order).lacks(form)
	if to := b.get(form).status(http.StatusSeeOther).leadsTo(); to != order {
		t.Errorf("what was not sent can be returned: led to %s", to)
	}
	id := strings.TrimPrefix(order, "/orders/")
	shirt := shoptest.Value[string](t, s.Shop, `select id from order_lines where title = 'Linen shirt'`)
	cup := shoptest.Value[string](t, s.Shop, `select id from order_lines where title = 'Cup'`)
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.orders.Fulfil(ctx, tx, id, []orders.LineQuantity{{LineID: shirt, Quantity: 2}}, orders.Tracking{})
		return err
	})
	b.get(order).says(`href="` + form + `"`)
	b.get(form).status(http.StatusOK).says("Linen shirt", "2 at most", `name="quantity_`+shirt+`"`, `value="2"`, "Too small").lacks("Cup")
	stranger := h.visitor(t, s.label)
	stranger.get(form).status(http.StatusNotFound)
	ask := func(b *browser, quantity, reason, note string) *answer {
		return b.post(form, url.Values{"quantity_" + shirt: {quantity}, "reason_" + shirt: {reason}, "quantity_" + cup: {"1"}, "reason_" + cup: {"unwanted"}, "note": {note}})
	}
	ask(stranger, "1", "too_small", "").status(http.StatusNotFound)
	ask(b, "0", "too_small", "").status(http.StatusUnprocessableEntity).says("Please say how many")
	ask(b, "3", "too_small", "").status(http.StatusUnprocessableEntity).says("There are not that many that can go back.", `value="3"`)
	ask(b, "-1", "too_small", "").status(http.StatusUnprocessableEntity).says(`id="quantity_` + shirt + `-fault"`)
	ask(b, "one", "too_small", "").status(http.StatusUnprocessableEntity).says(`id="quantity_` + shirt + `-fault"`)
	ask(b, "1", "bored", "").status(http.StatusUnprocessableEntity).says(`id="reason_`+shirt+`-fault"`, "Please choose a reason.")
	ask(b, "1", "too_small", strings.Repeat("x", 2001)).status(http.StatusUnprocessableEntity).says(`id="note-fault"`)
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from returns`); n != 0 {
		t.Errorf("%d returns", n)
	}
	b.get(ask(b, "1", "too_small", "The sleeves.").status(http.StatusSeeOther).leadsTo()).says("You asked on", "1 × Linen shirt · Too small", `href="`+form+`"`)
	if got := shoptest.Value[string](t, s.Shop, `select state || ' ' || note from returns`); got != "requested The sleeves." {
		t.Errorf("the return: %s", got)
	}
	b.get(form).says("1 at most")
	ask(b, "1", "defective", "").status(http.StatusSeeOther)
	b.get(order).lacks(form) // all of it is on its way back
	first := shoptest.Value[string](t, s.Shop, `select min(id) from returns`)
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.orders.ApproveReturn(ctx, tx, orders.ReturnStep{ID: first, Message: "Send it to 1 Pot Street."})
	})
	b.get(order).says("You can send back what you asked to return", "Send it to 1 Pot Street.")
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.orders.CancelReturn(ctx, tx, orders.ReturnStep{ID: first})
	})
	b.get(order).says("was cancelled", `href="`+form+`"`)
}
