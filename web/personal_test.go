package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
)

// A shopper takes away what the shop keeps of them, and is erased by their password.
func TestAShopperIsErased(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	for _, path := range []string{"/account/data", "/account/data/file"} {
		if to := h.visitor(t, s.label).get(path).status(http.StatusSeeOther).leadsTo(); to != "/account/sign-in" {
			t.Errorf("%s led to %s", path, to)
		}
	}
	b := s.customer(t)
	email := shoptest.Value[string](t, s.Shop, `select email from customers`)
	b.get("/account").says(`href="/account/data"`)
	b.get("/account/data").says("Take your data with you", "ten years", `autocomplete="current-password"`)
	var kept struct {
		Customers []struct{ Email string }
	}
	file := b.get("/account/data/file").status(http.StatusOK)
	if err := json.Unmarshal(file.Body.Bytes(), &kept); err != nil || len(kept.Customers) != 1 || kept.Customers[0].Email != email || file.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the file: %s %v %v", file.Body, file.Header(), err)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from audit_entries where action = 'customer.export'`); n != 1 {
		t.Errorf("%d entries tell that it was taken", n)
	}

	// What is under way comes first.
	b.put("/products/linen-shirt", "1")
	b.follow("/checkout/contact", contact("email", email))
	b.follow("/checkout/shipping", url.Values{"method": {s.Standard}})
	b.pay(b.get("/checkout"), "succeeds").status(http.StatusSeeOther)
	confirmed := url.Values{"password": {goodPassword}}
	b.post("/account/data/erase", confirmed).status(http.StatusConflict).says("Your account cannot be erased yet", "An order is still under way.")
	s.Exec(t, `update orders set state = 'completed'`)
	b.post("/account/data/erase", url.Values{"password": {"not that one, surely"}}).status(http.StatusUnprocessableEntity).
		says(`id="password-fault"`, "This is not your password.").lacks("surely")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from customers`); n != 1 {
		t.Fatalf("%d customers", n)
	}
	b.post("/account/data/erase", confirmed).status(http.StatusOK).says("Your account is erased")
	if len(b.jar) > 0 {
		t.Errorf("the browser keeps %v", b.jar)
	}
	b.post("/account/sign-in", url.Values{"email": {email}, "password": {goodPassword}}).status(http.StatusUnprocessableEntity)
	if left := shoptest.Value[string](t, s.Shop, `select (select count(*) from customers) || ' ' || email from orders`); left != "0 erased@erased.invalid" {
		t.Errorf("left: %s", left)
	}
}

// Who buys is asked whether they may be written to, by a box that is empty at first. What they
// agreed to is kept: of a guest once they have followed the link that is mailed.
func TestConsentAtTheCheckout(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Vase", nil)
	guest, email := h.visitor(t, s.label), shopperAddress()
	guest.put("/products/vase", "1")
	guest.get("/checkout").says(`name="marketing" value="yes" aria-describedby="marketing-hint">`, "The shop may write to me about new things", "A link is mailed to you")
	guest.follow("/checkout/contact", contact("email", email, "marketing", "yes"))
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from marketing_consents`); n != 0 {
		t.Error("a guest agreed without a link")
	}
	guest.post("/newsletter/confirm", guest.get(s.deliver(t, email)).hidden()).status(http.StatusOK)

	b := s.customer(t)
	b.put("/products/vase", "1")
	own := shoptest.Value[string](t, s.Shop, `select email from customers where not accepts_marketing`)
	b.get("/checkout").says(`name="marketing"`).lacks("A link is mailed to you")
	b.follow("/checkout/contact", contact("email", own, "marketing", "yes"))
	b.get("/checkout?step=contact").lacks(`name="marketing"`)
	if proof := shoptest.Value[string](t, s.Shop, `select string_agg(method || ' ' || granted || ' ' || wording || ' ' || (ip <> ''), ', ' order by id) from marketing_consents`); proof !=
		"double_opt_in true The shop may write to me about new things true, account true The shop may write to me about new things true" {
		t.Errorf("the proof: %s", proof)
	}
}

// A shopper changes and deletes what they have written, and nobody else's.
func TestOwnReviews(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := s.customer(t)
	b.get("/account/reviews").says("There are none yet.")
	b.post("/products/linen-shirt/reviews", url.Values{"rating": {"4"}, "title": {"Soft"}}).status(http.StatusOK)
	s.Exec(t, `update reviews set state = 'approved'`)
	s.Exec(t, `update products set rating_sum = 4, rating_count = 1`)
	at := "/account/reviews/" + shoptest.Value[string](t, s.Shop, `select id from reviews`)
	b.get("/account/reviews").says("Linen shirt", "Soft", "4 of 5 stars", "Others see it.", `href="`+at+`"`)
	b.get(at).says(`value="Soft"`, `<option value="4" selected>`)
	b.post(at, url.Values{"rating": {""}, "title": {"Softer"}}).status(http.StatusUnprocessableEntity).says("Please choose a rating.", `value="Softer"`)
	b.follow(at, url.Values{"rating": {"5"}, "title": {"Softer"}}).says("Your review is changed.", "Softer", "5 of 5 stars", "The shop looks at it before others see it.")
	other := s.customer(t)
	other.get(at).status(http.StatusNotFound)
	other.post(at, url.Values{"rating": {"1"}}).status(http.StatusNotFound)
	other.post(at+"/delete", nil).status(http.StatusNotFound)
	s.Exec(t, `update products set status = 'draft'`)
	b.get("/account/reviews").says("Linen shirt").lacks(`href="/products/linen-shirt"`)
	b.follow(at+"/delete", nil).says("There are none yet.")
}
