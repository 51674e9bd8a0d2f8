package bench

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// operations tells what operations cost: their SQL statements and round trips over all
// transactions and databases, as the program itself counts them, and how long they take one
// after the other, as a multiple of what the bare handler at the address takes.
func (w *world) operations(bare string) report.Table {
	w.b.Helper()
	table := report.Table{
		Title: "What an operation costs",
		Note: "SQL statements and round trips are over all transactions and databases, with audit entry, event and idempotency key; entering, beginning and ending a transaction apart. " +
			"What is promised of them is held by tests (`openapi/handlers`), not only printed. The time is that of one request after another; its multiple is of the bare handler's list, in the same run.",
	}
	yardstick := w.cost(func() { w.get("http://" + bare + "/database") }).took.Median()
	add := func(name string, bound float64, do func()) report.Samples {
		c := w.cost(do)
		row := c.statements.AtMost(name, "%.0f", bound)
		row.Value = fmt.Sprintf("%.0f statements, %.0f round trips, %.0f µs: %.1f of bare",
			c.statements.Median(), c.trips.Median(), c.took.Median(), c.took.Median()/yardstick)
		table.Rows = append(table.Rows, row)
		return c.took
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
	wide := text(w.wide(w.keys.Secret), "/id")
	add("product with 2,048 variants", 1, func() { w.call("GET", "/v1/products/"+wide, w.keys.Secret, nil) })

	// Orders are placed in the sandbox, where the provider for tests takes the money.
	shirt := w.product(w.sandbox.Secret, "Linen shirt", most)
	method := w.call("POST", "/v1/shipping-methods", w.sandbox.Secret, object{"name": "Parcel", "prices": []object{{"amount": 490, "currency": "EUR"}}})
	adding := func() func() {
		path, token, _ := w.cart(shirt, method, 5)
		return func() {
			w.call("POST", path+"/lines", w.sandbox.Publishable, object{"variant_id": text(shirt, "/variants/1/id"), "quantity": 1}, token, another())
		}
	}
	var order string
	for _, lines := range []int{1, most} {
		var completions []func()
		for range counts {
			path, token, total := w.cart(shirt, method, lines)
			completions = append(completions, func() {
				order = text(w.call("POST", path+"/complete", w.sandbox.Publishable,
					object{"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": total}, token, another()), "/id")
			})
		}
		add(fmt.Sprintf("completing a cart of %d", lines), 15, func() {
			completions[0]()
			completions = completions[1:]
		})
	}
	add("order of 50 lines", 1, func() { w.call("GET", "/v1/orders/"+order, w.sandbox.Secret, nil) })
	add("list of 24 orders", 1, func() { w.call("GET", "/v1/orders?limit=24", w.sandbox.Secret, nil) })
	none := add("adding to a cart", 4, adding())
	for i := range promotions {
		w.call("POST", "/v1/promotions", w.sandbox.Secret, object{
			"title": fmt.Sprint("Offer ", i), "kind": "percentage", "class": "products", "percentage": fmt.Sprint(i%50 + 1), "automatic": true,
			"minimum_quantity": i%7 + 1, "combines_with": []string{"products"}, "items": object{"tags": []string{"linen"}},
		})
	}
	many := add(fmt.Sprintf("adding to a cart, with %d promotions", promotions), 4, adding())
	table.Rows = append(table.Rows, report.Samples{many.Median() / none.Median()}.AtMost(fmt.Sprintf("%d promotions to none", promotions), "%.2f", 2))
	return table
}

const (
	counts     = 9  // how often an operation is measured
	most       = 50 // lines of the largest cart
	promotions = 50
)

// wide is a product with as many variants as there can be.
func (w *world) wide(key string) any {
	w.b.Helper()
	choices := func(name string, n int) object {
		var values []string
		for i := range n {
			values = append(values, fmt.Sprint(name, " ", i))
		}
		return object{"name": name, "values": values}
	}
	return w.call("POST", "/v1/products", key, object{
		"title": "Bolt", "status": "active", "options": []object{choices("Length", 16), choices("Width", 16), choices("Steel", 8)},
		"matrix": object{"sku_pattern": "B-{1}-{2}-{3}", "prices": []object{{"amount": 30, "currency": "EUR"}}},
	})
}

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

// cost is what doing something takes, each time.
type cost struct{ statements, trips, took report.Samples }

// cost does something several times. The program does
// little else meanwhile, and what it does falls out of the median.
func (w *world) cost(do func()) (c cost) {
	w.b.Helper()
	for range counts {
		before := w.metrics()
		began := time.Now()
		do()
		took := time.Since(began)
		after := w.metrics()
		sent := func(name string) float64 { return after[name] - before[name] }
		c.statements = append(c.statements, sent("stoa_db_statements_total"))
		// A transaction takes one round trip to begin and one to end.
		c.trips = append(c.trips, sent("stoa_db_round_trips_total")-2*sent("stoa_db_transactions_total"))
		c.took = append(c.took, float64(took)/float64(time.Microsecond))
	}
	return c
}

// get reads an address.
func (w *world) get(url string) {
	w.b.Helper()
	response, err := http.Get(url)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		w.b.Fatalf("%s: %s %v", url, response.Status, err)
	}
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
