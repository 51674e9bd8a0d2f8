package app_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/platform/ids"
)

// merchant has a store of the program, in which the test provider takes money on the live
// side too, so that what is sold there counts.
type merchant struct {
	p                   *apptest.Program
	email, password     string
	address, id         string
	secret, publishable string // keys of the live side
}

// openShop signs a merchant up.
func openShop(t *testing.T, p *apptest.Program) *merchant {
	t.Helper()
	m := &merchant{p: p, password: "seven purple lanterns at dusk", address: "linen-" + run()}
	m.email = "owner-" + m.address + "@example.com"
	said := m.call(t, "POST", "/v1/signup", "", m.signUp(m.address), http.StatusCreated)
	m.id = said.text("store", "id")
	m.secret, m.publishable = said.text("keys", "live", "secret"), said.text("keys", "live", "publishable")
	p.Exec(`update stores set demo = true where id = $1`, m.id)
	return m
}

func (m *merchant) signUp(address string) map[string]any {
	return map[string]any{
		"email": m.email, "password": m.password, "account_name": "Ada Example", "store_name": "Linen", "store_address": address,
		"country": "DE", "currency": "EUR",
	}
}

// said is an answer's JSON.
type said map[string]any

func (s said) text(path ...string) string {
	var at any = map[string]any(s)
	for _, name := range path {
		inner, _ := at.(map[string]any)
		at = inner[name]
	}
	text, _ := at.(string)
	return text
}

// call asks the API, with a key unless it is empty.
func (m *merchant) call(t *testing.T, method, path, key string, body any, want int) said {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, m.p.URL+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", ids.New("idem"))
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := m.p.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		t.Fatalf("%s %s answered %d (%v), want %d: %s", method, path, answer.StatusCode, err, want, text)
	}
	out := said{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// flow goes a way of openapi/flows.yaml with the keys of the live side.
func (m *merchant) flow(t *testing.T, name string, more map[string]any) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../openapi/flows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := flows.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]any{"run": run(), "password": m.password, "secret_key": m.secret, "publishable_key": m.publishable}
	for name, value := range more {
		inputs[name] = value
	}
	outputs, err := (&flows.Runner{Document: doc, Probe: m.p.Probe, FromMail: m.p.MailParameter}).Run(t.Context(), name, inputs)
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}

// shopper looks at the shop in a browser.
type shopper struct {
	t      *testing.T
	client *http.Client
	base   string
	page   string // what was answered last
}

func (m *merchant) shopper(t *testing.T) *shopper {
	return &shopper{t: t, client: m.p.Browser(), base: strings.TrimSuffix(m.p.Host(m.address).String(), "/")}
}

func (s *shopper) get(path string, want int) {
	s.t.Helper()
	answer, err := s.client.Get(s.base + path)
	s.take(answer, err, path, want)
}

// post sends a form and goes where it leads.
func (s *shopper) post(path string, form url.Values, want int) {
	s.t.Helper()
	answer, err := s.client.PostForm(s.base+path, form)
	s.take(answer, err, path, want)
	if to := answer.Header.Get("Location"); to != "" {
		to, _, _ = strings.Cut(to, "#")
		s.get(to, http.StatusOK)
	}
}

func (s *shopper) take(answer *http.Response, err error, path string, want int) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		s.t.Fatalf("%s answered %d (%v), want %d: %s", path, answer.StatusCode, err, want, body)
	}
	s.page = html.UnescapeString(string(body))
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// form are the hidden fields of the page.
func (s *shopper) form(more ...string) url.Values {
	values := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(s.page, -1) {
		values.Set(field[1], field[2])
	}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return values
}

var wayToSend = regexp.MustCompile(`name="method"\s+value="([^"]+)"`)

// buy buys a variant by forms alone. Each token is one attempt to pay, and the last succeeds.
func (s *shopper) buy(variant string, tokens ...string) {
	s.t.Helper()
	s.post("/cart/lines", url.Values{"variant": {variant}, "quantity": {"1"}}, http.StatusSeeOther)
	s.post("/checkout/contact", url.Values{
		"email": {"grace@example.com"}, "name": {"Grace Example"}, "line1": {"1 Sample Street"}, "postal_code": {"10115"}, "city": {"Berlin"}, "country": {"DE"},
	}, http.StatusSeeOther)
	if way := wayToSend.FindStringSubmatch(s.page); way != nil {
		s.post("/checkout/shipping", url.Values{"method": {way[1]}}, http.StatusSeeOther)
	}
	for _, token := range tokens {
		s.post("/checkout/pay", s.form("token", token), http.StatusSeeOther)
	}
	if !strings.Contains(s.page, "Thank you") {
		s.t.Fatalf("nothing was bought: %s", s.page)
	}
}
