package handlers_test

import (
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
)

// A live shop sells to nobody with test payments, and not before its owner is verified.
func TestLiveShops(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	live := s.Platform.Store(t)
	s.Shop = shoptest.In(t, s.DB, live)
	s.shirt = s.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	s.pk = s.Publishable(live)
	path, token := s.cart(1)
	staff := s.Staff(live)
	become := func(demo, verified bool) {
		for _, key := range []string{s.pk, staff} {
			caller := s.Caller(key)
			store := *caller.Store
			store.Demo, store.OwnerVerified = demo, verified
			caller.Store = &store
			s.SetCaller(key, caller)
		}
	}
	tests := func(want bool) {
		t.Helper()
		if got := s.Do(t, staff, "GET", "/v1/payment-settings", nil).Want(200); got.Get("test_provider") != want {
			t.Errorf("what the staff is told of the test provider: %s", got.Body)
		}
	}
	if got := s.shop("GET", path, nil, token).Want(200); got.String("problems.0.code") != "orders_not_accepted" {
		t.Errorf("the cart: %s", got.Body)
	}
	s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).WantProblem(422, "test_provider_refused")
	become(false, true)
	tests(false)
	if got := s.shop("GET", path, nil, token).Want(200); got.Get("problems.0") != nil {
		t.Errorf("the cart: %s", got.Body)
	}
	s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).WantProblem(422, "test_provider_refused")
	become(true, false)
	tests(true)
	s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).Want(201)
}
