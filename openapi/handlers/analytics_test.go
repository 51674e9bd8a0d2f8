package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

// Reports are of what the caller's store sold, for whom may see them, as JSON and as a table.
func TestReports(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	figures := &analytics.Service{DB: s.DB}
	asked := func(caller, method, path string, body any, headers ...string) *apitest.Answer {
		t.Helper()
		return s.Do(t, caller, method, "/v1/analytics"+path, body, headers...)
	}
	staff := s.Scoped(s.Ctx, "analytics:read")
	order := s.order(2)
	if err := figures.Book(s.Ctx, order); err != nil {
		t.Fatal(err)
	}
	sales := asked(staff, "GET", "/sales?compare=previous_year&interval=week", nil).Want(200)
	if sales.Get("period.totals.orders") != 1.0 || sales.Get("period.totals.total_sales.amount") != 2*1999.0+490 || sales.Get("comparison.totals.average_order_value") != nil {
		t.Errorf("sold: %s", sales.Body)
	}
	for _, path := range []string{"/customers", "/conversion", "/refunds", "/products?top=3&sort=units_sold", "/collections?compare=previous_period", "/discounts", "/taxes?compare=previous_year", "/stock?currency=EUR"} {
		if got := asked(staff, "GET", path, nil).Want(200); got.String("time_zone") != "UTC" {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	table := asked(staff, "GET", "/products?format=csv", nil).Want(200)
	if got := string(table.Body); !strings.HasPrefix(table.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(got, "period,product_id,title,") || strings.Count(got, "\n") != 2 {
		t.Errorf("a table: %s", got)
	}
	asked(staff, "GET", "/sales?from=2026-02-01&to=2026-01-01", nil).WantProblem(422, "period_invalid")
	asked(staff, "GET", "/sales?from=2026-02-30", nil).WantProblem(400, "invalid_request")
	asked(staff, "GET", "/sales?interval=year", nil).WantProblem(400, "invalid_request")
	asked(s.Scoped(s.Ctx, "orders:read"), "GET", "/sales", nil).WantProblem(403, "missing_permission")
	asked("", "GET", "/sales", nil).WantProblem(401, "missing_credential")

	// Another store's orders are none of these.
	other := newSelling(t)
	if got := other.Do(t, other.Scoped(other.Ctx, "analytics:read"), "GET", "/v1/analytics/sales", nil).Want(200).Get("period.totals.orders"); got != 0.0 {
		t.Errorf("%v orders of another store", got)
	}

	// All is counted anew, once it is asked for in earnest.
	owner := s.Scoped(s.Ctx, "store:write", "analytics:read")
	asked(staff, "POST", "/rebuild", nil).WantProblem(403, "missing_permission")
	asked(owner, "POST", "/rebuild?dry_run=true", nil).Want(202)
	s.Exec(t, `update analytics_figures set orders = orders + 1`)
	if got := asked(owner, "POST", "/rebuild", nil, key()).Want(202); got.Get("rebuilding") != true {
		t.Errorf("rebuilding: %s", got.Body)
	}
	if got := asked(staff, "GET", "/sales", nil).Want(200); got.Get("rebuilding") != true || got.Get("period.totals.orders") != 2.0 {
		t.Errorf("meanwhile: %s", got.Body)
	}
	for range 2 {
		if err := figures.Rebuild(s.Ctx, analytics.RebuildArgs{Edition: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := asked(staff, "GET", "/sales", nil).Want(200); got.Get("rebuilding") != false || got.Get("period.totals.orders") != 1.0 {
		t.Errorf("afterwards: %s", got.Body)
	}

	if n := s.told.Load(); n != 1 {
		t.Errorf("told of %d orders", n)
	}
}
