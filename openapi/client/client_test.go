package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/openapi/client"
	"github.com/stoacommerce/stoa/openapi/gen"
)

// server answers each request by the next of some functions, and the last one on.
func server(t *testing.T, answers ...http.HandlerFunc) (*client.Client, func() int) {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		answers[min(n, len(answers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return client.New(s.URL+"/", "stoa_sk_test"), func() int { return int(asked.Load()) }
}

func problem(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func product(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"id": "prod_1", "title": "Bowl"}`)
}

// What may succeed in a moment is sent again with the same key; what will not is not.
func TestRequestsAreSentAgain(t *testing.T) {
	t.Parallel()
	for name, try := range map[string]struct {
		answer http.HandlerFunc
		asked  int
		code   string
	}{
		"limited":                 {problem(429, `{"code": "rate_limited", "retry_after": 0}`), 2, ""},
		"unavailable":             {problem(503, `{"code": "store_unavailable", "retry_after": 0}`), 2, ""},
		"under way":               {problem(409, `{"code": "idempotency_in_progress", "retry_after": 0}`), 2, ""},
		"a broken connection":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 2, ""},
		"refused":                 {problem(422, `{"code": "invalid_request", "title": "No", "detail": "A title is missing."}`), 1, "invalid_request"},
		"gone wrong":              {problem(500, `{"code": "internal_error"}`), 1, "internal_error"},
		"what is no problem file": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, 1, "unexpected_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lock sync.Mutex
			var keys []string
			keyed := func(next http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					lock.Lock()
					keys = append(keys, r.Header.Get("Idempotency-Key"))
					lock.Unlock()
					next(w, r)
				}
			}
			c, asked := server(t, keyed(try.answer), keyed(product))
			made, err := c.CreateProduct(t.Context(), gen.ProductCreate{Title: "Bowl"}, nil)
			lock.Lock()
			defer lock.Unlock()
			if asked() != try.asked || len(slices.Compact(keys)) != 1 || keys[0] == "" {
				t.Errorf("asked %d times with %v", asked(), keys)
			}
			if try.code == "" && (err != nil || made.ID != "prod_1") || try.code != "" && !client.Is(err, try.code) {
				t.Errorf("%+v, %v", made, err)
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	c, asked := server(t, problem(503, `{"code": "store_unavailable", "title": "Unavailable", "retry_after": 0}`))
	_, err := c.GetProduct(t.Context(), "prod_1", nil)
	var e *client.Error
	if !errors.As(err, &e) || e.Status != 503 || asked() != 3 {
		t.Errorf("%v after %d attempts", err, asked())
	}
	if want := "GET /v1/products/prod_1: store_unavailable: Unavailable (req_1)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if client.Is(err, "not_found") || client.Is(io.EOF, "not_found") {
		t.Error("an error is another one")
	}
}

// A patch may empty a list, and leave it alone.
func TestAPatchMayEmptyAList(t *testing.T) {
	var sent []string
	c, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, string(body))
		_, _ = io.WriteString(w, `{}`)
	})
	name := "Linen"
	for _, update := range []gen.StoreUpdate{{Locales: []gen.StoreLocale{}}, {Name: &name}} {
		if _, err := c.UpdateStore(t.Context(), update, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(sent, []string{`{"locales":[]}`, `{"name":"Linen"}`}) {
		t.Errorf("sent %q", sent)
	}
}
