package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/ids"
)

// A town is the program in a process of its own, with all of its stores in one cell.
type town struct {
	*apptest.Process
	server *embedded.Postgres
	cell   string
	client *http.Client
	shops  []shop
}

// A shop is a store with the key that it begins with.
type shop struct {
	id, address, key string
	schema           int64
}

// spawn runs the program on a database of its own.
func spawn(b *testing.B, server *embedded.Postgres, name string, change apptest.Env) *town {
	b.Helper()
	database, err := server.Database(context.Background(), name)
	if err != nil {
		b.Fatal(err)
	}
	env := apptest.Env{
		"STOA_DATABASE_URL": database, "STOA_CELLS": name + "=" + database, "STOA_LOG_LEVEL": "info", "STOA_LOG_FORMAT": "json",
		"STOA_RESPONSE_SAMPLE": "0.01", "STOA_CELL_LOGINS": "8", "STOA_CELL_CONNECTIONS": "4", "STOA_CELL_MAX_STORES": "2400", "STOA_READY_STORES": "3",
	}
	for variable, value := range change {
		env[variable] = value
	}
	return &town{
		Process: apptest.Spawn(b, apptest.Build(b), env), server: server, cell: name,
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

// strangers numbers all requests, so that no two come from one address.
var strangers atomic.Int64

func stranger() string {
	n := strangers.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// ask makes a request that has to succeed, and gives what was answered.
func (w *town) ask(ctx context.Context, method, path, host, key string, body any) ([]byte, error) {
	var raw bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&raw).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, w.URL+path, &raw)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Forwarded-For", stranger())
	if host != "" {
		request.Host = host
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", ids.New("once"))
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s answered %s: %.300s", method, path, answer.Status, text)
	}
	return text, err
}

// signUp opens a store, and waits until its shop answers.
func (w *town) signUp(ctx context.Context) (shop, error) {
	id := ids.New("x")
	address := "s" + strings.NewReplacer("0", "", "1", "", "_", "").Replace(id[len(id)-18:])
	text, err := w.ask(ctx, http.MethodPost, "/v1/signup", "", "", map[string]any{
		"email": address + "@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
		"store_name": "Linen", "store_address": address, "country": "DE", "currency": "EUR",
	})
	if err != nil {
		return shop{}, err
	}
	var made any
	if err := json.Unmarshal(text, &made); err != nil {
		return shop{}, err
	}
	if _, err := w.ask(ctx, http.MethodGet, "/", w.Host(address).Host, "", nil); err != nil {
		return shop{}, err
	}
	at := func(pointer string) string {
		value, _ := probe.Lookup(made, pointer)
		found, _ := value.(string)
		return found
	}
	return shop{id: at("/store/id"), address: address, key: at("/keys/live/secret")}, nil
}

const (
	perList  = 24 // products in a store, all of which are listed
	variants = 4
)

// newTown opens all stores, each with something to sell.
func newTown(b *testing.B, server *embedded.Postgres) *town {
	b.Helper()
	// The hash is measured elsewhere; here it would only take time.
	w := spawn(b, server, "town", apptest.Env{"STOA_BCRYPT_COST": "4", "STOA_READY_STORES": "30"})
	first, err := w.signUp(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	w.shops = []shop{first}
	for n := range perList {
		var sizes []string
		var list []map[string]any
		for i := range variants {
			size := fmt.Sprint("Size ", i)
			sizes = append(sizes, size)
			list = append(list, map[string]any{
				"sku": fmt.Sprintf("linen-%d-%d", n, i), "option_values": []string{size}, "stock_quantity": 1000,
				"prices": []map[string]any{{"amount": 4900 + 100*i, "currency": "EUR"}},
			})
		}
		_, err := w.ask(b.Context(), http.MethodPost, "/v1/products", "", first.key, map[string]any{
			"title": fmt.Sprintf("Linen shirt %d", n), "status": "active", "vendor": "Example Mill", "tags": []string{"linen", "summer"},
			"description_html": "<p>" + strings.Repeat("Woven of washed linen, cut wide, with buttons of shell. ", 6) + "</p>",
			"options":          []map[string]any{{"name": "Size", "values": sizes}}, "variants": list,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	others := make([]shop, *stores-1)
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(4)
	for i := range others {
		group.Go(func() (err error) {
			others[i], err = w.signUp(ctx)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	w.shops = append(w.shops, others...)
	tables, columns := []string{"products", "variants", "prices"}, map[string]string{}
	for _, table := range tables { // but for what Postgres makes of other columns
		columns[table] = apptest.Query[string](w.Program, `
			select string_agg(quote_ident(column_name), ', ') from information_schema.columns
			where table_schema = (select 's_' || live_schema from stores where id = $1) and table_name = $2 and is_generated = 'NEVER'`, w.shops[0].id, table)[0]
	}
	for i := range w.shops {
		w.shops[i].schema = apptest.Query[int64](w.Program, `select live_schema from stores where id = $1`, w.shops[i].id)[0]
		if i == 0 {
			continue
		}
		for _, table := range tables {
			w.Exec(fmt.Sprintf(`insert into s_%[1]d.%[3]s (%[4]s) select %[4]s from s_%[2]d.%[3]s`, w.shops[i].schema, w.shops[0].schema, table, columns[table]))
		}
		w.Exec(fmt.Sprintf(`update s_%d.settings set product_count = $1`, w.shops[i].schema), perList)
	}
	w.Exec(`update stores set plan = 'scale'`)
	w.Exec(`vacuum analyze`)
	w.Restart() // with nothing in its memory
	return w
}
