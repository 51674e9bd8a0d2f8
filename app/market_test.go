package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// market is a store that sells, and those who buy there while something breaks: they ask
// again, under the same Idempotency-Key, until they have an answer.
type market struct {
	t      testing.TB
	doors  []*apptest.Program // replicas of one program
	paying []atomic.Int64     // completions under way at each door
	client *http.Client

	email, storeID      string
	secret, publishable string
	method, product     string
	variants            []string // of one product, in the order of their stocks
	lossy               bool     // carts may be lost while they are bought

	mu     sync.Mutex
	next   int
	orders map[string]time.Time // those that were acknowledged, and when
	stats  map[string]int       // requests that came to nothing, by why
	took   []time.Duration      // by requests since pace was asked last
	stop   chan struct{}
	carts  chan struct{} // as many as may be under way
	buying sync.WaitGroup
}

const password = "seven purple lanterns at dusk"

// openMarket opens a store, and puts a product on sale that has a variant for each stock.
func openMarket(t testing.TB, stocks []int64, doors ...*apptest.Program) *market {
	t.Helper()
	m := &market{
		t: t, doors: doors, paying: make([]atomic.Int64, len(doors)), client: probe.NewClient(30 * time.Second),
		email: "owner-" + run() + "@example.com", orders: map[string]time.Time{}, stats: map[string]int{}, stop: make(chan struct{}), carts: make(chan struct{}, 32),
	}
	m.client.Jar = nil // nobody here is a browser
	name := run()
	opened := m.must(t, 201, probe.Call{Operation: "signUp", Header: headers("", "Idempotency-Key", name), Body: body(map[string]any{
		"email": m.email, "password": password, "account_name": "Ada Example", "store_name": "Linen " + name, "store_address": "linen-" + name, "country": "DE", "currency": "EUR",
	})})
	m.storeID, m.secret, m.publishable = opened.String("/store/id"), opened.String("/keys/test/secret"), opened.String("/keys/test/publishable")
	doors[0].Exec(`update stores set plan = 'scale' where id = $1`, m.storeID) // before anybody asks
	values, variants := []string{}, []any{}
	for i, stock := range stocks {
		values = append(values, fmt.Sprint(i))
		variants = append(variants, map[string]any{"option_values": []string{values[i]}, "prices": []any{price(1900 + 100*i)}, "stock_quantity": stock})
	}
	product := m.must(t, 201, probe.Call{Operation: "createProduct", Header: headers(m.secret), Body: body(map[string]any{
		"title": "Linen shirt", "status": "active", "options": []any{map[string]any{"name": "Size", "values": values}}, "variants": variants,
	})})
	m.product = product.String("/id")
	for i := range stocks {
		m.variants = append(m.variants, product.String(fmt.Sprintf("/variants/%d/id", i)))
	}
	m.method = m.must(t, 201, probe.Call{Operation: "createShippingMethod", Header: headers(m.secret), Body: body(map[string]any{
		"name": "Parcel", "prices": []any{price(490)},
	})}).String("/id")
	return m
}

func price(cents int) map[string]any { return map[string]any{"amount": cents, "currency": "EUR"} }

func body(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}

