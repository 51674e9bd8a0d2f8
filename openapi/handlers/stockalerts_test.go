package handlers_test

import (
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
)

func TestStockAlerts(t *testing.T) {
	s := newSelling(t)
	gone := s.Add(t, shoptest.Variant{Title: "Bowl", EUR: 1999})
	wish := func(variant string) object {
		return object{"variant_id": variant, "email": "ada@example.com", "locale": "de"}
	}
	s.shop("POST", "/stock-alerts", wish(gone)).Want(202)
	s.shop("POST", "/stock-alerts", wish(s.shirt)).WantProblem(422, "in_stock")
	s.shop("POST", "/stock-alerts", object{"variant_id": gone}).WantProblem(400, "invalid_request")
	s.admin("POST", "/shop/stock-alerts", wish(gone)).WantProblem(403, "wrong_credential")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from stock_alerts where variant_id = $1 and confirmed_at is null`, gone); n != 1 {
		t.Errorf("%d wishes", n)
	}
}
