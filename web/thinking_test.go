package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
)

func TestAShopperReviewsAProduct(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := s.customer(t)
	b.get("/products/linen-shirt").says("Write a review", `href="/products/linen-shirt/reviews"`)
	h.visitor(t, s.label).get("/products/linen-shirt/reviews").says("Reviews of Linen shirt", `href="/account/sign-in"`).lacks(`name="rating"`)
	b.get("/products/linen-shirt/reviews").says(`name="rating"`)
	b.get("/products/none/reviews").status(http.StatusNotFound)
	mine := url.Values{"rating": {""}, "title": {"Soft"}, "body": {"And sturdy <b>."}, "author": {"Ada"}}
	b.post("/products/linen-shirt/reviews", mine).status(http.StatusUnprocessableEntity).says("Please choose a rating.", `value="Soft"`)
	mine.Set("rating", "4")
	b.post("/products/linen-shirt/reviews", mine).status(http.StatusOK).says("Thank you for your review")
	b.post("/products/linen-shirt/reviews", mine).status(http.StatusConflict).says("You have written a review of this already")
	b.get("/products/linen-shirt/reviews").lacks("And sturdy")
	s.Exec(t, `update reviews set state = 'approved', reply = 'You are welcome.'`)
	s.Exec(t, `update products set rating_sum = 4, rating_count = 1`)
	b.get("/products/linen-shirt/reviews").says("Soft", "And sturdy", "4 of 5 stars", "You are welcome.", "4.00 of 5 stars · One review")
}

func TestAShopperKeepsWishlists(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := s.customer(t)
	form := b.get("/products/linen-shirt").says("Put on the wishlist").text()
	if form == "" {
		t.Fatal("no page")
	}
	product := url.Values{"product": {shoptest.Value[string](t, s.Shop, `select id from products`)}}
	h.visitor(t, s.label).post("/account/wishlists/items", product).status(http.StatusSeeOther)
	b.follow("/account/wishlists/items", product).says("Wishlist", "Linen shirt", `href="/products/linen-shirt"`)
	b.post("/account/wishlists", url.Values{"name": {""}}).status(http.StatusUnprocessableEntity).says(`id="name-fault"`)
	b.follow("/account/wishlists", url.Values{"name": {"Birthday"}}).says("Birthday", "There is nothing on it yet.")
	list := "/account/wishlists/" + shoptest.Value[string](t, s.Shop, `select min(id) from wishlists`)
	b.follow(list+"/share", url.Values{"shared": {"yes"}}).says("Whoever has this link sees it:")
	link := "/wishlists/" + shoptest.Value[string](t, s.Shop, `select share_token from wishlists where share_token is not null`)
	h.visitor(t, s.label).get(link).says("Linen shirt").lacks("Delete the list")
	s.customer(t).post(list+"/delete", nil).status(http.StatusNotFound)
	s.Exec(t, `update products set status = 'draft'`)
	b.get("/account/wishlists").says("not to be had any more")
	item := url.Values{"item": {shoptest.Value[string](t, s.Shop, `select items->0->>'id' from wishlists where items <> '[]'`)}}
	b.follow(list+"/remove", item).lacks("Linen shirt")
	b.follow(list+"/share", nil).lacks("Whoever has this link sees it:")
	h.visitor(t, s.label).get(link).status(http.StatusNotFound)
	b.follow(list+"/delete", nil).says("Birthday")
	b.post("/account/wishlists/none/delete", nil).status(http.StatusNotFound)
}
