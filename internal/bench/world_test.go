package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

type object map[string]any

// A world is the program in a process of its own, configured as in production, with a
// store that has something to sell.
type world struct {
	*apptest.Process
	b       *testing.B
	storeID string
	address string   // the first label of the shop's host
	keys    keys     // of the live side
	sandbox keys     // of the sandbox
	readers []string // restricted keys of the live side that read products and do nothing else
}

type keys struct{ Secret, Publishable string }

const (
	products = 48  // in the store
	perPage  = 24  // of them in a list
	readers  = 100 // keys, for a key has a limit of its own
)

// newWorld starts the program and opens the store.
func newWorld(b *testing.B) *world {
	b.Helper()
	w := &world{b: b, Process: apptest.Spawn(b, apptest.Build(b), apptest.Env{
		"STOA_WITH_WORKER": "false", "STOA_LOG_LEVEL": "info", "STOA_LOG_FORMAT": "json", "STOA_RESPONSE_SAMPLE": "0.01",
		"STOA_CELL_LOGINS": "1", "STOA_CELL_MAX_STORES": "100", "STOA_CELL_CONNECTIONS": fmt.Sprint(connections),
	})}
	w.address = "bench-" + strings.ToLower(ids.New("x")[20:])
	born := w.call("POST", "/v1/signup", "", object{
		"email": "ada@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
		"store_name": "Linen", "store_address": w.address, "country": "DE", "currency": "EUR",
	}, "Idempotency-Key: sign-up")
	w.storeID = text(born, "/store/id")
	w.keys = keys{text(born, "/keys/live/secret"), text(born, "/keys/live/publishable")}
	w.sandbox = keys{text(born, "/keys/test/secret"), text(born, "/keys/test/publishable")}
	w.Exec(`update stores set plan = 'scale' where id = $1`, w.storeID)
	for i := range products {
		w.product(w.keys.Secret, fmt.Sprintf("Linen shirt %d", i), 4)
	}
	for i := range readers {
		key := w.call("POST", "/v1/api-keys", w.keys.Secret, object{"name": fmt.Sprint("Reader ", i), "kind": "restricted", "scopes": []string{"products:read"}})
		w.readers = append(w.readers, text(key, "/secret"))
	}
	w.Exec(`vacuum analyze`)
	return w
}

// product puts something on sale, in so many variants, and gives it as the API shows it.
func (w *world) product(key, title string, variants int) any {
	w.b.Helper()
	var sizes []string
	var list []object
	for i := range variants {
		size := fmt.Sprint("Size ", i)
		sizes = append(sizes, size)
		list = append(list, object{
			"sku": fmt.Sprintf("%s-%d", strings.ReplaceAll(title, " ", "-"), i), "option_values": []string{size}, "stock_quantity": 1000,
			"prices": []object{{"amount": 4900 + 100*i, "currency": "EUR"}},
		})
	}
	return w.call("POST", "/v1/products", key, object{
		"title": title, "status": "active", "vendor": "Example Mill", "product_type": "Shirts", "tags": []string{"linen", "summer"},
		"description_html": "<p>" + strings.Repeat("Woven of washed linen, cut wide, with buttons of shell. ", 6) + "</p>",
		"options":          []object{{"name": "Size", "values": sizes}}, "variants": list,
	})
}

// call makes a request that has to succeed, and gives what was answered.
func (w *world) call(method, path, key string, body any, headers ...string) any {
	w.b.Helper()
	var raw bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&raw).Encode(body); err != nil {
			w.b.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(w.b.Context(), method, w.URL+path, &raw)
	if err != nil {
		w.b.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		w.b.Fatalf("%s %s: %s %v: %s", method, path, response.Status, err, answer)
	}
	var value any
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &value); err != nil {
			w.b.Fatal(err)
		}
	}
	return value
}

// text is a text in an answer, by its JSON pointer.
func text(value any, pointer string) string {
	found, _ := probe.Lookup(value, pointer)
	s, _ := found.(string)
	return s
}
