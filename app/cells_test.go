package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
	"github.com/stoacommerce/stoa/platform/ids"
)

// cellStore is a store with the cell that it lies in.
type cellStore struct {
	cell string
	host string
	key  string
}

// cells is a program with two cells, each on a Postgres server of its own.
type cells struct{ *apptest.Program }

// born has somebody sign up.
func (c cells) born(t *testing.T) cellStore {
	t.Helper()
	id := ids.New("x")
	address := "s" + strings.NewReplacer("0", "", "1", "", "_", "").Replace(id[len(id)-16:])
	body := fmt.Sprintf(`{"email": "%s@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
		"store_name": "Linen", "store_address": %q, "country": "DE", "currency": "EUR"}`, address, address)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/v1/signup", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", address)
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", id[len(id)-1], id[len(id)-2], id[len(id)-3]))
	answer, err := c.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var made struct {
		Detail string
		Store  struct{ ID string }
		Keys   struct{ Live struct{ Publishable string } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("sign-up answered %s: %s %v", answer.Status, made.Detail, err)
	}
	where := apptest.Query[string](c.Program, `select cell from stores where id = $1`, made.Store.ID)
	return cellStore{cell: where[0], host: c.Host(address).Host, key: made.Keys.Live.Publishable}
}

// status is what a store's shop and its API answer. Nothing is asked for that may have been
// kept, for that outlives its cell for a while.
func (c cells) status(t *testing.T, s cellStore) (page, api int) {
	t.Helper()
	for into, path := range map[*int]string{&page: "/search?q=" + ids.New("q"), &api: "/v1/shop/search?q=" + ids.New("q")} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if into == &page {
			request.Host = s.host
		} else {
			request.Header.Set("Authorization", "Bearer "+s.key)
		}
		answer, err := c.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		*into = answer.StatusCode
	}
	return page, api
}

// TestALostCellTakesOnlyItsOwnStoresWithIt stops the server of one of two cells.
func TestALostCellTakesOnlyItsOwnStoresWithIt(t *testing.T) {
	t.Parallel()
	options := embedded.PostgresOptions{Dir: t.TempDir(), Fast: true, MaxConnections: 60}
	server, err := embedded.StartPostgres(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	id := ids.New("c")
	kept, lost := "k"+id[len(id)-10:], "l"+id[len(id)-10:]
	c := cells{apptest.Start(t, apptest.Env{"STOA_CELLS": kept + "=" + testenv.Database(t) + "," + lost + "=" + server.URL()})}

	// New stores go to the emptiest cell.
	var stores []cellStore
	count := map[string]int{}
	for range 4 {
		s := c.born(t)
		stores = append(stores, s)
		count[s.cell]++
	}
	if count[kept] != 2 || count[lost] != 2 {
		t.Fatalf("four stores went to %v", count)
	}
	expect := func(down int) {
		t.Helper()
		for _, s := range stores {
			want := http.StatusOK
			if s.cell == lost {
				want = down
			}
			if page, api := c.status(t, s); page != want || api != want {
				t.Errorf("a store of %s answers %d and %d, want %d", s.cell, page, api, want)
			}
		}
	}
	expect(http.StatusOK)

	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	expect(http.StatusServiceUnavailable)
	for range 3 { // the lost cell becomes the emptiest by far
		s := c.born(t)
		if s.cell != kept {
			t.Errorf("a store was born in the lost cell")
		}
		stores = append(stores, s)
	}
	expect(http.StatusServiceUnavailable)
	ready, err := c.Client().Get(c.OpsURL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = ready.Body.Close()
	if ready.StatusCode != http.StatusOK {
		t.Errorf("with a cell lost the program is not ready: %s", ready.Status)
	}

	options.Port = 0 // that of its last start
	if server, err = embedded.StartPostgres(context.Background(), options); err != nil {
		t.Fatal(err)
	}
	apptest.Eventually(t, time.Minute, "the lost cell's shops answer again", func() bool {
		for _, s := range stores {
			if page, api := c.status(t, s); page != http.StatusOK || api != http.StatusOK {
				return false
			}
		}
		return true
	})
	apptest.Eventually(t, time.Minute, "stores are born in it again", func() bool { return c.born(t).cell == lost })
}