// headers are those of a request of JSON with a key, and more of them by name and value.
func headers(key string, more ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if key != "" {
		h.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// anywhere is an address that nobody else comes from, so that no shopper meets another's
// limits.
func anywhere() string {
	return fmt.Sprintf("10.%d.%d.%d", rand.N(256), rand.N(256), rand.N(256))
}

// must makes a call at the first door that has to be answered so.
func (m *market) must(t testing.TB, status int, call probe.Call) *probe.Answer {
	t.Helper()
	answer, err := m.doors[0].Probe.Do(t.Context(), m.client, call)
	if err != nil || answer.Broken != nil {
		t.Fatalf("%s: %v", call.Operation, err)
	}
	if answer.Status != status {
		t.Fatalf("%s: status %d, want %d: %s", call.Operation, answer.Status, status, answer.Body)
	}
	return answer
}

// open lets shoppers buy, each one cart after another, until close.
func (m *market) open(shoppers int, rest time.Duration) {
	for range shoppers {
		m.buying.Add(1)
		go func() {
			defer m.buying.Done()
			for n := 0; ; n++ {
				select {
				case <-m.stop:
					return
				case m.carts <- struct{}{}:
				}
				// A cart whose answer is lost is taken to its end beside the next ones.
				settled := make(chan struct{})
				m.buying.Add(1)
				go func() {
					defer m.buying.Done()
					m.buy(n, sync.OnceFunc(func() { close(settled) }))
					<-m.carts
				}()
				<-settled
				time.Sleep(rest)
			}
		}()
	}
}

// close ends the buying: nobody begins anew, and what was begun comes to its end.
func (m *market) close() {
	m.t.Helper()
	close(m.stop)
	ended := make(chan struct{})
	go func() {
		m.buying.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(4 * time.Minute):
		m.mu.Lock()
		defer m.mu.Unlock()
		m.t.Fatalf("carts were not brought to an end; asked again because of: %v", m.stats)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Logf("%d orders; asked again because of: %v", len(m.orders), m.stats)
}

// buy buys one cart, and calls settled when it is done or has to ask again. Every fifth
// wants one of each variant, of which some are scarce.
func (m *market) buy(n int, settled func()) {
	defer settled()
	lines := []any{map[string]any{"variant_id": m.variants[0], "quantity": 1 + n%2}}
	if n%5 == 0 {
		for _, scarce := range m.variants[1:] {
			lines = append(lines, map[string]any{"variant_id": scarce, "quantity": 1})
		}
	}
	name, address := ids.New("key"), anywhere()
	made := m.ask(settled, 201, probe.Call{
		Operation: "createCart", Header: headers(m.publishable, "X-Forwarded-For", address, "Idempotency-Key", name),
		Body: body(map[string]any{"currency": "EUR", "email": "shopper@example.com", "lines": lines}),
	})
	if made == nil {
		return
	}
	in := map[string]string{"cart_id": made.String("/cart/id")}
	own := headers(m.publishable, "X-Forwarded-For", address, "Idempotency-Key", name, "Cart-Token", made.String("/token"))
	told := m.ask(settled, 200, probe.Call{Operation: "updateCart", Path: in, Header: own, Body: body(map[string]any{
		"shipping_address":   map[string]any{"name": "Grace Example", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
		"shipping_method_id": m.method,
	})})
	if told == nil {
		return
	}
	total, _ := told.Get("/totals/total")
	paid := m.ask(settled, 201, probe.Call{Operation: "completeCart", Path: in, Header: own, Body: body(map[string]any{
		"payment": map[string]any{"provider": "test", "token": "succeeds"}, "expected_total": total,
	})})
	if paid == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := paid.String("/id")
	if _, twice := m.orders[id]; twice {
		m.t.Errorf("order %s was acknowledged to two carts", id)
	}
	m.orders[id] = time.Now()
}

// ask makes a call until it is answered, at one door after the other. It gives nil where
// the goods are sold out, or the answer is none that can be.
func (m *market) ask(again func(), want int, call probe.Call) *probe.Answer {
	deadline := time.Now().Add(3 * time.Minute)
	for {
		if call.Header.Get("Cart-Token") != "" {
			// Who asks so often from one address is taken for someone who tries cards.
			call.Header.Set("X-Forwarded-For", anywhere())
		}
		answer, why := m.once(call)
		switch {
		case answer != nil && answer.Status == want:
			return answer
		case why == "out_of_stock", m.lossy && why == "not_found":
			return nil
		case answer != nil && answer.Status < 500 && !slices.Contains([]string{"idempotency_in_progress", "completion_in_progress", "rate_limited"}, why):
			m.t.Errorf("%s: status %d: %s", call.Operation, answer.Status, answer.Body)
			return nil
		case time.Now().After(deadline):
			m.t.Errorf("%s: not answered at last: %s", call.Operation, why)
			return nil
		}
		m.mu.Lock()
		m.stats[why]++
		m.mu.Unlock()
		again()
		time.Sleep(asked(answer))
	}
}

// asked is how long to wait before asking again: as long as the answer says.
func asked(answer *probe.Answer) time.Duration {
	if answer != nil {
		if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return 50 * time.Millisecond
}

// once makes a call at the next door. It says why there is no answer, or its code.
func (m *market) once(call probe.Call) (*probe.Answer, string) {
	m.mu.Lock()
	m.next = (m.next + 1) % len(m.doors)
	door := m.next
	m.mu.Unlock()
	if call.Operation == "completeCart" {
		m.paying[door].Add(1)
		defer m.paying[door].Add(-1)
	}
	began := time.Now()
	answer, err := m.doors[door].Probe.Do(context.Background(), m.client, call)
	if err != nil {
		return nil, "no answer"
	}
	m.mu.Lock()
	m.took = append(m.took, time.Since(began))
	m.mu.Unlock()
	if answer.Broken != nil {
		m.t.Errorf("%v", answer.Broken)
	}
	if answer.Status == http.StatusInternalServerError {
		m.t.Errorf("%s: %s", call.Operation, answer.Body)
	}
	return answer, answer.String("/code")
}

// pace is how long a request takes that was made since it was asked last, typically and
// at most.
func (m *market) pace() (typical, longest time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.Sort(m.took)
	typical, longest = m.took[len(m.took)/2], m.took[len(m.took)-1]
	m.took = nil
	return typical.Round(time.Millisecond), longest.Round(time.Millisecond)
}

// sold is how many orders were acknowledged so far.
func (m *market) sold() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.orders)
}

// untilSold waits until so many more orders are acknowledged.
func (m *market) untilSold(more int, bound time.Duration) {
	m.t.Helper()
	goal := m.sold() + more
	apptest.Eventually(m.t, bound, fmt.Sprintf("%d more orders", more), func() bool { return m.sold() >= goal })
}
