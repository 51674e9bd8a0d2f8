package app

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // for demo.json
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed demo.json
var demoJSON []byte

// demoStore is a store to be made: what sign-up takes, and the products that follow, each
// as the API takes it.
type demoStore struct {
	Name     string            `json:"name"`
	Address  string            `json:"address"`
	Products []json.RawMessage `json:"products"`
}

// demo is what stoa dev tells of its demo stores.
type demo struct {
	URL      string     `json:"url"`
	Email    string     `json:"email"`
	Password string     `json:"password"`
	Stores   []demoKeys `json:"stores"`
}

// demoKeys are a demo store's addresses and the keys of its sandbox, where its goods are.
type demoKeys struct {
	Name           string `json:"name"`
	ID             string `json:"id"`
	ShopURL        string `json:"shop_url"`
	SecretKey      string `json:"secret_key"`
	PublishableKey string `json:"publishable_key"`
	Done           bool   `json:"done"`
}

// seedDemo makes the demo stores through the API, as anyone would. It writes down how far
// it is, so that a start that was cut short goes on.
func (a *App) seedDemo(ctx context.Context) (*demo, error) {
	var wanted []demoStore
	if err := json.Unmarshal(demoJSON, &wanted); err != nil {
		return nil, fmt.Errorf("demo.json: %w", err)
	}
	file := filepath.Join(a.config.DataDir, devFile)
	d := &demo{URL: a.config.Site.PublicURL.String(), Email: "demo@example.com", Password: rand.Text()}
	kept, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(kept, d)
	} else if errors.Is(err, os.ErrNotExist) {
		err = writeJSON(file, d)
	}
	if err != nil {
		return nil, err
	}
	d.URL = a.config.Site.PublicURL.String()
	client := &demoClient{server: a.server, jar: map[string]string{}}
	for i, store := range wanted {
		if i == len(d.Stores) {
			keys, err := client.open(ctx, d, store)
			if err != nil {
				return nil, err
			}
			d.Stores = append(d.Stores, keys)
			if err := writeJSON(file, d); err != nil {
				return nil, err
			}
		}
		if d.Stores[i].Done {
			continue
		}
		for n, product := range store.Products {
			if err := client.post(ctx, "/v1/products", d.Stores[i].SecretKey, fmt.Sprintf("demo-%d", n), product, nil); err != nil {
				return nil, fmt.Errorf("product %d of %s: %w", n+1, store.Name, err)
			}
		}
		d.Stores[i].Done = true
	}
	return d, writeJSON(file, d)
}

// banner tells where to click.
func (d *demo) banner(took time.Duration) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\nStoa is ready after %.1f s: %s (API documentation at %s/docs)\n", took.Seconds(), d.URL, d.URL)
	fmt.Fprintf(&text, "Sign in as %s with %s\n", d.Email, d.Password)
	for _, store := range d.Stores {
		fmt.Fprintf(&text, "\n  %s  %s\n    secret key       %s\n    publishable key  %s\n", store.Name, store.ShopURL, store.SecretKey, store.PublishableKey)
	}
	fmt.Fprintf(&text, "\nThe same stands in dev.json. Ctrl-C ends it; the state stays.\n\n")
	return text.String()
}

// demoClient calls the program's own API.
type demoClient struct {
	server http.Handler
	jar    map[string]string
}

// open signs up, or adds a store to who is signed in.
func (c *demoClient) open(ctx context.Context, d *demo, store demoStore) (demoKeys, error) {
	body := map[string]any{"store_name": store.Name, "store_address": store.Address, "country": "DE", "currency": "EUR"}
	if len(d.Stores) == 0 {
		body["email"], body["password"] = d.Email, d.Password
	} else if err := c.post(ctx, "/v1/session", "", "", map[string]any{"email": d.Email, "password": d.Password}, nil); err != nil {
		return demoKeys{}, fmt.Errorf("sign in to add %s: %w", store.Name, err)
	}
	var made struct {
		Store struct{ ID string }
		Keys  struct {
			Test struct{ Secret, Publishable string }
		}
		ShopURL string `json:"shop_url"`
	}
	if err := c.post(ctx, "/v1/signup", "", "demo-"+store.Address, body, &made); err != nil {
		return demoKeys{}, fmt.Errorf("open %s: %w", store.Name, err)
	}
	shop := strings.Replace(made.ShopURL, "://"+store.Address+".", "://"+store.Address+"--test.", 1)
	return demoKeys{Name: store.Name, ID: made.Store.ID, ShopURL: shop, SecretKey: made.Keys.Test.Secret, PublishableKey: made.Keys.Test.Publishable}, nil
}

func (c *demoClient) post(ctx context.Context, path, key, once string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.RemoteAddr, r.RequestURI = "127.0.0.1:1", path
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if once != "" {
		r.Header.Set("Idempotency-Key", once)
	}
	for name, value := range c.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := &demoAnswer{header: http.Header{}}
	c.server.ServeHTTP(w, r)
	for _, cookie := range (&http.Response{Header: w.header}).Cookies() {
		c.jar[cookie.Name] = cookie.Value
	}
	if w.status >= 300 {
		return fmt.Errorf("%s answered %d: %s", path, w.status, w.body.String())
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(io.Reader(&w.body)).Decode(into)
}

// demoAnswer keeps an answer.
type demoAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *demoAnswer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *demoAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *demoAnswer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
