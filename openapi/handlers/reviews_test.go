package handlers_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/postgres"

	"github.com/stoacommerce/stoa/commerce/shoptest"
)

func TestReviewsOverHTTP(t *testing.T) {
	t.Parallel()
	s, other := newSelling(t), newSelling(t)
	product := shoptest.Value[string](t, s.Shop, `select product_id from variants where id = $1`, s.shirt)
	path := "/products/" + product + "/reviews"
	s.order(1) // by a guest whose account it will be
	ada, bob := s.account("ada@example.com"), s.account("bob@example.com")
	s.shop("POST", path, object{"rating": 5}).WantProblem(401, "invalid_customer_token")
	s.shop("POST", path, object{"rating": 6}, ada).Want(400)
	s.shop("POST", "/products/none/reviews", object{"rating": 5}, ada).WantProblem(404, "not_found")
	made := s.shop("POST", path, object{"rating": 5, "title": "Soft", "body": "And sturdy."}, ada, "Accept-Language: en").Want(201)
	id := made.String("id")
	if made.String("state") != "pending" || made.Get("verified_purchase") != true || made.String("author") != "Shopper" || made.String("locale") != "en" {
		t.Errorf("made: %s", made.Body)
	}
	s.shop("POST", path, object{"rating": 5}, ada).WantProblem(409, "review_exists")
	second := s.shop("POST", path, object{"rating": 2}, bob).Want(201).String("id")
	if got := s.shop("GET", path, nil).Want(200); got.Get("data.0") != nil {
		t.Errorf("shown before they are looked at: %s", got.Body)
	}
	s.Do(t, s.pk, "GET", "/v1/reviews", nil).Want(403)
	other.admin("PATCH", "/reviews/"+id, object{"state": "approved"}).WantProblem(404, "not_found")
	seen := s.admin("GET", "/reviews/"+id, nil).Want(200)
	s.admin("PATCH", "/reviews/"+id, object{"state": "approved", "reply": "Thank you!"}, "If-Match: "+seen.Header.Get("ETag")).Want(200)
	s.admin("PATCH", "/reviews/"+id, object{"state": "rejected"}, "If-Match: "+seen.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", "/reviews/"+second, object{"state": "approved"}).Want(200)
	if got := names(s.admin("GET", "/reviews?state=approved&product_id="+product+"&rating=2", nil).Want(200), "id"); got != second {
		t.Errorf("listed: %s", got)
	}
	shown := s.shop("GET", path, nil).Want(200)
	if shown.String("data.1.reply") != "Thank you!" || shown.Get("data.0.customer_id") != nil {
		t.Errorf("shown: %s", shown.Body)
	}

	// A list and a product tell what they come to, by the statement that they take anyhow.
	s.shop("GET", "", nil).Want(200) // by which the store's locales are known
	for address, at := range map[string]string{"/products": "data.0.rating", "/products/" + product: "rating"} {
		counted, count := postgres.Counting(context.Background())
		got := s.DoContext(t, counted, s.pk, "GET", "/v1/shop"+address, nil).Want(200)
		if n := count.Statements.Load(); n != 1 || got.String(at+".average") != "3.50" || got.Get(at+".count") != 2.0 {
			t.Errorf("%s: %d statements, %v", address, n, got.Get(at))
		}
	}
	if got := names(s.shop("GET", "/me/reviews", nil, ada).Want(200), "id"); got != id {
		t.Errorf("my own: %s", got)
	}
	s.shop("PATCH", "/me/reviews/"+id, object{"rating": 1}, bob).WantProblem(404, "not_found")
	if got := s.shop("PATCH", "/me/reviews/"+id, object{"rating": 4, "title": nil}, ada).Want(200); got.String("state") != "pending" || got.Get("title") != nil {
		t.Errorf("changed: %s", got.Body)
	}
	s.shop("DELETE", "/me/reviews/"+id, nil, bob).WantProblem(404, "not_found")
	s.shop("DELETE", "/me/reviews/"+id, nil, ada).Want(204)
	s.admin("DELETE", "/reviews/"+second, nil).Want(204)
	if got := s.shop("GET", "/products/"+product, nil).Want(200); got.Get("rating") != nil {
		t.Errorf("when all are gone: %s", got.Body)
	}
}

func TestWishlistsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	product := shoptest.Value[string](t, s.Shop, `select product_id from variants where id = $1`, s.shirt)
	ada, bob := s.account("ada@example.com"), s.account("bob@example.com")
	s.shop("POST", "/me/wishlists", object{"name": "Birthday"}).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/me/wishlists", object{}, ada).Want(400)
	made := s.shop("POST", "/me/wishlists", object{"name": "Birthday"}, ada).Want(201)
	path := "/me/wishlists/" + made.String("id")
	for _, who := range []string{bob, "Customer-Token: cs_guessed"} {
		if got := s.shop("GET", path, nil, who); got.Status != 404 && got.Status != 401 {
			t.Errorf("somebody else sees it: %s", got.Body)
		}
	}
	s.shop("POST", path+"/items", object{"product_id": "none"}, ada).WantProblem(422, "unknown_reference")
	s.shop("POST", path+"/items", object{"product_id": product, "variant_id": s.shirt}, bob).WantProblem(404, "not_found")
	full := s.shop("POST", path+"/items", object{"product_id": product, "variant_id": s.shirt}, ada).Want(200)
	s.shop("POST", path+"/items", object{"product_id": product, "variant_id": s.shirt}, ada, apitest.ChangesNothing).Want(200)
	if full.String("items.0.variant_id") != s.shirt || full.Get("items.0.shown") != true || full.Get("share_token") != nil {
		t.Errorf("filled: %s", full.Body)
	}
	shared := s.shop("PATCH", path, object{"shared": true, "name": "Wedding"}, ada, "If-Match: "+full.Header.Get("ETag")).Want(200)
	s.shop("PATCH", path, object{"shared": false}, ada, "If-Match: "+full.Header.Get("ETag")).WantProblem(412, "stale")
	link := "/wishlists/" + shared.String("share_token")
	if got := s.shop("GET", link, nil).Want(200); got.String("name") != "Wedding" || got.String("items.0.title") != "Linen shirt" || got.Get("id") != nil {
		t.Errorf("shown to others: %s", got.Body)
	}
	newSelling(t).shop("GET", link, nil).WantProblem(404, "not_found")
	if got := names(s.shop("GET", "/me/wishlists", nil, ada).Want(200), "name"); got != "Wedding" {
		t.Errorf("all of them: %s", got)
	}
	s.shop("DELETE", path+"/items/"+full.String("items.0.id"), nil, ada).Want(204)
	s.shop("DELETE", path+"/items/"+full.String("items.0.id"), nil, ada).WantProblem(404, "not_found")
	s.shop("DELETE", path, nil, bob).WantProblem(404, "not_found")
	s.shop("DELETE", path, nil, ada).Want(204)
	s.shop("GET", link, nil).WantProblem(404, "not_found")
}
