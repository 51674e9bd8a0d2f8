package bench

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// statements tells how many SQL statements and round trips operations take, over all
// transactions and databases, as the program itself counts them.
func (w *world) statements() report.Table {
	w.b.Helper()
	table := report.Table{
		Title: "SQL statements of an operation",
		Note: "Over all transactions and databases, with audit entry, event and idempotency key; entering, beginning and ending a transaction apart. " +
			"What is promised here is held by tests (`openapi/handlers`), not only printed.",
	}
	add := func(name string, bound float64, do func()) {
		statements, trips := w.counted(do)
		row := statements.AtMost(name, "%.0f", bound)
		row.Value = fmt.Sprintf("%.0f statements, %.0f round trips", statements.Median(), trips.Median())
		table.Rows = append(table.Rows, row)
	}
	first := text(w.call("GET", "/v1/products?limit=1", w.keys.Secret, nil), "/data/0/id")
	n := 0
	another := func() string { n++; return fmt.Sprint("Idempotency-Key: ", n) }
	add("list of 24 products, by a secret key", 1, func() { w.call("GET", "/v1/products?limit=24", w.keys.Secret, nil) })
	add("list of 24 products, in the shop", 1, func() {
		n++
		w.call("GET", fmt.Sprintf("/v1/shop/products?limit=24&tag=none-%d", n), w.keys.Publishable, nil)
	})
	add("product", 1, func() { w.call("GET", "/v1/products/"+first, w.keys.Secret, nil) })

	// Orders are placed in the sandbox, where the provider for tests takes the money.
	shirt := w.product(w.sandbox.Secret, "Linen shirt", most)
	method := w.call("POST", "/v1/shipping-methods", w.sandbox.Secret, object{"name": "Parcel", "prices": []object{{"amount": 490, "currency": "EUR"}}})
	path, token, _ := w.cart(shirt, method, 1)
	add("adding to a cart", 4, func() {
		w.call("POST", path+"/lines", w.sandbox.Publishable, object{"variant_id": text(shirt, "/variants/1/id"), "quantity": 1}, token, another())
	})
	for _, lines := range []int{1, most} {
		var completions []func()
		for range counts {
			path, token, total := w.cart(shirt, method, lines)
			completions = append(completions, func() {
				w.call("POST", path+"/complete", w.sandbox.Publishable,
					object{"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": total}, token, another())
			})
		}
		add(fmt.Sprintf("completing a cart of %d", lines), 15, func() {
			completions[0]()
			completions = completions[1:]
		})
	}
	return table
}

const (
	counts = 5  // how often an operation is counted
	most   = 50 // lines of the largest cart
)

// cart begins a cart with so many lines that can be completed, and says what it comes to.
func (w *world) cart(product, method any, lines int) (path, token string, total any) {
	w.b.Helper()
	var list []object
	for i := range lines {
		list = append(list, object{"variant_id": text(product, fmt.Sprintf("/variants/%d/id", i)), "quantity": 1})
	}
	made := w.call("POST", "/v1/shop/carts", w.sandbox.Publishable, object{"email": "ada@example.com", "lines": list})
	path, token = "/v1/shop/carts/"+text(made, "/cart/id"), "Cart-Token: "+text(made, "/token")
	ready := w.call("PATCH", path, w.sandbox.Publishable, object{
		"shipping_method_id": text(method, "/id"),
		"shipping_address":   object{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"},
	}, token)
	total, _ = probe.Lookup(ready, "/totals/total")
	return path, token, total
}

// counted does something several times, and gives what each time took. The program does
// little else meanwhile, and what it does falls out of the median.
func (w *world) counted(do func()) (statements, trips report.Samples) {
	w.b.Helper()
	for range counts {
		before := w.metrics()
		do()
		after := w.metrics()
		sent := func(name string) float64 { return after[name] - before[name] }
		statements = append(statements, sent("stoa_db_statements_total"))
		// A transaction takes one round trip to begin and one to end.
		trips = append(trips, sent("stoa_db_round_trips_total")-2*sent("stoa_db_transactions_total"))
	}
	return statements, trips
}

// metrics are the program's metrics, each added up over all its labels.
func (w *world) metrics() map[string]float64 {
	w.b.Helper()
	response, err := http.Get(w.OpsURL + "/metrics")
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	sums := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), "{")
		value, err := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64)
		if err == nil {
			sums[name] += value
		}
	}
	return sums
}
